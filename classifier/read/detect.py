"""Which format a file has, by its content.

In: an input. Out: the name of its format and its encoding. Never looks at the file's name.
"""

import json
import re
import zipfile
from dataclasses import dataclass

from classifier.errors import InputError
from classifier.read.encoding import UTF8, Decoder, Encoding, encoding_of
from classifier.read.opening import BrokenStreamError, Input, blocks, compression_of, first_bytes, sample

SAMPLE = 1 << 20
"""Bytes from the start of a text file that decide how it is read."""

# Start of the file -> what it is. Longer and rarer ones first.
_FOREIGN: tuple[tuple[bytes, str], ...] = (
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"RIFF", "a sound, film or WebP file"),
    (b"OggS", "a sound file"),
    (b"ID3\x03", "a sound file"),
    (b"ID3\x04", "a sound file"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a Windows program"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\xfd7zXZ", "xz data"),
    (b"BZh9", "bzip2 data"),
    (b"ARROW1", "an Arrow (Feather) file"),
    (b"Obj\x01", "an Avro file"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x80\x02", "a Python pickle"),
    (b"\x80\x03", "a Python pickle"),
    (b"\x80\x04", "a Python pickle"),
    (b"\x80\x05", "a Python pickle"),
    (b"{\\rtf", "an RTF document"),
)
_PARQUET, _ZIP = b"PAR1", b"PK\x03\x04"
WHOLE_FILES = (_PARQUET, _ZIP)
"""Starts of files that can't be read as they are unpacked, from the front."""
_LARGE_MEMBER = 1 << 30
_PACKED_BY = 200
"""Bytes of one file of an archive, and how many times smaller it is packed: no workbook is like that."""

_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_MAIL_FIELD = re.compile(
    rb"(?:from|to|subject|date|message-id|received|return-path|delivered-to|mime-version|content-type"
    rb"|x-[a-z-]+): ",
    re.IGNORECASE,
)
_CONTROL = re.compile(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f]")
# Some control characters are slips; many are no text.
_STRANGE = 8
_READS = "classifier reads CSV, TSV, JSON, JSON Lines, Parquet and XLSX (`classifier sources`)"


@dataclass(frozen=True)
class Found:
    """What an input is: `format` is empty where the file is."""

    format: str
    compression: str = ""
    encoding: Encoding = UTF8
    # The start of a text file, as UTF-8.
    sample: bytes = b""


def detect(source: Input, *, encoding: str = "") -> Found:
    """Find the format, compression and encoding of an input.

    Parameters
    ----------
    source
        The input; its name is used in errors only.
    encoding
        Encoding of the text that the user forces; empty: find it.

    Raises
    ------
    InputError
        If the content is of a kind that can't be read; the message says what it looks like.
    """
    head = first_bytes(source, 8192)
    if not head:
        return Found("")
    compression = compression_of(source)
    start = sample(source, SAMPLE) if compression else head
    if not start:
        _refuse_broken(source)
    binary = _binary_format(source, start)
    if binary:
        return Found(binary)
    if not compression:
        start = sample(source, SAMPLE)
    return _text(source, start, compression, encoding)


def _refuse_broken(source: Input) -> None:
    try:
        for _ in blocks(source):
            pass
    except BrokenStreamError as error:
        raise InputError(f"{source.name}: {error}; fetch it again") from error


def _binary_format(source: Input, head: bytes) -> str:
    if head.startswith(_PARQUET):
        return "parquet"
    if head.startswith(_ZIP):
        return _zip_format(source)
    if head.startswith(_OLD_OFFICE):
        raise InputError(_old_office(source))
    for magic, what in _FOREIGN:
        if head.startswith(magic):
            raise InputError(f"{source.name}: looks like {what}, which holds no rows; {_READS}")
    return ""


def _zip_format(source: Input) -> str:
    try:
        with zipfile.ZipFile(source.path) as archive:
            names = archive.namelist()
            bomb = any(
                each.file_size > _LARGE_MEMBER and each.file_size > _PACKED_BY * each.compress_size
                for each in archive.infolist()
            )
    except (zipfile.BadZipFile, OSError):
        raise InputError(
            f"{source.name}: a damaged or cut-off XLSX file or zip archive; export it again"
        ) from None
    if bomb:
        raise InputError(
            f"{source.name}: unpacks to more than {_PACKED_BY} times its size, as zip bombs do; "
            "if it is none, save it as .csv"
        )
    if any(name.startswith("xl/") for name in names):
        return "xlsx"
    raise InputError(f"{source.name}: a zip archive of {len(names)} file(s); unpack it and name the files")


def _old_office(source: Input) -> str:
    # The name lies in the directory, which may be anywhere in the file.
    tail, encrypted = b"", False
    for block in blocks(source):
        encrypted = encrypted or _ENCRYPTED in tail + block
        tail = block[-len(_ENCRYPTED) :]
    if encrypted:
        return f"{source.name}: a spreadsheet protected by a password; save it without one"
    return f"{source.name}: looks like an old Office file (.xls, .doc); save it as .xlsx or .csv"


def _text(source: Input, start: bytes, compression: str, forced: str) -> Found:
    encoding = encoding_of(start, forced)
    decoder = Decoder(encoding)
    text = b"".join(decoder.utf8(iter([start])))
    strange = len(_CONTROL.findall(text[:65536])) + decoder.nuls
    if strange > _STRANGE and strange * 20 > min(len(text), 65536) + decoder.nuls:
        raise InputError(f"{source.name}: looks like a binary file, not text; {_READS}")
    body = text.lstrip()
    if not body:
        return Found("", compression, encoding)
    if re.match(rb"<(?:!doctype html|html|\?xml)", body[:64], re.IGNORECASE):
        raise InputError(f"{source.name}: looks like an HTML or XML page, not an export; {_READS}")
    if _is_mail(body):
        raise InputError(
            f"{source.name}: looks like mails (.eml, .mbox); export them as a table or as JSON; {_READS}"
        )
    return Found(_text_format(source, body, encoding), compression, encoding, text)


def _is_mail(body: bytes) -> bool:
    """Tell a mail, or a mailbox of them, by the fields that it begins with."""
    lines = body[:2048].split(b"\n")[:6]
    mailbox = re.match(rb"From \S+ .*\d{4}\s*$", lines[0]) is not None
    # Their values may go on in lines that begin with a blank.
    fields = [line for line in lines[mailbox:] if line[:1] not in (b" ", b"\t")]
    return len(fields) > 1 and all(map(_MAIL_FIELD.match, fields[:2]))


def _text_format(source: Input, body: bytes, encoding: Encoding) -> str:
    if re.match(rb'\[\s*(?:[{\["\]\d-]|null\b|$)', body):
        return "json"
    lines = [line for line in body.split(b"\n")[:21] if line.strip()]
    whole = lines[:-1] if len(lines) > 20 or len(body) >= SAMPLE // 2 else lines
    if not body.startswith(b"{"):
        return "jsonl" if _follow_objects(whole) else "csv"
    if len(lines) == 1:
        return _one_long_line(source, encoding)
    # Nothing follows the one object of a JSON document; and a first line may be a broken row.
    good = [_is_object(line) for line in whole]
    return "jsonl" if good[0] or (good[-1] and sum(good) * 2 >= len(good)) else "json"


def _follow_objects(lines: list[bytes]) -> bool:
    """Tell JSON Lines whose first line is broken from a table with a column of JSON: no cell is beside it."""
    good = [_is_object(line) for line in lines[1:]]
    return len(good) > 1 and all(good) and b":" in lines[0]


def _one_long_line(source: Input, encoding: Encoding) -> str:
    """Tell one JSON document without line ends from JSON Lines whose first line is very long."""
    ended = False
    for block in Decoder(encoding).utf8(blocks(source)):
        rest = block
        if not ended:
            ended = b"\n" in block
            rest = block.partition(b"\n")[2]
        if ended and (begin := rest.lstrip()[:1]):
            return "jsonl" if begin == b"{" else "json"
    return "json"


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line.decode("utf-8", "surrogateescape"), strict=False), dict)
    except (ValueError, RecursionError):
        return False
