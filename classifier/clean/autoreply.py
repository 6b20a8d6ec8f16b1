"""Mails that a machine answered with: out of office, undeliverable.

In: subjects and texts. Out: a mask. Never marks a mail that says more than a machine would.
"""

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from classifier.needles import Needles

_LONGEST = 1_500  # a machine's text is short; bounces quote at length

_PREFIX = r"\s*(?:(?:re|aw|sv)\s?:\s?)?"
_AWAY_SUBJECT = re.compile(
    _PREFIX + r"(?:automatic reply\b|auto(?:matic)?[- ]?(?:reply|response)\s?:|autoreply\b"
    r"|out[- ]of[- ](?:the )?office\b|ooo\s?:"
    r"|abwesenheitsnotiz\b|abwesenheit\s?:|automatische antwort\b|réponse automatique\b|absence du bureau\b"
    r"|respuesta automática\b|fuera de la oficina\b|resposta automática\b|risposta automatica\b|fuori sede\b"
    r"|automatisch antwoord\b|afwezigheid\b|autosvar\b|automatiskt svar\b|automatisk svar\b)",
    re.IGNORECASE,
)
# What every such subject holds, for one quick pass over a column.
_CUES = (
    *("auto", "respon", "repl", "office", "ooo", "abwesen", "antwort", "antwoord", "bureau", "oficina"),
    *("sede", "afwezig", "svar", "deliver", "return", "fail", "unzustell", "non remis", "no se puede"),
)
# What every receipt holds, for one quick pass over the texts.
_RECEIPT_CUES = (
    *("received your", "vielen dank für ihre", "wir haben ihre", "bien reçu votre", "hemos recibido"),
    *(
        f"{been} {done}"
        for been in ("has been", "was")
        for done in ("received", "logged", "created", "opened", "registered")
    ),
)
_AWAY_BODY = re.compile(
    r"\b(?:out of (?:the )?office|away from (?:the |my )?(?:office|desk|e-?mail)|on (?:annual |parental "
    r"|maternity |sick )?leave"
    r"|on (?:vacation|holidays?)|currently (?:away|out)|limited access to (?:my )?e-?mail|I (?:will"
    r"|shall) (?:be back|return)"
    r"|(?:we|I)(?: have|'ve|’ve) received your (?:e-?mail|message|request)|thank you for your (?:e-?mail"
    r"|message)"
    r"|do not reply|automat(?:ed|ic) (?:reply|response|message)|in urgent cases|for urgent matters"
    r"|nicht im (?:Büro|Haus)|abwesend|im Urlaub|wieder (?:erreichbar|da|im Büro)|in dringenden Fällen"
    r"|absent(?:e)?\b.{0,40}\bbureau|en congés?|de retour|en cas d'urgence|fuera de la oficina|de vacaciones"
    r"|fora do escritório|de férias|fuori (?:ufficio|sede)|in ferie|niet aanwezig|afwezig|met vakantie"
    r"|på semester|på ferie)",
    re.IGNORECASE,
)
_BOUNCE_SUBJECT = re.compile(
    _PREFIX + r"(?:undelivered mail returned to sender|undeliverable\s?:|delivery status notification\b"
    r"|mail delivery (?:failed|failure|subsystem)"
    r"|delivery (?:has )?failed|returned mail\s?:|failure notice\b|message not delivered|unzustellbar\s?:"
    r"|non remis\s?:|no se puede entregar)",
    re.IGNORECASE,
)
_BOUNCE_BODY = re.compile(
    r"\b(?:could ?n[o']t be delivered|could not be delivered|was ?n[o']t delivered|not delivered"
    r"|delivery (?:has )?failed"
    r"|returned to sender|mailer-daemon|undeliverable|delivery to the following recipients?"
    r"|address (?:couldn't be found|not found)"
    r"|user unknown|mailbox (?:is )?(?:full|unavailable)|permanent (?:fatal )?error"
    r"|recipients? .{0,40}rejected|diagnostic-code"
    r"|mail (?:system|server)|konnte nicht zugestellt|n'a pas pu être remis|no se (?:pudo"
    r"|ha podido) entregar)",
    re.IGNORECASE,
)
# A help desk's receipt: it says so in the body, whatever the subject; the rest of it promises an answer.
_RECEIPT = re.compile(
    r"\s*(?:(?:hi|hello|hey|dear|hallo|guten tag|bonjour|hola)\b[^\n.!?]{0,60}[\n.!?]\s*)?"
    r"(?:(?:thank you|thanks|many thanks) for (?:contacting|reaching out|getting in touch|writing|your"
    r" (?:e-?mail|message|request|enquiry|inquiry|patience|interest))\b[^\n.!?]{0,80}[\n.!?]\s*)?"
    r"(?:(?:we|I)(?:['’]ve| have)? (?:just )?received your (?:support )?(?:request|message|e-?mail"
    r"|ticket|enquiry"
    r"|inquiry)\b|(?:this is (?:an automat\w+|to confirm"
    r"|to let you know)\b[^\n.!?]{0,60}\b)?your (?:support )?"
    r"(?:request|message|ticket|e-?mail|enquiry|inquiry)\b"
    r"[^\n.!?]{0,40}\b(?:has been|was) (?:received|logged|created|opened|registered)\b"
    r"|vielen dank für ihre (?:anfrage|nachricht|e-?mail)|wir haben ihre (?:anfrage|nachricht"
    r"|e-?mail) erhalten"
    r"|nous avons bien reçu votre|hemos recibido (?:su|tu))",
    re.IGNORECASE,
)
_PROMISE = re.compile(
    r"\b(?:(?:get|be|come) back to you|be in touch|(?:respond|reply|answer) (?:to you )?(?:as soon"
    r"|within|shortly)"
    r"|(?:is|are) (?:being|now) reviewed|being reviewed by|(?:do not|don['’]t) reply"
    r"|to add (?:additional |more )?comments"
    r"|(?:as soon as possible|shortly|within (?:\d+|one|two|a few) (?:\w+ )?(?:hours?|days?))|office hours"
    r"|business hours|ticket (?:number|id)|melden uns|in kürze|schnellstmöglich|dans les plus brefs"
    r"|lo antes posible"
    r"|a la brevedad)",
    re.IGNORECASE,
)
_OWN_WORDS = re.compile(
    r"\b(?:but|however|although|still|yet|never|nobody|no one|again|wrong|fail\w*|broken|crash\w*"
    r"|solved|aber|trotzdem|mais|pero|I|my)\b"
)
_LONGEST_RECEIPT = 700


@cache
def _needles(words: tuple[str, ...]) -> "Needles":
    from classifier.needles import Needles

    return Needles(words)


def is_auto_reply(subject: "pd.Series", text: "pd.Series") -> "pd.Series":
    """Mark answers that no person wrote: subject and text must both say so, or the text be a bare receipt.

    Parameters
    ----------
    subject
        Subject lines.
    text
        Bodies or document texts, same index. A long out-of-office text is not marked: somebody may have
        added to it.

    Returns
    -------
    Mask with the index of `subject`; empty in, empty out.
    """
    import pandas as pd

    from classifier.buffers import Column

    subjects, texts = Column.of(subject), Column.of(text)
    marked = _needles(_CUES).find(subjects) | _needles(_RECEIPT_CUES).find(texts)
    for row in marked.nonzero()[0].tolist():
        marked[row] = _is_auto_reply(subjects[row], texts[row])
    return pd.Series(marked, index=subject.index, dtype="bool")


def _is_auto_reply(subject: str, text: str) -> bool:
    if _AWAY_SUBJECT.match(subject):
        body = text.removeprefix(subject)
        return len(body) <= _LONGEST and (not body.strip() or _AWAY_BODY.search(body) is not None)
    if _BOUNCE_SUBJECT.match(subject):
        return _BOUNCE_BODY.search(text.removeprefix(subject)[: _LONGEST * 4]) is not None
    return _is_receipt(text.removeprefix(subject))


def _is_receipt(text: str) -> bool:
    """Tell a help desk's receipt that came back as feedback from a customer who writes of one."""
    if len(text) > _LONGEST_RECEIPT:
        return False
    begin = _RECEIPT.match(text)
    return bool(begin and _PROMISE.search(text) and not _OWN_WORDS.search(text, begin.start()))
