import unicodedata

import pytest

from classifier import chars
from classifier.chars import (
    APOSTROPHE,
    CLOSER,
    DIGIT,
    LETTER,
    LOWER,
    NEWLINE,
    SPACE,
    SYMBOL,
    TERMINAL,
    UPPER,
    flags,
    fold,
)


@pytest.mark.parametrize(
    ("char", "expected"),
    [
        ("a", LETTER | LOWER),
        ("Ä", LETTER | UPPER),
        ("ǅ", LETTER | UPPER),
        ("日", LETTER),
        ("\u0301", LETTER),
        ("7", DIGIT),
        ("٣", DIGIT),
        ("½", DIGIT),
        (" ", SPACE),
        ("\t", SPACE),
        ("\u00a0", SPACE),
        ("\n", SPACE | NEWLINE),
        ("\u2028", SPACE | NEWLINE),
        (".", TERMINAL),
        ("?", TERMINAL | SYMBOL),
        ("…", TERMINAL | SYMBOL),
        ("。", TERMINAL),
        ("'", APOSTROPHE | CLOSER),
        ("’", APOSTROPHE | CLOSER),
        (")", CLOSER),
        ("€", SYMBOL),
        ("😀", SYMBOL),
        ("❤", SYMBOL),
        ("-", 0),
        (",", 0),
        ("\0", 0),
        ("\ud83d", 0),
        ("\u200d", 0),
        ("𠮷", LETTER),
    ],
)
def test_flags(char, expected):
    assert flags(char) == expected


@pytest.mark.parametrize("char", ["\ufe0f", "\ufe0e", "\u20e3"])
def test_what_only_says_how_an_emoji_is_drawn_is_no_letter(char):
    assert unicodedata.category(char)[0] == "M"
    assert flags(char) == 0


@pytest.mark.parametrize(
    ("char", "expected"),
    [
        ("A", "a"),
        ("ß", "ss"),
        ("İ", "i̇"),
        ("ﬃ", "ffi"),
        ("7", "0"),
        ("٣", "0"),
        ("’", "'"),
        ("𠮷", "𠮷"),
        ("😀", "😀"),
    ],
)
def test_fold(char, expected):
    assert fold(char) == expected


def test_tables_hold_what_the_functions_say():
    kinds, folds = chars.tables()
    assert kinds.shape == (chars.TABLE_SIZE,)
    assert folds.shape == (chars.TABLE_SIZE, 3)
    for code in [*range(0x600), *range(0x1E00, 0x2100), *range(0xD7F0, 0xE010), *range(0x1F300, 0x1F700)]:
        char = chr(code)
        assert kinds[code] == flags(char)
        assert "".join(map(chr, folds[code][folds[code] > 0])) == (fold(char) if code else "")


def test_no_character_folds_to_more_than_the_table_holds():
    assert max(len(fold(chr(code))) for code in range(chars.TABLE_SIZE)) == 3
