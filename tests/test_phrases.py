"""Phrases, matched by compiled code: what the readable matcher says, word by word."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from classifier.buffers import Column
from classifier.leaving import _finder
from classifier.phrases import _DRAWN, HOLDS, UNREAD, Phrases

WORDS = (
    "we i 're 'm not can't cannot CANNOT xcannot cannot_ don't n't N'T 3n't '4x never leave Leaving cancel my"
    " our the big plan2 subscription switch moving over to another other elsewhere last straw had enough"
    " renew going non - renewal unlikely or . , _ $5 isn't_"
    " don’t N’T 3n’t ’ve won’té caf\u00e9 \u017fwitch cannot\u00b2 \u0130 – … €"
    " \U0001f621 \ufe0f \u0301 \u212a"
)
SPACES = (" ", "  ", "\n", "\t", "\x1c", "\u00a0", " \u2003", "")
PIECES = st.sampled_from([*WORDS.split(), *SPACES, "'", "’"]) | st.characters(codec="utf-8")
SETS = [([frozenset({"a"}), frozenset(), frozenset({"b", "c"})], False)]


@given(st.lists(PIECES, max_size=12), st.sampled_from([" ", ""]))
@example(["had", "enough"], " ")
@example([" ", "we", "cannot", "renew"], " ")
@settings(max_examples=300)
def test_equals_the_readable_matcher(pieces: list[str], between: str) -> None:
    finder, text = _finder(()), between.join(pieces)
    told = finder._phrases.find(Column.of(["", text]), np.array([1]))
    assert told[0] == UNREAD or (told[0] == HOLDS) == finder.leaves(text)


def test_what_stands_in_european_texts_is_read():
    text = "Ça suffit – we’re cancelling our subscription… café’s 😡️ naïve, 5 €, ½ price, Ελλάδα, Россия"
    assert _finder(())._phrases.find(Column.of([text]), np.array([0])).tolist() == [HOLDS]


def test_emoji_are_signs():
    for low, high in _DRAWN:
        assert not any(map(str.isalnum, map(chr, range(low, high + 1))))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("A word b", HOLDS),
        ("a 2nd b", 0),
        ("a word", 0),
        ("no a x c", 0),
        ("no , , a x c", 0),
        ("no , , , a x c", HOLDS),
        ("a é b", HOLDS),
        ("a 字 b", UNREAD),
        ("", 0),
    ],
)
def test_any_word_of_letters_and_words_that_take_back(text: str, told: int) -> None:
    found = Phrases(SETS, ["no"], within=3).find(Column.of([text]), np.array([0]))
    assert found.tolist() == [told]
