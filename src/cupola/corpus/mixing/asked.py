"""What a mix is made of, as data (YAML)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from cupola.corpus.rules import Name
from cupola.kernel.errors import invalid

Share = Annotated[float, msgspec.Meta(gt=0, lt=1)]
Count = Annotated[int, msgspec.Meta(ge=1)]


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """files: or folders, beside the mix's file (a run's `kept`); weight: its share of the training text, relative to
    the others; epochs: how often a document may come at most; most_documents: of it that are used at all."""

    name: Name
    files: tuple[str, ...]
    weight: Annotated[float, msgspec.Meta(gt=0)] = 1.0
    epochs: Annotated[float, msgspec.Meta(gt=0, le=100)] = 1.0
    most_documents: Count | None = None
    text: str = "text"
    id: str = "id"


class Clusters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Documents of this Jaccard similarity and more belong together: they go into one split, and at most `most` of a
    cluster are used (null: all)."""

    similarity: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.5
    most: Count | None = None


class Mix(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """size: of the training text, in tokens (bytes without a tokenizer); null: as much as weights and epochs allow.
    splits: share of the documents for each split besides `train`. tokenizer: a file of the library `tokenizers`.
    shard: about how many bytes of text a shard holds."""

    name: Name
    version: str
    sources: Annotated[tuple[Part, ...], msgspec.Meta(min_length=1)]
    size: Count | None = None
    tokenizer: str | None = None
    clusters: Clusters = Clusters()
    splits: dict[Name, Share] = {}
    seed: int = 0
    format: Literal["jsonl", "parquet", "webdataset"] = "jsonl"
    shard: Annotated[int, msgspec.Meta(ge=1, le=1 << 34)] = 256 << 20


def load(path: Path) -> Mix:
    """A mix from its file. Raises Problem (INVALID) that names the place."""
    try:
        found = msgspec.yaml.decode(path.read_bytes(), type=Mix)
    except OSError as error:
        raise invalid("mix-unreadable", f"There is no mix {path}: {error}.", place=str(path),
                      remedy="Give a file of YAML: docs/corpus.md shows one.") from error  # fmt: skip
    except msgspec.DecodeError as error:
        raise invalid("mix-malformed", f"{path}: {error}.", place=str(path)) from error
    names = [one.name for one in found.sources]
    if len(set(names)) != len(names):
        raise invalid("mix-malformed", f"{path}: two sources have one name.", place="sources")
    if "train" in found.splits or sum(found.splits.values()) >= 1:
        raise invalid("mix-malformed", f"{path}: train is what the other splits leave, and they must leave some.",
                      place="splits")  # fmt: skip
    return found
