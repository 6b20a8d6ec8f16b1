"""Figures and dates as people read them; CSV files keep the raw values.

In: a number, a share, an amount, a time. Out: short text; a dash where there is none. Never used
for files that programs read.
"""

import math
from typing import Final

import pandas as pd

NONE: Final = "–"
# Keeps a figure and its unit on one line.
_SPACE: Final = "\u00a0"
_MINUS: Final = "\u2212"
_SYMBOLS: Final = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "CHF": "CHF", "INR": "₹"}


def count(value: float) -> str:
    """Return a whole number with thousands separated: 1,234."""
    return NONE if _absent(value) else f"{value:,.0f}"


def share(value: float) -> str:
    """Return a share of 1 in per cent: 12 %; below one per cent with one digit."""
    if _absent(value):
        return NONE
    per_cent = 100 * value
    if 0 < per_cent < 0.1:
        return f"<{_SPACE}0.1{_SPACE}%"
    digits = 1 if 0 < per_cent < 1 or 99 < per_cent < 100 else 0
    return f"{per_cent:.{digits}f}{_SPACE}%"


def money(value: float, currency: str) -> str:
    """Return an amount in thousands or millions: € 41.2k."""
    if _absent(value):
        return NONE
    for size, suffix in ((1e9, "bn"), (1e6, "m"), (1e3, "k")):
        # 999,960 is 1m, not 1000k.
        if abs(value) >= size * 0.99995:
            figure = f"{value / size:.1f}".removesuffix(".0") + suffix
            break
    else:
        figure = f"{value:.0f}"
    symbol = _SYMBOLS.get(currency, currency)
    return f"{symbol}{_SPACE}{figure}" if symbol else figure


def change(value: float) -> str:
    """Return a relative change with its sign: +35 %; 0 % has none."""
    if _absent(value):
        return NONE
    if math.isinf(value) or abs(value) >= 10:
        return f"{'+' if value > 0 else _MINUS}{_SPACE}>{_SPACE}1000{_SPACE}%"
    per_cent = round(100 * value)
    sign = "+" if per_cent > 0 else _MINUS if per_cent < 0 else ""
    return f"{sign}{abs(per_cent)}{_SPACE}%"


def growth(trend: float) -> str:
    """Return a trend of trends.py, (g - 1) / (g + 1) in [-1, 1], as g - 1: +100 % is twice as often."""
    if _absent(trend):
        return NONE
    return change(math.inf if trend >= 1 else 2 * trend / (1 - trend))


def score(value: float) -> str:
    """Return a value between 0 and 1 with two digits."""
    return NONE if _absent(value) else f"{value:.2f}"


def day(value: pd.Timestamp | None) -> str:
    """Return a date: 2 Mar 2026."""
    if value is None or pd.isna(value):
        return NONE
    return f"{value.day}{_SPACE}{MONTHS[value.month - 1]}{_SPACE}{value.year}"


def period(first: pd.Timestamp | None, last: pd.Timestamp | None) -> str:
    """Return a span of days: 2 Mar to 30 Jun 2026; "" where either end is unknown."""
    if first is None or last is None:
        return ""
    start = day(first)
    if first.year == last.year:
        start = start.removesuffix(f"{_SPACE}{first.year}")
    return day(last) if first.date() == last.date() else f"{start} to {day(last)}"


def words(name: str) -> str:
    """Return a value of a table as words: claim_at_risk -> Claim at risk."""
    spaced = name.replace("_", " ")
    return spaced[:1].upper() + spaced[1:]


_REASONS: Final = {
    "agent": "Written by your own people",
    "internal": "Private note",
    "auto_reply": "Automatic reply",
    "filtered": "Left out by a filter",
    "uncertain": "Too close to call",
    "language": "A language the model doesn't read",
    "no_text": "No text to read",
    "too_long": "Too long",
    "exact": "Same id and text",
    "same_id": "Same id, another text",
    "same_text": "Another id, same text, account and time",
}


def reason(name: str) -> str:
    """Return why a row was left out, repeats another or needs a person, in words; sentences stay."""
    return _REASONS.get(name) or (name if " " in name else words(name))


# strftime would write the month in the language of the machine.
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _absent(value: float | None) -> bool:
    return value is None or bool(pd.isna(value))
