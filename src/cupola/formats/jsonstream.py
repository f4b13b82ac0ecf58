"""JSON documents larger than memory: the members of the outermost object, and of its lists one after another."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from typing import Any

from cupola.formats.report import Report
from cupola.formats.tree import Files
from cupola.kernel.errors import Problem, invalid

PART_CHARS = 1 << 18
MOST_VALUE_CHARS = 256 * 1024 * 1024
_decoder = json.JSONDecoder()
_BLANK = " \t\r\n"


class _Text:
    """A window of a stream of text."""

    def __init__(self, files: Files, name: str, report: Report) -> None:
        self.name = name
        self._stream = files.open(name)
        start = self._stream.read(4)
        utf16 = start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        self._decode: codecs.IncrementalDecoder = codecs.getincrementaldecoder("utf-16" if utf16 else "utf-8-sig")()
        self._report = report
        self._guessed = utf16
        self._held = start  # not decoded yet
        self.text = ""
        self.at = 0
        self._lines = 1  # of what was let go
        self.ended = False
        self.more()

    def close(self) -> None:
        self._stream.close()

    def more(self) -> bool:
        """Read on; False at the end."""
        if self.ended:
            return False
        raw = self._held + self._stream.read(PART_CHARS)
        self._held = b""
        self.ended = len(raw) < PART_CHARS
        try:
            added = self._decode.decode(raw, self.ended)
        except UnicodeDecodeError:
            if self._guessed:
                raise self.wrong("the text is neither UTF-8 nor GB 18030") from None
            self._guessed = True
            self._decode = codecs.getincrementaldecoder("gb18030")()
            self._report.drop("encoding-guessed", f"{self.name} (GB 18030)")
            try:
                added = self._decode.decode(raw, self.ended)
            except UnicodeDecodeError:
                raise self.wrong("the text is neither UTF-8 nor GB 18030") from None
        self._lines += self.text.count("\n", 0, self.at)
        self.text = self.text[self.at :] + added
        self.at = 0
        return True

    @property
    def line(self) -> int:
        return self._lines + self.text.count("\n", 0, self.at)

    def wrong(self, what: str) -> Problem:
        return invalid(
            "json-malformed",
            f"{self.name}, line {self.line}: {what}.",
            place=f"{self.name}:{self.line}",
            remedy="The file is cut off or damaged: export it again.",
        )

    def char(self) -> str:
        """The next character that is no blank, without taking it; "" at the end."""
        while True:
            while self.at < len(self.text):
                if self.text[self.at] not in _BLANK:
                    return self.text[self.at]
                self.at += 1
            if not self.more():
                return ""

    def take(self, wanted: str) -> None:
        found = self.char()
        if found != wanted:
            raise self.wrong(f"{wanted!r} is expected, there is {found!r}" if found else "the file ends too early")
        self.at += 1

    def value(self) -> Any:
        """The next value, whole."""
        self.char()
        while True:
            try:
                found, end = _decoder.raw_decode(self.text, self.at)
            except (json.JSONDecodeError, RecursionError) as error:
                told = str(getattr(error, "msg", "it nests too deep"))
                # what is wrong well before the end of the window is wrong for good
                where = getattr(error, "pos", 0)
                if where < len(self.text) - 64 and not told.startswith("Unterminated"):
                    self.at = max(self.at, where)
                    raise self.wrong(told) from None
                if len(self.text) - self.at > MOST_VALUE_CHARS:
                    raise self.wrong("one value is longer than is read") from None
                if not self._grow():
                    self.at = max(self.at, where)
                    raise self.wrong(f"the file ends too early ({told})") from None
            else:
                if end == len(self.text) and not self.ended and found.__class__ in (int, float):
                    self.more()  # a number may go on
                    continue
                self.at = end
                return found

    def _grow(self) -> bool:
        """Read at least as much again as is held, so that a long value costs no square of its length."""
        wanted = 2 * (len(self.text) - self.at)
        grown = False
        while self.more():
            grown = True
            if len(self.text) >= wanted:
                break
        return grown


def members(files: Files, name: str, report: Report) -> Iterator[tuple[str, Any, int]]:
    """(key, value, line) of the outermost object; of a member that is a list each of its entries. A document that is a
    list itself has the key "". An empty list is told nothing of.

    Raises Problem (INVALID) with the file and the line where it is no JSON.
    """
    text = _Text(files, name, report)
    try:
        first = text.char()
        if first == "[":
            yield from _entries(text, "")
        elif first == "{":
            text.take("{")
            if text.char() == "}":
                text.take("}")
            else:
                while True:
                    key = text.value()
                    if not isinstance(key, str):
                        raise text.wrong("a member has no name")
                    text.take(":")
                    if text.char() == "[":
                        yield from _entries(text, key)
                    else:
                        line = text.line
                        yield key, text.value(), line
                    if text.char() != ",":
                        break
                    text.take(",")
                text.take("}")
        elif first:
            raise text.wrong("the file is no JSON object or list")
        else:
            raise text.wrong("the file is empty")
        if text.char():
            raise text.wrong("something follows the end of the document")
    finally:
        text.close()


def _entries(text: _Text, key: str) -> Iterator[tuple[str, Any, int]]:
    text.take("[")
    if text.char() == "]":
        text.take("]")
        return
    while True:
        text.char()
        line = text.line
        yield key, text.value(), line
        if text.char() != ",":
            break
        text.take(",")
    text.take("]")
