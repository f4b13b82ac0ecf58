"""Edits: what is changed in a text before it is judged. A table, one file and one line each, and each is data: a recipe
names it with its settings, the ledger says what it did."""

from __future__ import annotations

from cupola.corpus.edits.base import Edited, Span
from cupola.corpus.edits.boilerplate import Boilerplate
from cupola.corpus.edits.html import Html
from cupola.corpus.edits.licence import Licence
from cupola.corpus.edits.linerules import Lines
from cupola.corpus.edits.unicode import Unicode

Edit = Html | Unicode | Lines | Boilerplate | Licence
EDITS: tuple[type[Edit], ...] = (Html, Unicode, Lines, Boilerplate, Licence)
VERSION = "1"

__all__ = ["EDITS", "VERSION", "Edit", "Edited", "Span", "name_of"]


def name_of(edit: Edit) -> str:
    """As a recipe and the ledger call it."""
    return str(edit.__struct_config__.tag)
