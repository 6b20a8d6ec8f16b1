"""Encodings: never mojibake, never a replacement character in silence."""

import pytest
from reading import read, write

from classifier.errors import InputError
from classifier.read.encoding import encoding_of

WESTERN = "Der Käufer möchte größere Dateien – „schnell“ für 5 €, l’été, señor, ¿qué?"
POLISH = "Aplikacja często się zawiesza, proszę o poprawę, że źle działa jeżdżenie"
RUSSIAN = "Приложение очень медленно работает и часто зависает, не могу войти"
JAPANESE = "アプリがとても遅いです。ログインできません。昨日から何度も試しました"


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8", WESTERN),
        ("utf-8-sig", WESTERN),
        ("utf-16", WESTERN),
        ("utf-16-le", WESTERN),
        ("utf-16-be", WESTERN),
        ("utf-32", WESTERN),
        ("cp1252", WESTERN),
        ("latin-1", "Où est le bouton ? Ça ne marche pas à l'école, été Ärger"),
        ("mac_roman", "Le bouton n’est plus là après la mise à jour. C’est très gênant"),
        ("cp1250", POLISH),
        ("cp1251", RUSSIAN),
        ("cp932", JAPANESE),
        ("utf-8", "😀 " + JAPANESE),
    ],
)
def test_the_encoding_is_found(tmp_path, encoding, text):
    content = "id,text\n1,plain words only\n" + "".join(f'{i},"{text}"\n' for i in range(2, 8))
    result = read(write(tmp_path / "a.csv", content.encode(encoding)))
    assert result.column("body") == ["plain words only", *[text] * 6]
    assert result.reasons == []


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16", "utf-8-sig"])
def test_json_and_json_lines_are_decoded_too(tmp_path, encoding):
    line = f'{{"id": 1, "text": "{WESTERN}"}}'
    lines = read(write(tmp_path / "a", f"{line}\n{line}\n".encode(encoding)))
    document = read(write(tmp_path / "b", f"[{line},\n{line}]".encode(encoding)))
    assert lines.column("body") == document.column("body") == [WESTERN] * 2


def test_a_mixed_file_is_mended_line_by_line_and_told(tmp_path):
    good, bad = "1,Käse ist schön\n".encode(), "2,Käse für Frösche\n".encode("cp1252")
    both = "3,Käse ".encode() + "Frösche\n".encode("cp1252")
    result = read(write(tmp_path / "a.csv", b"id,text\n" + good + bad + both))
    assert result.column("body") == ["Käse ist schön", "Käse für Frösche", "Käse Frösche"]
    assert "2 lines are not UTF-8 and were read as cp1252; --encoding forces one" in result.said


def test_a_row_in_no_certain_encoding_is_rejected_not_garbled(tmp_path):
    rows = [f"{i},schöne Grüße\n".encode() for i in range(9)]
    rows.insert(4, b'x,"' + RUSSIAN.encode("koi8-r") + b'"\n')
    result = read(write(tmp_path / "a.csv", b"id,text\n" + b"".join(rows)))
    assert result.column("body") == ["schöne Grüße"] * 9
    assert result.rejected[["row", "document_id"]].values.tolist() == [[5, "x"]]
    assert "--encoding" in result.reasons[0][1]


def test_bytes_that_no_western_encoding_has_reject_their_row(tmp_path):
    result = read(write(tmp_path / "a.csv", b"id,text\n1,sch\xf6n\n2,a\x81b\n"))
    assert result.column("body") == ["schön"]
    assert [row for row, _ in result.reasons] == [2]


def test_json_in_no_certain_encoding_is_an_error(tmp_path):
    content = (
        '[{"id": 1, "text": "schöne Grüße"},'.encode() + b'{"text": "' + RUSSIAN.encode("koi8-r") + b'"}]'
    )
    with pytest.raises(InputError, match=r"not UTF-8.*--encoding"):
        read(write(tmp_path / "a.json", content))


def test_a_json_line_in_no_certain_encoding_is_rejected(tmp_path):
    good = '{"id": 1, "text": "schöne Grüße"}\n'.encode()
    bad = b'{"id": 2, "text": "' + RUSSIAN.encode("koi8-r") + b'"}\n'
    result = read(write(tmp_path / "a.jsonl", good * 3 + bad))
    assert [row for row, _ in result.reasons] == [4]
    assert result.column("body") == ["schöne Grüße"] * 3


def test_a_forced_encoding_wins_and_rejects_what_it_cannot_read(tmp_path):
    path = write(tmp_path / "a.csv", b"id,text\n1,caf\xe9\n2,caf\xc3\xa9\n")
    assert read(path, encoding="cp1252").column("body") == ["café", "cafÃ©"]
    forced = read(path, encoding="utf-8")
    assert forced.column("body") == ["café"]
    assert [row for row, _ in forced.reasons] == [1]


def test_an_undecodable_byte_of_a_two_byte_encoding_costs_its_row(tmp_path):
    content = b"id,text\n1," + JAPANESE.encode("cp932") + b"\n2,\x81\x20bad\n3,fine\n"
    result = read(write(tmp_path / "a.csv", content), encoding="cp932")
    assert result.column("body") == [JAPANESE, "fine"]
    assert [row for row, _ in result.reasons] == [2]


@pytest.mark.parametrize("name", ["utf-9", "base64"])
def test_an_unknown_encoding_is_refused(tmp_path, name):
    with pytest.raises(InputError, match=f"'{name}' is unknown; try utf-8"):
        read(write(tmp_path / "a.csv", "id,text\n"), encoding=name)


def test_a_sample_that_ends_inside_a_character_is_still_utf_8():
    sample = ("id,text\n1,abc\n2," + "é" * 50).encode()
    assert encoding_of(sample[:-1], "").name == "utf-8"


def test_texts_are_composed_and_line_ends_are_plain(tmp_path):
    path = write(tmp_path / "a.csv", 'id,text\r\n1,"Cafe\u0301 one\r\ntwo"\r\n2,plain\r\n')
    assert read(path).column("body") == ["Café one\ntwo", "plain"]


def test_halves_of_surrogate_pairs_and_escaped_nuls_are_no_text(tmp_path):
    path = write(tmp_path / "a.jsonl", '{"text": "a\\ud83db\\u0000c"}\n{"text": "😀"}\n')
    assert read(path).column("body") == ["abc", "😀"]
