"""Signs of leaving: the same as spaCy's Matcher finds with the same patterns."""

import re
from functools import lru_cache

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from classifier.cues import churn_patterns
from classifier.leaving import speak_of_leaving, tokens_of

RIVALS = ["Acme", "North Star", "acmecorp"]
WORDS = st.sampled_from(
    [
        *tokens_of(
            "we i they you are 're 'm not can't cannot don't won't never no without leave leaving"
            " cancel cancelled my our the contract subscription annual big plan switch move moving"
            " over to another other look at alternatives competitor elsewhere last straw final"
            " chance walk away be off had enough out renew going renewing - renewal unlikely or ."
            " ! , Acme acme North Star acmecorp quote from trial with have a risk use buy again find new"
            " app bank better uninstall uninstalling will back come lost customer another went rival as"
        ),
        *("can't", "don't", "\n", "the app", "this was", "Wir", "kündigen"),
    ]
)


def contracted(words: list[str]) -> str:
    """Join words; spaCy cuts "'re" and "'m" off these pronouns alone, so elsewhere they are left out."""
    joined = re.sub(r"\b(?:(we|they|you) '(re)|(i) '(m))\b", r"\1\3'\2\4", " ".join(words))
    return re.sub(r"(?:^| )'(?:re|m)\b", "", joined)


TEXTS = st.lists(WORDS, max_size=14).map(contracted)


@lru_cache(maxsize=1)
def matcher():
    import spacy
    from spacy.matcher import Matcher

    nlp = spacy.blank("en")
    found = Matcher(nlp.vocab)
    for name, patterns in churn_patterns([[token.text for token in nlp(s)] for s in RIVALS]).items():
        found.add(name, patterns)
    return nlp, found


def by_spacy(text: str) -> bool:
    nlp, found = matcher()
    doc = nlp(text)
    negations = {"not", "n't", "never", "no", "without", "nobody", "instead"}
    return any(
        doc.vocab.strings[match] == "negated already"
        or not negations & {token.lower_ for token in doc[max(0, start - 3) : start]}
        for match, start, _ in found(doc)
    )


@given(TEXTS)
@example("We're leaving, cancel our big annual contract")
@example("a quote, they say, from Acme")
@example("North Star have been talking")
@example("we can't renew")
@example("acmecorp \n switch")
@example("never buy the big app again")
@example("i will not be back")
@example("you lost a customer")
@example("\n \n North  Star\n\n have been talking")
@settings(max_examples=200)
def test_equals_the_matcher_of_spacy(text: str) -> None:
    assert speak_of_leaving([text], RIVALS).tolist() == [by_spacy(text)]


@pytest.mark.parametrize(
    "text",
    [
        "Fix it or I uninstall.",
        "This happened twice and I'm uninstalling the app now.",
        "I will never buy one of your bikes again",
        "Now I have to find another app for it",
        "Congratulations, you lost a customer today.",
        "Your bank has totally lost me as a customer",
        "I won't be back.",
        "Will cancel if this isn't fixed soon",
        "We went with a rival in the end",
        "Stage 4 to Closed Lost, product gap",
        "Please advise before we reconsider the renewal",
        "It's time to switch to paper",
        "If that's not put right I'll be off, clause or no clause",
        "Two more outages and we're looking at other suppliers",
        "We decided to move to another provider",
        "Please close my account as of then",
        "And so I'm out.",
        "We won't continue with them, she said",
    ],
)
def test_customers_of_shops_and_apps_leave_too(text: str) -> None:
    assert speak_of_leaving([text], ()).tolist() == [True]


@pytest.mark.parametrize(
    "text",
    [
        "I uninstalled it and installed it again, no change",
        "It takes much time to switch from unread to read",
        "I found a solution on the forum",
        "The layout is computed once and never again",
        "Deleted messages do not come back",
        "The builder has left for another job",
        "Windows says you'll need a new app",
        "We moved from sticky notes and we're never going back",
        "I am done with browsing, I close the tab",
        "Cancel the timer",
        "We lost a client over it",
        "The certificate is not valid, you should not continue",
        "The taskbar doesn't stay there",
        "I switch to another tab and the view is reset",
        "Please cancel my order",
        "I'd like to cancel the reservation for six",
        "I am out of soap, order some",
        "I tried deleting the account and adding it again",
        "When I close the Account Settings window nothing is saved",
        "My data is at risk with this bug",
        "I looked around in the settings",
        "The bank closed my account without a word",
        "Why was a payment cancelled on my account?",
    ],
)
def test_what_only_looks_like_leaving(text: str) -> None:
    assert speak_of_leaving([text], ()).tolist() == [False]


def test_typographic_apostrophes_count_as_plain_ones() -> None:
    assert speak_of_leaving(["We’re leaving.", "They won’t renew.", "We don’t leave you."], ()).tolist() == [
        True,
        True,
        False,
    ]


def test_rows_are_judged_alone_and_missing_ones_are_silent() -> None:
    assert speak_of_leaving(["last straw", None, "fine"], RIVALS).tolist() == [True, False, False]
    assert speak_of_leaving([], RIVALS).tolist() == []


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("I’m out", ["I", "'m", "out"]),
        ("non-renewal\nnow", ["non", "-", "renewal", "\n", "now"]),
        ("a  b", ["a", " ", "b"]),
        ("cannot stay_on", ["can", "not", "stay", "_", "on"]),
    ],
)
def test_tokens(text: str, tokens: list[str]) -> None:
    assert tokens_of(text) == tokens
