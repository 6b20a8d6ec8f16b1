"""What the caller asks of reading, and what comes back.

In: the options of the command line. Out: frozen dataclasses. Never touches a file.
"""

import codecs
from dataclasses import dataclass

import pandas as pd

from classifier.errors import InputError

_DELIMITERS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}


@dataclass(frozen=True)
class ReadOptions:
    """How inputs are read; an empty string means: find out."""

    source: str = "auto"
    text_column: str = ""
    subject_column: str = ""
    id_column: str = ""
    date_column: str = ""
    account_column: str = ""
    amount_column: str = ""
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    date_format: str = ""
    keep: tuple[str, ...] = ()
    # Those of `keep` that need not be there: a settings file serves several exports.
    may_lack: tuple[str, ...] = ()
    # Those of `keep` that `--where` names.
    filtered: tuple[str, ...] = ()
    keep_internal: bool = False
    batch_rows: int = 9_000

    def named(self) -> dict[str, str]:
        """Return the columns that the user named, as {column of the documents: name in the input}."""
        chosen = {
            "body": self.text_column,
            "subject": self.subject_column,
            "document_id": self.id_column,
            "created_at": self.date_column,
            "account": self.account_column,
            "amount": self.amount_column,
        }
        return {column: name for column, name in chosen.items() if name}


OPTION_OF = {
    "body": "--text-column",
    "subject": "--subject-column",
    "document_id": "--id-column",
    "created_at": "--date-column",
    "account": "--account-column",
    "amount": "--amount-column",
}
"""Column of the documents -> the option that names its column in the input."""


@dataclass(frozen=True)
class ReadBatch:
    """Some of the rows of one input.

    Rows read = documents + rejected + dropped + merged. `merged` counts rows whose text went into
    another document (comments of a ticket). `notes` are sentences for the user.
    """

    documents: pd.DataFrame
    rejected: pd.DataFrame
    dropped: pd.DataFrame
    merged: int
    notes: tuple[str, ...]


def check_options(options: ReadOptions) -> None:
    """Refuse an option that no input could satisfy.

    Raises
    ------
    InputError
        If the encoding is unknown, the delimiter is not one character, the date format holds no
        `%`, or a batch would have no rows.
    """
    if options.encoding:
        check_encoding(options.encoding)
    delimiter_of(options.delimiter)
    if options.date_format:
        check_date_format(options.date_format)
    if options.batch_rows < 1:
        raise InputError(f"batch_rows is {options.batch_rows}; it must be at least 1")


def check_date_format(text: str) -> None:
    """Refuse what strptime can't read with.

    Raises
    ------
    InputError
        If it holds no directive, or one that doesn't exist.
    """
    try:
        pd.to_datetime(pd.Series(["x"], dtype="str"), format=text, errors="coerce")
        known = "%" in text
    except ValueError:
        known = False
    if not known:
        raise InputError(f"--date-format {text!r} is not a strptime format; write it like '%d/%m/%Y %H:%M'")


def check_encoding(name: str) -> None:
    """Refuse a name that is not a text encoding.

    Raises
    ------
    InputError
        If Python knows no text encoding of that name.
    """
    try:
        "".encode(codecs.lookup(name).name)
    except LookupError:
        raise InputError(
            f"--encoding {name!r} is unknown; try utf-8, utf-16, cp1252, cp1250, cp1251, latin-1, shift_jis"
        ) from None


def delimiter_of(text: str) -> str:
    r"""Return the character that `--delimiter` means: also `tab`, `comma`, `semicolon`, `pipe`, `\t`.

    Raises
    ------
    InputError
        If it isn't one character, or one that can't separate cells.
    """
    delimiter = _DELIMITERS.get(text.lower(), text)
    if len(delimiter) > 1 or delimiter in ('"', "\n", "\r") or not delimiter.isascii():
        raise InputError(f"--delimiter {text!r} is not one ASCII character; try ',' ';' 'tab' or '|'")
    return delimiter
