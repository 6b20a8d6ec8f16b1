"""People whom a text itself says it comes from: "Forwarded from Ada Lovelace, IT:".

In: texts. Out: names, which no field of the export may hold. Never guesses at other names in a text.
"""

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from classifier.needles import Needles

_FORWARDED = re.compile(
    r"\b(?:forwarded|fwd)[: ]+(?:message )?(?:from|by|on behalf of)[: ]+"
    r"(?-i:((?:[^\W\d_a-z][\w'’-]+ ){1,2}[^\W\d_a-z][\w'’-]+))",
    re.IGNORECASE,
)


@cache
def _needles() -> "Needles":
    from classifier.needles import Needles

    return Needles(("forwarded", "fwd"))


def with_senders(people: "pd.Series", texts: "pd.Series") -> "pd.Series":
    """Return the names of each document's people, ";"-joined, with those its text is forwarded from.

    Parameters
    ----------
    people
        Column `people` of table DOCUMENTS.
    texts
        The cleaned texts, same index.
    """
    from classifier.buffers import Column, replaced

    column = Column.of(texts)
    named: dict[int, str] = {}
    for row in _needles().find(column).nonzero()[0].tolist():
        found = _FORWARDED.findall(column[row])
        # Most texts with such a word name nobody: only then a look at the people is worth its time.
        known = list(filter(None, people.iloc[row].split(";"))) if found else []
        if found := [name for name in found if name not in known]:
            named[row] = ";".join([*known, *dict.fromkeys(found)])
    return replaced(people, list(named), list(named.values())) if named else people
