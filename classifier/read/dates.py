"""Dates in the many ways exports write them.

In: a column of texts. Out: times in UTC, empty where a text is no date. Never guesses a date from
half of one, and never fills in today.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

TIME: Final = "datetime64[us, UTC]"
EARLIEST = pd.Timestamp("1990-01-01", tz="UTC")
LATEST = pd.Timestamp("2101-01-01", tz="UTC")

_MONTH_NAMES = (
    "jan january",
    "feb february",
    "mar march",
    "apr april",
    "may",
    "jun june",
    "jul july",
    "aug august",
    "sep sept september",
    "oct october",
    "nov november",
    "dec december",
)
_MONTHS = {name: month for month, names in enumerate(_MONTH_NAMES, 1) for name in names.split()}
# Minutes east of UTC.
_ZONES = {"": 0, "z": 0, "utc": 0, "gmt": 0, "ut": 0, "wet": 0, "bst": 60, "cet": 60, "west": 60, "cest": 120}
_ZONES |= {"eet": 120, "eest": 180, "est": -300, "edt": -240, "cst": -360, "cdt": -300, "mst": -420}
_ZONES |= {"mdt": -360, "pst": -480, "pdt": -420, "jst": 540, "aest": 600, "aedt": 660}

_CLOCK = (
    r"(?:(?:[ T,]|at )+(?P<h>\d{1,2}):(?P<i>\d{2})(?::(?P<s>\d{2})(?:[.,]\d+)?)?"
    r"(?: ?(?P<p>[ap])\.?m\.?)?(?: ?(?P<z>(?:GMT|UTC)?[+-]\d{2}:?\d{2}|[a-z]{1,4}))?(?: ?\([a-z ]+\))?)?$"
)
_ISO = (
    r"^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}(?::?\d{2}(?::?\d{2}(?:[.,]\d{1,9})?)?)?"
    r"(?: ?(?:Z|[+-]\d{2}(?::?\d{2})?))?)?$"
)
_SLASHED = r"(?i)^(?P<a>\d{1,2})(?P<sep>[/.-])(?P<b>\d{1,2})[/.-](?P<y>\d{4}|\d{2})" + _CLOCK
_NAMED = (
    r"(?i)^(?:[a-z]{3,9}\.?,? +)?(?P<a>\d{1,2})(?:st|nd|rd|th|\.)?[ /-]*(?P<b>[a-z]{3,9})\.?,?[ /-]*"
    r"(?P<y>\d{4}|\d{2})" + _CLOCK,
    r"(?i)^(?:[a-z]{3,9},? +)?(?P<b>[a-z]{3,9})\.? (?P<a>\d{1,2})(?:st|nd|rd|th)?,? (?P<y>\d{4})" + _CLOCK,
    r"(?i)^[a-z]{3} (?P<b>[a-z]{3}) +(?P<a>\d{1,2}) (?P<h>\d{2}):(?P<i>\d{2}):(?P<s>\d{2}) (?P<p>)"
    r"(?P<z>[+-]\d{4}|[a-z]{3,4}) (?P<y>\d{4})$",
)
_YEAR_FIRST = r"(?i)^(?P<y>\d{4})[/.-](?P<b>\d{1,2})[/.-](?P<a>\d{1,2})" + _CLOCK
# Digits alone: seconds, milliseconds, microseconds since 1970; ranges keep them apart from counts.
_EPOCHS = ((r"^\d{9,10}(?:\.\d+)?$", 1_000_000), (r"^\d{12,13}(?:\.\d+)?$", 1_000), (r"^\d{15,16}$", 1))
_SERIAL = r"^[3-7]\d{4}(?:\.\d+)?$"
"""Days since the end of 1899, as a spreadsheet keeps a date that was formatted as a number."""
_SERIAL_OF_1970 = 25_569
_COMPACT = ((r"^\d{8}$", "%Y%m%d"), (r"^\d{8}T?\d{6}Z?$", ""))


@dataclass(frozen=True)
class DateStyle:
    """How a column writes its dates: `format` as strptime takes it, else what 3/4/2026 means.

    `day_first` holds the separators between whose numbers the day comes first.
    """

    format: str = ""
    day_first: frozenset[str] = frozenset(".")


def style_of(texts: pd.Series, date_format: str = "") -> tuple[DateStyle, str]:
    """Decide how a column writes dates from its first rows; the second value is a note, or empty.

    Of day and month, the one that exceeds 12 somewhere is the day (the more frequent, where both do). Where
    none does, the month is taken to come first, or the day if dots separate them, and the note says so.
    """
    if date_format:
        return DateStyle(format=date_format), ""
    parts = _parts(pa.array(texts.str.strip(), pa.large_string()), _SLASHED)
    if not parts:
        return DateStyle(), ""
    first, second = _number(parts["a"]), _number(parts["b"])
    separators = parts["sep"].to_pylist()
    day_first: set[str] = set()
    notes = []
    for separator in sorted(set(separators)):
        here = np.array([each == separator for each in separators])
        days, months = int((first[here] > 12).sum()), int((second[here] > 12).sum())
        if days > months or (days == months and separator == "."):
            day_first.add(separator)
        if days == months and not (first[here] == second[here]).all():
            notes.append(_undecided(separator, _clock(parts)))
    return DateStyle(day_first=frozenset(day_first)), "; ".join(notes)


def _undecided(separator: str, clock: str) -> str:
    taken, other = ("day", "%m{0}%d{0}%Y") if separator == "." else ("month", "%d{0}%m{0}%Y")
    return (
        f"no value tells whether day or month comes first; took the {taken} as first; "
        f"if that is wrong: --date-format '{other.format(separator)}{clock}'"
    )


def _clock(parts: dict[str, pa.Array]) -> str:
    """Return the directives for the time of day as the first value has it."""
    if not parts["h"][0].as_py():
        return ""
    seconds = ":%S" if parts["s"][0].as_py() else ""
    return f" %I:%M{seconds} %p" if parts["p"][0].as_py() else f" %H:%M{seconds}"


def parse_dates(texts: pd.Series, style: DateStyle) -> tuple[pd.Series, int]:
    """Return the times in UTC, and how many have day and month the other way round than `style` says.

    NaT where a text is empty, no date, or outside 1990 to 2100. Times without a zone are UTC.
    """
    # Compiled code takes half a second to load: only where rows are read.
    from classifier.buffers import Column
    from classifier.read.stamps import stamps

    if style.format:
        known = np.zeros(len(texts), dtype=np.bool_)
        found = pd.Series(pd.NaT, index=texts.index, dtype=TIME)
    else:
        micros, known = stamps(Column.of(texts))
        found = pd.Series(pd.to_datetime(micros, unit="us", utc=True).astype(TIME), index=texts.index)
        if known.all():
            return _in_range(found), 0
        found = found.where(known)
    left = texts[~known].str.strip()
    left = left[left != ""]
    if style.format:
        found.loc[left.index] = _to_time(left, style.format)
        return _in_range(found), 0
    for parse in (_parse_iso, _parse_epoch, _parse_compact, _parse_named):
        if left.empty:
            return _in_range(found), 0
        times = parse(left).dropna()
        found.loc[times.index] = times
        left = left.drop(times.index)
    slashed, contrary = _parse_slashed(left, style)
    found.loc[slashed.index] = slashed
    return _in_range(found), contrary


def times_of(column: pa.ChunkedArray) -> pd.Series | None:
    """Return the times of a column that is typed as one, else None."""
    if not (pa.types.is_timestamp(column.type) or pa.types.is_date(column.type)):
        return None
    plain = column.cast(pa.timestamp("us", getattr(column.type, "tz", None)), safe=False)
    return _in_range(pd.to_datetime(pd.Series(plain.to_pandas()), utc=True).astype(TIME))


def _in_range(times: pd.Series) -> pd.Series:
    kept: pd.Series[Any] = times.where((times >= EARLIEST) & (times < LATEST)).astype(TIME)
    return kept


def _to_time(texts: pd.Series, date_format: str) -> pd.Series:
    times: pd.Series[Any] = pd.to_datetime(texts, format=date_format, utc=True, errors="coerce").astype(TIME)
    return times


def _matching(texts: pd.Series, pattern: str) -> pd.Series:
    mask = pc.match_substring_regex(pa.array(texts, pa.large_string()), pattern)
    matching: pd.Series[Any] = texts[mask.to_numpy(zero_copy_only=False)]
    return matching


def _parse_iso(texts: pd.Series) -> pd.Series:
    matching = _matching(texts, _ISO)
    return _to_time(matching.str.replace(",", "."), "ISO8601")


def _parse_epoch(texts: pd.Series) -> pd.Series:
    parts = []
    for pattern, scale in _EPOCHS:
        numbers = pd.to_numeric(_matching(texts, pattern)).astype("float64")
        microseconds = (numbers * scale).round().astype("int64")
        parts.append(pd.to_datetime(microseconds, unit="us", utc=True).astype(TIME))
    days = pd.to_numeric(_matching(texts, _SERIAL)).astype("float64") - _SERIAL_OF_1970
    # A second is .0000116 of a day: what spreadsheets keep is that exact, and no more.
    parts.append(pd.to_datetime((days * 86_400).round().astype("int64"), unit="s", utc=True).astype(TIME))
    times: pd.Series[Any] = pd.concat(parts)
    return times


def _parse_compact(texts: pd.Series) -> pd.Series:
    days = _to_time(_matching(texts, _COMPACT[0][0]), "%Y%m%d")
    seconds = _matching(texts, _COMPACT[1][0]).str.replace(r"[TZ]", "", regex=True)
    times: pd.Series[Any] = pd.concat([days, _to_time(seconds, "%Y%m%d%H%M%S")])
    return times


def _parse_named(texts: pd.Series) -> pd.Series:
    found = pd.Series(pd.NaT, index=texts.index, dtype=TIME)
    array = pa.array(texts, pa.large_string())
    for pattern in (*_NAMED, _YEAR_FIRST):
        parts = _parts(array, pattern)
        if parts:
            found.iloc[parts["at"].to_numpy()] = _built(parts, _month(parts["b"]), _number(parts["a"]))
    return found


def _parse_slashed(texts: pd.Series, style: DateStyle) -> tuple[pd.Series, int]:
    """Read 3/4/2026 as the style says, but 25/4/2026 the only way it can be."""
    parts = _parts(pa.array(texts, pa.large_string()), _SLASHED)
    if not parts:
        return pd.Series(pd.NaT, index=texts.index, dtype=TIME), 0
    day, month = _number(parts["a"]), _number(parts["b"])
    month_first = np.array([mark not in style.day_first for mark in parts["sep"].to_pylist()], dtype=bool)
    day, month = np.where(month_first, month, day), np.where(month_first, day, month)
    contrary = (month > 12) & (day <= 12)
    day, month = np.where(contrary, month, day), np.where(contrary, day, month)
    times = _built(parts, month, day)
    times.index = texts.index[parts["at"].to_numpy()]
    return times, int((contrary & times.notna().to_numpy()).sum())


def _parts(array: pa.Array, pattern: str) -> dict[str, pa.Array]:
    """Return the named groups of the texts that match, and `at`, their places; empty if none does."""
    matched = pc.extract_regex(array, pattern)
    at = pc.indices_nonzero(pc.is_valid(matched))
    if not len(at):
        return {}
    groups = matched.take(at)
    parts = {field.name: groups.field(field.name) for field in groups.type}
    return {"at": at, **parts}


def _number(texts: pa.Array) -> np.ndarray:
    """Return digits as numbers; 0 where a group took no part."""
    filled = pc.if_else(pc.equal(texts, ""), "0", texts)
    numbers: np.ndarray = pc.cast(filled, pa.int64()).to_numpy(zero_copy_only=False)
    return numbers


def _built(parts: dict[str, pa.Array], month: np.ndarray, day: np.ndarray) -> pd.Series:
    """Put year, month, day and clock together; NaT where there is no such day or zone."""
    year = _number(parts["y"])
    two_digits = pc.equal(pc.binary_length(parts["y"]), 2).to_numpy(zero_copy_only=False)
    year = np.where(two_digits, np.where(year < 70, 2000, 1900) + year, year)
    hour, known_hour = _hour(parts)
    minute, second = _number(parts["i"]), _number(parts["s"])
    offset, known_zone = _offset(parts["z"])
    good = known_hour & known_zone & (month >= 1) & (month <= 12) & (day >= 1) & (minute < 60) & (second < 61)
    months = (year - 1970) * 12 + np.where(good, month, 1) - 1
    first = months.astype("datetime64[M]")
    date = first.astype("datetime64[D]") + (day - 1)
    good &= date.astype("datetime64[M]") == first
    seconds = hour * 3600 + minute * 60 + second - offset * 60
    times = date.astype("datetime64[s]") + seconds
    built: pd.Series[Any] = pd.Series(pd.to_datetime(times, utc=True)).where(good).astype(TIME)
    return built


def _month(texts: pa.Array) -> np.ndarray:
    """Return months written as names or digits; 0 for other words."""
    numbers = {
        text: int(text) if text.isdigit() else _MONTHS.get(text.lower(), 0) for text in set(texts.to_pylist())
    }
    return np.array([numbers[text] for text in texts.to_pylist()], dtype=np.int64)


def _hour(parts: dict[str, pa.Array]) -> tuple[np.ndarray, np.ndarray]:
    hour = _number(parts["h"])
    half = pc.utf8_lower(parts["p"])
    afternoon = pc.equal(half, "p").to_numpy(zero_copy_only=False)
    morning = pc.equal(half, "a").to_numpy(zero_copy_only=False)
    known = (hour < 24) & ~((morning | afternoon) & ((hour > 12) | (hour < 1)))
    hour = np.where(afternoon & (hour < 12), hour + 12, np.where(morning & (hour == 12), 0, hour))
    return hour, known


def _offset(texts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Return minutes east of UTC, and where the zone is known."""
    offsets = {zone: _zone_minutes(zone) for zone in pc.unique(texts).to_pylist()}
    minutes = [offsets[zone] for zone in texts.to_pylist()]
    known = np.array([value is not None for value in minutes], dtype=bool)
    return np.array([value or 0 for value in minutes], dtype=np.int64), known


def _zone_minutes(zone: str) -> int | None:
    name = zone.lower()
    if name in _ZONES:
        return _ZONES[name]
    digits = name.removeprefix("gmt").removeprefix("utc").replace(":", "")
    if digits[:1] not in ("+", "-"):
        return None
    minutes = int(digits[1:3]) * 60 + int(digits[3:5])
    return -minutes if digits[0] == "-" else minutes
