"""How people say that they leave, and what something costs them, as spaCy token patterns.

In: the names of competitors, as tokens. Out: patterns for spaCy's Matcher, by kind. Never a text.
"""

from collections.abc import Sequence
from typing import Any, Final

Pattern = list[dict[str, Any]]


def _any(*words: str) -> dict[str, Any]:
    return {"LOWER": {"IN": list(words)}}


def _maybe(*words: str) -> dict[str, Any]:
    return {**_any(*words), "OP": "?"}


def _phrase(text: str) -> Pattern:
    return [_any(*word.split("|")) for word in text.split()]


_CONTRACT: Final = _any(
    *(
        "plan",
        "plans",
        "subscription",
        "account",
        "contract",
        "membership",
        "service",
        "agreement",
        "renewal",
    ),
    *("licence", "license", "licences", "licenses", "deal", "trial", "system"),
)
_WHOSE: Final = _maybe("my", "our", "the", "your", "this", "their", "all", "everything")
_END: Final = _any(
    *("cancel", "cancelling", "canceling", "cancelled", "canceled", "terminate", "terminating", "terminated"),
    *("end", "ending", "close", "closing", "stop"),
)
_GO: Final = _any(
    *("switch", "switching", "switched", "move", "moving", "migrate", "migrating", "go", "going", "change"),
    *("changing", "defect", "defecting", "jump", "jumping", "back"),
)
_OTHERS: Final = _any(
    *(
        "another",
        "other",
        "others",
        "different",
        "elsewhere",
        "somebody",
        "someone",
        "competitor",
        "competitors",
    ),
    *("alternative", "alternatives", "anybody", "anyone", "competition"),
)
_WENT: Final = _any("went", "gone", "go", "going", "left", "leave", "leaving", "lost")
_RIVALS: Final = ("someone", "somebody", "competitor", "competitors", "competition", "rival", "rivals")
_AGAIN: Final = _any(
    *("use", "using", "buy", "buying", "order", "ordering", "book", "booking", "shop", "shopping", "fly"),
    *("stay", "staying", "bank", "deal", "dealing", "eat", "renew", "subscribe"),
)
_SOUGHT: Final = _any("to", "must", "will", "'ll", "'d", "would", "gonna", "i", "we")
_NEW: Final = _any("another", "different", "new", "better")
_LOSE: Final = _any("lost", "lose", "losing")
_COURTING: Final = _any(
    *("quote", "quotes", "trial", "trials", "pilot", "demo", "demos", "signed", "sign", "signing", "offer"),
    *(
        "offered",
        "offering",
        "talk",
        "talks",
        "talking",
        "going",
        "go",
        "try",
        "trying",
        "coming",
        "left",
        "lost",
    ),
    *("switch", "switching", "move", "moving", "evaluate", "evaluating", "comparing", "shortlist", "tender"),
    *("cheaper", "called", "proposal", "negotiating", "chose", "choosing", "considering", "looks", "looking"),
)
_BETWEEN: Final = {"IS_SENT_START": False, "TEXT": {"NOT_IN": [".", "!", "?", ";", "from", "\n"]}}

# So few that looking for all of "another app" and the like spares most texts the reading word by word.
_THING: Final = _any(
    *(
        "app",
        "apps",
        "provider",
        "vendor",
        "supplier",
        "bank",
        "tool",
        "platform",
        "browser",
        "shop",
        "store",
    ),
    *("gym", "partner", "insurer", "carrier", "agency", "broker", "host", "airline", "software", "company"),
)
_LOST_ONE: Final = _any("customer", "subscriber", "user", "member", "guest")
_SOME_WORDS: Final = {"IS_ALPHA": True, "OP": "{0,5}"}

_LEAVING: Final = (
    "leaving|leave|quitting you",
    "we|i are|am|'re|'m|'ll|will|'d|would|shall leaving|leave|quit|quitting",
    "thinking|think about|of leaving|cancelling|switching|quitting",
    "threatens|threatened|threatening to leave|cancel|go|quit|walk",
    "going|want|wants|intend|intends|plan|plans|ready|decided|like to leave|cancel|terminate|quit",
    "look|looking|looked|go|going|gone|shop|shopping elsewhere|around",
    "look|looking at|for other|alternatives|competitors|options|another",
    "evaluate|evaluating|considering|consider|exploring alternatives|options|others",
    "business|custom|money elsewhere",
    "give|giving|gave|given|serve|served|serving notice",
    "notice to|of cancel|terminate|cancellation|termination",
    "last|final straw",
    "last chance",
    "walk|walking|walked away",
    "jump|jumping ship",
    "part|parting ways",
    "pull|pulling the plug",
    "had enough",
    "i|we 'm|'re out",
    "be off",
    "or we|i go|leave|walk|cancel",
    "'s|is|be the other lot",
    "out to tender",
    "will|going tender",
    "new|open|an rfp|tender",
    "exit interview|clause|fee|form",
    "at risk",
    "churn|churned|churning",
    "no longer a|our customer",
    "close|closing|delete|deleting my|our|the account",
    "cancelling|canceling|cancelled because|unless|if|with|altogether|after",
    "please|to cancel|terminate my|our|the",
    "will|'ll|may|might|must|to cancel if|unless|because|altogether",
    "or i|we uninstall|delete",
    "or i|we will|'ll uninstall|delete",
    "will|'ll|'m|am|be uninstalling",
    "i|we will|'ll|'d|would uninstall",
    "rather uninstall",
    "i|we 'm|am|are|'re|'ve|have|will|'ll stop|stopped|stopping using this|your|it",
    "i|we stopped using this|your|it",
    "will|'ll no longer use|buy|order|shop|recommend|install",
    "last time i|we use|order|buy|book|shop|fly|ever",
    "time to switch to",
    "time to cancel|quit",
    "time to move on",
    "say|saying|said goodbye|farewell to",
    "lost|lose|losing|loses me|us as",
    "lost|lose|losing|take|taking|took my|our business|custom",
    "i|we 'm|am|'re|are done|through|finished with you",
    "giving|give|gave|given up on you",
    "ditch|ditching you|your",
    "leave|leaving|leaves|left you|us for|because|over",
    "reconsider|reconsidering|rethinking our|the renewal|contract|subscription",
    "closed|deal|account|renewal lost",
    "closed - lost",
    "lost the deal|account|renewal|bid",
    "lost on price",
    "cancel us|everything|renewal",
    "kündigen|gekündigt|kündigung|résilier|résiliation|résilions|opzeggen|opgezegd|overstappen",
    "wechseln|wechsel zu|anbieter",
    "nos vamos|cambiamos",
    "darnos|darme|dar de baja",
)

_NOT_STAYING: Final = (
    "not|n't|never renew|renewing",
    "not|n't be renewing|extending|staying",
    "not|n't going|want|intend|plan to renew|stay|extend|continue",
    "non - renewal",
    "non renewal",
    "unlikely to renew|stay",
    "not|n't stay|staying|continue|continuing",
    "without us|renewal",
    "refuse|refuses|refusing to renew",
    "i|we wo|will|'ll n't|not|never be|come back",
    "i|we 'm|am|'re|are not|never coming back",
    "may|might|will|'ll never come|be back",
    "not worth renewing|keeping",
)


def churn_patterns(competitors: Sequence[Sequence[str]]) -> dict[str, list[Pattern]]:
    """Return the patterns of leaving; those that hold their negation already are under their own name."""
    leaving = [
        [_END, _WHOSE, {"IS_ALPHA": True, "OP": "{0,2}"}, _CONTRACT],
        [_GO, _maybe("over", "back", "across", "away", "on"), _any("to"), _maybe("a", "an", "some"), _OTHERS],
        [_WENT, _any("with"), _maybe("a", "an", "some"), _any("another", "alternative", *_RIVALS)],
        [_WENT, _any("to", "for"), _maybe("a", "the", "your"), _any(*_RIVALS)],
        [_any("never"), _AGAIN, _SOME_WORDS, _any("again")],
        [_SOUGHT, _any("find", "finding"), _maybe("a", "an"), _NEW, _THING],
        [_any("i", "we"), _maybe("now", "really"), _any("need", "want"), _maybe("a"), _NEW, _THING],
        [_any("found"), _maybe("a"), _any("another", "better", "different"), _THING],
        [_any("you", "'ve", "have", "just", "will", "'ll"), _LOSE, _any("a", "another"), _LOST_ONE],
        *map(_phrase, _LEAVING),
    ]
    for tokens in competitors:
        name: Pattern = [{"LOWER" if word.islower() else "ORTH": word} for word in tokens]
        gap = {**_BETWEEN, "OP": "{0,5}"}
        leaving += [[_COURTING, gap, *name], [*name, gap, _COURTING]]
        leaving += [[_any("to", "with"), *name], [_any("quote", "offer", "proposal"), _any("from"), *name]]
    return {"leaving": leaving, "negated already": [_phrase(text) for text in _NOT_STAYING]}


_ORDINALS: Final = (
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
)
_NUMBER: Final = {"TEXT": {"REGEX": r"^\d[\d.,]*(k|K|m|M)?$"}}
# "The third week" is no three weeks, though spaCy takes ordinals for numbers.
_COUNT: Final = {"LIKE_NUM": True, "LOWER": {"NOT_IN": list(_ORDINALS), "REGEX": "(?<!st|nd|rd|th)$"}}
_SOME: Final = _any("a", "an", "half", "several", "dozen", "couple")
_TIME: Final = _any(
    *("minute", "minutes", "min", "mins", "hour", "hours", "hrs", "hr", "h", "day", "days", "week", "weeks"),
    *(
        "month",
        "months",
        "night",
        "nights",
        "evening",
        "evenings",
        "weekend",
        "weekends",
        "morning",
        "mornings",
    ),
    *("afternoon", "afternoons", "stunden", "tage", "heures", "jours", "horas", "días", "uur", "dagen"),
)
_EACH: Final = _any("a", "per", "every", "each", "/", "pro", "par", "por")
_PERIOD: Final = _any(
    *("minute", "hour", "day", "night", "shift", "week", "month", "quarter", "year", "time", "visit", "job"),
    *(
        "ticket",
        "invoice",
        "technician",
        "user",
        "person",
        "tag",
        "woche",
        "monat",
        "jour",
        "semaine",
        "mois",
    ),
    *("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "morning", "weekend"),
)
_MONEY_WORD: Final = _any(
    *(
        "eur",
        "usd",
        "gbp",
        "chf",
        "euro",
        "euros",
        "dollar",
        "dollars",
        "pound",
        "pounds",
        "quid",
        "€",
        "$",
        "£",
    ),
)
_STAFF: Final = _any("fte", "ftes", "headcount", "people", "staff", "dispatchers", "technicians", "employees")


def impact_patterns() -> dict[str, list[Pattern]]:
    """Return the patterns of amounts (rate, money, staff, duration) and of words that say one is lost."""
    rate = [_maybe("a", "each", "every", "per", "/"), {**_PERIOD, "OP": "?"}]
    symbol: dict[str, Any] = {"IS_CURRENCY": True}
    return {
        "rate": [
            [count, {"LOWER": {"IN": ["a", "more", "working", "man"]}, "OP": "?"}, _TIME, _EACH, _PERIOD]
            for count in (_COUNT, _SOME)
        ],
        "money": [
            *([symbol, _NUMBER], [symbol, _NUMBER, *rate], [_NUMBER, _MONEY_WORD], [_NUMBER, symbol]),
            *([_COUNT, _MONEY_WORD], [_NUMBER, _MONEY_WORD, *rate], [_MONEY_WORD, _NUMBER]),
        ],
        "staff": [[_COUNT, _any("fte", "ftes", "headcount")]],
        "duration": [[_COUNT, _TIME], [_any("an", "half"), _maybe("a", "an"), _TIME], [_COUNT, _STAFF]],
        "loss": [
            [
                _any(
                    "lost",
                    "lose",
                    "losing",
                    "wasted",
                    "waste",
                    "spend",
                    "spends",
                    "spent",
                    "spending",
                    "took",
                )
            ],
            [_any("takes", "taking", "cost", "costs", "waiting", "waited", "wait", "down", "late", "behind")],
            [_any("dark", "stuck", "idle", "voiding", "retyping", "retype", "redo", "rebuilding", "hold")],
        ],
    }
