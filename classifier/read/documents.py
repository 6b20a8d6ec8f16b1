"""Rows as documents.

In: batches of rows and the plan of their input. Out: documents, rejected and dropped rows, notes.
Never changes a text beyond NUL, line ends and NFC.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
import pandas as pd

from classifier import schema
from classifier.amounts import dots_part_thousands, parse_amounts
from classifier.errors import InputError
from classifier.read.cells import is_scalar, text_of, tidy
from classifier.read.columns import choose, fold, places_of
from classifier.read.dates import DateStyle, parse_dates, style_of, times_of
from classifier.read.options import OPTION_OF, ReadBatch, ReadOptions
from classifier.read.plans import Plan, known_places, raw_rows
from classifier.read.rows import Fault, Rows, in_batches

KEEP = "keep:"
"""Prefix of the columns that `--keep` asked for."""

_ID = re.compile(r"[\w#:./-]{1,64}")
_PERSON = re.compile(r"[^@\d]*[^\W\d_][^@\d]*")
_TEXT_COLUMNS = ("channel", "account", "segment", "stage", "url", "subject", "body")

_REPEATED = 0.9
"""From this share of rows on, a subject that begins the text counts as part of it."""


class DocumentReader:
    """Turns the rows of one input into documents; what the first batch shows holds for all."""

    def __init__(self, plan: Plan, options: ReadOptions) -> None:
        self._plan = plan
        self._options = options
        self._places: dict[str, list[list[int]]] = {}
        self._style = DateStyle()
        self._dots = False
        self._notes: list[str] = []
        self._dates = _Unread("created_at", "dates", "--date-format")
        self._amounts = _Unread("amount", "amounts", "--amount-column")
        self._contrary = 0

    def batches(self) -> Iterator[ReadBatch]:
        """Yield batches of at most `batch_rows` documents; at least one, which may be empty.

        Raises
        ------
        InputError
            If the input breaks off: after the batches before the break.
        """
        mended: list[str] = []
        first, decided, count = True, False, 0
        for rows in in_batches(raw_rows(self._plan, self._options, mended), self._options.batch_rows):
            told: tuple[str, ...] = ()
            if not decided:
                self._notes.clear()
                self._decide(rows)
                told = (*self._plan.notes, *self._notes)
                # Where all rows until now were set aside, the first others decide anew.
                decided = len(rows.numbers) > 0
            yield self._batch(rows, notes=told)
            first = False
            count += len(rows.numbers) + len(rows.rejected) + len(rows.dropped) + rows.merged
        notes = ["no rows"] if not count else []
        notes += [*self._dates.notes(), *self._contrary_notes(), *self._amounts.notes(), *mended]
        said = tuple(f"{self._plan.source.name}: {note}" for note in notes)
        if first:
            said = (*self._plan.notes, *said)
        if said:
            yield empty_batch(said, self._options)

    def _decide(self, rows: Rows) -> None:
        """Choose among columns that fit by name, by what the first rows hold."""
        for column, groups in self._plan.candidates.items():
            if not self._plan.kind.guessed or column == "people":
                self._places[column] = groups
            else:
                chosen = choose(groups, lambda group: bool((self._text(rows, [group]) != "").any()))
                self._places[column] = [chosen] if chosen else []
        if self._plan.kind.guessed:
            self._note_choice("body", "text column")
            self._decide_id(rows)
            self._decide_subject(rows)
            self._places["people"] = [
                group for group in self._places["people"] if group not in self._places["account"]
            ]
        self._check_kept()
        for column, name in self._plan.absent:
            if column == "keep" and name in self._options.filtered:
                self._note(f"no column {name!r} (--where); none of its rows has a value that could match")
            else:
                self._note(f"no column {name!r} ({OPTION_OF.get(column, '--keep')}); read without it")
        groups = self._places["created_at"]
        if groups and all(times_of(rows.table.column(place)) is None for place in groups[0]):
            self._style, note = style_of(self._text(rows, groups), self._options.date_format)
            if note:
                self._note(f"created_at: {note}")
        if self._places.get("amount"):
            self._dots = dots_part_thousands(self._text(rows, self._places["amount"]))

    def _check_kept(self) -> None:
        """Refuse to keep the text itself: it leaves the program as redacted quotes only."""
        text = {place for column in ("body", "subject") for group in self._places[column] for place in group}
        for name in self._options.keep:
            if text & set(places_of(name, self._plan.names)):
                raise InputError(
                    f"{self._plan.source.name}: --keep {name!r} is the text or the subject of the documents, "
                    "which is never written as it is; leave it out, or choose another --text-column"
                )

    def _decide_id(self, rows: Rows) -> None:
        groups = self._places["document_id"]
        if not groups or "document_id" in self._plan.named:
            return
        ids = self._text(rows, groups).str.strip()
        filled = ids[ids != ""]
        allowed = max(1, len(ids) // 10)
        if len(ids) - len(filled) > allowed or len(filled) - filled.nunique() > allowed:
            name = self._plan.names[groups[0][0]]
            self._note(
                f"column {name!r} is not taken as the id, for its values repeat or are missing; "
                "ids are made from the rows (choose with --id-column)"
            )
            self._places["document_id"] = []

    def _decide_subject(self, rows: Rows) -> None:
        """Leave out a subject that the text begins with already: it would stand there twice."""
        groups = self._places["subject"]
        if not groups or "subject" in self._plan.named:
            return
        subjects = self._text(rows, groups).str.strip()
        bodies = self._text(rows, self._places["body"]).str.strip()
        both = ((subjects != "") & (bodies != "")).to_numpy()
        alike = both & (subjects.str.slice(0, 1) == bodies.str.slice(0, 1)).to_numpy()
        repeated = sum(
            body.startswith(subject) for subject, body in zip(subjects[alike], bodies[alike], strict=True)
        )
        if repeated and repeated >= _REPEATED * both.sum():
            name = self._plan.names[groups[0][0]]
            self._note(
                f"column {name!r} is not taken as the subject, for the text begins with it "
                "(choose with --subject-column)"
            )
            self._places["subject"] = []

    def _note_choice(self, column: str, what: str) -> None:
        groups = self._plan.candidates[column]
        if len(groups) < 2:
            return
        taken = self._places[column][0]
        others = ", ".join(repr(self._plan.names[group[0]]) for group in groups if group != taken)
        name = self._plan.names[taken[0]]
        self._note(f"{what}: {name!r} (also fits: {others}; choose with {OPTION_OF[column]})")

    def _note(self, note: str) -> None:
        self._notes.append(f"{self._plan.source.name}: {note}")

    def _batch(self, rows: Rows, notes: tuple[str, ...]) -> ReadBatch:
        ids = self._ids(rows)
        reasons = self._reasons(rows)
        kept = reasons == ""
        columns: dict[str, pd.Series] = {"document_id": ids, "people": self._people(rows)}
        columns["source"] = pd.Series(self._plan.kind.name, index=ids.index)
        for column in _TEXT_COLUMNS:
            columns[column] = tidy(self._text(rows, self._places.get(column, [])))
        for column in ("channel", "account", "segment", "stage", "url"):
            columns[column] = columns[column].str.strip()
        for column, values in self._plan.kind.values.items():
            lowered = columns[column].str.lower()
            columns[column] = lowered.map(values).fillna(columns[column])
        columns["created_at"] = self._times(rows)
        columns["updated_at"] = self._updates(rows)
        columns["amount"] = self._parsed_amounts(rows)
        columns["file"] = pd.Series(self._plan.source.name, index=ids.index)
        columns["row"] = pd.Series(rows.numbers, index=ids.index)
        for name in self._options.keep:
            columns[KEEP + name] = tidy(self._joined(rows, places_of(name, self._plan.names)))
        frame = pd.DataFrame(columns)
        left_out = [
            Fault(int(row), reason, document_id=key)
            for row, reason, key in zip(rows.numbers[~kept], reasons[~kept], ids[~kept], strict=True)
        ]
        frame = frame if kept.all() else frame[kept]
        return ReadBatch(
            schema.conform(frame, schema.DOCUMENTS, extra=_kept_names(self._options)),
            self._faults(rows.rejected, schema.REJECTED),
            self._faults([*rows.dropped, *left_out], schema.DROPPED),
            rows.merged,
            notes,
        )

    def _text(self, rows: Rows, groups: Sequence[Sequence[int]]) -> pd.Series:
        """Return the first value of each row that isn't empty, over the columns in turn."""
        texts: pd.Series | None = None
        for place in (place for group in groups for place in group):
            column = text_of(rows.table.column(place))
            texts = column if texts is None else texts.where(texts != "", column)
        return _empty_texts(len(rows.numbers)) if texts is None else texts

    def _joined(self, rows: Rows, places: Sequence[int]) -> pd.Series:
        """Return the values of columns of one name, joined by ";" without the empty ones."""
        columns = [text_of(rows.table.column(place)) for place in places]
        if len(columns) == 1:
            return columns[0]
        if not columns:
            return _empty_texts(len(rows.numbers))
        cells = zip(*(column.tolist() for column in columns), strict=True)
        return pd.Series([";".join(cell for cell in row if cell) for row in cells], dtype="str")

    def _ids(self, rows: Rows) -> pd.Series:
        ids = tidy(self._text(rows, self._places["document_id"]).str.strip())
        blank = (ids == "").to_numpy()
        if blank.any():
            ids = ids.mask(blank, pd.Series(self._made_ids(rows), dtype="str"))
        return ids

    def _made_ids(self, rows: Rows) -> list[str]:
        """Return an id for each row that depends on its cells alone: of a known source, those it knows."""
        places = range(rows.table.num_columns) if self._plan.kind.guessed else known_places(self._plan)
        columns = [
            text_of(rows.table.column(place)).tolist()
            for place in places
            if is_scalar(rows.table.schema.field(place).type)
        ]
        cells = zip(*columns, strict=True)
        return [
            "row-" + hashlib.blake2b("\x1f".join(row).encode(), digest_size=6).hexdigest() for row in cells
        ]

    def _reasons(self, rows: Rows) -> pd.Series:
        """Return for each row why it is dropped; empty where it isn't."""
        reasons = _empty_texts(len(rows.numbers))
        for reason, (name, value) in self._plan.kind.drops.items():
            if reason == "internal" and self._options.keep_internal:
                continue
            places = [place for place, each in enumerate(self._plan.names) if fold(each) == name]
            if places:
                unwanted = self._text(rows, [places]).str.strip().str.lower() == value
                reasons = reasons.mask(unwanted & (reasons == ""), reason)
        return reasons

    def _people(self, rows: Rows) -> pd.Series:
        """Return the names of a row's people, ";"-joined; ids and e-mail addresses are no names."""
        groups = self._places["people"]
        if not groups:
            return _empty_texts(len(rows.numbers))
        columns = [text_of(rows.table.column(place)).tolist() for group in groups for place in group]
        known: dict[tuple[str, ...], str] = {}
        for row in zip(*columns, strict=True):
            if row not in known:
                known[row] = _names_in(row)
        return tidy(pd.Series([known[row] for row in zip(*columns, strict=True)], dtype="str"))

    def _times(self, rows: Rows) -> pd.Series:
        groups = self._places["created_at"]
        places = [place for group in groups for place in group]
        if len(places) == 1 and (times := times_of(rows.table.column(places[0]))) is not None:
            return times
        texts = self._text(rows, groups)
        parsed, contrary = parse_dates(texts, self._style)
        self._dates.count(texts, parsed)
        self._contrary += contrary
        return parsed

    def _updates(self, rows: Rows) -> pd.Series:
        """Return when each row last changed, written as `created_at` is; empty where it can't be read."""
        places = [place for group in self._places.get("updated_at", []) for place in group]
        if not places:
            return pd.Series(pd.NaT, index=range(len(rows.numbers)), dtype=schema.TIME)
        if len(places) == 1 and (times := times_of(rows.table.column(places[0]))) is not None:
            return times
        return parse_dates(self._text(rows, [places]), self._style)[0]

    def _parsed_amounts(self, rows: Rows) -> pd.Series:
        if not self._places.get("amount"):
            return pd.Series(np.full(len(rows.numbers), np.nan))
        texts = self._text(rows, self._places["amount"])
        amounts = parse_amounts(texts, dots=self._dots)
        self._amounts.count(texts, amounts)
        return amounts

    def _contrary_notes(self) -> list[str]:
        if not self._contrary:
            return []
        return [
            f"created_at: {self._contrary} values have day and month the other way round than the others; "
            "if the others are wrong, give --date-format"
        ]

    def _faults(self, faults: Sequence[Fault], table: schema.Table) -> pd.DataFrame:
        records = [
            {
                "file": self._plan.source.name,
                "row": fault.row,
                "document_id": fault.document_id or self._id_in(fault.cells),
                "reason": fault.reason,
            }
            for fault in faults
        ]
        return schema.conform(pd.DataFrame(records), table) if records else schema.empty(table)

    def _id_in(self, cells: Sequence[str]) -> str:
        """Find the id in a row that is too long or too short, if what is in its place looks like one."""
        places = [place for group in self._places.get("document_id", []) for place in group]
        cell = cells[places[0]].strip() if places and places[0] < len(cells) else ""
        return cell if _ID.fullmatch(cell) else ""


class _Unread:
    """Counts the values of a column that couldn't be read."""

    def __init__(self, column: str, what: str, option: str) -> None:
        self._column, self._what, self._option = column, what, option
        self._wrong = self._all = 0

    def count(self, texts: pd.Series, values: pd.Series) -> None:
        filled = (texts.str.strip() != "").to_numpy()
        self._all += int(filled.sum())
        self._wrong += int((filled & values.isna().to_numpy()).sum())

    def notes(self) -> list[str]:
        if not self._wrong:
            return []
        return [
            f"{self._column}: {self._wrong} of {self._all} values could not be read as {self._what}; "
            f"left empty; see {self._option}"
        ]


def empty_batch(notes: Sequence[str], options: ReadOptions) -> ReadBatch:
    """Return a batch without rows, for its notes."""
    documents = schema.empty({**schema.DOCUMENTS, **dict.fromkeys(_kept_names(options), schema.STR)})
    rejected, dropped = schema.empty(schema.REJECTED), schema.empty(schema.DROPPED)
    return ReadBatch(documents, rejected, dropped, 0, tuple(notes))


def _kept_names(options: ReadOptions) -> list[str]:
    return [KEEP + name for name in options.keep]


def _empty_texts(count: int) -> pd.Series:
    return _blank(count).copy(deep=False)


@lru_cache(maxsize=2)
def _blank(count: int) -> pd.Series:
    return pd.Series(np.full(count, "", dtype=object), dtype="str")


def _names_in(cells: Sequence[str]) -> str:
    names = [name.strip() for cell in cells for name in cell.split(";")]
    return ";".join(dict.fromkeys(name for name in names if _PERSON.fullmatch(name)))
