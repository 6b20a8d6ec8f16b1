"""report.html and backlogs.xlsx: what they say, that they are safe, and that they hold at size."""

import base64
import dataclasses
import hashlib
import io
import re
from html.parser import HTMLParser
from importlib import resources

import numpy as np
import pandas as pd
import pytest
from report_samples import nothing, results

from classifier import report, schema
from classifier.report import charts, html, numbers, sheets, views

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)> \"'><b>{{ 7*7 }}</b> </style>"


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


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (numbers.count(1234), "1,234"),
        (numbers.count(np.nan), "–"),
        (numbers.share(0.12), "12 %"),
        (numbers.share(0.004), "0.4 %"),
        (numbers.share(0.0004), "< 0.1 %"),
        (numbers.share(0.9996), "100.0 %"),
        (numbers.share(0), "0 %"),
        (numbers.share(1), "100 %"),
        (numbers.share(np.nan), "–"),
        (numbers.money(41_200, "EUR"), "€ 41.2k"),
        (numbers.money(999, "USD"), "$ 999"),
        (numbers.money(999_960, "GBP"), "£ 1m"),
        (numbers.money(2_500_000_000, "SEK"), "SEK 2.5bn"),
        (numbers.money(5000, ""), "5k"),
        (numbers.money(np.nan, "EUR"), "–"),
        (numbers.change(0.35), "+35 %"),
        (numbers.change(-0.12), "−12 %"),
        (numbers.change(0.001), "0 %"),
        (numbers.change(np.inf), "+ > 1000 %"),
        (numbers.change(np.nan), "–"),
        (numbers.growth(1 / 3), "+100 %"),
        (numbers.growth(-1 / 3), "−50 %"),
        (numbers.growth(0), "0 %"),
        (numbers.growth(1), "+ > 1000 %"),
        (numbers.growth(-1), "−100 %"),
        (numbers.growth(np.nan), "–"),
        (numbers.score(0.725), "0.72"),
        (numbers.score(np.nan), "–"),
        (numbers.day(pd.Timestamp("2026-03-02")), "2 Mar 2026"),
        (numbers.day(pd.NaT), "–"),
        (numbers.period(pd.Timestamp("2026-03-02"), pd.Timestamp("2026-06-30")), "2 Mar to 30 Jun 2026"),
        (numbers.period(pd.Timestamp("2025-12-31"), pd.Timestamp("2026-01-01")), "31 Dec 2025 to 1 Jan 2026"),
        (numbers.period(pd.Timestamp("2026-03-02 01:00"), pd.Timestamp("2026-03-02 09:00")), "2 Mar 2026"),
        (numbers.period(None, None), ""),
        (numbers.words("claim_at_risk"), "Claim at risk"),
    ],
)
def test_figures_for_people(written, expected):
    assert written.replace("\u00a0", " ") == expected


@pytest.mark.parametrize(
    ("value", "top"),
    [(0, 4), (3, 4), (4, 4), (5, 8), (9, 12), (16, 16), (17, 20), (33, 40), (95, 100), (101, 120)],
)
def test_axes_end_at_a_round_number(value, top):
    assert charts.nice_ceiling(value) == top


def test_every_axis_holds_its_values_in_four_whole_steps():
    for value in range(3000):
        top = charts.nice_ceiling(value)
        assert top >= value
        assert top % 4 == 0


def test_sparklines_sum_neighbours():
    assert charts.buckets([1, 2, 3, 4, 5], 2) == [12]
    assert charts.buckets([1, 2, 3, 4], 2) == [3, 7]
    assert charts.buckets([1, 2], 26) == [1, 2]
    assert charts.sparkline([1], title="x") == ""


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


def hostile_results():
    found = results(60)
    everywhere = {}
    for name in (
        "product_backlog",
        "marketing_backlog",
        "claims_at_risk",
        "influence",
        "evidence",
        "rejected",
    ):
        frame = getattr(found, name).copy()
        for column in frame.columns:
            if frame[column].dtype == "str" and column not in ("theme_id", "claim_id", "labels"):
                frame[column] = HOSTILE
        everywhere[name] = frame
    summary = dataclasses.replace(found.summary, languages={HOSTILE: 1}, channels={HOSTILE: 2})
    return dataclasses.replace(
        found, title=HOSTILE, model_id=HOSTILE, warnings=(HOSTILE,), summary=summary, **everywhere
    )


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


def test_no_dates_no_chart():
    found = results(60)
    found = dataclasses.replace(found, weekly=found.weekly.iloc[:0], as_of=None)
    assert "Name the column with <code>--date-column</code>" in page_of(found)


def test_without_channels_there_is_no_map():
    found = results(60)
    assert views.page(dataclasses.replace(found, influence=found.influence.assign(channel=""))).heat is None


def test_without_departments_the_map_shows_areas():
    found = results()
    heat = views.page(dataclasses.replace(found, influence=found.influence.assign(department=""))).heat
    assert heat.by == "area"
    assert "mobile" in heat.columns
    total = sum(cell.mentions for _, cells in heat.rows for cell in cells)
    assert total == len(found.evidence.drop_duplicates(["channel", "area", "document_id"]))
    assert max(cell.step for _, cells in heat.rows for cell in cells) == 6


def test_a_document_counts_once_in_a_cell_of_the_map():
    found = results()
    # The gold labels put a few documents into two themes; none of their labels or areas counts anew.
    heat = views.page(found).heat
    assert heat.by == "department"
    cells = {
        (channel, name): cell.mentions
        for channel, row in heat.rows
        for name, cell in zip(heat.columns, row, strict=True)
    }
    mail = found.evidence[found.evidence["channel"] == "email"]
    billing = mail[mail["area"].isin(["invoicing", "payments", "integrations"])]
    assert cells["email", "Billing"] == billing["document_id"].nunique()
    by_label = found.influence[
        (found.influence["channel"] == "email") & (found.influence["department"] == "Billing")
    ]
    assert cells["email", "Billing"] < by_label["mentions"].sum()
    assert views.page(dataclasses.replace(found, evidence=schema.empty(schema.EVIDENCE))).heat is None


def weekly(weeks, start="2016-01-04"):
    return pd.DataFrame(
        {
            "theme_id": "",
            "label": "pain_point",
            "week": pd.date_range(start, periods=weeks, freq="7D", tz="UTC").as_unit("us"),
            "mentions": 2,
        }
    ).astype({"theme_id": "str", "label": "str"})


@pytest.mark.parametrize(
    ("weeks", "step", "first"),
    [
        (50, "week", "4 Jan"),
        (60, "week", "4 Jan 2016"),
        (120, "month", "Jan 2016"),
        (600, "quarter", "Q1 2016"),
    ],
)
def test_long_periods_are_shown_in_longer_steps(weeks, step, first):
    course = views.page(dataclasses.replace(nothing(), weekly=weekly(weeks))).course
    assert course.step == step
    assert course.ticks[0] == first
    assert sum(course.series[0].values) == 2 * weeks


@pytest.mark.parametrize(
    ("as_of", "unfinished"),
    [("2016-01-31 23:59", False), ("2016-01-31", False), ("2016-01-30 23:59", True), (None, False)],
)
def test_a_week_that_goes_on_is_in_the_table_only(as_of, unfinished):
    at = None if as_of is None else pd.Timestamp(as_of, tz="UTC")
    course = views.page(dataclasses.replace(nothing(), weekly=weekly(4), as_of=at)).course
    assert course.unfinished is unfinished
    assert len(course.finished[0]) == (3 if unfinished else 4)
    assert len(course.rows) == 4


def test_weeks_without_mentions_are_zero():
    gap = weekly(5).drop(index=[2])
    course = views.page(dataclasses.replace(nothing(), weekly=gap)).course
    assert course.series[0].values == (2, 2, 0, 2, 2)


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


# --- backlogs.xlsx


def sheets_of(found):
    import openpyxl

    return openpyxl.load_workbook(io.BytesIO(sheets.workbook_bytes(found)))


def test_workbook():
    book = sheets_of(results())
    assert book.sheetnames == [
        "Summary", "Product backlog", "Marketing backlog", "Claims at risk", "Themes", "Data quality",
    ]  # fmt: skip
    sheet = book["Product backlog"]
    backlog = results().product_backlog
    assert sheet.freeze_panes == "D2"
    assert sheet.auto_filter.ref.startswith("A1:")
    assert sheet.max_row == len(backlog) + 1
    assert [cell.value for cell in sheet[1]][:3] == ["Rank", "Theme id", "Title"]
    assert sheet["C2"].value == backlog["title"][0]
    assert sheet["F2"].value == pytest.approx(backlog["priority"][0])
    first_seen = [cell.value for cell in sheet[1]].index("First seen")
    assert sheet[2][first_seen].value == backlog["first_seen"][0].tz_localize(None).to_pydatetime().replace(
        microsecond=0
    )
    assert "Claims at risk" not in sheets_of(results(60, has_claims=False)).sheetnames
    assert sheets_of(nothing())["Product backlog"].max_row == 1


def test_workbook_cells_are_text_never_formulas_or_links():
    found = results(60)
    for value in ("=1+1", "http://example.com", "x" * 40_000):
        book = sheets_of(
            dataclasses.replace(found, product_backlog=found.product_backlog.assign(title=value))
        )
        cell = book["Product backlog"]["C2"]
        assert cell.data_type == "s"
        assert cell.hyperlink is None
        assert cell.value == value if len(value) < 32_767 else len(cell.value) == 32_767


def test_workbook_bytes_are_the_same_twice():
    assert sheets.workbook_bytes(results(60)) == sheets.workbook_bytes(results(60))


def test_workbook_leaves_out_what_is_no_number():
    found = results(60)
    book = sheets_of(dataclasses.replace(found, product_backlog=found.product_backlog.assign(revenue=np.inf)))
    header = [cell.value for cell in book["Product backlog"][1]]
    assert book["Product backlog"][2][header.index("Revenue")].value is None
