"""Which characters the bytes stand for.

In: blocks of bytes in any encoding. Out: blocks of UTF-8, with counts of what was mended.
Never guesses a character in silence: what can't be read stays marked, and its row is rejected.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

from charset_normalizer import from_bytes

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# charset-normalizer has no language measure for these; their byte pairs are measure enough.
_EAST_ASIAN = ("cp932", "shift_jis", "euc_jp", "gb18030", "gbk", "gb2312", "big5", "cp949", "euc_kr")
_SINGLE_BYTE = re.compile(r"cp125[0136]|iso8859_[2567]|koi8_[ru]|mac_(?:roman|cyrillic)|cp866")
_COHERENCE = 0.4

# An undecodable byte is carried as a lone surrogate, as surrogateescape does; 0x80 is U+DC80.
_MARK = 0xDC00
_MARKED = re.compile("[\udc00-\udcff]")
_CP1252 = {
    chr(_MARK + byte): bytes([byte]).decode("cp1252")
    for byte in range(0x80, 0x100)
    if byte not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}
# A marked character, first of all, for speed; and then what speaks against western text:
_NOT_WESTERN = re.compile(
    "[\udc80-\udcff](?:"
    # words of another script,
    "[\udc80-\udcff]{3}"
    # signs or capitals in the middle of a word: Polish in cp1250, or a Mac's accents,
    "|(?<=[A-Za-z][\udc80\udc82-\udc84\udc86-\udc89\udc8b\udc95\udc98\udc9b\udca1-\udca9])(?=[A-Za-z])"
    "|(?<=[A-Za-z][\udcac\udcae\udcaf\udcb1\udcb3\udcb5\udcb6\udcb8\udcb9\udcbc-\udcbe])(?=[A-Za-z])"
    "|(?<=[a-z][\udc8a\udc8c\udc8e\udc9f\udcc0-\udcd6\udcd8-\udcde])(?=[a-z])"
    # a thorn at the end of a word: no Icelandic word has one, but in cp1254 it is a Turkish s.
    "|(?<=[a-z]\udcfe)(?![a-z\udc80-\udcff])"
    ")"
)


def _mark(error: UnicodeError) -> tuple[str, int]:
    """Carry undecodable bytes on as marks; works for two-byte encodings, as surrogateescape doesn't."""
    assert isinstance(error, UnicodeDecodeError)
    wrong = error.object[error.start : error.end]
    return "".join(chr(_MARK + byte) for byte in wrong), error.end


codecs.register_error("classifier.mark", _mark)


@dataclass(frozen=True)
class Encoding:
    """`mend`: read bytes that aren't UTF-8 as cp1252, where that makes sense."""

    name: str
    mend: bool = False


UTF8 = Encoding("utf-8", mend=True)


class Decoder:
    """Turns the blocks of one input into UTF-8 and counts what it had to mend."""

    def __init__(self, encoding: Encoding) -> None:
        self.encoding = encoding
        self.mended_lines = 0
        self.nuls = 0

    def utf8(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the text as UTF-8, without byte order mark and NULs.

        Bytes that can't be decoded stay marked.
        """
        first = True
        for text in self._transcoded(blocks):
            block = text.removeprefix(codecs.BOM_UTF8) if first else text
            first = first and not text
            # Whether there is one is told many times as quickly as how many there are.
            if b"\0" in block:
                self.nuls += block.count(b"\0")
                block = block.replace(b"\0", b"")
            if block:
                yield block

    def clean(self, block: bytes) -> tuple[bytes, int] | None:
        """Return whole lines as valid UTF-8 and how many were mended, or None if one can't be read.

        Doesn't count what it mended: the caller may yet read the lines another way.
        """
        try:
            block.decode()
        except UnicodeDecodeError:
            text = self.marked(block)
            fixed = self._fixed(text)
            return None if fixed is None else (fixed.encode(), len(_marked_lines(text)))
        return block, 0

    def marked(self, line: bytes) -> str:
        """Decode, with marks where bytes are no UTF-8."""
        return line.decode("utf-8", "surrogateescape")

    def mended(self, text: str) -> str | None:
        """Return marked text without its marks, or None if it can't be read with certainty."""
        if not _MARKED.search(text):
            return text
        fixed = self._fixed(text)
        if fixed is not None:
            self.mended_lines += 1
        return fixed

    def notes(self) -> list[str]:
        """Say what was mended so far."""
        notes = []
        if self.mended_lines:
            many = self.mended_lines > 1
            notes.append(
                f"encoding: {self.mended_lines} {'lines are' if many else 'line is'} not UTF-8 and "
                f"{'were' if many else 'was'} read as cp1252; --encoding forces one"
            )
        if self.nuls:
            notes.append(f"{self.nuls} NUL byte{'s' if self.nuls > 1 else ''} removed")
        return notes

    def _transcoded(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        if self.encoding.name == "utf-8":
            yield from blocks
            return
        decoder = codecs.getincrementaldecoder(self.encoding.name)(errors="classifier.mark")
        for block in blocks:
            yield decoder.decode(block).encode("utf-8", "surrogatepass")
        yield decoder.decode(b"", final=True).encode("utf-8", "surrogatepass")

    def _fixed(self, text: str) -> str | None:
        if not self.encoding.mend or _NOT_WESTERN.search(text):
            return None
        try:
            return _MARKED.sub(_western, text)
        except KeyError:
            # One of five bytes that cp1252 doesn't use.
            return None


def encoding_of(sample: bytes, forced: str) -> Encoding:
    """Find the encoding of text from its start.

    UTF-8 where it can be; bytes that aren't are read as cp1252 line by line, unless most such
    lines speak against it and another encoding is recognised.
    """
    if forced:
        return Encoding("utf-8" if codecs.lookup(forced).name in ("utf-8", "utf-8-sig") else forced)
    for bom, name in _BOMS:
        if sample.startswith(bom):
            return Encoding(name, mend=name == "utf-8")
    if wide := _utf16_without_bom(sample):
        return Encoding(wide)
    text = sample[: sample.rfind(b"\n") + 1 or None].decode("utf-8", "surrogateescape")
    lines = _marked_lines(text)
    foreign = sum(1 for line in lines if _NOT_WESTERN.search(line))
    # Where other lines are good UTF-8, the file is mixed, and no one encoding reads it.
    good = sum(1 for line in text.split("\n") if not line.isascii() and not _MARKED.search(line))
    mixed = good * 4 > len(lines)
    if foreign * 4 > len(lines) and not mixed:
        name = _recognised("\n".join(lines).encode("utf-8", "surrogateescape"))
        if name:
            return Encoding(name)
    return UTF8


def _marked_lines(text: str) -> list[str]:
    return [line for line in text.split("\n") if not line.isascii() and _MARKED.search(line)]


def _western(match: re.Match[str]) -> str:
    return _CP1252[match[0]]


def _utf16_without_bom(sample: bytes) -> str:
    """Western text in UTF-16 has a zero in every other byte."""
    head = sample[: 4096 & ~1]
    if len(head) < 8:
        return ""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = len(head) // 2
    if odd > half * 0.4 and even < half * 0.05:
        return "utf-16-le"
    return "utf-16-be" if even > half * 0.4 and odd < half * 0.05 else ""


def _recognised(lines: bytes) -> str:
    """Ask charset-normalizer about lines that are neither UTF-8 nor western."""
    best = from_bytes(lines[: 1 << 16]).best()
    if best is None:
        return ""
    name = "mac_roman" if "mac_roman" in best.could_be_from_charset else best.encoding
    sure = _SINGLE_BYTE.fullmatch(name) and best.coherence >= _COHERENCE
    return name if sure or name in _EAST_ASIAN else ""
