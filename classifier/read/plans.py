"""How one input will be read: its source, its columns, its rows.

In: an input and the options. Out: a plan, made from the names of the columns alone. Never
decides anything that needs a look at the rows (that is `documents`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from classifier.errors import InputError
from classifier.read.columns import fold, matches, missing, no_text, places_of
from classifier.read.formats import Feed, open_feed
from classifier.read.opening import Input
from classifier.read.options import ReadOptions
from classifier.read.records import Record, record_of, rows_of
from classifier.read.rows import Rows
from classifier.read.sources import AUTO, Source, source_of

_WRAPPED = ("subject", "created_at", "updated_at")
"""Columns of the documents that may lie in the members of a record."""


@dataclass(frozen=True)
class Plan:
    """An input, opened, with what it is taken for.

    `candidates` holds for each column of the documents the groups of places in the input that fit,
    best first; `named` the columns of the documents that the user gave; `absent` the options whose
    column isn't there.
    """

    source: Input
    feed: Feed
    kind: Source
    rows_list: str
    names: tuple[str, ...]
    candidates: dict[str, list[list[int]]]
    named: frozenset[str]
    absent: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]

    def by_ending(self, place: int) -> bool:
        """Tell whether a column was taken for the date by the end of its name."""
        known = self.kind.columns["created_at"]
        return not matches(known, [self.names[place]], wrapped=True)


def make_plan(source: Input, options: ReadOptions) -> Plan | None:
    """Open an input and decide how it is read; None where it is empty.

    Raises
    ------
    InputError
        If the input can't be read, or no column holds the text.
    """
    feed = open_feed(source, options)
    if feed is None:
        return None
    kind, rows_list = source_of(feed, options.source)
    names = _names(feed, kind, rows_list)
    candidates = {
        column: matches(
            known,
            names,
            last_words=kind.guessed and column == "body",
            wrapped=kind.guessed and column in _WRAPPED,
            endings=kind.endings.get(column, ()),
            of_others=column != "created_at",
        )
        for column, known in kind.columns.items()
    }
    absent: list[tuple[str, str]] = []
    named: set[str] = set()
    for column, name in options.named().items():
        places = places_of(name, names)
        if places:
            candidates[column] = [places]
            named.add(column)
        else:
            absent.append((column, name))
    absent += [("keep", name) for name in options.keep if not places_of(name, names)]
    notes = (_said(source, feed, kind, rows_list, forced=options.source != AUTO), *feed.notes)
    plan = Plan(source, feed, kind, rows_list, names, candidates, frozenset(named), tuple(absent), notes)
    if names:
        _check_text(plan)
    return plan


def check_named(plans: Sequence[Plan], options: ReadOptions) -> None:
    """Refuse columns that the user named and that are in none of the inputs, or not in a plain table.

    A file of a known source needs no `--text-column`; one that another file needs is not asked of it.

    Raises
    ------
    InputError
        For the first such column, with the nearest names.
    """
    filled = [plan for plan in plans if plan.names]
    for plan in filled:
        for column, name in plan.absent:
            if column == "keep" and name in options.may_lack:
                continue
            everywhere = all((column, name) in other.absent for other in filled)
            if everywhere or (plan.kind.guessed and column != "keep"):
                filtered = column == "keep" and name in options.filtered
                raise missing("where" if filtered else column, name, plan.names, plan.source.name)


def raw_rows(plan: Plan, options: ReadOptions, notes: list[str]) -> Iterator[Rows]:
    """Yield the rows of a plan's input under its names; `notes` gets what had to be mended.

    Raises
    ------
    InputError
        If the input breaks off.
    """
    if plan.feed.rows is not None:
        yield from plan.feed.rows(notes)
    else:
        records = _records(plan.feed, plan.kind, plan.rows_list, options, notes)
        yield from rows_of(records, plan.names, needed=_needed(plan, options))


def _names(feed: Feed, kind: Source, rows_list: str) -> tuple[str, ...]:
    if feed.elements is None:
        return feed.names
    names = feed.lists.get(rows_list, ())
    return (*names, *kind.joined_names) if names else ()


def _needed(plan: Plan, options: ReadOptions) -> frozenset[int] | None:
    """Return the places of the columns that are looked at; None: all, for ids may be made from them."""
    if plan.kind.guessed:
        return None
    kept = [place for name in options.keep for place in places_of(name, plan.names)]
    dropped = {name for drop in plan.kind.drops for name in drop.columns}
    deciding = [place for place, name in enumerate(plan.names) if fold(name) in dropped]
    return frozenset([*kept, *deciding, *known_places(plan)])


def known_places(plan: Plan) -> list[int]:
    """Return the places of the columns that the source of a plan knows, in order."""
    return sorted({place for groups in plan.candidates.values() for group in groups for place in group})


def _records(
    feed: Feed, kind: Source, rows_list: str, options: ReadOptions, notes: list[str]
) -> Iterator[Record]:
    if kind.joined is not None:
        yield from kind.joined(feed, rows_list, options, notes)
        return
    assert feed.elements is not None
    for name, place, value in feed.elements(notes):
        if name == rows_list and place:
            yield record_of(place, value)


def _check_text(plan: Plan) -> None:
    if plan.candidates.get("body"):
        return
    asked = dict(plan.absent).get("body")
    if asked is not None:
        raise missing("body", asked, plan.names, plan.source.name)
    if not plan.kind.guessed:
        raise InputError(
            f"{plan.source.name}: read as {plan.kind.name}, but holds no column "
            f"{' or '.join(plan.kind.columns['body'][-1:])}; leave --source out, or choose with --text-column"
        )
    raise no_text(plan.names, plan.source.name, [note for note in plan.notes if "--sheet" in note])


def _said(source: Input, feed: Feed, kind: Source, rows_list: str, *, forced: bool) -> str:
    where = f", list {rows_list!r}" if rows_list else ""
    others = [name for name in feed.lists if name != rows_list]
    beside = f"; beside it: {', '.join(sorted(others))}" if others else ""
    why = "--source" if forced else "by its content"
    return f"{source.name}: read as {kind.name}, {why} ({feed.title}{where}{beside})"
