"""A diff as lines for people.

In: a Diff of two runs. Out: text. Never compares anything itself.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from classifier.labels import TITLES
from classifier.report import numbers
from classifier.report.compare import Backlog, Diff

_SHOWN: Final = 10
"""So many lines of one kind of change; the JSON has all."""


def render_text(found: Diff) -> str:
    """Return the diff as lines for people; ends without a line break."""
    if found.identical:
        return f"{found.first} and {found.second}: same rows, labels, backlogs and settings"
    lines = [f"{found.first} -> {found.second}"]
    lines += _section("Settings and model", _setting_lines(found.settings))
    lines += _section("Rows", [f"{name}: {b:,} -> {a:,}" for name, (b, a) in found.rows.items() if a != b])
    lines += _section("Documents", _document_lines(found))
    lines += _section("Product backlog", *_backlog_lines(found.product))
    lines += _section("Marketing backlog", *_backlog_lines(found.marketing))
    return "\n".join(lines)


def _section(title: str, *groups: Sequence[str]) -> list[str]:
    """Return a heading and the first lines of each group, so that one kind of change doesn't hide another."""
    shown = []
    for lines in groups:
        shown += [f"  {line}" for line in lines[:_SHOWN]]
        if rest := len(lines) - len(lines[:_SHOWN]):
            sign = f"{lines[0][:1]} " if len(groups) > 1 else ""
            shown.append(f"  {sign}… and {rest:,} more (--format json has all)")
    return ["", title, *shown] if shown else []


def _setting_lines(settings: Mapping[str, tuple[Any, Any]]) -> list[str]:
    lines = [
        f"{name}: {before!r} -> {after!r}" for name, (before, after) in settings.items() if name != "inputs"
    ]
    if "inputs" in settings:
        gone, new = (Counter(one["name"] for one in side) for side in settings["inputs"])
        if gone & new:
            lines.append(f"inputs: other content of {_listed(gone & new)}")
        if gone != new:
            lines.append(f"inputs: {_listed(gone - new)} -> {_listed(new - gone)}")
    return lines


def _listed(names: Counter[str]) -> str:
    return ", ".join(sorted(names.elements())) or "none"


def _document_lines(found: Diff) -> list[str]:
    documents = found.documents
    lines = []
    if documents.only_first:
        lines.append(f"{documents.only_first:,} only in the first")
    if documents.only_second:
        lines.append(f"{documents.only_second:,} only in the second")
    if not documents.both and lines:
        lines.append(
            "none in both: only titles tell which rows are the same; a later run that reads the earlier "
            "exports, too, can be compared better"
        )
    return lines + [
        f"{TITLES[change.label]}: {change.gained:,} gained, {change.lost:,} lost"
        for change in found.labels
        if change.gained or change.lost
    ]


def _backlog_lines(backlog: Backlog) -> tuple[list[str], list[str], list[str]]:
    """Return what is new, gone and moved."""
    new = [f"+ {one.rank}. {one.title} ({one.key}, new, {_mentions(one.mentions)})" for one in backlog.new]
    gone = [f"- {one.rank}. {one.title} ({one.key}, gone)" for one in backlog.gone]
    moved = []
    for move in backlog.moved:
        parts = []
        if move.rank[0] != move.rank[1]:
            parts.append(f"rank {move.rank[0]} -> {move.rank[1]}")
        priorities = [numbers.score(one) for one in move.priority]
        if priorities[0] != priorities[1]:
            parts.append(f"priority {priorities[0]} -> {priorities[1]}")
        if move.mentions[0] != move.mentions[1]:
            parts.append(f"mentions {move.mentions[0]:,} -> {move.mentions[1]:,}")
        was = [f"“{move.first_title}”"] if move.title != move.first_title else []
        was += [move.first_key] if move.key != move.first_key else []
        name = f"{move.key}, was {' '.join(was)}" if was else move.key
        moved.append(f"~ {move.title} ({name}): {', '.join(parts)}")
    return new, gone, moved


def _mentions(number: int) -> str:
    return f"{number:,} mention{'' if number == 1 else 's'}"
