"""Redaction: what is masked, what is not, and that nothing masked survives."""

from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from timing import grows_linearly

from classifier.redact import Mask, masks, redact, redact_many, redact_quote, redact_quotes, with_senders

PHONES = [
    *(
        "(555) 010-4471",
        "555-010-4471",
        "555.010.4471",
        "555 010 4471",
        "(555)010-4471",
        "1-555-010-4471",
        "555/010-4471",
    ),
    *(
        "1 (555) 010-4471",
        "+1 555 010 4471",
        "+1-555-010-4471",
        "+1.555.010.4471",
        "+15550104471",
        "+1 (555) 010-4471",
    ),
    *("555-0142", "1-800-555-0199", "800-555-0199 ext. 12", "555-010-4471 x12", "(555) 010-4471, ext. 305"),
    *(
        "+44 20 7946 0958",
        "+442079460958",
        "+44 (0)20 7946 0958",
        "+44 (0) 20 7946 0958",
        "020 7946 0958",
        "0207 946 0958",
    ),
    *(
        "07700 900123",
        "07700 900 123",
        "07700900123",
        "(020) 7946 0958",
        "01632 960001",
        "0161 496 0000",
        "0808 157 0192",
    ),
    *(
        "+49 30 1234567",
        "+49 (30) 1234567",
        "+49 (0)30 1234567",
        "+49 30/1234567",
        "0049 30 1234567",
        "030 1234567",
        "030/1234567",
    ),
    *(
        "(030) 1234567",
        "0171 1234567",
        "0171/1234567",
        "0171-1234567",
        "+49 171 1234567",
        "01711234567",
        "089 12 34 56 78",
    ),
    *(
        "+33 1 23 45 67 89",
        "+33123456789",
        "01 23 45 67 89",
        "01.23.45.67.89",
        "06 12 34 56 78",
        "0033 1 23 45 67 89",
    ),
    *(
        "+34 612 345 678",
        "+34 91 123 45 67",
        "+39 06 1234 5678",
        "+31 6 12345678",
        "06-12345678",
        "020-1234567",
        "+41 44 668 18 00",
    ),
    *(
        "044 668 18 00",
        "+46 8 123 456 78",
        "08-123 456 78",
        "+48 512 345 678",
        "+61 2 9374 4000",
        "(02) 9374 4000",
        "0412 345 678",
    ),
    *(
        "1300 975 707",
        "+91 98765 43210",
        "+55 11 91234-5678",
        "(11) 91234-5678",
        "+81 3-1234-5678",
        "03-1234-5678",
        "+353 1 234 5678",
    ),
    *(
        "+65 6123 4567",
        "+86 138 1234 5678",
        "+971 50 123 4567",
        "0\u00a0171\u00a01234567".replace("0\u00a0", "0", 1),
    ),
]
ANNOUNCED = [
    ("call me at {} please", "5550104471"),
    ("my number is {}", "5550104471"),
    ("Tel.: {}", "612 345 678"),
    ("Tel {}", "12 34 56 78"),
    ("phone no. {}", "030 1234567"),
    ("Phone: {}", "98765 43210"),
    ("Telefon {}", "1234567"),
    ("cell {}", "310-0142"),
    ("mobile {}", "7700900123"),
    ("fax {}", "987-6543"),
    ("WhatsApp {}", "91234 5678"),
    ("text me {}", "9123456789"),
    ("reach me on {}", "55 1234 5678"),
    ("Tél. {}", "0123456789"),
    ("Hotline: {}", "116 1170"),
]


@pytest.mark.parametrize("phone", PHONES)
@pytest.mark.parametrize("frame", ["{}", "Ring on {}.", "Lou\n{}\nKestova", "({}) thanks", "{}, {}"])
def test_phones_are_masked(phone: str, frame: str) -> None:
    assert redact(frame.format(phone, phone)) == frame.format("[PHONE]", "[PHONE]")


@pytest.mark.parametrize(("frame", "phone"), ANNOUNCED)
def test_announced_phones_are_masked(frame: str, phone: str) -> None:
    assert redact(frame.format(phone)) == frame.format("[PHONE]")


NUMBERS = [
    *(
        "invoices 20871 through 20894",
        "invoice 0208712345",
        "order 5550104471",
        "order no. 0301234567",
        "ticket 48214",
    ),
    *(
        "ticket #0482141234",
        "case 030 1234567",
        "Rechnung 0171 1234567",
        "Kundennummer 0301234567",
        "PO 0412-345678",
    ),
    *(
        "account number 0301234567",
        "ref: 0208-71234567",
        "ID 01234567890",
        "version 115.0.2",
        "v2.10.3345",
        "115.0.5790.102",
    ),
    *(
        "build 20231005214143",
        "192.168.1.100",
        "10.0.0.255:8080",
        "2001:db8::ff00:42:8329",
        "127.0.0.1",
        "00:1B:44:11:3A:B7",
    ),
    *(
        "2026-03-02",
        "2026-03-02 07:51",
        "2026-03-02T07:51:00Z",
        "02.03.2026",
        "02.03.2026 07:51",
        "3/2/2026",
        "03/02/2026 10:15 AM",
    ),
    *(
        "01 02 2026",
        "05-03-26",
        "20260302",
        "20260302 075100",
        "12/24/2025-01/02/2026",
        "1999-2026",
        "2019/2020",
        "FY2025-2026",
    ),
    *(
        "07:51",
        "10:00-12:30",
        "08.30-17.00",
        "07:51:33.123456",
        "1,234,567",
        "1.234.567,89",
        "$1,200,000.00",
        "1 234 567",
        "12 000 000",
    ),
    *(
        "€ 0412 345 678",
        "$555 010 4471",
        "100 000 000",
        "3.14159265",
        "0.123456789",
        "99.99 %",
        "15% of 1000000",
        "+15 %",
    ),
    *(
        "+1000",
        "+20 more than 30",
        "1e10000000",
        "0x80070005",
        "80630002",
        "1920x1080",
        "1920-1080",
        "1710000000000",
        "1710000000",
    ),
    *(
        "pages 100-1200",
        "rows 1000000-2000000",
        "5 6 7 8 9 10 11",
        "(10) 20 30 40",
        "52.520008, 13.404954",
        "-33.8688 151.2093",
    ),
    *(
        "978-3-16-148410-0",
        "2.0.0.0-1234567",
        "KB5031455",
        "RFC 2822",
        "ISO 27001:2022",
        "36012329",
        "123456",
        "1234567",
    ),
    *(
        "123e4567-e89b-12d3-a456-426614174000",
        "SKU 0412 345 678",
        "call volume rose by 1000 in 2025",
        "tel. 5",
        "2 x 555",
    ),
    *(
        "100.100.1000",
        "24/7/365",
        "4 of 12 000",
        "A4 210x297",
        "0 0 0 0 0 0 0",
        "(2024) 12345",
        "error -2147467259",
        "1/3 2/3 3/3",
    ),
    *(
        "4111 1111 1111 1112",
        "GB82 WEST 1234 5698 7654 33",
        "room 0412",
        "lot 12 34 56",
        "9 am to 5 pm, 7 days",
        "00000000000000",
    ),
]


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("frame", ["{}", "We got {} twice.", "{}\n", "({})"])
def test_other_numbers_stay(number: str, frame: str) -> None:
    assert redact(frame.format(number)) == frame.format(number)


MASKED = [
    ("lou.ferrante@ferndale.example.com", "[EMAIL]"),
    ("<lou@example.com>, (lou+x@example.co.uk).", "<[EMAIL]>, ([EMAIL])."),
    ("mailto:lou@example.com?subject=x%20y", "mailto:[EMAIL]"),
    ("o'brien@example.com", "[EMAIL]"),
    ("müller@müller.example", "[EMAIL]"),
    ("lou (at) example (dot) com", "[EMAIL]"),
    ("lou[at]example.com", "[EMAIL]"),
    ("lou @ example.com", "[EMAIL]"),
    ("lou AT example DOT com", "[EMAIL]"),
    ("two @ 3.50 each, look at example.com", "two @ 3.50 each, look at example.com"),
    ("@SpotifyCares you & me @home", "@SpotifyCares you & me @home"),
    ("https://example.com/reset?token=abc&mail=lou@example.com.", "[URL]."),
    ("see (https://example.com/a), www.example.com!", "see ([URL]), [URL]!"),
    ("example.com/path/1 and/or this", "[URL] and/or this"),
    ("ftp://example.com/x", "[URL]"),
    ("www.", "www."),
    ("in and/or out, 24/7, config.toml/x", "in and/or out, 24/7, config.toml/x"),
    ("DE89 3704 0044 0532 0130 00", "[IBAN]"),
    ("DE89370400440532013000,", "[IBAN],"),
    ("gb29 nwbk 6016 1331 9268 19 please", "[IBAN] please"),
    ("MT84 MALT 0110 0001 2345 MTLC AST0 01S", "[IBAN]"),
    ("NO93-8601-1117-947", "[IBAN]"),
    ("GB83 WEST 1234 5698 7654 32", "GB83 WEST 1234 5698 7654 32"),
    ("DE89 3704", "DE89 3704"),
    ("XX89370400440532013000", "XX89370400440532013000"),
    ("DE893704004405320130001", "DE893704004405320130001"),
    ("4111 1111 1111 1111", "[CARD]"),
    ("4111-1111-1111-1111!", "[CARD]!"),
    ("4111111111111111", "[CARD]"),
    ("3782 822463 10005", "[CARD]"),
    ("378282246310005", "[CARD]"),
    ("6011 0009 9013 9424 12/27 123", "[CARD] 12/27 123"),
    ("order 55 4111 1111 1111 1111", "order 55 [CARD]"),
    ("0000 0000 0000 0000", "0000 0000 0000 0000"),
    ("1234567812345678", "1234567812345678"),
    ("build 20210204185103", "build 20210204185103"),
    ("Pack 1000.22700.1020.0", "Pack 1000.22700.1020.0"),
    ("'lou@example.com' *lou@example.com*", "'[EMAIL]' *[EMAIL]*"),
    ("[EMAIL] [PHONE] [CARD] [IBAN] [URL] [PERSON_12]", "[EMAIL] [PHONE] [CARD] [IBAN] [URL] [PERSON_12]"),
    ("", ""),
]


@pytest.mark.parametrize(("text", "expected"), MASKED)
def test_codes(text: str, expected: str) -> None:
    assert redact(text) == expected


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


def test_masks_give_code_point_offsets() -> None:
    assert masks("é 😀 lou@example.com!", ["Ann"]) == [Mask(4, 19, "[EMAIL]")]


def test_many_is_each() -> None:
    texts = [text for text, _ in NAMED]
    assert redact_many(texts, [PEOPLE] * len(texts)) == [expected for _, expected in NAMED]
    assert redact_many([], []) == []


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
    ("text", "masked"),
    [
        ("call 5551234567", True),
        ("You can reach our office on 2125550134 or by mail", True),
        ("contact us at 2125550134", True),
        ("2125550134 is my cell", True),
        ("2125550134 (mobile)", True),
        ("order 2125550134 is late", False),
        ("contact us about ticket 2125550134", False),
        ("order 2125550134 is my phone", False),
        ("2125550134 is the number of rows", False),
        ("We import 2125550134 rows", False),
    ],
)
def test_ten_bare_digits_are_a_phone_where_the_words_say_so(text: str, masked: bool) -> None:
    bare = next(word for word in text.split() if word.isdigit())
    assert redact(text) == (text.replace(bare, "[PHONE]") if masked else text)


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
