"""Which column of an input is which column of the documents.

In: the names of the columns and a sample of rows. Out: places of columns, and notes on choices.
Never looks at more than the sample.
"""

import difflib
import re
import unicodedata
from collections.abc import Callable, Sequence

from classifier.errors import InputError
from classifier.read.options import OPTION_OF

_LONGEST_NAME = 60
_MOST_WORDS = 6
_PLAIN_TEXT = re.compile(r"\(?plain[ _-]?text\)?|^plain[ _-]|[ _-]plain$")
_NO_WORD = re.compile(r"[\W_]+")
_WRAPPED = re.compile(r"(?:properties|fields|attributes)\.")
"""What the members of a record lie in, in JSON of HubSpot, Jira and App Store Connect."""
_OF_OTHERS = re.compile(
    r"user|customer|client|account|contact|compan|person|profile|author|member|organi[sz]|subscri|plan|first|last"
    r"|next|due"
)
"""Names that tell when something else than the document came about."""
_LIKE_DATE = re.compile(r"(?i)dat(?:e|um)|time|created|_at$|\bat$|\b(?:am|on)$")

TEXT_NAMES = (
    "text",
    "description",
    "body",
    "comment",
    "message",
    "content",
    "note",
    "review",
    "feedback",
    "fulltext",
    "reviewtext",
    "bodytext",
    "commenttext",
    "messagetext",
    "feedbacktext",
    "verbatim",
    "answer",
    "response",
    "question",
    "transcript",
    "conversation",
    "quote",
    "remark",
    "complaint",
    "suggestion",
    "opinion",
    "detail",
    "post",
    "tweet",
)
"""Names of columns that hold the text of a document, best first."""


def fold(name: str) -> str:
    """Return a name without case, spaces, punctuation and "plain text", for comparison."""
    lowered = unicodedata.normalize("NFKC", name).strip("\ufeff \t").lower()
    folded = _NO_WORD.sub("", _PLAIN_TEXT.sub("", lowered))
    return folded or _NO_WORD.sub("", lowered)


def places_of(wanted: str, names: Sequence[str]) -> list[int]:
    """Return the places of the columns called `wanted`: exactly, else but for case and spaces."""
    exact = [place for place, name in enumerate(names) if name == wanted]
    return exact or [place for place, name in enumerate(names) if fold(name) == fold(wanted)]


def matches(
    candidates: Sequence[str],
    names: Sequence[str],
    *,
    last_words: bool = False,
    wrapped: bool = False,
    endings: Sequence[str] = (),
    of_others: bool = True,
) -> list[list[int]]:
    """Return the places of the columns that fit, best first; columns of one name stay together.

    Parameters
    ----------
    candidates
        Folded names, best first; a plural fits too.
    names
        Names of the input's columns.
    last_words
        Let names fit whose last word is a candidate ("Ticket description"), after those that fit
        as a whole.
    wrapped
        Let names fit behind what wraps a record ("properties.subject"), after those that fit as a whole.
    endings
        Folded; names fit that end so, after all others.
    of_others
        Let names fit by their ending that tell of a customer or an account ("user_created_at").
    """
    found: dict[str, list[int]] = {}
    order: list[tuple[int, int, str]] = []
    for place, name in enumerate(names):
        rank = _rank(name, candidates, last_words=last_words)
        if rank is None and wrapped and (inner := _WRAPPED.match(name)):
            rank = _rank(name[inner.end() :], candidates, last_words=False)
            rank = None if rank is None else len(candidates) + rank
        if rank is None and (of_others or not _OF_OTHERS.search(name.lower())):
            rank = next(
                (2 * len(candidates) + i for i, end in enumerate(endings) if fold(name).endswith(end)), None
            )
        if rank is None:
            continue
        if fold(name) not in found:
            order.append((rank, place, fold(name)))
        found.setdefault(fold(name), []).append(place)
    return [found[key] for _, _, key in sorted(order)]


def choose(groups: Sequence[list[int]], has_values: Callable[[list[int]], bool]) -> list[int]:
    """Return the first columns that hold anything in the sample, else the first; empty if there is none."""
    return next((group for group in groups if has_values(group)), groups[0] if groups else [])


def missing(column: str, wanted: str, names: Sequence[str], file: str) -> InputError:
    """Describe a column that the user named and that isn't there, with the nearest names.

    `column` is one of the documents, or the option that named it: `keep`, `where`.
    """
    shown = [name for name in names if is_name(name)]
    by_fold = {fold(name): name for name in shown}
    near = [by_fold[key] for key in difflib.get_close_matches(fold(wanted), list(by_fold), n=3)]
    hint = f"did you mean {' or '.join(map(repr, near))}? " if near else ""
    option = OPTION_OF.get(column, f"--{column}")
    return InputError(f"{file}: no column {wanted!r} ({option}); {hint}columns found: {listed(names)}")


def no_text(names: Sequence[str], file: str, notes: Sequence[str] = ()) -> InputError:
    """Describe a table in which no column is known to hold text; `notes`: what else the file holds."""
    found = [f"Columns found: {listed(names)}", *notes]
    subject = next((name for name in names if fold(name) in ("subject", "title", "summary")), "")
    advice = "choose one with --text-column NAME, or delete what stands above the header"
    if subject:
        advice = (
            f"export the texts too, or read subjects alone with --text-column {subject!r}; "
            "another column: --text-column NAME"
        )
    return InputError(f"{file}: no column is known to hold the text; {advice}. {'; '.join(found)}")


def listed(names: Sequence[str]) -> str:
    """List column names; a long one may be the text of a file without header, and isn't shown."""
    shown = [
        repr(name) if is_name(name) else f"(column {place}: {_why_no_name(name)})"
        for place, name in enumerate(names[:50], 1)
    ]
    return ", ".join(shown) + (f" and {len(names) - 50} more" if len(names) > 50 else "")


def like_dates(names: Sequence[str]) -> list[str]:
    """Return the names that may be of a column of dates."""
    return [name for name in names if is_name(name) and _LIKE_DATE.search(name)]


def is_name(text: str) -> bool:
    """Tell whether a text may be the name of a column; an address is a cell of a file without header."""
    return len(text) <= _LONGEST_NAME and len(text.split()) <= _MOST_WORDS and "@" not in text


def _why_no_name(text: str) -> str:
    return "an address, no name" if "@" in text else "too long to be a name"


def _rank(name: str, candidates: Sequence[str], *, last_words: bool) -> int | None:
    for key in _singular(fold(name)):
        if key in candidates:
            return candidates.index(key)
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+|\d+|[^\W\d_a-zA-Z]+", name)
    if last_words and len(words) > 1:
        for key in _singular(words[-1].lower()):
            if key in candidates:
                return len(candidates) + candidates.index(key)
    return None


def _singular(key: str) -> tuple[str, ...]:
    return (key, key[:-1]) if key.endswith("s") else (key,)
