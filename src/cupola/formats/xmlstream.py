"""XML documents larger than memory: wanted elements one after another, with their lines."""

from __future__ import annotations

import codecs
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from cupola.formats.report import Report
from cupola.formats.tree import Files, text_of, whole
from cupola.kernel.errors import Problem, invalid

PART_BYTES = 1 << 18
MOST_DEPTH = 100
_declared = re.compile(rb"""^<\?xml[^>]*encoding\s*=\s*["']([A-Za-z0-9._-]+)""")
_KNOWN = ("utf-8", "utf8", "utf-16", "us-ascii", "ascii", "iso-8859-1")


@dataclass(slots=True)
class Element:
    """tag, attributes, text before its first child, children; line: where it begins, from 1."""

    tag: str
    attributes: dict[str, str]
    line: int
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def all(self, tag: str) -> list[Element]:
        return [one for one in self.children if one.tag == tag]

    def first(self, tag: str) -> Element | None:
        return next((one for one in self.children if one.tag == tag), None)

    def said(self, *path: str) -> str:
        """The text at the end of a path of tags; "" where there is none."""
        here: Element | None = self
        for tag in path:
            here = here.first(tag) if here is not None else None
        return here.text.strip() if here is not None else ""


class _Builder:
    def __init__(self, wanted: Collection[str], parser: Any) -> None:
        self.wanted, self.parser = wanted, parser
        self.stack: list[Element] = []  # of the wanted element that is open
        self.depth = 0
        self.done: list[Element] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > MOST_DEPTH:
            raise ValueError(f"it nests deeper than {MOST_DEPTH} levels")
        if self.stack or tag in self.wanted:
            one = Element(tag, attributes, self.parser.CurrentLineNumber)
            if self.stack:
                self.stack[-1].children.append(one)
            self.stack.append(one)

    def end(self, tag: str) -> None:
        self.depth -= 1
        if self.stack:
            one = self.stack.pop()
            if not self.stack:
                self.done.append(one)

    def words(self, data: str) -> None:
        if self.stack and not self.stack[-1].children:
            self.stack[-1].text += data

    def entity(self, name: str, *_: Any) -> None:
        raise ValueError(f"it declares the entity {name!r}, which is not read")


def elements(files: Files, name: str, report: Report, *wanted: str) -> Iterator[Element]:
    """Each wanted element, whole, as it ends; one within another belongs to it.

    Raises Problem (INVALID) with the file and the line where it is no XML.
    """
    with files.open(name) as stream:
        start = stream.read(256)
    found = _declared.match(start.removeprefix(codecs.BOM_UTF8))
    told = found.group(1).decode().lower() if found else ""
    parser = expat.ParserCreate("utf-8" if told and told not in _KNOWN else None)
    parser.buffer_text = True
    builder = _Builder(wanted, parser)
    parser.StartElementHandler, parser.EndElementHandler = builder.start, builder.end
    parser.CharacterDataHandler, parser.EntityDeclHandler = builder.words, builder.entity

    def wrong(what: object) -> Problem:
        line = parser.CurrentLineNumber
        return invalid(
            "xml-malformed",
            f"{name}, line {line}: {what}.",
            place=f"{name}:{line}",
            remedy="The file is cut off or damaged: export it again.",
        )

    try:
        for part in _parts(files, name, told, report):
            parser.Parse(part, False)
            yield from builder.done
            builder.done.clear()
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        if "not well-formed" in str(error) and not told and _is_no_utf8(files, name):
            # an old tool that writes its system's encoding and does not say so
            yield from _again(files, name, report, wanted, builder)
            return
        raise wrong(expat.errors.messages.get(error.code, str(error))) from None
    except (ValueError, LookupError) as error:
        raise wrong(error) from None
    yield from builder.done


def _parts(files: Files, name: str, told: str, report: Report) -> Iterator[bytes]:
    if told and told not in _KNOWN:
        decode = codecs.getincrementaldecoder("gb18030" if told in ("gbk", "gb2312") else told)()
        with files.open(name) as stream:
            while part := stream.read(PART_BYTES):
                yield decode.decode(part).encode()
        return
    with files.open(name) as stream:
        while part := stream.read(PART_BYTES):
            yield part


def _is_no_utf8(files: Files, name: str) -> bool:
    try:
        whole(files, name).decode("utf-8-sig")
    except UnicodeDecodeError:
        return True
    except Problem:
        return False
    return False


def _again(files: Files, name: str, report: Report, wanted: Collection[str], before: _Builder) -> Iterator[Element]:
    if before.done:
        return
    text = text_of(whole(files, name), name, report)
    parser = expat.ParserCreate("utf-8")
    builder = _Builder(wanted, parser)
    parser.StartElementHandler, parser.EndElementHandler = builder.start, builder.end
    parser.CharacterDataHandler, parser.EntityDeclHandler = builder.words, builder.entity
    try:
        parser.Parse(text.encode(), True)
    except (expat.ExpatError, ValueError) as error:
        line = parser.CurrentLineNumber
        raise invalid("xml-malformed", f"{name}, line {line}: {error}.", place=f"{name}:{line}") from None
    yield from builder.done
