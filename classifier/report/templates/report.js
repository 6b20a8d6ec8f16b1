"use strict";
(function () {
  // Without script every row is open and there is no toolbar; this class turns both round.
  document.documentElement.classList.add("js");

  function all(root, selector) {
    return Array.prototype.slice.call(root.querySelectorAll(selector));
  }

  function setOpen(item, open) {
    item.classList.toggle("is-open", open);
    item.querySelector(".open").setAttribute("aria-expanded", String(open));
  }

  function value(item, key) {
    var cell = item.querySelector('.main [data-key="' + key + '"]');
    return cell ? cell.getAttribute("data-v") : "";
  }

  function compare(left, right, numeric) {
    if (left === right) return 0;
    // Missing values stay at the end whichever way a column is sorted.
    if (left === "") return null;
    if (right === "") return null;
    return numeric ? Number(left) - Number(right) : left.localeCompare(right);
  }

  function sortTable(table, key, descending) {
    var heading = table.tHead.querySelector('[data-key="' + key + '"]');
    var numeric = heading.classList.contains("n");
    var items = all(table, ".item");
    items.forEach(function (item, at) { item.sortKey = value(item, key); item.sortAt = at; });
    items.sort(function (a, b) {
      var order = compare(a.sortKey, b.sortKey, numeric);
      if (order === null) return a.sortKey === "" ? 1 : -1;
      return (descending ? -order : order) || a.sortAt - b.sortAt;
    });
    items.forEach(function (item) { table.appendChild(item); });
    all(table.tHead, "th").forEach(function (th) { th.removeAttribute("aria-sort"); });
    heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
  }

  function startsDescending(table, key) {
    return key !== "rank" && table.tHead.querySelector('[data-key="' + key + '"]').classList.contains("n");
  }

  function setUpSorting(table) {
    all(table.tHead, "th").forEach(function (th) {
      var key = th.getAttribute("data-key");
      var button = document.createElement("button");
      button.type = "button";
      button.textContent = th.textContent;
      th.textContent = "";
      th.appendChild(button);
      button.addEventListener("click", function () {
        var now = th.getAttribute("aria-sort");
        sortTable(table, key, now ? now === "ascending" : startsDescending(table, key));
      });
    });
    var rank = table.tHead.querySelector('[data-key="rank"]');
    if (rank) rank.setAttribute("aria-sort", "ascending");
  }

  function setUpOpening(table) {
    table.addEventListener("click", function (event) {
      var row = event.target.closest(".main");
      if (!row || event.target.closest("a")) return;
      // A click that ends a selection of text is none on the row.
      if (!event.target.closest("button") && String(window.getSelection())) return;
      var item = row.parentNode;
      setOpen(item, !item.classList.contains("is-open"));
    });
  }

  function setUpFilters(bar) {
    var table = document.getElementById(bar.getAttribute("data-table"));
    var find = bar.querySelector("[data-find]");
    var selects = all(bar, "[data-filter]");
    var shown = bar.querySelector("[data-shown]");
    var items = all(table, ".item");
    var texts = items.map(function (item) { return item.textContent.toLowerCase(); });
    var empty = table.parentNode.querySelector(".none-left");

    function matches(item, at) {
      var words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
      return words.every(function (word) { return texts[at].indexOf(word) !== -1; }) &&
        selects.every(function (select) {
          if (!select.value) return true;
          var name = select.getAttribute("data-filter");
          var found = item.getAttribute("data-" + name);
          return name === "labels" ? found.split(" ").indexOf(select.value) !== -1 : found === select.value;
        });
    }

    function apply() {
      var count = 0;
      items.forEach(function (item, at) {
        item.hidden = !matches(item, at);
        if (!item.hidden) count += 1;
      });
      shown.textContent = count === items.length ? count + " shown" : count + " of " + items.length + " shown";
      table.hidden = count === 0;
      empty.hidden = count !== 0;
    }

    function clear() {
      find.value = "";
      selects.forEach(function (select) { select.value = ""; });
      apply();
    }

    find.addEventListener("input", apply);
    find.addEventListener("keydown", function (event) { if (event.key === "Escape") clear(); });
    selects.forEach(function (select) { select.addEventListener("change", apply); });
    empty.querySelector("[data-clear]").addEventListener("click", function () { clear(); find.focus(); });
    bar.querySelector("[data-sort-by]").addEventListener("change", function (event) {
      sortTable(table, event.target.value, startsDescending(table, event.target.value));
    });
    table.clearFilters = clear;
    apply();
  }

  function openTarget() {
    // An address that somebody cut short may end within a character.
    var id = location.hash.slice(1);
    try { id = decodeURIComponent(id); } catch (error) { return; }
    var item = id && document.getElementById(id);
    if (!item || !item.classList.contains("item")) return;
    var table = item.parentNode;
    if (item.hidden && table.clearFilters) table.clearFilters();
    setOpen(item, true);
    item.querySelector(".main").scrollIntoView({ block: "start" });
    item.querySelector(".open").focus({ preventScroll: true });
  }

  document.addEventListener("DOMContentLoaded", function () {
    all(document, ".backlog").forEach(function (table) {
      setUpSorting(table);
      setUpOpening(table);
    });
    all(document, ".toolbar").forEach(setUpFilters);
    window.addEventListener("hashchange", openTarget);
    openTarget();
  });
})();
