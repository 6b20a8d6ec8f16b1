"""Redaction of the people that an export names, and who they are."""

import pandas as pd
import pytest

from classifier.redact import redact, redact_many, with_senders

PEOPLE = [
    "Lou Ferrante",
    "Dale O'Brien",
    "Mark Stone",
    "Jean-Pierre Müller",
    "Kestova Support",
    "May",
    "José Núñez de la Vega",
]
NAMED = [
    (
        "Lou Ferrante called, then lou ferrante, then LOU FERRANTE",
        "[PERSON_1] called, then [PERSON_1], then [PERSON_1]",
    ),
    (
        "Lou's van; FERRANTE; L. Ferrante; Lou F. too",
        "[PERSON_1]'s van; [PERSON_1]; [PERSON_1]; [PERSON_1] too",
    ),
    ("Ferrante, Lou and Lou M. Ferrante", "[PERSON_1] and [PERSON_1]"),
    ("lou and ferrante in lower case", "lou and [PERSON_1] in lower case"),
    ("Louder, Lousy, Blou, Ferrantello", "Louder, Lousy, Blou, Ferrantello"),
    (
        "_Lou_ @Lou (Lou) Lou/Dale",
        "_[PERSON_1]_ @[PERSON_1] ([PERSON_1]) [PERSON_1]/[PERSON_2]",
    ),
    ("O'Brien, O’Brien, OBRIEN; Dale’s", "[PERSON_2], [PERSON_2], [PERSON_2]; [PERSON_2]’s"),
    ("Mark my words: a Stone fell, mark stone won", "Mark my words: a Stone fell, [PERSON_3] won"),
    ("Hi Mark, it fails.\n\nThanks,\nMark Stone", "Hi [PERSON_3], it fails.\n\nThanks,\n[PERSON_3]"),
    ("Mr. Stone said. Dear Mr Stone", "Mr. [PERSON_3] said. Dear Mr [PERSON_3]"),
    ("It fails.\n\nMark\n", "It fails.\n\n[PERSON_3]\n"),
    ("It fails.\n-- Mark", "It fails.\n-- [PERSON_3]"),
    ("Jean-Pierre Muller, Müllers, MÜLLER, Pierre", "[PERSON_4], [PERSON_4]s, [PERSON_4], [PERSON_4]"),
    (
        "Kestova Support answered that Kestova is fine, Support too",
        "[PERSON_5] answered that Kestova is fine, Support too",
    ),
    ("In May it may rain. Hello May!", "In May it may rain. Hello [PERSON_6]!"),
    ("Jose Nunez de la Vega; José; Nunez; de la", "[PERSON_7]; [PERSON_7]; [PERSON_7]; de la"),
    ("lou.ferrante@example.com https://x.example/Lou", "[EMAIL] [URL]"),
    ("[PERSON_1] and Lou", "[PERSON_1] and [PERSON_1]"),
]


@pytest.mark.parametrize(("text", "expected"), NAMED)
def test_names(text: str, expected: str) -> None:
    assert redact(text, people=PEOPLE) == expected


GIVEN = [
    (
        ["Lou Ferrante", "LOU FERRANTE", "Ferrante, Lou", "Ann Lee"],
        "Ann and Lou",
        "[PERSON_2] and [PERSON_1]",
    ),
    (["", " ", "lou@example.com", "Dr. Lou Ferrante"], "Dr. Lou", "Dr. [PERSON_1]"),
    (["lou ferrante"], "Lou here", "[PERSON_1] here"),
    (["Bo Xi"], "Bo Xi or Bo", "[PERSON_1] or Bo"),
    (["Ann Roy", "Bea Roy"], "Roy and Bea", "[PERSON_1] and [PERSON_2]"),
    (["Email Card"], "Email Card [EMAIL] [CARD]", "[PERSON_1] [EMAIL] [CARD]"),
    (["a.*b(c"], "a.*b(c and aab", "a.*b(c and aab"),
    (["---", "1234"], "--- 1234", "--- 1234"),
    ([], "Lou", "Lou"),
]


@pytest.mark.parametrize(("people", "text", "expected"), GIVEN)
def test_people_as_given(people: list[str], text: str, expected: str) -> None:
    assert redact(text, people=people) == expected


def test_a_long_name_is_masked_in_lower_case_too() -> None:
    people = ["Zebulon Quackenbush"]
    assert redact("it crashes for zebulon every day", people=people) == "it crashes for [PERSON_1] every day"
    assert redact("ask quackenbush", people=people) == "ask [PERSON_1]"
    # Short names and ordinary words in lower case stay words.
    assert redact("the lou and a stone", people=["Lou Stone"]) == "the lou and a stone"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It fails.\nThanks,\nlou", "It fails.\nThanks,\n[PERSON_1]"),
        ("thanks lou", "thanks [PERSON_1]"),
        ("best, lou\nsent later", "best, [PERSON_1]\nsent later"),
        ("hi lou, it fails", "hi [PERSON_1], it fails"),
        ("lou\nplease mend it", "[PERSON_1]\nplease mend it"),
        ("It fails.\n- lou.", "It fails.\n- [PERSON_1]."),
        ("cheers,\nmark", "cheers,\n[PERSON_2]"),
        ("Pages lack the mark\nmark\n", "Pages lack the mark\n[PERSON_2]\n"),
        # Words of the language, where nobody signs.
        ("mark\nall of them as read", "mark\nall of them as read"),
        ("thanks mark it as read", "thanks mark it as read"),
        ("no lou here, louder", "no lou here, louder"),
    ],
)
def test_a_short_name_is_masked_in_lower_case_where_somebody_signs(text: str, expected: str) -> None:
    assert redact(text, people=["Lou", "Mark Twain"]) == expected


@pytest.mark.parametrize(
    ("text", "people", "expected"),
    [
        ("Forwarded from Ada Byron, IT: it crashes.", "", "Ada Byron"),
        ("FWD from Zoë de Vries: see below", "Li Wei", "Li Wei"),
        ("fwd: message from Jo Ann Smith\nHello", "Li Wei", "Li Wei;Jo Ann Smith"),
        ("Forwarded from Ada Byron.", "Ada Byron", "Ada Byron"),
        ("Forwarded from our ticket system, no name", "", ""),
        ("We move forward by May Day.", "", ""),
        ("", "Li Wei", "Li Wei"),
    ],
)
def test_who_a_text_is_forwarded_from(text, people, expected):
    found = with_senders(pd.Series([people], dtype="str"), pd.Series([text], dtype="str"))
    assert found.tolist() == [expected]


def test_many_is_each() -> None:
    texts = [text for text, _ in NAMED]
    assert redact_many(texts, [PEOPLE] * len(texts)) == [expected for _, expected in NAMED]
    assert redact_many([], []) == []
