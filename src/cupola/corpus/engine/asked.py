"""All that decides a run's outcome, as `run.json` holds it."""

from __future__ import annotations

import functools
from pathlib import Path

import msgspec

from cupola.corpus.engine.files import Folder, read_json
from cupola.corpus.engine.units import Columns, Unit
from cupola.corpus.profile import PROFILE_VERSION
from cupola.corpus.recipe import Loaded


class Asked(msgspec.Struct, frozen=True):
    """The recipe with its rules, the columns, and the input in its units."""

    recipe: Loaded
    columns: Columns
    units: tuple[Unit, ...]
    profile: str = PROFILE_VERSION


@functools.lru_cache(maxsize=2)
def asked_of(root: str) -> Asked:
    """What a run was asked for, read once in each process."""
    found = read_json(Folder(Path(root)).run, Asked)
    assert found is not None
    return found
