"""What of an input isn't read, or not as it was meant, counted over all its rows.

In: columns of text, batch by batch. Out: sentences for the user. Never holds a cell.
"""

import re
from typing import Final

import pandas as pd

from classifier.amounts import shapes

_LIST: Final = re.compile(r'\s*\[?\s*\{\s*"')
_TEXT_IN_LIST: Final = re.compile(r'"(?:text|body|content|message|comment)"\s*:')
_LOOKED_AT: Final = 200
"""Cells of a column, to tell whether they are lists of texts."""


class Unread:
    """Counts the values of a column that couldn't be read."""

    def __init__(self, column: str, what: str, option: str) -> None:
        self._column, self._what, self._option = column, what, option
        self._wrong = self._all = 0

    def count(self, texts: pd.Series, values: pd.Series) -> None:
        """Take a batch: what the cells say, and what was read; NaN or NaT where nothing was."""
        filled = (texts.str.strip() != "").to_numpy()
        self._all += int(filled.sum())
        self._wrong += int((filled & values.isna().to_numpy()).sum())

    def notes(self) -> list[str]:
        """Tell how many there were."""
        if not self._wrong:
            return []
        return [
            f"{self._column}: {self._wrong} of {self._all} values could not be read as {self._what}; "
            f"left empty; see {self._option}"
        ]


class Thousands:
    """Watches whether later amounts contradict how the first ones said that 41.200 is read."""

    def __init__(self) -> None:
        self._of_three = 0
        self._euro = self._english = False

    def count(self, texts: pd.Series) -> None:
        """Take a batch of amounts."""
        of_three, euro, english = shapes(texts)
        self._of_three += of_three
        self._euro, self._english = self._euro or euro, self._english or english

    def notes(self, *, dots: bool) -> list[str]:
        """Tell it, where amounts such as 41.200 are there; `dots`: they were read as thousands."""
        if not self._of_three or not (self._english if dots else self._euro):
            return []
        read, shown = ("thousands", "a decimal point") if dots else ("decimals", "what parts thousands")
        return [
            f"amount: {self._of_three} values such as 41.200 were read as {read}, but others of the column "
            f"show the dot as {shown}; write all of them one way"
        ]


def holds_lists_of_texts(texts: pd.Series) -> bool:
    """Tell whether the cells of a column are JSON that holds texts, such as messages."""
    filled = texts[texts != ""].head(_LOOKED_AT)
    found = [bool(_LIST.match(text) and _TEXT_IN_LIST.search(text)) for text in filled]
    return bool(found) and sum(found) * 2 > len(found)
