"""Texts: UTF-8, or UTF-16 as some systems save it. They are kept in the item itself."""

from __future__ import annotations

import codecs

from cupola.catalog.media.base import Content, Needs, Probe, too_large
from cupola.catalog.media.magic import picture_type
from cupola.kernel import limits
from cupola.kernel.errors import Problem, invalid
from cupola.labels.places import unstorable

_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
ENDINGS = {".txt": "text/plain", ".text": "text/plain", ".md": "text/plain", ".markdown": "text/plain"}


class Text:
    name = "text"
    types = ("text/plain",)
    shown: tuple[str, ...] = ()
    endings = ENDINGS
    needs: Needs = "words"
    caged = False
    max_bytes = limits.MAX_TEXT_ITEM_BYTES

    def sniff(self, head: bytes, name: str, announced: str) -> str | None:
        """A text is what says that it is one and looks like one; what only says so is left to its own refusal."""
        says = name.lower().endswith(tuple(self.endings)) or announced in ("text/plain", "text/markdown")
        return "text/plain" if says and (_looks(head) or picture_type(head) is None) else None

    def probe(self, content: Content, media_type: str) -> Probe:
        """Raises Problem code "empty", "text-not-utf8", "text-nul" or "too-large"."""
        if content.size_bytes > self.max_bytes:
            raise too_large(content.size_bytes, self.max_bytes)
        data = content.whole()
        try:
            text = data.decode("utf-16" if data.startswith(_WIDE) else "utf-8-sig")
        except UnicodeDecodeError as error:
            raise _bad("text-not-utf8", f"Byte {error.start} is not UTF-8.", "Save the text as UTF-8.") from None
        checked = check_text(text)
        return Probe("text/plain", text=checked, characters=len(checked))

    def thumbnail(self, content: Content, side_px: int) -> bytes | None:
        return None


TEXT = Text()


def check_text(text: str) -> str:
    """A text that can be an item. Raises Problem code "empty", "text-nul", "text-half-character" or "too-large"."""
    if len(text) > limits.MAX_TEXT_ITEM_BYTES:
        raise too_large(len(text), limits.MAX_TEXT_ITEM_BYTES)
    if not text.strip():
        raise _bad("empty", "The text is empty.", "Leave it out, or send its words.")
    if "\0" in text:
        raise _bad("text-nul", "The text holds U+0000.", "Remove that character.")
    if unstorable(text):
        raise _bad(
            "text-half-character",
            "The text holds half of a surrogate pair, which is no character.",
            "Write the text again from its source.",
        )
    return text


def _looks(head: bytes) -> bool:
    """Could these be the first bytes of a text?"""
    if head.startswith(_WIDE):
        return True
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return b"\0" not in head


def _bad(code: str, detail: str, remedy: str) -> Problem:
    return invalid(code, detail, remedy=remedy)
