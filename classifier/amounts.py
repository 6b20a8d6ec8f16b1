"""Sums of money in the many ways exports write them.

In: a column of texts. Out: numbers, NaN where a text is none. Never converts a currency.
"""

import re

import numpy as np
import pandas as pd

# Letters of currencies and their signs; spaces and apostrophes part thousands.
_DECORATION = re.compile(
    r"(?i)\b(?:usd|eur|gbp|chf|cad|aud|nzd|sek|nok|dkk|jpy|inr|us|a|c|kr|fr)\b\.?|[$€£¥₹]"
)
_SPACES = re.compile(r"[\s\u00a0\u202f\u2009'’_]")
_SHAPE = re.compile(r"(?i)(?P<minus>-?)(?P<digits>\d[\d.,]*|[.,]\d+)(?P<unit>k|m|mio|mn|bn|b)?")
_EURO_STYLE = re.compile(r"(?i)\d,\d{1,2}\D*$|\d\.\d{3},\d|€|\beur\b")
_UNITS = {"": 1.0, "k": 1e3, "m": 1e6, "mio": 1e6, "mn": 1e6, "b": 1e9, "bn": 1e9}


_EURO_COLUMN = r"\d,\d{1,2}(?:\D|$)|\d\.\d{3}[.,]\d"
_ENGLISH_COLUMN = r"\d\.\d{1,2}(?:\D|$)|\d\.\d{4}|\d,\d{3}[.,]\d"
_OF_THREE = r"(?:^|[^\d.,])\d{1,3}\.\d{3}(?:[^\d.,]|$)"
"""A dot before exactly three digits: a decimal point, or what parts thousands."""


def shapes(texts: pd.Series) -> tuple[int, bool, bool]:
    """Return how many texts are such as 41.200, and whether others have European or English points."""
    of_three = int(texts.str.contains(_OF_THREE).sum())
    return (
        of_three,
        bool(texts.str.contains(_EURO_COLUMN).any()),
        bool(texts.str.contains(_ENGLISH_COLUMN).any()),
    )


def dots_part_thousands(texts: pd.Series) -> bool:
    """Tell whether a column writes 41.200 for forty-one thousand, as other values of it show."""
    _, european, english = shapes(texts)
    return european and not english


def parse_amounts(texts: pd.Series, *, dots: bool = False) -> pd.Series:
    """Return the amounts as float64; NaN where a text is empty or no number.

    "41,200", "€ 41.200,50", "$12k", "(300)" are read. A dot before exactly three digits is a decimal
    point in a plain number ("41.200"), but parts thousands where the text or its cents are European
    ("€ 41.200"), and everywhere with `dots`.
    """
    stripped = texts.str.strip()
    plain = stripped.mask(stripped.str.contains(".", regex=False), "") if dots else stripped
    amounts = pd.to_numeric(plain, errors="coerce").astype("float64")
    left = stripped[amounts.isna() & (stripped != "")]
    values = {text: parse_amount(text, dots=dots) for text in left.unique()}
    amounts.loc[left.index] = left.map(values).astype("float64")
    return amounts.where(np.isfinite(amounts))


def parse_amount(text: str, *, dots: bool = False) -> float:
    """Return one amount; NaN if the text is none."""
    euro_style = dots or bool(_EURO_STYLE.search(text))
    bare = _SPACES.sub("", _DECORATION.sub("", text))
    negative = bare.startswith("(") and bare.endswith(")")
    match = _SHAPE.fullmatch(bare.strip("()") if negative else bare)
    if match is None:
        return float("nan")
    digits = _plain_digits(match["digits"], euro_style=euro_style)
    if digits is None:
        return float("nan")
    value = float(digits) * _UNITS[(match["unit"] or "").lower()]
    return -value if negative or match["minus"] else value


def _plain_digits(digits: str, *, euro_style: bool) -> str | None:
    """Return the digits with a decimal point and without thousands; None if they contradict."""
    comma, dot = digits.rfind(","), digits.rfind(".")
    if comma < 0 and dot < 0:
        return digits
    if comma >= 0 and dot >= 0:
        mark, other = (",", ".") if comma > dot else (".", ",")
        whole, _, cents = digits.rpartition(mark)
        return f"{whole.replace(other, '')}.{cents}" if _grouped(whole, other) else None
    mark = "," if comma >= 0 else "."
    if _grouped(digits, mark) and (mark == "," or euro_style or digits.count(".") > 1):
        return digits.replace(mark, "")
    return digits.replace(mark, ".") if digits.count(mark) == 1 else None


def _grouped(digits: str, mark: str) -> bool:
    """Tell whether `mark` parts groups of three."""
    first, *groups = digits.split(mark)
    return 1 <= len(first) <= 3 and all(len(group) == 3 and group.isdigit() for group in groups)
