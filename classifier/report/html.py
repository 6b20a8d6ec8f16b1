"""report.html: one file that opens offline and runs nothing but its own script.

In: a Page of figures. Out: HTML with inlined style and script, their hashes in a
Content-Security-Policy. Never trusts a text: everything is escaped by the template engine.
"""

import base64
import hashlib
from collections.abc import Mapping
from importlib import resources
from typing import Any

from markupsafe import Markup

from classifier.report import charts, numbers
from classifier.report.items import Item
from classifier.report.views import Course, Page

FILES = (
    (
        "product_backlog.csv",
        "all entries of the product backlog, with every factor and the ids of the documents",
    ),
    ("marketing_backlog.csv", "all entries of the marketing backlog"),
    ("claims_at_risk.csv", "public claims that customers contradict (only with --claims)"),
    ("themes.csv", "the themes with their ids"),
    ("evidence.csv", "one row per quoted span: which document, which theme, which label"),
    ("influence.csv", "which channel tells which department what"),
    ("backlogs.xlsx", "the same tables for a spreadsheet"),
    ("scored.parquet", "one row per document with its probabilities"),
    ("rejected.csv", "rows that couldn't be read, and why"),
    ("duplicates.csv", "documents that repeat another one"),
    ("dropped.csv", "messages of agents, internal notes, automatic replies and what a filter left out"),
    ("run.json", "what this folder was made from, and the sum of every file for classifier verify"),
)


def render(page: Page) -> str:
    """Return the page as HTML, the same text for the same figures."""
    import jinja2

    style, script = _asset("report.css"), _asset("report.js")
    environment = jinja2.Environment(
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        loader=jinja2.FunctionLoader(_asset),
    )
    environment.filters.update(
        count=numbers.count,
        share=numbers.share,
        money=numbers.money,
        growth=numbers.growth,
        score=numbers.score,
        day=numbers.day,
        words=numbers.words,
        key=_sort_key,
        named=_named,
        told=_told,
    )
    summary = page.results.summary
    return environment.get_template("report.html").render(
        page=page,
        results=page.results,
        summary=summary,
        period=numbers.period(summary.first, summary.last),
        policy=_policy(style, script),
        style=Markup(style),
        script=Markup(script),
        charts=_charts(page.course),
        bar=charts.bar,
        spark=_spark,
        files=FILES,
    )


def _asset(name: str) -> str:
    return resources.files("classifier.report").joinpath("templates", name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    return (
        "default-src 'none'; "
        f"style-src 'sha256-{_hash(style)}'; script-src 'sha256-{_hash(script)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _charts(course: Course | None) -> tuple[Markup, ...]:
    """Return the chart over time twice: for wide and for narrow screens."""
    if course is None:
        return ()
    ticks, series = course.finished
    title = f"Mentions per {course.step}"
    told = "; ".join(
        f"{one.title}: {sum(one.values):,} in all, {one.values[-1]:,} in the last {course.step}"
        for one in series
    )
    description = f"{ticks[0]} to {ticks[-1]}. {told}. The figures are in the table below."
    return tuple(
        charts.line_chart(ticks, series, title=title, description=description, wide=wide)
        for wide in (True, False)
    )


def _spark(item: Item) -> Markup:
    return charts.sparkline(
        item.weeks, title=f"Mentions over time, last: {item.weeks[-1]}" if item.weeks else ""
    )


def _sort_key(value: Any) -> str:
    """Return what the script sorts by: plain digits, missing values empty."""
    if value is None or value != value:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _told(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the counts by reasons, kinds or channels in words."""
    return {numbers.reason(name): number for name, number in counts.items()}


def _named(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the counts by name, with words for the missing one."""
    return {name or "not known": number for name, number in counts.items()}
