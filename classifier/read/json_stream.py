"""JSON documents element by element.

In: blocks of UTF-8. Out: the elements of the lists in the document, one after the other. Never
holds the whole document, unless it is one element.
"""

import codecs
import json
from collections.abc import Iterator
from typing import Any

from classifier.errors import InputError
from classifier.read.encoding import Decoder
from classifier.read.opening import BrokenStreamError

_SPACE = " \t\n\r"
# A broken element is told from an unfinished one by how far from the end the parser stopped.
_UNFINISHED = 64


class JsonStream:
    """Reads one JSON document.

    Parameters
    ----------
    blocks
        The document's bytes, as UTF-8: an object or a list.
    decoder
        Mends and counts what isn't UTF-8.
    name
        Of the file, for errors.
    """

    def __init__(self, blocks: Iterator[bytes], decoder: Decoder, *, name: str) -> None:
        self._texts = _texts(blocks, decoder, name)
        self._name = name
        # Not strict: some exporters leave raw line ends inside texts.
        self._parser = json.JSONDecoder(strict=False)
        self._text = ""
        self._at = 0
        self._line = 1
        self._column = 1

    def elements(self) -> Iterator[tuple[str, int, Any]]:
        """Yield (name of the list, 1-based place in it, element).

        A list at the top has the empty name. A value at the top that is no list, or an empty
        one, has the place 0.

        Raises
        ------
        InputError
            If it is no JSON: with line and column, after the elements before that.
        """
        yield from self._list("") if self._peek() == "[" else self._members()
        if self._peek():
            raise self._error("more text after the end of the document; one JSON value per line is read too")

    def _members(self) -> Iterator[tuple[str, int, Any]]:
        for _ in self._separated("}"):
            key = self._value()
            if not isinstance(key, str) or self._peek() != ":":
                raise self._error("a name in quotes and a colon are expected")
            self._at += 1
            if self._peek() == "[":
                yield from self._list(key)
            else:
                yield key, 0, self._value()

    def _list(self, name: str) -> Iterator[tuple[str, int, Any]]:
        place = 0
        for place in self._separated("]"):
            yield name, place, self._value()
        if not place:
            yield name, 0, []

    def _separated(self, closing: str) -> Iterator[int]:
        """Step over the opening bracket, the commas and the closing one; count what is between."""
        self._at += 1
        place = 0
        while (char := self._peek()) != closing:
            if place:
                if char != ",":
                    raise self._error(f"a comma or {closing} is expected; the file may be cut off")
                self._at += 1
                self._peek()
            place += 1
            yield place
        self._at += 1

    def _peek(self) -> str:
        """Return the next character that isn't space; empty at the end."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in _SPACE:
                    return self._text[self._at]
                self._at += 1
            if not self._more():
                return ""

    def _value(self) -> Any:
        while True:
            try:
                value, end = self._parser.raw_decode(self._text, self._at)
            except RecursionError:
                raise self._error("nested too deeply") from None
            except json.JSONDecodeError as error:
                unfinished = error.pos >= len(self._text) - _UNFINISHED or error.msg.startswith(
                    "Unterminated"
                )
                if not unfinished or not self._more():
                    raise self._error(_plain_words(error.msg), error.pos) from None
            except ValueError:
                raise self._error("a number of thousands of digits") from None
            else:
                # A number at the very end may go on in the next block.
                if end < len(self._text) or not self._more():
                    self._at = end
                    return value

    def _more(self) -> bool:
        """Read on, at least as much again as there is: an element of any size is parsed a few times only."""
        part = next(self._texts, "")
        if not part:
            return False
        self._forget()
        parts = [self._text]
        size = 0
        while part:
            parts.append(part)
            size += len(part)
            part = next(self._texts, "") if size < len(self._text) else ""
        self._text = "".join(parts)
        return True

    def _forget(self) -> None:
        self._line, self._column = self._position(self._at)
        self._text, self._at = self._text[self._at :], 0

    def _position(self, at: int) -> tuple[int, int]:
        lines = self._text.count("\n", 0, at)
        if lines:
            return self._line + lines, at - self._text.rfind("\n", 0, at)
        return self._line, self._column + at

    def _error(self, what: str, at: int | None = None) -> InputError:
        line, column = self._position(self._at if at is None else at)
        return InputError(
            f"{self._name}: broken JSON at line {line}, column {column}: {what}; "
            "export the file again, or mend that place"
        )


def _texts(blocks: Iterator[bytes], decoder: Decoder, name: str) -> Iterator[str]:
    """Decode block by block, though characters may lie across."""
    incremental = codecs.getincrementaldecoder("utf-8")(errors="surrogateescape")
    try:
        for block in blocks:
            if text := _mended(incremental.decode(block), decoder, name):
                yield text
    except BrokenStreamError as error:
        raise InputError(f"{name}: {error}; fetch it again") from error
    yield _mended(incremental.decode(b"", final=True), decoder, name)


def _mended(text: str, decoder: Decoder, name: str) -> str:
    if text.isascii():
        return text
    cleaned = decoder.clean(text.encode("utf-8", "surrogateescape"))
    if cleaned is None:
        raise InputError(f"{name}: not UTF-8, and no other encoding is certain; give --encoding")
    decoder.mended_lines += cleaned[1]
    return cleaned[0].decode()


def _plain_words(message: str) -> str:
    if message.startswith("Unterminated string"):
        return "a text that starts here is never closed; the file may be cut off"
    if message == "Expecting value":
        return "a value is expected; the file may be cut off"
    return message[0].lower() + message[1:]


def lenient_value(text: str) -> Any:
    """Parse one JSON value; raw line ends inside texts, NaN and lone surrogates pass.

    Raises
    ------
    ValueError
        If it is no JSON.
    RecursionError
        If it is nested too deeply.
    """
    return json.loads(text, strict=False)
