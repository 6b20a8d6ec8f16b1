"""report.html in a real browser: it works, asks for nothing, and fits every screen."""

import dataclasses
import shutil

import pytest
from report_samples import nothing, results

from classifier.report import html, views

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (apt install chromium)")
HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright isn't installed")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    found = results()
    address = "https://help.example.com/" + 90 * "x"
    lengthy = found.marketing_backlog.assign(next_step=f"Show these customers where it is: {address}")
    hostile = found.product_backlog.assign(title=HOSTILE, quote_1=HOSTILE, note=HOSTILE)
    pages = {
        "demo": found,
        "empty": nothing(),
        "lengthy": dataclasses.replace(found, marketing_backlog=lengthy),
        "hostile": dataclasses.replace(found, title=HOSTILE, product_backlog=hostile),
    }
    for name, one in pages.items():
        (folder / f"{name}.html").write_text(html.render(views.page(one)), encoding="utf-8")
    return folder


@pytest.fixture
def visit(browser, files):
    """Open a page; at the end nothing may have been requested, refused or gone wrong."""
    contexts, requests, messages = [], [], []

    def go(name="demo", *, width=1280, anchor="", **options):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, reduced_motion="reduce", **options
        )
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: messages.append(message.text))
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.goto(f"file://{files}/{name}.html{anchor}")
        return page

    yield go
    for context in contexts:
        context.close()
    assert [url for url in requests if not url.startswith((f"file://{files}/", "data:,"))] == []
    assert messages == []


def ranks(page):
    return page.eval_on_selector_all(
        "#product-table > .item:not([hidden])",
        "all => all.map(one => Number(one.querySelector('.c-rank').dataset.v))",
    )


def column(page, key):
    return page.eval_on_selector_all(
        "#product-table > .item", f"all => all.map(one => Number(one.querySelector('.c-{key}').dataset.v))"
    )


@pytest.mark.parametrize(
    ("name", "width"),
    [("demo", 380), ("demo", 768), ("demo", 880), ("demo", 1280), ("empty", 380), ("lengthy", 320)],
)
def test_fits_every_screen(visit, name, width):
    page = visit(name, width=width, color_scheme="dark" if width == 380 else "light")
    page.evaluate("document.querySelectorAll('.open').forEach(button => button.click())")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_sorting_by_click_and_keyboard(visit):
    page = visit()
    assert ranks(page) == sorted(ranks(page))
    heading = page.locator("#product-table > thead [data-key=mentions]")
    heading.locator("button").click()
    assert heading.get_attribute("aria-sort") == "descending"
    assert column(page, "mentions") == sorted(column(page, "mentions"), reverse=True)
    page.keyboard.press("Enter")
    assert heading.get_attribute("aria-sort") == "ascending"
    assert column(page, "mentions") == sorted(column(page, "mentions"))
    page.locator("#product-table > thead [data-key=rank] button").press("Space")
    assert ranks(page) == sorted(ranks(page))
    assert heading.get_attribute("aria-sort") is None


def test_filters(visit):
    page = visit()
    bar = page.locator("[data-table=product-table]")
    every = len(ranks(page))
    bar.locator("[data-filter=area]").select_option("mobile")
    areas = page.eval_on_selector_all(
        "#product-table > .item:not([hidden])", "all => all.map(one => one.dataset.area)"
    )
    assert set(areas) == {"mobile"}
    assert bar.locator("[data-shown]").inner_text() == f"{len(areas)} of {every} shown"
    bar.locator("[data-find]").fill("no such words anywhere")
    assert ranks(page) == []
    assert not page.locator("#product-table").is_visible()
    page.locator("#product [data-clear]").click()
    assert len(ranks(page)) == every
    bar.locator("[data-filter=labels]").select_option("feature_request")
    assert 0 < len(ranks(page)) <= every
    bar.locator("[data-find]").fill("outage")
    assert 1 in ranks(page)
    assert len(ranks(page)) < every
    page.keyboard.press("Escape")
    assert len(ranks(page)) == every


def test_rows_open_by_click_and_keyboard(visit):
    page = visit()
    button = page.locator("#product-table .open").first
    details = page.locator("#product-table .more").first
    assert not details.is_visible()
    button.press("Enter")
    assert details.is_visible()
    assert button.get_attribute("aria-expanded") == "true"
    assert details.locator("blockquote").count() == 3
    page.locator("#product-table .main").first.locator(".c-mentions").click()
    assert not details.is_visible()


def test_a_card_of_the_summary_leads_to_its_row(visit):
    page = visit()
    page.locator("[data-table=product-table] [data-find]").fill("nothing like this")
    page.locator("#summary .card h4 a").first.click()
    page.wait_for_selector("#product-table .is-open")
    row = page.locator("#product-table .is-open .main").bounding_box()
    head = page.locator("#product-table > thead th").first.bounding_box()
    assert head["y"] + head["height"] - 1 <= row["y"] < 900
    assert page.evaluate("document.activeElement.className") == "open"


def test_an_address_with_a_theme_opens_it(visit):
    theme_id = results().product_backlog["theme_id"][4]
    page = visit(anchor=f"#p-{theme_id}")
    assert page.locator(".is-open").get_attribute("id") == f"p-{theme_id}"


def test_an_address_cut_short_opens_nothing(visit):
    page = visit(anchor="#p-%E0%A4")
    assert page.locator(".is-open").count() == 0


def test_the_table_head_stays_in_sight(visit):
    page = visit()
    page.evaluate("document.querySelectorAll('#product-table .item')[20].scrollIntoView()")
    box = page.locator("#product-table > thead th").first.bounding_box()
    nav = page.locator("nav").bounding_box()
    assert nav["y"] == 0
    assert nav["height"] - 2 <= box["y"] <= nav["height"] + 2


def test_the_table_head_hides_no_focus(visit):
    page = visit()
    # A row behind the head, and the focus on the one below it.
    page.evaluate(
        """() => {
            const [above, below] = [...document.querySelectorAll("#product-table .open")].slice(10, 12);
            scrollBy(0, above.getBoundingClientRect().top - 55);
            below.focus({ preventScroll: true });
        }"""
    )
    page.keyboard.press("Shift+Tab")
    head = page.locator("#product-table > thead th").first.bounding_box()
    assert page.evaluate("document.activeElement.getBoundingClientRect().top") >= head["y"] + head["height"]


def test_phones_sort_by_a_menu(visit):
    page = visit(width=380)
    page.locator("[data-table=product-table] [data-sort-by]").select_option("revenue")
    assert column(page, "revenue") == sorted(column(page, "revenue"), reverse=True)
    assert page.locator(".chart.narrow").is_visible()
    assert not page.locator(".chart.wide").is_visible()


def test_without_script_everything_can_be_read(visit):
    page = visit(java_script_enabled=False)
    assert page.locator("#product-table .more blockquote").first.is_visible()
    assert not page.locator(".toolbar").first.is_visible()


def test_hostile_text_runs_nothing(visit):
    page = visit("hostile")
    page.locator("#product-table .open").first.click()
    page.wait_for_timeout(200)
    assert page.title() == HOSTILE
    assert page.locator("#product-table img").count() == 0
    assert page.locator("#product-table .open").first.inner_text() == HOSTILE


def test_printing(visit):
    page = visit()
    page.emulate_media(media="print")
    assert not page.locator("nav").is_visible()
    assert not page.locator(".toolbar").first.is_visible()
    assert page.locator("#product-table").is_visible()


def test_every_control_has_a_name(visit):
    page = visit()
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('button, input, select, a')].filter(one => !(
            one.textContent.trim() || (one.labels && one.labels.length) || one.getAttribute('aria-label')
        )).map(one => one.outerHTML)"""
    )
    assert nameless == []
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(one => one.id)")
    assert len(ids) == len(set(ids))
