"""What sites put around their text: menus, notices, hints to share; by phrases (`boilerplate.yaml`) and by shape."""

from __future__ import annotations

import functools
import re
from importlib import resources
from typing import Any

import msgspec

from cupola.corpus.edits.base import Edited, Span, cut, lines

LEAST_MENU_LINES, MENU_CHARS = 5, 14
_MARKS = re.compile("[.!?…。！？；;，,：:]")
_HOLDS_CHARS = 80  # a longer line that holds a phrase is more likely text about it
_DIGITS = re.compile(r"\d+")


@functools.cache
def _phrases() -> tuple[frozenset[str], re.Pattern[str]]:
    told: dict[str, Any] = msgspec.yaml.decode(
        resources.files("cupola.corpus.edits").joinpath("boilerplate.yaml").read_bytes()
    )
    whole = frozenset(one.lower() for words in told["whole"].values() for one in words.split("|"))
    holds = "|".join(re.escape(one.lower()) for words in told["holds"].values() for one in words.split("|"))
    return whole, re.compile(holds)


class Boilerplate(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="edit", tag="boilerplate"):
    """Lines go that are a phrase of every site ("Home", "登录"), that hold one and are short ("All rights reserved",
    "责任编辑"), and (menus) runs of at least five short lines without a mark."""

    menus: bool = True

    def apply(self, text: str) -> Edited | None:
        whole, holds = _phrases()
        gone: list[Span] = []
        menu: list[Span] = []
        for start, end, line in lines(text):
            if not line:
                continue
            low = line.lower()
            if low.strip("·|>»›-—[]【】 ") in whole or (len(line) <= _HOLDS_CHARS and holds.search(low)):
                gone.append((start, end))
                menu.append((start, end))
            elif len(line) <= MENU_CHARS and not _MARKS.search(line) and not _DIGITS.fullmatch(line):
                menu.append((start, end))
            else:
                gone += menu if self.menus and len(menu) >= LEAST_MENU_LINES else []
                menu = []
        gone += menu if self.menus and len(menu) >= LEAST_MENU_LINES else []
        return cut(text, gone)
