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


def _of(words: str) -> dict[str, Any]:
    return _any(*words.split())


_CONTRACT: Final = _of(
    "plan plans subscription subscriptions account accounts contract contracts membership agreement renewal"
    " licence license licences licenses deal trial service policy"
)
_HELD: Final = _of("account subscription contract membership agreement plan policy")
_WHOSE: Final = _of("my our the your this their all everything a")
_KIND: Final = _of(
    "premium gold platinum pro basic annual monthly yearly paid business standard free freemium"
)
_CANCEL: Final = _of(
    "cancel cancelling canceling cancelled canceled terminate terminating terminated end ending"
)
_CLOSE: Final = _of("close closing")
_GO: Final = _of(
    "switch switching switched move moving migrate migrating go going change changing defect defecting jump"
    " jumping back"
)
_WAY: Final = _maybe("over", "back", "across", "away", "on")
_RIVALS: Final = ("competitor", "competitors", "competition", "rival", "rivals", "someone", "somebody")
_ANY_OTHER: Final = (*_RIVALS, "alternative", "alternatives", "anyone", "anybody")
_WENT: Final = _of("went gone go going left leave leaving lost")
# So few that looking for all of "another app" and the like spares most texts the reading word by word.
_THING: Final = _of(
    "app apps provider vendor supplier bank tool platform browser shop store gym partner insurer carrier"
    " agency broker host airline software company brand"
)
_THINGS: Final = _of(
    "apps providers vendors suppliers banks tools platforms browsers shops options systems products brands"
    " companies services packages partners insurers carriers solutions"
)
_NEW: Final = _of("another different new better")
_SOUGHT: Final = _of("to must will 'll 'd would gonna i we")
_AGAIN: Final = _of(
    "use using buy buying order ordering book booking shop shopping fly stay staying bank deal dealing eat"
    " renew subscribe"
)
_LOSE: Final = _of("lost lose losing")
_LOST_ONE: Final = _of("customer subscriber user member guest")
_SOME_WORDS: Final = {"IS_ALPHA": True, "OP": "{0,5}"}
_FEW_WORDS: Final = {"IS_ALPHA": True, "OP": "{0,2}"}
_COURTING: Final = _of(
    "quote quotes trial trials pilot demo demos signed sign signing offer offered offering talk talks talking"
    " going go try trying coming left lost switch switching move moving evaluate evaluating comparing"
    " shortlist tender cheaper called proposal negotiating chose choosing considering looks looking"
)
_BETWEEN: Final = {"IS_SENT_START": False, "TEXT": {"NOT_IN": [".", "!", "?", ";", "from", "\n"]}}

# What ends a clause stands in some: "I'm out." leaves, "I'm out of soap" doesn't.
_LEAVING: Final = (
    "leaving|leave you .|,|!|for|because|if|unless|after|over|guys",
    "i|we are|am|'re|'m leaving|quitting .|,|!|because|if|unless|after|this|your",
    "i|we 'll|will|'d|would|shall leave .|,|!|because|if|unless",
    "i|we 'll|will|'d|would|shall quit",
    "think|thinking about|of leaving|cancelling|canceling|quitting",
    "think|thinking about|of switching|moving to|away|from|provider|providers|bank|vendor|supplier|.",
    "threatens|threatened|threatening to leave|cancel|go|quit|walk",
    "ready|decided|determined|wants|intends|plans to leave|quit|terminate",
    "going|want|intend|plan|like|need|have to leave|cancel|quit|terminate .|,|!|because|if|unless|altogether",
    "wants|decided|ready|intends|plans to cancel .|,|!|because|if|unless|altogether|with",
    "looking|going|gone|went|shopping|taking|moving|switching elsewhere",
    "to|gonna|will|'ll|must|may|might|should look|go|shop|switch elsewhere",
    "shop|shopping around",
    "look|looking at|for alternatives|competitors",
    "evaluate|evaluating|considering|consider|exploring alternatives|competitors|others",
    "evaluate|evaluating|considering|consider|exploring our|other options",
    "business|custom|money elsewhere",
    "give|giving|gave|given|serve|served|serving notice",
    "notice to|of cancel|terminate|cancellation|termination",
    "last|final straw",
    "will|'ll|ready|prepared walk away",
    "walk|walking|walked away from you|this|us",
    "jump|jumping ship",
    "part|parting ways",
    "pull|pulling the plug on",
    "had enough of|.|!|,",
    "so|then|or|and i|we 'm|'re out .|!|,",
    "or we|i go|leave|walk|cancel|quit",
    "'s|is|be the other lot",
    "out to tender",
    "will|going tender",
    "new|open|an rfp|tender",
    "exit clause|fee|fees|form",
    "'ll|will be off .|,|!|to",
    "renewal|account|deal|contract|customer|subscription|relationship|arr at risk",
    "churn risk|threat",
    "risk of churn|churning",
    "will|may|might|could|to|likely churn",
    "has|have|just|who churned",
    "no longer a|our customer",
    "close|closing the account|subscription|contract|membership .|,|and|as|at|because|due|for",
    "please delete my|our account",
    "want|wants|like|need|going|asked|can|could to|you delete my|our account",
    "i|we|'m|are|'re|have|'ve|will|'ll cancelling|canceling|cancelled because|unless|if|altogether|after",
    "cancelling|canceling unless|if|because|altogether",
    "will|'ll|may|might|must|to cancel if|unless|because|altogether",
    "cancel us|renewal",
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
    "leave|leaving|leaves|left us for|because|over",
    "reconsider|reconsidering|rethinking our|the renewal|contract|subscription",
    "closed|deal|account|renewal lost",
    "closed - lost",
    "lost the deal|account|renewal|bid",
    "lost on price",
    "kündigen|gekündigt|kündigung|résilier|résiliation|résilions|opzeggen|opgezegd|overstappen",
    "wechseln|wechsel zu|anbieter",
    "nos vamos|cambiamos",
    "darnos|darme|dar de baja",
)

_NOT_STAYING: Final = (
    "not|n't|never renew|renewing",
    "not|n't be renewing|extending|staying|continuing",
    "not|n't going|want|intend|plan to renew|extend",
    "not|n't going|want|intend|plan to stay|continue with|as|after|past|beyond|.",
    "non - renewal",
    "non renewal",
    "unlikely to renew|stay",
    "i|we|they wo|will|may|might|'re|are|'m|am n't|not stay|staying|continue with|as|past|beyond|.|,|!",
    "i|we can|ca n't|not stay with",
    "without renewal|renewing",
    "refuse|refuses|refusing to renew",
    "i|we wo|will|'ll n't|not|never be|come back",
    "i|we 'm|am|'re|are not|never coming back",
    "may|might|will|'ll never come|be back",
    "not worth renewing|keeping",
)


def churn_patterns(competitors: Sequence[Sequence[str]]) -> dict[str, list[Pattern]]:
    """Return the patterns of leaving; those that hold their negation already are under their own name."""
    to, others = _of("to"), _of("another other different new")
    leaving = [
        [_CANCEL, _WHOSE, _FEW_WORDS, _CONTRACT],
        [_CANCEL, _HELD],
        [_CANCEL, _KIND, _HELD],
        [_CLOSE, _of("my our this"), _HELD],
        [_CLOSE, _of("my our this"), _KIND, _HELD],
        [_GO, _WAY, to, _maybe("a", "an", "the", "your"), _any(*_ANY_OTHER)],
        [_GO, _WAY, to, _maybe("a", "an"), others, _THING],
        [_WENT, _of("with"), _maybe("a", "an", "some"), _any("another", *_ANY_OTHER)],
        [_WENT, _of("to for"), _maybe("a", "your"), _any(*_RIVALS)],
        [_of("look looking"), _of("at for"), _maybe("a"), _NEW, _THING],
        [_of("look looking shop shopping"), _of("at for"), _of("other alternative different"), _THINGS],
        [_of("never"), _AGAIN, _SOME_WORDS, _of("again")],
        [_SOUGHT, _of("find finding"), _maybe("a", "an"), _NEW, _THING],
        [_of("i we"), _maybe("now", "really"), _of("need want"), _maybe("a"), _NEW, _THING],
        [_of("found"), _maybe("a"), _of("another better different"), _THING],
        [_of("you 've have just will 'll"), _LOSE, _of("a another"), _LOST_ONE],
        *map(_phrase, _LEAVING),
    ]
    for tokens in competitors:
        name: Pattern = [{"LOWER" if word.islower() else "ORTH": word} for word in tokens]
        gap = {**_BETWEEN, "OP": "{0,5}"}
        leaving += [[_COURTING, gap, *name], [*name, gap, _COURTING]]
        leaving += [[_of("to with"), *name], [_of("quote offer proposal"), _of("from"), *name]]
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
