"""E-mail addresses, web addresses, IBANs and card numbers in a text.

In: one text. Out: (start, end) of each, in order. Numbers count only where their check digits fit.
"""

import re
from collections.abc import Iterator
from typing import Final

Span = tuple[int, int]

BLANK: Final = "\ufdd2"
"""Stands for every character that is masked already; a noncharacter, part of nothing."""

_TLD = (
    r"(?:com|org|net|edu|gov|mil|int|info|biz|io|ai|app|dev|co|me|tv|shop|online|cloud|xyz|site|page|link"
    r"|eu|uk|de|at|ch|fr"
    r"|es|it|pt|nl|be|lu|dk|se|no|fi|is|ie|pl|cz|sk|hu|ro|bg|gr|tr|ru|ua|us|ca|mx|br|ar|cl|au|nz|in|cn|jp"
    r"|kr|sg|hk|za|il|ly|gl)"
)
_WEB = re.compile(
    rf"(?<!\w)(?:https?|ftps?|sftp|file)://[^\s<>\"\[\]{{}}|`{BLANK}]+"
    rf"|(?<![\w@.])www\.[^\s<>\"\[\]{{}}|`{BLANK}]+"
    rf"|(?<![\w@.\-])(?:[a-z0-9\-]+\.)+{_TLD}/[^\s<>\"\[\]{{}}|`{BLANK}]*",
    re.IGNORECASE,
)
_NOT_LOCAL = frozenset(f'@<>()[],;:"“”„«»{BLANK}')
_OPENING = "'`*_/|~="
_DOMAIN = re.compile(
    rf"@(?:[\w\-]+\.)+[^\W\d_](?:[\w\-]*\w)(?:\?(?:subject|body|cc|bcc)=[^\s<>\"{BLANK}]*)?", re.IGNORECASE
)
# Written so that no machine reads it.
_AT = r"\s?(?:[(\[{<](?:at|a|ät|æt)[)\]}>]|@)\s?"
_DOT = r"(?:\s?[(\[{<](?:dot|punkt|point|punto)[)\]}>]\s?|\.)"
_HIDDEN = re.compile(
    rf"(?<![\w.+\-])[\w.+\-]{{1,64}}{_AT}[\w\-]{{1,63}}(?:{_DOT}[\w\-]{{1,63}}){{0,4}}{_DOT}{_TLD}\b"
    r"|(?<![\w.+\-])[\w.+\-]{1,64} (?-i:AT) [\w\-]{1,63}"
    rf"(?: (?-i:DOT) [\w\-]{{1,63}}){{0,3}} (?-i:DOT) {_TLD}\b",
    re.IGNORECASE,
)

_HIDDEN_MARK = re.compile(r"[(\[{<](?:at|a|ät|æt)[)\]}>]|@|(?-i: AT )", re.IGNORECASE)
_LONGEST_NAME = 64
_LOCAL = re.compile(r"[\w.+\-]")

_IBAN_START = re.compile(r"(?<![^\W_])[A-Za-z]{2}\d{2}(?=[ \u00a0\u202f.\-]?[A-Za-z0-9])")
_GAPS = " \u00a0\u202f.-"
# Length per country, from the register of SWIFT.
IBAN_LENGTHS: Final = {
    code: length
    for length, codes in {
        15: "NO",
        16: "BE",
        18: "DK FO FI GL NL SD FK",
        19: "MK SI",
        20: "AT BA EE KZ LT LU XK MN",
        21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA",
        23: "AE GI IL IQ OM SO TL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST",
        26: "IS TR",
        27: "BI DJ FR GR IT MC MR SM",
        28: "AL AZ BY CY DO GT HN HU LB PL SV NI",
        29: "BR EG PS QA UA",
        30: "JO KW MU YE",
        31: "MT SC",
        32: "LC",
        33: "RU",
    }.items()
    for code in codes.split()
}

_DIGITS = re.compile(r"\d+")
_DIGIT_RUN = re.compile(r"(?<![^\W_])\d(?:[ \u00a0\u202f\-–]{0,2}\d){12,}(?![^\W_])")
# Times to the second, as programs number their builds.
_TIMESTAMP = re.compile(
    r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])[0-5]\d[0-5]\d"
)
_CARD_LENGTHS = range(13, 20)
_FIRST_BLOCKS = frozenset({4, 5, 6, *_CARD_LENGTHS})


def webs(text: str) -> Iterator[Span]:
    """Yield web addresses with their paths and queries; punctuation that ends the sentence stays outside."""
    for found in _WEB.finditer(text):
        url = found.group().rstrip(".,;:!?'’*_")
        if url.endswith(")") and "(" not in url:
            url = url.rstrip(").,;:!?'’")
        if "://" in url or url.count(".") > 1 or "/" in url:
            yield found.start(), found.start() + len(url)


def emails(text: str) -> Iterator[Span]:
    """Yield e-mail addresses; nothing but space, brackets and quotes ends the name before the "@"."""
    end = 0
    at = text.find("@")
    while at >= 0:
        domain = _DOMAIN.match(text, at)
        start = _local_start(text, at, end) if domain else at
        if domain and start < at:
            end = domain.end()
            yield start, end
        at = text.find("@", at + 1)


def hidden_emails(text: str) -> Iterator[Span]:
    """Yield "name (at) example (dot) com" and its like."""
    end = 0
    for mark in _HIDDEN_MARK.finditer(text):
        start = _word_start(text, mark.start(), end)
        found = _HIDDEN.match(text, start) if start < mark.start() else None
        if found:
            end = found.end()
            yield found.span()


def _word_start(text: str, mark: int, end: int) -> int:
    """Return where the name before a mark begins, not before `end`; the mark itself where there is none."""
    start = mark
    if start > end and text[start - 1].isspace():
        start -= 1
    stop = start
    while start > end and stop - start <= _LONGEST_NAME and _LOCAL.match(text, start - 1):
        start -= 1
    return start if start < stop else mark


def _local_start(text: str, at: int, end: int) -> int:
    """Return where the name before the "@" at `at` begins, not before `end`."""
    start = at
    while start > end and text[start - 1] not in _NOT_LOCAL and not text[start - 1].isspace():
        start -= 1
    while start < at - 1 and text[start] in _OPENING:
        start += 1
    return start


def ibans(text: str) -> Iterator[Span]:
    """Yield IBANs of every country of the register, with or without gaps, if their check digits fit."""
    end = 0
    for found in _IBAN_START.finditer(text):
        if found.start() < end:
            continue
        length = IBAN_LENGTHS.get(found.group()[:2].upper(), 0)
        code, stop = _collect(text, found.start(), length)
        if length and len(code) == length and _fits_mod_97(code.upper()):
            end = stop
            yield found.start(), stop


def _collect(text: str, start: int, length: int) -> tuple[str, int]:
    """Read `length` letters and digits from `start` over single gaps; fewer if something else comes."""
    code: list[str] = []
    at = start
    while len(code) < length and at < len(text):
        here = text[at]
        if here.isascii() and here.isalnum():
            code.append(here)
        elif not (here in _GAPS and text[at - 1] not in _GAPS):
            break
        at += 1
    beyond = text[at : at + 1]
    return ("", at) if beyond.isalnum() else ("".join(code), at)


def _fits_mod_97(iban: str) -> bool:
    return int("".join(str(int(character, 36)) for character in iban[4:] + iban[:4])) % 97 == 1


def cards(text: str) -> Iterator[Span]:
    """Yield card numbers: 13 to 19 digits, in one block or in blocks as printed, that pass Luhn's test."""
    for run in _DIGIT_RUN.finditer(text):
        groups = [(found.start(), found.end()) for found in _DIGITS.finditer(text, run.start(), run.end())]
        first = 0
        while first < len(groups):
            last = _card_end(text, groups, first)
            if last >= 0:
                yield groups[first][0], groups[last][1]
                first = last
            first += 1


def _card_end(text: str, groups: list[Span], first: int) -> int:
    """Return the group that ends the longest card number beginning at group `first`, or -1."""
    digits = ""
    found = -1
    if groups[first][1] - groups[first][0] not in _FIRST_BLOCKS:
        return found
    for number in range(first, len(groups)):
        start, end = groups[number]
        if len(digits) + end - start > _CARD_LENGTHS[-1]:
            break
        digits += text[start:end]
        if len(digits) in _CARD_LENGTHS and _is_card(digits, groups[first : number + 1]):
            found = number
    return found


def _is_card(digits: str, groups: list[Span]) -> bool:
    sizes = [end - start for start, end in groups]
    if len(sizes) == 1:
        # Times in milliseconds and most long ids begin with other digits.
        shaped = digits[0] in "23456" and _TIMESTAMP.fullmatch(digits) is None
    else:
        shaped = max(sizes) <= 10 and min(sizes[:-1]) >= 3 and len(set(digits)) > 1
    return shaped and _fits_luhn(digits)


def _fits_luhn(digits: str) -> bool:
    odd = sum(map(int, digits[-1::-2]))
    even = sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (odd + even) % 10 == 0
