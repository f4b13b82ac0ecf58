"""The notice at the head of a source file: the first comments of it, where they speak of a licence."""

from __future__ import annotations

import re

import msgspec

from cupola.corpus.edits.base import Edited, cut

_SPEAKS = re.compile(
    r"copyright|licen[sc]e|spdx-|all rights reserved|permission is hereby granted|redistribut|without warranty"
    r"|©|\(c\) \d{4}"
    r"|版权|版權|许可",
    re.I,
)
_BEFORE = re.compile(r"(?:\ufeff?#![^\n]*\n|<\?(?:xml|php)[^\n]*\n|[^\S\n]*#[^\n]*coding[:=][^\n]*\n|\s*\n)*")
_BLOCK = re.compile(r"[^\S\n]*(?:/\*.*?\*/|<!--.*?-->|\(\*.*?\*\)|\{-.*?-\})[^\S\n]*\n?", re.S)
_LINE = re.compile(r"(?:[^\S\n]*(?://|#(?!!)|--|;|%|\"|')[^\n]*(?:\n|\Z))+")
MOST_CHARS = 20_000


class Licence(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="edit", tag="licence-header"):
    """The comments at the head of a file go that speak of a licence or a copyright; a first line for the shell, an
    encoding, and the comments behind stay."""

    def apply(self, text: str) -> Edited | None:
        before = _BEFORE.match(text)
        at = start = before.end() if before else 0
        while at < MOST_CHARS:
            found = _BLOCK.match(text, at) or _LINE.match(text, at)
            if found is None or not _SPEAKS.search(found.group()):
                break
            at = found.end()
            while at < len(text) and text[at] in "\r\n":
                at += 1
        return cut(text, [(start, at)])
