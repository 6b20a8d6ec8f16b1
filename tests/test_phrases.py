"""Phrases, matched by compiled code: what the readable matcher says, word by word."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from classifier.buffers import Column
from classifier.leaving import _finder
from classifier.phrases import HOLDS, UNREAD, Phrases

WORDS = (
    "we i 're 'm not can't cannot CANNOT xcannot cannot_ don't n't N'T 3n't '4x never leave Leaving cancel my"
    " our the big plan2 subscription switch moving over to another other elsewhere last straw had enough"
    " renew going non - renewal unlikely or . , _ $5 isn't_"
)
PIECES = st.sampled_from([*WORDS.split(), " ", "  ", "\n", "\t", "\x1c", "", "'"])
SETS = [([frozenset({"a"}), frozenset(), frozenset({"b", "c"})], False)]


@given(st.lists(PIECES, max_size=12), st.sampled_from([" ", ""]))
@example(["had", "enough"], " ")
@example([" ", "we", "cannot", "renew"], " ")
@settings(max_examples=300)
def test_equals_the_readable_matcher(pieces: list[str], between: str) -> None:
    finder, text = _finder(()), between.join(pieces)
    told = finder._phrases.find(Column.of(["", text]), np.array([1]))
    assert (told[0] == HOLDS) == finder.leaves(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("A word b", HOLDS),
        ("a 2nd b", 0),
        ("a word", 0),
        ("no a x c", 0),
        ("no , , a x c", 0),
        ("no , , , a x c", HOLDS),
        ("a é b", UNREAD),
        ("", 0),
    ],
)
def test_any_word_of_letters_and_words_that_take_back(text: str, told: int) -> None:
    found = Phrases(SETS, ["no"], within=3).find(Column.of([text]), np.array([0]))
    assert found.tolist() == [told]
