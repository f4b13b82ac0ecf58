"""The sets a bench runs on: every folder with labels.csv (task,worker,label) and truth.csv (task,label)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cupola.quality.inference.base import Crowd
from cupola.quality.inference.codes import Codes
from cupola.quality.readers import read_table

MOST_CLASSES, MOST_DISTINCT = 100, 0.05  # more distinct labels, in number and share, are text, boxes or masks
FAMILIES = (("sp", "sp_amt"), ("cf", "cf_amt"))  # these share tasks: left out together


@dataclass(frozen=True)
class RealSet:
    name: str
    folder: Path
    crowd: Crowd
    codes: Codes
    truth: NDArray[np.int16]  # -1 where unknown
    features: NDArray[np.float64] | None

    @property
    def known(self) -> NDArray[np.int64]:
        """The tasks that have a truth and a vote."""
        return np.flatnonzero((self.truth >= 0) & (self.crowd.votes > 0))


def data_root(given: Path | None) -> Path:
    """The folder that holds the sets."""
    if given is not None:
        return given
    root = Path(os.environ.get("CUPOLA_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
    return root / "quality" if (root / "quality").is_dir() else root


def real_sets(root: Path, features: dict[str, Path] | None = None) -> list[RealSet]:
    """All categorical sets below a folder, by name; features.npy beside the labels, or named, is for the classifier."""
    found = []
    for folder in sorted(root.iterdir()) if root.is_dir() else []:
        if not (folder / "labels.csv").exists() or not (folder / "truth.csv").exists():
            continue
        labels = read_table(folder / "labels.csv")
        distinct = len(labels["label"].unique())
        if distinct > max(MOST_CLASSES, MOST_DISTINCT * len(labels)) or is_pairs(labels):
            continue
        crowd, codes = Crowd.from_frame(labels, gold=read_table(folder / "truth.csv"), duplicates="keep")
        if crowd.gold is None:
            continue
        path = (features or {}).get(folder.name, folder / "features.npy")
        rows = np.load(path).astype(np.float64) if path.exists() else None
        found.append(RealSet(folder.name, folder, crowd.with_gold(None), codes, crowd.gold, rows))
    return found


def is_pairs(labels: pa.Table) -> bool:
    """Whether the tasks are comparisons, query|left|right, answered a, b or s(ame)."""
    if not set(labels["label"].unique().to_pylist()) <= {"a", "b", "s"}:
        return False
    return all(str(task).count("|") == 2 for task in labels["task"].unique().to_pylist())


def family(name: str) -> set[str]:
    """The names that must be left out together with this one."""
    return next((set(names) for names in FAMILIES if name in names), {name})
