"""The article of a page of HTML, by trafilatura (A. Barbaresi, Trafilatura: a web scraping library and command-line
tool for text discovery and extraction, 2021)."""

from __future__ import annotations

import logging
import re
from typing import Any

import msgspec

from cupola.corpus.edits.base import Edited
from cupola.corpus.extras import module

_TAG = re.compile(
    r"<(?:!doctype|html|head|body|div|p|span|a|table|ul|li|meta|script|article|section|br|h[1-6])\b", re.I
)
_WHOLE = re.compile(r"<(?:!doctype\s+html|html|body)\b", re.I)
LEAST_TAGS = 3


class Html(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="edit", tag="html"):
    """Text that holds markup becomes the text of its article. tables: with what stands in tables; otherwise: what a
    page becomes of which no article is found (keep: stays as it is; empty: nothing is left)."""

    tables: bool = True
    empty: bool = False

    def apply(self, text: str) -> Edited | None:
        head = text[:20_000]
        if sum(1 for _ in _TAG.finditer(head)) < LEAST_TAGS or not (_WHOLE.search(head) or head.lstrip()[:1] == "<"):
            return None
        trafilatura: Any = module("trafilatura", "refinery")
        logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # what it cannot parse is told by the outcome
        found = trafilatura.extract(text, include_comments=False, include_tables=self.tables, deduplicate=False)
        if found is None:
            return Edited("") if self.empty else None
        return Edited(found)
