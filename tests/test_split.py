import itertools

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from timing import grows_linearly

from classifier.chars import DIGIT, LETTER, flags
from classifier.split import MAX_UNIT, WRAPPED, units

LONG_LINE = "I have been trying to open the report of last month since nine this morning and"
PIECES = st.sampled_from(
    [
        "It crashed",
        "Mr. Smith",
        "e.g. this",
        "no. 5",
        "I said no. ",
        "1. open",
        "U.S. ",
        "doesn't. ",
        "crashed.Then",
        "\n",
        "\n\n",
        "\r\n",
        "  ",
        ". ",
        "! ",
        "?!",
        "…",
        "...",
        '"why?" ',
        "(ok). ",
        "- ",
        "• ",
        "日本語。",
        "😀",
        "❤️",
        "\0",
        "\ud83d",
        "x" * 400,
        "word " * 70,
        "a, b; c: ",
        f"{LONG_LINE}\nit fails",
        "https://a.b/c?d=1",
        "𠮷野家",
    ]
)
TEXTS = st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=14).map("".join))


def parts(text):
    return [text[start:end] for start, end in units(text)]


CASES = [
    # Sentences
    ("It crashed. I lost my work! Why?", ["It crashed.", "I lost my work!", "Why?"]),
    ("it crashed. it won't open. pls fix", ["it crashed.", "it won't open.", "pls fix"]),
    ("What?! No way!!! Really", ["What?!", "No way!!!", "Really"]),
    ("One sentence without a mark", ["One sentence without a mark"]),
    ("a", ["a"]),
    # Abbreviations
    (
        "Mr. Smith and Dr. Jones left. Ms. Okafor stayed.",
        ["Mr. Smith and Dr. Jones left.", "Ms. Okafor stayed."],
    ),
    ("Use a browser, e.g. Firefox. It works.", ["Use a browser, e.g. Firefox.", "It works."]),
    ("Two plans, i.e. Pro and Free. Both fail.", ["Two plans, i.e. Pro and Free.", "Both fail."]),
    ("Chrome, Edge, etc. close at once.", ["Chrome, Edge, etc. close at once."]),
    ("I tried Chrome, Edge, etc. They all fail.", ["I tried Chrome, Edge, etc.", "They all fail."]),
    (
        "Battery no. 3 is dead. I asked, they said no. So I left.",
        ["Battery no. 3 is dead.", "I asked, they said no.", "So I left."],
    ),
    (
        "Call ext. 204 please. It took 45 min. I gave up.",
        ["Call ext. 204 please.", "It took 45 min.", "I gave up."],
    ),
    (
        "Acme Inc. says I owe them. I paid Acme Inc. Now they call.",
        ["Acme Inc. says I owe them.", "I paid Acme Inc.", "Now they call."],
    ),
    # Initials and dotted words
    ("Ask J. R. Smith. He knows.", ["Ask J. R. Smith.", "He knows."]),
    ("We ship to the U.S. office. It closed.", ["We ship to the U.S. office.", "It closed."]),
    ("P.S. I love it. p.s. thanks", ["P.S. I love it.", "p.s. thanks"]),
    ("Champion (L. Tran) left. So did I. Now what?", ["Champion (L. Tran) left.", "So did I.", "Now what?"]),
    ("It should sync. It doesn't. I can't. Why?", ["It should sync.", "It doesn't.", "I can't.", "Why?"]),
    ("The O’Briens’. They didn’t. Fix it.", ["The O’Briens’.", "They didn’t.", "Fix it."]),
    ("It runs at 60 °C. Sensor 7 fails.", ["It runs at 60 °C.", "Sensor 7 fails."]),
    ("My usb c. it is loose", ["My usb c.", "it is loose"]),
    # Numbers, versions, addresses
    ("It costs 2.50 now. Before it was 1.99.", ["It costs 2.50 now.", "Before it was 1.99."]),
    ("v2.3 is out. I updated to 115.0.1. It broke.", ["v2.3 is out.", "I updated to 115.0.1.", "It broke."]),
    (
        "See https://example.com/a.html?b=C. Then reply.",
        ["See https://example.com/a.html?b=C.", "Then reply."],
    ),
    ("Mail ann.lee@example.com. Thanks.", ["Mail ann.lee@example.com.", "Thanks."]),
    ("Open config.json in Notepad. Save.", ["Open config.json in Notepad.", "Save."]),
    ("at com.example.Main.run failed", ["at com.example.Main.run failed"]),
    ("We built it in 2023. Nothing since.", ["We built it in 2023.", "Nothing since."]),
    # Lists
    ("1. Open the app. 2. Press Save.", ["1. Open the app.", "2. Press Save."]),
    ("1. Open the app\n2. Press Save\n3. It crashes", ["1. Open the app", "2. Press Save", "3. It crashes"]),
    ("a. first one\nb. second one", ["a. first one", "b. second one"]),
    (
        "Please add:\n- dark mode\n- export to csv\n* sso",
        ["Please add:", "- dark mode", "- export to csv", "* sso"],
    ),
    ("• slow\n• ugly", ["• slow", "• ugly"]),
    ("dark mode\nfaster search\nbetter filters", ["dark mode", "faster search", "better filters"]),
    # Lines of tickets
    (
        "Export broken\nwhen i click export nothing happens",
        ["Export broken", "when i click export nothing happens"],
    ),
    (
        "Subject: Login fails\nHi team,\n\nI can't log in.\n\nBest,\nAnna",
        ["Subject: Login fails", "Hi team,", "I can't log in.", "Best,", "Anna"],
    ),
    (
        "Hi,\nthe app is slow.\nthanks\nSent from my iPhone",
        ["Hi,", "the app is slow.", "thanks", "Sent from my iPhone"],
    ),
    (
        f"{LONG_LINE}\nit only shows an error. Please help.",
        [f"{LONG_LINE}\nit only shows an error.", "Please help."],
    ),
    (f"{LONG_LINE}\nThe error says 500.", [LONG_LINE, "The error says 500."]),
    (f"{LONG_LINE}.\nit is slow", [f"{LONG_LINE}.", "it is slow"]),
    (f"{LONG_LINE}\n\nit is slow", [LONG_LINE, "it is slow"]),
    (f"{LONG_LINE} {LONG_LINE}\nit is slow", [f"{LONG_LINE} {LONG_LINE}", "it is slow"]),
    ("One.\r\nTwo.\r\n\r\nThree", ["One.", "Two.", "Three"]),
    # Quotes, brackets, ellipses
    ('It says "Error 500." Then it closes.', ['It says "Error 500."', "Then it closes."]),
    ('He asked "why?" and left. We did too.', ['He asked "why?" and left.', "We did too."]),
    ("It broke (twice!) and stays so. Fix it.", ["It broke (twice!) and stays so.", "Fix it."]),
    ("(It broke.) We left.", ["(It broke.)", "We left."]),
    ("Well... I waited… and waited", ["Well...", "I waited…", "and waited"]),
    # A forgotten space
    ("It crashed.Then I left!Please fix", ["It crashed.", "Then I left!", "Please fix"]),
    ("16 years ago.I still wait", ["16 years ago.", "I still wait"]),
    ("Dr.Smith called", ["Dr.Smith called"]),
    ("Node.js and example.com work", ["Node.js and example.com work"]),
    # Smileys and rules join their neighbours
    ("Love it! 😀😀", ["Love it! 😀😀"]),
    ("Thanks\n:-)\n---\nBye", ["Thanks\n:-)\n---", "Bye"]),
    ("***\nUrgent", ["***\nUrgent"]),
    ("❤️ ❤️", ["❤️ ❤️"]),
    ("Good ❤️\n❤️", ["Good ❤️\n❤️"]),
    ("...", ["..."]),
    # Other scripts
    ("もう動かない。直して！お願い", ["もう動かない。", "直して！", "お願い"]),
    ("「壊れた。」と言う", ["「壊れた。」", "と言う"]),
    ("¿Por qué? No funciona.", ["¿Por qué?", "No funciona."]),
    # Nothing
    ("", []),
    (" \n\t\u00a0", []),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_units(text, expected):
    assert parts(text) == expected


@pytest.mark.parametrize("unit", sorted({unit for _, expected in CASES for unit in expected}))
def test_a_unit_on_its_own_stays_whole(unit):
    assert parts(unit) == [unit]


@given(TEXTS)
@example("a" + "." * 400)
@example("\n".join("x" * length for length in range(40, 110)))
@settings(max_examples=400)
def test_units_cover_the_text_in_order(text):
    found = units(text)
    assert all(0 < end - start <= MAX_UNIT for start, end in found)
    assert all(text[start:end] == text[start:end].strip() for start, end in found)
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(found))
    covered = {place for start, end in found for place in range(start, end)}
    assert all(place in covered for place, char in enumerate(text) if not char.isspace())


@given(TEXTS)
@settings(max_examples=200)
def test_only_a_text_without_words_has_a_unit_without_words(text):
    wordy = [any(flags(char) & (LETTER | DIGIT) for char in part) for part in parts(text)]
    # The second part of a unit that was cut may hold marks alone.
    cut = any(end - start > MAX_UNIT // 2 for start, end in units(text))
    assert all(wordy) or len(wordy) <= 1 or cut


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("word " * 100, [299, 199]),
        ("x" * 700, [300, 300, 100]),
        ("a" * 200 + ", " + "b" * 200, [201, 200]),
        ("a" * 100 + ", " + "b " * 150, [299, 101]),
        ("a" * 299 + " b", [299, 1]),
        ("a" * 300, [300]),
    ],
)
def test_long_units_are_cut_at_a_comma_or_else_a_space(text, sizes):
    assert [end - start for start, end in units(text)] == sizes


@pytest.mark.parametrize(
    ("length", "joined"),
    [(WRAPPED[0] - 1, False), (WRAPPED[0], True), (WRAPPED[1], True), (WRAPPED[1] + 1, False)],
)
def test_a_line_goes_on_only_where_a_mail_program_may_have_broken_it(length, joined):
    assert len(units("x" * length + "\nlower case")) == (1 if joined else 2)


@pytest.mark.parametrize(
    ("unit", "end"),
    [
        (".", ""),
        (") ", ""),
        (".)", ""),
        ("a. ", ""),
        ("1. ", ""),
        ("\n", ""),
        ("A.B", ""),
        (" ", "."),
        ("x", ""),
        ("x" * 60 + "\n", ""),
        ("。", ""),
        ("no. ", ""),
    ],
)
def test_hostile_texts_take_linear_time(unit, end):
    assert grows_linearly(lambda size: units(unit * (size // len(unit)) + end), 100_000)
