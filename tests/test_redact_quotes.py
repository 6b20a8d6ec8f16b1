"""Redaction of quotes and of any text: nothing masked survives, in linear time."""

from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from timing import grows_linearly

from classifier.redact import Mask, masks, redact, redact_quote, redact_quotes


def test_masks_give_code_point_offsets() -> None:
    assert masks("é 😀 lou@example.com!", ["Ann"]) == [Mask(4, 19, "[EMAIL]")]


QUOTES = [
    ("short and sweet ", 300, "short and sweet"),
    ("one two three", 9, "one two…"),
    ("one two three", 8, "one two…"),
    ("one two three", 7, "one…"),
    ("onetwothree", 5, "onet…"),
    ("mail lou@example.com or", 11, "mail…"),
    ("lou@example.com", 3, "…"),
    ("x [EMAIL]y", 8, "x…"),
]


@pytest.mark.parametrize(("text", "limit", "expected"), QUOTES)
def test_quotes_are_cut_at_words(text: str, limit: int, expected: str) -> None:
    assert redact_quote(text, limit=limit) == expected


def test_a_quote_sees_the_document_around_it() -> None:
    text = "Call 555-010-4471. Lou"
    at = text.index("010")
    assert redact_quote(text, ["Lou Ferrante"], span=(at, len(text))) == "[PHONE]. [PERSON_1]"
    assert redact_quote(text, ["Lou Ferrante"], span=(0, at)) == "Call [PHONE]"


def luhn_digit(digits: str) -> str:
    total = sum(sum(divmod(int(d) * (2 - i % 2), 10)) for i, d in enumerate(reversed(digits)))
    return str(-total % 10)


@st.composite
def card_numbers(draw: st.DrawFn) -> str:
    size = draw(st.integers(13, 19))
    body = draw(st.sampled_from("3456")) + "".join(
        draw(st.lists(st.sampled_from("0123456789"), min_size=size - 2, max_size=size - 2))
    )
    number = body + luhn_digit(body)
    gap = draw(st.sampled_from(["", " ", "-", "\u00a0"]))
    return gap.join(number[at : at + 4] for at in range(0, len(number), 4))


LENGTHS = {"DE": 22, "GB": 22, "FR": 27, "NO": 15, "MT": 31, "NL": 18, "CH": 21, "ES": 24, "PL": 28}


@st.composite
def iban_numbers(draw: st.DrawFn) -> str:
    country = draw(st.sampled_from(sorted(LENGTHS)))
    size = LENGTHS[country] - 4
    account = "".join(draw(st.lists(st.sampled_from("0123456789ABCXYZ"), min_size=size, max_size=size)))
    check = 98 - int("".join(str(int(c, 36)) for c in account + country + "00")) % 97
    number = f"{country}{check:02d}{account}"
    gap = draw(st.sampled_from(["", " ", "-", "\u00a0"]))
    return gap.join(number[at : at + 4] for at in range(0, len(number), 4))


AROUND = st.sampled_from(["", "Pay ", "to: ", "(", "\n", "in March 2026, ", "order 5 ", "é"])
AFTER = st.sampled_from(["", " ", ".", ", please", ")", "\n12", "; 12/27", " now"])


@settings(max_examples=300)
@given(AROUND.filter(lambda text: text != "é"), st.emails() | card_numbers() | iban_numbers(), AFTER)
def test_no_generated_code_survives(before: str, code: str, after: str) -> None:
    assume(not after.startswith(".") or "@" not in code)
    assert code not in redact(before + code + after)


PIECES = st.sampled_from(
    [
        *(
            "Lou",
            "Ferrante",
            "Mark",
            "Stone",
            "hi ",
            "Hi ",
            "[EMAIL]",
            "[PERSON_1]",
            "[",
            "]",
            "lou@example.com",
            "@",
            "(at)",
            "https://",
        ),
        *(
            "www.",
            ".com",
            "/",
            "example",
            "+49",
            "030",
            "1234567",
            "4111",
            "1111",
            "-",
            " ",
            "\n",
            "(",
            ")",
            "call me ",
            "DE89",
            "3704",
        ),
        *(
            "0044",
            "0532",
            "0130",
            "00",
            "5",
            "x",
            "é",
            "ext. ",
            ".",
            ",",
            "\ufdd2",
            "555",
            "mailto:",
            "PERSON_1",
        ),
    ]
)
TEXTS = st.lists(PIECES, max_size=14).map("".join) | st.text(max_size=40)
NAMES = ["Lou Ferrante", "Mark Stone", "Email Person"]


@settings(max_examples=600)
@given(TEXTS)
def test_redacting_twice_changes_nothing(text: str) -> None:
    once = redact(text, people=NAMES)
    assert redact(once, people=NAMES) == once


@settings(max_examples=200)
@given(TEXTS, st.integers(1, 40))
def test_a_quote_fits_and_holds_whole_placeholders(text: str, limit: int) -> None:
    quote = redact_quote(text, NAMES, limit)
    assert len(quote) <= limit
    whole = redact(text, people=NAMES).strip()
    assert quote == whole or (quote.endswith("…") and whole.startswith(quote[:-1]))


@settings(max_examples=200)
@given(TEXTS)
def test_masks_are_ordered_and_disjoint(text: str) -> None:
    found = masks(text, NAMES)
    assert all(0 <= mask.start < mask.end <= len(text) for mask in found)
    assert all(left.end <= right.start for left, right in pairwise(found))


HOSTILE = [
    *(
        "a",
        "@",
        "a@",
        "a.",
        "a@a.",
        "1",
        "1 ",
        "0 ",
        "+1",
        "(0",
        "0-",
        "00 ",
        "[",
        "[PERSON_",
        "www.",
        "http://",
        "DE89 ",
        "4111 ",
    ),
    *(
        "Lou ",
        "Mark ",
        "hi ",
        "Hi\n",
        "L. ",
        "\n",
        " ",
        "call ",
        "tel ",
        "a (at) ",
        "a AT b DOT ",
        "ext. 1 ",
        "555-",
        "4_",
        "x/",
        "-",
    ),
]


@pytest.mark.parametrize("unit", HOSTILE)
def test_hostile_text_takes_linear_time(unit: str) -> None:
    assert grows_linearly(lambda size: redact(unit * (size // len(unit)), people=NAMES), 200_000)


def test_quotes_of_a_long_document_equal_those_read_whole() -> None:
    filler = "The export of the monthly figures stops half way, and nobody knows why. " * 20
    text = (
        f"{filler}Write to lou.ferrante@example.com or call +1 555 010 4471 now. {filler}Thanks, Lou Ferrante"
    )
    middle = text.index("Write")
    spans = [(middle, middle + 24), (middle + 30, middle + 62), (len(text) - 12, len(text))]
    found = redact_quotes(text, ["Lou Ferrante"], spans)
    assert found == [redact_quote(text, ["Lou Ferrante"], span=span) for span in spans]
    assert "ferrante" not in " ".join(found).lower()
