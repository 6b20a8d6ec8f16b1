"""What mail programs add to a message: the quoted mail, the signature, "Sent from my phone".

In: one text. Out: the same text without them. Cuts in the middle only what a program marked line by line,
never leaves nothing, and keeps a quote that the writer points at or forwards.
"""

import re
from collections.abc import Iterator

_LONGEST_ATTRIBUTION = 400
_LONGEST_SIGNATURE = 12  # lines
_LONGEST_PHONE_LINE = 120

# "On <date>, <name> wrote:" as mail programs write it; a date has a digit.
_ATTRIBUTION = re.compile(
    r"(?:On\b.{4,380}\bwrote|Am\b.{4,280}\bschrieb\b.{0,100}|Le\b.{4,380}\ba écrit|El\b.{4,380}\bescribió"
    r"|Il\b.{4,380}\bha scritto|Em\b.{4,380}\bescreveu|Op\b.{4,280}\bschreef\b.{0,100}"
    r"|Den\b.{4,280}\bskrev\b.{0,100})"
    r"\s?:",
)
_BARE = re.compile(r"\d{1,2}[:.]\d{2}\b.{0,200}<[^<>\s]{1,100}@[^<>\s]{1,100}>\s?\S{0,12}\s?:\s*$")
_BLANK_LINES = re.compile(r"\n\s*\n\s*\n")
_WORDS_ABOVE = 3
"""Fewer are a greeting, and the reply stands between the lines of the quote."""

_SEPARATOR = re.compile(
    r"\s*-{2,12}\s?(?:Original Message|Ursprüngliche Nachricht|Originalnachricht|Message d'origine"
    r"|Message original"
    r"|Mensaje original|Messaggio originale|Mensagem original|Oorspronkelijk bericht"
    r"|Ursprungligt meddelande)\s?-{2,12}\s*",
    re.IGNORECASE,
)
_RULER = re.compile(r"\s*_{8,80}\s*")
_FROM = re.compile(r"\s*\*?(?:From|Von|De|Da|Van|Från|Fra)\s?:\*?\s\S", re.IGNORECASE)
_SENT = re.compile(
    r"\s*\*?(?:Sent|Date|Gesendet|Datum|Envoyé|Enviado|Fecha|Data|Inviato|Verzonden|Skickat"
    r"|Sendt)(?: (?:am|le|el|em|il))?"
    r"\s?:\*?\s.{0,80}\d",
    re.IGNORECASE,
)
_TO = re.compile(
    r"\s*\*?(?:To|An|À|A|Para|Aan|Till|Til|Cc|Subject|Betreff|Objet|Asunto|Assunto|Oggetto|Onderwerp|Ämne"
    r"|Emne)\s?:\*?(?:\s|$)",
    re.IGNORECASE,
)
_FORWARD_SUBJECT = re.compile(r"\s*(?:(?:re|aw|sv|antw)\s?:\s?){0,5}(?:fwd?|wg|tr|rv|vl)\s?:", re.IGNORECASE)
_POINTS_AT_IT = re.compile(
    r"\b(?:below|underneath|forward(?:ed|ing|s)?|fwd?|fyi|resen[dt](?:ing)?|quoted?|unten|untenstehend\w*"
    r"|anbei"
    r"|weiter(?:ge)?leite\w*|ci-dessous|transf[eéè]r\w*|abajo|reenv\w+|inoltr\w+|onderstaand\w*"
    r"|doorgestuurd)\b"
    r"|-{3,} ?(?:Forwarded|Weitergeleitete|Begin forwarded)",
    re.IGNORECASE,
)
_PHONE_LINE = re.compile(
    r"(?:Sent (?:from|via) (?:my |the )?(?:i?Phone|iPad|iPod|iCloud|mobile|cell|smartphone|tablet|phone"
    r"|Android|Samsung|Galaxy"
    r"|Huawei|Pixel|BlackBerry|Windows|Nokia|Xiaomi|Outlook|Yahoo|Gmail|Mail|Proton|AOL|Verizon|T-Mobile"
    r"|AT&T)\b.{0,60}"
    r"|Get Outlook for (?:iOS|Android).{0,40}"
    r"|Gesendet (?:von|mit|über) .{0,30}(?:iPhone|iPad|Handy|Smartphone|Mobil|Android|Samsung|Outlook"
    r"|Mail|Tablet).{0,30}"
    r"|Von meinem (?:iPhone|iPad|Handy|Smartphone|Samsung|Android).{0,30} gesendet"
    r"|Diese Nachricht wurde von meinem .{0,40} gesendet"
    r"|Envoyé (?:de|depuis) (?:mon|l'app).{0,40}|Enviado (?:desde|do|de) (?:mi|meu|mon).{0,40}"
    r"|Inviato (?:da|dal) (?:mio )?(?:iPhone|iPad|smartphone).{0,30}|Verstuurd vanaf mijn .{0,40}"
    r"|Skickat från min .{0,40}|Sendt fra min .{0,40})[.!]?",
    re.IGNORECASE,
)


def is_forward(subject: str) -> bool:
    """Tell whether a subject says that the mail was forwarded ("Fwd:", "WG:", "TR:")."""
    return _FORWARD_SUBJECT.match(subject) is not None


def strip_mail(text: str, *, forwarded: bool) -> str:
    """Return `text` without the quoted mail, and without signature and phone line at its end.

    Parameters
    ----------
    text
        A message, with LF line ends.
    forwarded
        Its quotes are what it is about: keep them.
    """
    lines = text.split("\n")
    first = next((number for number, line in enumerate(lines) if line.strip()), len(lines))
    end = len(lines) if forwarded else _quote_start(lines)
    end = _signature_start(lines, end, first)
    end = _phone_start(lines, end, first)
    kept = text if end == len(lines) else "\n".join(lines[:end]).rstrip()
    return kept if forwarded else _without_answered(kept)


def _without_answered(text: str) -> str:
    """Leave out the marked lines of a quoted mail above or between those of the reply."""
    lines = text.split("\n")
    for at, below in _program_made(lines):
        if not next((line for line in lines[below:] if line.strip()), "").lstrip().startswith(">"):
            break
        own = [*lines[:at], *(line for line in lines[below:] if not line.lstrip().startswith(">"))]
        reply = _BLANK_LINES.sub("\n\n", "\n".join(own)).strip()
        return reply if reply and not _POINTS_AT_IT.search(reply) else text
    return text


def _quote_start(lines: list[str]) -> int:
    """Return the number of lines before the quoted mail; all of them where there is none to cut."""
    start = min(_marked_start(lines), _bare_start(lines), _header_start(lines))
    if start == len(lines):
        return start
    reply = "\n".join(line for line in lines[:start] if not line.lstrip().startswith(">"))
    return start if reply.strip() and not _POINTS_AT_IT.search(reply) else len(lines)


def _marked_start(lines: list[str]) -> int:
    """Find "On … wrote:" followed by ">" lines up to the end."""
    at = len(lines)
    while at and (not lines[at - 1].strip() or lines[at - 1].lstrip().startswith(">")):
        at -= 1
    marked = [line.lstrip("> \t") for line in lines[at:] if line.strip()]
    if not marked:
        return len(lines)
    if any(_is_attribution(" ".join(marked[:count])) for count in (1, 2)):
        return at
    # Mail programs break long attributions into lines.
    for back in (1, 2, 3):
        if at >= back and _is_attribution(" ".join(line.strip() for line in lines[at - back : at])):
            return at - back
    return len(lines)


def _bare_start(lines: list[str]) -> int:
    """Find "On <date> at <time>, <name> <address> wrote:" whose quote has lost its marks, below a reply.

    Help desks drop the marks where they make text of HTML. Nobody types such a line.
    """
    for at, below in _program_made(lines):
        quoted = any(line.lstrip().startswith(">") for line in lines[below:])
        few = len(" ".join(lines[:at]).split()) < _WORDS_ABOVE
        return len(lines) if quoted or few else at
    return len(lines)


def _program_made(lines: list[str]) -> Iterator[tuple[int, int]]:
    """Yield where attributions with a time and an address begin, and the lines below them."""
    for at, first in enumerate(lines):
        if not first.strip():
            continue
        for below in (at + 1, at + 2, at + 3):
            if below > len(lines) or "@" not in lines[below - 1]:
                continue
            line = " ".join(each.strip() for each in lines[at:below])
            if _is_attribution(line) and _BARE.search(line):
                yield at, below


def _is_attribution(line: str) -> bool:
    return (
        line.rstrip().endswith(":")
        and len(line) <= _LONGEST_ATTRIBUTION
        and any(map(str.isdigit, line))
        and _ATTRIBUTION.fullmatch(line.strip()) is not None
    )


def _header_start(lines: list[str]) -> int:
    """Find Outlook's copy of the mail's head: From, Sent, then To or Subject on lines of their own."""
    for at in range(1, len(lines) - 2):
        if _FROM.match(lines[at]) and _is_head(lines[at + 1 : at + 6]):
            while at and (_SEPARATOR.fullmatch(lines[at - 1]) or _RULER.fullmatch(lines[at - 1])):
                at -= 1
            return at
    return len(lines)


def _is_head(lines: list[str]) -> bool:
    return any(_SENT.match(line[:200]) for line in lines) and any(_TO.match(line) for line in lines)


def _signature_start(lines: list[str], end: int, first: int) -> int:
    """Find the delimiter of RFC 3676, dash dash space, near the end."""
    for at in range(max(first + 1, end - _LONGEST_SIGNATURE - 1), end):
        if lines[at] == "-- ":
            return at
    return end


def _phone_start(lines: list[str], end: int, first: int) -> int:
    while True:
        last = end - 1
        while last > first and not lines[last].strip():
            last -= 1
        if (
            last <= first
            or len(lines[last]) > _LONGEST_PHONE_LINE
            or not _PHONE_LINE.fullmatch(lines[last].strip())
        ):
            return end
        end = last
