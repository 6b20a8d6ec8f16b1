"""The quick look at normal form C misses nothing."""

import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.buffers import Column
from classifier.composed import may_change

PIECES = st.sampled_from(
    ["é", "e", "\u0301", "’", "€", "Å", "\u2001", "😀", "각", "\u1161", "ﬁ", "ô", "\u0323"]
)


def test_no_character_that_passes_can_change_or_change_another() -> None:
    characters = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    passing = [
        char for char, marked in zip(characters, may_change(Column.of(characters)), strict=True) if not marked
    ]
    assert len(passing) > 1_500
    assert all(unicodedata.is_normalized("NFC", char) and not unicodedata.combining(char) for char in passing)
    # None of them is the second half of a composed character.
    second = {
        unicodedata.decomposition(char).split()[1]
        for char in characters
        if len(unicodedata.decomposition(char).split()) == 2 and "<" not in unicodedata.decomposition(char)
    }
    assert not second & {f"{ord(char):04X}" for char in passing}


@given(st.lists(st.one_of(st.text(max_size=8), st.lists(PIECES, max_size=6).map("".join)), max_size=4))
@settings(max_examples=300)
def test_what_is_not_marked_is_composed(texts: list[str]) -> None:
    for text, marked in zip(texts, may_change(Column.of(texts)), strict=True):
        assert marked or unicodedata.is_normalized("NFC", text)
