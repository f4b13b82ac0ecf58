"""Text that was decoded as what it is not, put right where that can be told (R. Speer, ftfy, 2019)."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from cupola.corpus.edits.base import Edited
from cupola.corpus.extras import module

# A first byte of UTF-8 read as Latin-1 or as a Windows code page, and what then follows it. Without one of these there
# is nothing to repair, and ftfy, which is slow, is not asked.
_FLAG = re.compile(
    "[\u00c2-\u00f4\u0102\u0103\u0413-\u0420\u0432\u0440][\u0080-\u00bf\u0152-\u0178\u02c6\u02dc\u2013-\u203a\u20ac\u2122]"
)
_GBK_FLAG = re.compile("[锛鐨銆鍦鏄閿]")  # "，", "的", "。", "在", "是" of UTF-8 read as GBK


class Unicode(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="edit", tag="unicode"):
    """Characters of a wrong encoding become the right ones; control characters but tabs and line ends go. controls:
    whether they do."""

    controls: bool = True

    def apply(self, text: str) -> Edited | None:
        found = text
        if _FLAG.search(text):
            ftfy: Any = module("ftfy", "refinery")
            found = ftfy.fix_encoding(text)
        elif len(_GBK_FLAG.findall(text[:4000])) * 20 > len(text[:4000]):
            found = _from_gbk(text)
        if self.controls:
            found = _CONTROLS.sub("", found)
        return None if found == text else Edited(found)


_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufeff\ufffe\uffff]")


def _from_gbk(text: str) -> str:
    """UTF-8 that was read as GBK, where no byte was lost; otherwise the text as it is."""
    try:
        return text.encode("gb18030").decode("utf-8")
    except UnicodeError:
        return text
