"""report.html: what it says, that it is safe, and that it holds at size."""

import base64
import dataclasses
import hashlib
import re
from html.parser import HTMLParser
from importlib import resources

import numpy as np
import pandas as pd
import pytest
from report_samples import HOSTILE, hostile_results, nothing, results, sheets_of

from classifier import report, schema
from classifier.report import html, views


def page_of(found, **options):
    return html.render(views.page(found, **options))


class Tags(HTMLParser):
    """Collects elements, attributes and the text outside of script and style."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open, self.text = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_endtag(self, tag):
        self.open = self.open[: -1 - self.open[::-1].index(tag)] if tag in self.open else self.open

    def handle_data(self, data):
        if self.open and self.open[-1] in ("script", "style"):
            return
        self.text += data


@pytest.fixture(scope="module")
def demo():
    return page_of(results())


# --- safety


def test_nothing_is_loaded_from_elsewhere(demo):
    for tag, attributes in Tags(demo).elements:
        assert tag not in ("iframe", "object", "embed", "form", "base"), tag
        assert "style" not in attributes
        assert not any(name.startswith("on") for name in attributes)
        for name in ("src", "href"):
            if name in attributes and tag != "a":
                assert attributes[name] == "data:,"
    assert "url(" not in demo
    assert "@import" not in demo


def test_the_policy_allows_exactly_our_script_and_style(demo):
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', demo)
    policy = policy.replace("&#39;", "'")
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for tag, name in (("style", "style-src"), ("script", "script-src")):
        (inlined,) = re.findall(f"<{tag}>(.*?)</{tag}>", demo, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inlined.encode()).digest()).decode()
        assert f"{name} 'sha256-{digest}'" in policy


def test_hostile_text_stays_text(demo):
    hostile = page_of(hostile_results())
    found, expected = Tags(hostile), Tags(demo)
    assert hostile.count("<script") == hostile.count("</script>") == 1
    assert hostile.count("</style>") == 1
    assert {tag for tag, _ in found.elements} <= {tag for tag, _ in expected.elements}
    assert not any(name.startswith("on") for _, attributes in found.elements for name in attributes)
    assert HOSTILE.split()[0] in found.text
    assert "{{ 7*7 }}" in found.text


@pytest.mark.parametrize(
    ("url", "linked"),
    [("https://desk.example/1", True), ("http://a.example", True), ("javascript:alert(1)", False),
     ("data:text/html,x", False), ("file:///etc/passwd", False), ("", False)],
)  # fmt: skip
def test_only_web_addresses_are_links(url, linked):
    found = results(60)
    page = page_of(dataclasses.replace(found, evidence=found.evidence.assign(url=url)))
    anchors = [attributes for tag, attributes in Tags(page).elements if tag == "a"]
    links = [one for one in anchors if not one["href"].startswith("#")]
    assert {one["href"] for one in links} == ({url} if linked else set())
    assert all(one["rel"] == "noopener noreferrer nofollow" for one in links)


def test_script_and_style_are_small():
    for name, most in (("report.js", 15_000), ("report.css", 20_000)):
        assert len(resources.files("classifier.report").joinpath("templates", name).read_bytes()) < most


def luminance(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_is_enough_to_read(scheme):
    css = resources.files("classifier.report").joinpath("templates", "report.css").read_text()
    light, dark = css.split("@media (prefers-color-scheme: dark)")[:2]
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", light))
    if scheme == "dark":
        colours.update(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", dark.split("@media")[0]))
    pairs = [
        (ink, ground) for ink in ("ink", "soft", "accent") for ground in ("bg", "card", "hover", "grey-bg")
    ]
    pairs += [(name, f"{name}-bg") for name in ("pain", "request", "gap", "good")] + [("ink", "gap-bg")]
    for ink, ground in pairs:
        high, low = sorted((luminance(colours[ink]), luminance(colours[ground])), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 4.5, (scheme, ink, ground)


# --- content


def test_the_page_adds_up(demo):
    text = " ".join(Tags(demo).text.split())
    assert "396 read = 390 scored + 2 rejected + 1 duplicates + 3 dropped + 0 merged" in text
    assert "2 Mar to 30 Jun 2026" in text.replace("\u00a0", " ")
    assert "model default-1" in text
    assert "3 accounts have revenue in another currency" in text


@pytest.mark.parametrize(("mentions", "told"), [(1, []), (2, ["new"])])
def test_what_is_new_is_news_once_two_say_it(mentions, told):
    row = {"status": "new", "mentions": mentions, "title": "Photos come upside down"}
    item = views.Item(anchor="t-1", fields=row, quotes=())
    assert [change.status for change in views._changes((item,))] == told


def test_the_page_of_a_department_says_so_and_what_is_of_all():
    found = dataclasses.replace(results(40), department="Billing & <Tax>")
    page = page_of(found)
    text = Tags(page).text
    assert "for Billing & <Tax>" in text
    assert "documents of the whole company" in text
    assert "Data quality of the whole company" in text
    assert "all who contradict it in the whole company" in text
    assert ("Part of", "Billing & <Tax>") in [
        (row[0].value, row[1].value) for row in sheets_of(found)["Summary"].iter_rows()
    ]
    for empty in ("product_backlog", "claims_at_risk"):
        found = dataclasses.replace(found, **{empty: getattr(found, empty).iloc[:0]})
    text = Tags(page_of(found)).text
    assert "No themes of Billing & <Tax>" in text
    assert "contradicted in the themes of Billing" in text
    assert "of the whole company" not in Tags(page_of(results(40))).text


def test_priority_can_be_redone_by_hand():
    for item in views.page(results()).product:
        assert sum(one.value * one.weight for one in item.factors) == pytest.approx(item.priority, abs=1e-5)


def test_factors_of_weight_zero_are_left_out():
    found = dataclasses.replace(results(60), weights={"reach": 2.0, "trend": 0.0})
    assert [one.name for one in views.page(found).product[0].factors] == ["reach"]


def test_nothing_is_called_steady_that_may_be_chance():
    found = results()
    backlog = found.product_backlog.assign(
        status="steady", trend=[np.nan, *[0.0] * (len(found.product_backlog) - 1)]
    )
    shown = views.page(dataclasses.replace(found, product_backlog=backlog))
    assert [item.status for item in shown.product[:2]] == ["too_few_to_say", "no_clear_change"]
    assert shown.product_choices["status"] == ("no_clear_change", "too_few_to_say")
    assert '<span class="status s-too_few_to_say">Too few to say</span>' in html.render(shown)


def test_where_no_earlier_time_was_read_it_is_too_early():
    found = results()
    backlog = found.product_backlog.assign(status="steady", trend=np.nan)
    for days, told in ((27, "too_early_to_say"), (28, "too_few_to_say")):
        summary = dataclasses.replace(found.summary, first=found.as_of - pd.Timedelta(days=days))
        shown = views.page(dataclasses.replace(found, product_backlog=backlog, summary=summary))
        assert {item.status for item in shown.product} == {told}


def test_labels_tell_how_many_documents_have_them():
    found = results()
    for item in views.page(found).product[:5]:
        for chip in item.chips:
            spans = found.evidence[found.evidence["theme_id"] == item.theme_id]
            assert chip.documents == spans.loc[spans["label"] == chip.name, "document_id"].nunique()
    first = views.page(found).product[0].chips[0]
    assert f'<span class="chip {first.name}">Pain point <b>{first.documents}</b></span>' in page_of(found)


def trend_cell(page, anchor):
    body = page[page.index(f'id="{anchor}"') :].split("\n</tbody>")[0]
    (key, shown) = re.findall(r'data-key="trend" [^>]*data-v="([^"]*)">(.*?)</td>', body, re.DOTALL)[0]
    return key, "".join(re.findall(r">([^<]+)<", f">{shown}<")).strip(), body


@pytest.mark.parametrize(
    ("low", "high", "shown", "note"),
    [
        (0.1, 0.6, "+100 %", "80 % interval)"),
        (-0.1, 0.6, "unclear", "80 % interval; may be chance)"),
    ],
)
def test_a_trend_that_may_be_chance_is_told_as_such(low, high, shown, note):
    found = results(60)
    claim = found.claims_at_risk["claim_id"][0]
    row = found.marketing_backlog.set_index("kind", drop=False).loc[["unmet_expectation"]].iloc[0]
    moves = {f"claim_at_risk:{claim}": (low, high), f"{row['kind']}:{row['theme_id']}": (low, high)}
    tables = {
        name: getattr(found, name).assign(trend=1 / 3)
        for name in ("product_backlog", "marketing_backlog", "claims_at_risk")
    }
    tables["product_backlog"] = tables["product_backlog"].assign(trend_low=low, trend_high=high)
    page = page_of(dataclasses.replace(found, moves=moves, **tables))
    anchors = (f"p-{found.product_backlog['theme_id'][0]}", f"m-{row['rank']}", f"c-{claim}")
    for anchor in anchors:
        key, cell, body = trend_cell(page, anchor)
        assert cell.replace("\u00a0", " ") == shown
        assert key == ("0.333333" if shown == "+100 %" else "")
        assert "+100 %" in body.replace("\u00a0", " ")
        assert note in body
    cards = page[: page.index('id="product"')].replace("\u00a0", " ")
    assert ("<b>+100 %</b> trend" in cards) == (shown == "+100 %")


def test_confirmed_is_a_column_once_somebody_has_confirmed():
    found = results()
    assert 'data-key="confirmed"' in page_of(found)
    unchecked = dataclasses.replace(found, claims_at_risk=found.claims_at_risk.assign(confirmed=0))
    page = page_of(unchecked)
    assert 'data-key="confirmed"' not in page
    assert "nobody has checked them yet" in " ".join(Tags(page).text.split())
    pairs = [(row[0].value, row[1].value) for row in sheets_of(unchecked)["Summary"].iter_rows()]
    assert ("Confirmed", "nobody has checked yet") in pairs


def test_a_retired_claim_is_told_as_such():
    found = results(60)
    claim = found.claims_at_risk["claim_id"][0]
    assert '<span class="chip">Retired</span>' not in page_of(found)
    page = page_of(dataclasses.replace(found, retired={claim: pd.Timestamp("2026-05-04", tz="UTC")}))
    assert page.count('<span class="chip">Retired</span>') == 1
    assert "<dt>Retired</dt><dd>4 May 2026</dd>" in page.replace("\u00a0", " ")


def test_claim_ids_with_spaces_name_their_row():
    found = results(60)
    spaced = found.claims_at_risk.assign(claim_id="CL 1\t7")
    assert 'aria-controls="c-CL_1_7-more"' in page_of(dataclasses.replace(found, claims_at_risk=spaced))


def test_every_row_of_a_table_has_a_header(demo):
    rows = re.findall(r'<tr class="main">(.*?)</tr>', demo, re.DOTALL)
    assert rows
    assert all(row.count('<th scope="row" class="c-title"') == 1 for row in rows)


def test_reasons_are_told_in_words():
    found = dataclasses.replace(
        results(), rejected=results().rejected.assign(reason=["auto_reply", "no column created_at"])
    )
    text = Tags(page_of(found)).text
    assert "Automatic reply" in text
    assert "no column created_at" in text
    assert "Too close to call" in text
    assert "auto_reply" not in text
    names = [row[0].value for row in sheets_of(found)["Data quality"].iter_rows()]
    assert {"Too close to call", "Automatic reply", "Same id and text", "Sales note"} <= set(names)


def test_quotes_say_where_they_come_from():
    quote = views.page(results()).product[0].quotes[0]
    evidence = results().evidence
    origin = evidence[evidence["quote"] == quote.text].iloc[0]
    assert quote.document_id == origin["document_id"]
    assert quote.account == origin["account"]


def test_quotes_without_evidence_are_shown_alone():
    found = dataclasses.replace(results(60), evidence=schema.empty(schema.EVIDENCE))
    item = views.page(found).product[0]
    assert item.quotes[0].text == found.product_backlog["quote_1"][0]
    assert item.quotes[0].document_id == ""
    with pytest.raises(AttributeError, match="no_such_column"):
        _ = item.no_such_column


def test_runs_without_quotes():
    found = results(60)
    blank = found.product_backlog.assign(**dict.fromkeys(schema.QUOTES, ""))
    assert "No quotes: this run was made without them" in page_of(
        dataclasses.replace(found, product_backlog=blank)
    )


def test_nothing_read():
    text = " ".join(Tags(page_of(nothing())).text.split())
    assert "No documents were scored. The input held no rows." in text
    assert "No claims were given." in text
    assert "classifier run INPUT --claims claims.csv --out DIR" in text
    assert "0 read = 0 scored" in text
    assert "nan" not in text.lower().split()


def test_all_rejected():
    found = dataclasses.replace(nothing(), rows=report.Rows(read=2, rejected=2), rejected=results().rejected)
    text = " ".join(Tags(page_of(found)).text.split())
    assert "All 2 rows that were read are accounted for" in text
    assert "too many cells" in text


def test_claims_that_nobody_contradicts():
    found = dataclasses.replace(results(60), claims_at_risk=schema.empty(schema.CLAIMS_AT_RISK))
    assert "None of the claims is contradicted" in page_of(found)


def test_cards_show_no_figure_of_accounts_where_none_are_known():
    found = results(60)
    tables = {
        name: getattr(found, name).assign(accounts=0) for name in ("product_backlog", "marketing_backlog")
    }
    assert "</b> account" in page_of(found)
    assert "</b> account" not in page_of(dataclasses.replace(found, **tables))


def test_two_thousand_themes(tmp_path):
    found = results()
    many = pd.concat([found.product_backlog] * 60, ignore_index=True).head(2000)
    many["rank"] = range(1, 2001)
    many["theme_id"] = [f"T-{at:06d}" for at in range(1, 2001)]
    large = page_of(dataclasses.replace(found, product_backlog=many))
    assert large.count('id="p-T-') == 2 * 200
    assert "These are the first 200 of 2,000. The other 1,800 are in" in " ".join(Tags(large).text.split())
    assert len(large) < 2_000_000
    assert page_of(dataclasses.replace(found, product_backlog=many), limit=5).count('id="p-T-') == 2 * 5


def test_same_figures_same_page(demo):
    assert page_of(results()) == demo


def test_golden_page(golden):
    golden("report.html", page_of(results(60), limit=2).encode())


def test_golden_tables(golden, tmp_path):
    report.write(tmp_path, results(60))
    for name in ("product_backlog.csv", "claims_at_risk.csv", "influence.csv"):
        golden(name, (tmp_path / name).read_bytes())
