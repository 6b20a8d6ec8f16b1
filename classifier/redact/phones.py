"""Telephone numbers in a text.

In: one text. Out: (start, end) of each, in order. Never an order number, a date, an amount, a version or an
IP address that isn't written like a telephone number.
"""

import re
from collections.abc import Iterator

from classifier.redact.codes import BLANK, Span

_GAP = r"[ \u00a0\u202f.\-–/]"
_BEFORE = r"(?<![\w#@$€£¥=&%+\-])(?<!\d[.,:/–])"
_AFTER = r"(?![\w%€£$°])(?![.,:/\-–]\d)"
_EXTENSION = r"(?:,?\s?(?:ext\.?|extension|x|durchwahl|dw)\s?\.?\s?\d{1,5}(?!\w))?"

_SHAPES = re.compile(
    _BEFORE + r"(?:"
    # +49 (0)30 1234567, +1-555-010-4471, +442079460958
    rf"(?P<world>\+\d{{1,3}}(?:(?:{_GAP}|{_GAP}?\(\d{{1,5}}\){_GAP}?)?\d){{6,13}})"
    # 0049 30 1234567
    rf"|(?P<exit>00[1-9]\d{{0,2}}(?:{_GAP}(?:\(\d{{1,5}}\){_GAP}?)?\d{{1,9}}){{2,5}}|00[1-9]\d{{9,12}})"
    # (555) 010-4471, 555-010-4471, 1-555-010-4471
    rf"|(?P<north>(?:1{_GAP})?(?:\([2-9]\d{{2}}\) ?|[2-9]\d{{2}}{_GAP})\d{{3}}{_GAP}\d{{4}})"
    # (030) 1234567; (11) 91234-5678
    rf"|(?P<area>\(0\d{{1,4}}\){_GAP}?\d{{2,9}}(?:{_GAP}\d{{2,5}}){{0,3}})"
    rf"|(?P<region>\([1-9]\d{{1,2}}\){_GAP}?\d{{3,5}}{_GAP}?\d{{3,5}})"
    # 020 7946 0958, 01 23 45 67 89; 030 1234567, 0171/1234567
    rf"|(?P<trunk>0[1-9]\d{{0,4}}(?:{_GAP}\d{{2,5}}){{2,5}})"
    rf"|(?P<pair>0[1-9]\d{{0,4}}{_GAP}\d{{3,9}})"
    r"|(?P<plain>0[1-9]\d{8,9})"
    # 1300 975 707
    r"|(?P<free>1[38]00[ \-]\d{3}[ \-]\d{3})"
    # 555-0142, which nobody has: invented, but written as a number
    r"|(?P<local>555[ .\-]\d{4})"
    r")" + _EXTENSION + _AFTER,
    re.IGNORECASE,
)
_CUE_WORDS = (
    r"(?:(?:tele)?phone|phoned|tele?fon\w*|tel|tél|téléphone|teléfono|telefoon|mobile?|móvil|portable"
    r"|handy|cell|fax|whatsapp"
    r"|hotline|dial|call(?: (?:me|us|him|her|them|back))?|ring (?:me|us|him|her)|reach (?:me|us|him|her)"
    r"|text (?:me|us)"
    r"|my number|number is|contact number|rufnummer|handynummer|ruf(?:en sie|t)? mich)"
)
_CUED = re.compile(
    rf"\b{_CUE_WORDS}\b(?P<between>[^\d\n+({BLANK}]{{0,20}})"
    rf"(?P<number>\+?\(?\d(?:{_GAP}{{0,2}}[()]?{_GAP}?\d){{6,13}})" + _EXTENSION + _AFTER,
    re.IGNORECASE,
)
_CUE = re.compile(rf"\b{_CUE_WORDS}\b[^\d\n{BLANK}]{{0,12}}\Z", re.IGNORECASE)
# 2125550134, ten digits as they are dialled in North America: so are many other numbers.
_BARE = re.compile(_BEFORE + r"[2-9]\d{9}" + _AFTER)
_BARE_BEFORE = re.compile(
    rf"\b(?:{_CUE_WORDS}|reach|contact|landline|call ?back)\b"
    rf"(?P<between>(?:(?!\b(?:about|regarding|for)\b)[^\d\n{BLANK}]){{0,30}})\Z",
    re.IGNORECASE,
)
_BARE_AFTER = re.compile(
    r"\s?(?:is|was|\()\s?(?:(?:my|our|the|his|her|their|a)\s)?(?:(?:direct|office|work|new|best)\s)?"
    r"(?:(?:tele)?phone|mobile|cell|landline|whatsapp)\b",
    re.IGNORECASE,
)
_REFERENCE_WORDS = (
    r"(?:invoices?|orders?|tickets?|cases?|ref(?:erence)?s?|ids?|p\.?o|builds?|versions?|serial|sku"
    r"|parts?|items?|jobs?|quotes?"
    r"|booking|accounts?|acct|policy|customers?|tracking|isbn|ean|iban|vat|no|nr|nº|n°|#"
    r"|rechnung(?:snummer|en)?"
    r"|bestellung|bestellnummer|auftrag(?:snummer)?|kundennummer|kunde|vorgang|facture|commande|pedido"
    r"|issues?|bugs?|errors?|codes?"
    r"|lines?|pages?|rows?|model|kb|rfc|iso|din|update|patch|amount|total|balance|number|numbers|nummer)"
)
_REFERENCE = re.compile(
    rf"(?<!\w){_REFERENCE_WORDS}[.:]?\s?(?:(?:number|no|nr)\b\.?)?[\s:#\-]{{0,3}}\Z|[$€£¥]\s?\Z",
    re.IGNORECASE,
)
_ABOUT_REFERENCE = re.compile(rf"(?<!\w){_REFERENCE_WORDS}(?!\w)|[$€£¥#]", re.IGNORECASE)
# Day and month in either order, then the year; or the year first. A year of two digits ends the number.
_DATE = re.compile(
    r"\(?(?:(?:0?[1-9]|[12]\d|3[01])([./\- ])(?:0?[1-9]|[12]\d|3[01])\1(?:(?:19|20)\d\d(?!\d)|\d\d\Z)"
    r"|(?:19|20)\d\d([./\-])\d\d?\2\d\d?(?!\d))"
)
_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_THOUSANDS = re.compile(r"\+?\d{1,3}(?:\.\d{3})+|\d{1,2}(?: \d{3})+")
# Seven digits, at most four signs apart: what every number has, from its first digit on.
_SEVEN = re.compile(r"\d(?:[^\w\n]{0,4}\d){6}")
_LEAD = 2
"""Signs of a number before its first digit: "+", "("."""

_CUE_LEAD = 60
"""Characters before a number's first digit among which what announces it begins."""

_BACK = 40
_LONGEST = 15  # digits, by E.164


def phones(text: str) -> Iterator[Span]:
    """Yield telephone numbers that are written or announced as such, 7 to 15 digits, with extension."""
    first = _SEVEN.search(text)
    if not first:
        return
    # What begins with a word is looked for at every letter: from where it can matter on.
    found = {*_shaped(text, first.start()), *_announced(text, first.start()), *_bare(text, first.start())}
    spans = sorted(found, key=lambda span: (span[0], -span[1]))
    end = 0
    for span in spans:
        if span[0] >= end:
            end = span[1]
            yield span


def _shaped(text: str, digit: int) -> Iterator[Span]:
    for found in _SHAPES.finditer(text, max(0, digit - _LEAD)):
        shape = str(found.lastgroup)
        if not _is_number(found.group(shape), shape):
            continue
        before = text[max(0, found.start() - _BACK) : found.start()]
        if shape == "world" or not _REFERENCE.search(before) or _CUE.search(before):
            yield found.span()


def _announced(text: str, digit: int) -> Iterator[Span]:
    for found in _CUED.finditer(text, max(0, digit - _CUE_LEAD)):
        # "Phone number: …" tells a telephone number, "call about invoices …" doesn't.
        about_other = _ABOUT_REFERENCE.search(found["between"].lower().replace("number", ""))
        if not about_other and _is_number(found["number"]):
            yield found.start("number"), found.end()


def _bare(text: str, digit: int) -> Iterator[Span]:
    """Yield ten digits in a row where the words around them speak of a telephone, and of nothing else."""
    for found in _BARE.finditer(text, digit):
        before = text[max(0, found.start() - 2 * _BACK) : found.start()]
        cue = _BARE_BEFORE.search(before)
        told = cue and not _ABOUT_REFERENCE.search(cue["between"].lower().replace("number", ""))
        if told or (_BARE_AFTER.match(text, found.end()) and not _REFERENCE.search(before)):
            yield found.span()


def _is_number(written: str, shape: str = "") -> bool:
    digits = sum(map(str.isdigit, written))
    if not _FEWEST.get(shape, 7) <= digits <= _LONGEST or _DATE.match(written):
        return False
    return not (_ADDRESS.fullmatch(written) or _THOUSANDS.fullmatch(written))


_FEWEST = {"world": 8, "exit": 9, "north": 10, "area": 8, "region": 10, "trunk": 9, "pair": 8}
