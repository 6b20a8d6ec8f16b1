"""Words looked for all at once: the same as one after the other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.buffers import Column
from classifier.needles import Needles

LETTERS = st.text("abcABé ’", max_size=90)


@given(st.lists(st.text("abc ’", min_size=1, max_size=6), min_size=1, max_size=6), st.lists(LETTERS))
def test_found_is_what_holds_a_word(words: list[str], texts: list[str]) -> None:
    found = Needles(words).find(Column.of(texts))
    assert found.tolist() == [any(word in text.lower() for word in words) for text in texts]


@pytest.mark.parametrize(
    ("word", "text", "expected"),
    [
        ("renew", "We RENEW it", True),
        ("renew", "We rene w it", False),
        ("kündigen", "KÜNDIGEN", True),  # by "ndigen"
        ("é", "anything", True),  # nothing of it can be looked for
        ("kiss", "the Kelvin sign: \N{KELVIN SIGN}", True),
        ("so", "\N{LATIN SMALL LETTER LONG S}", True),
    ],
)
def test_odd_letters(word: str, text: str, expected: bool) -> None:
    assert Needles([word]).find(Column.of([text])).tolist() == [expected]
