"""Redaction of phones, cards, accounts and addresses: what is masked, and what is not."""

import pytest

from classifier.redact import redact

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
