"""Shards as training reads them: JSON lines and Parquet in the layout of the Hugging Face hub, tar files as WebDataset
reads them. A table, one function a format; equal documents give equal bytes."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec

from cupola.corpus.streams import created
from cupola.kernel.lazy import Lazy

pa: Any = Lazy("pyarrow")
parquet: Any = Lazy("pyarrow.parquet")


class Document(msgspec.Struct, frozen=True):
    """A document of a mix; epoch: how often it came before; tokens: None without a tokenizer."""

    id: str
    source: str
    text: str
    epoch: int
    tokens: int | None


def _jsonl(path: Path, documents: Iterable[Document]) -> None:
    with created(path, ".jsonl.zst") as file:
        for one in documents:
            file.write(json.dumps(_row(one), ensure_ascii=False).encode("utf-8", "replace") + b"\n")


def _row(one: Document) -> dict[str, Any]:
    row = msgspec.structs.asdict(one)
    return row if one.tokens is not None else {name: value for name, value in row.items() if name != "tokens"}


def _parquet(path: Path, documents: Iterable[Document]) -> None:
    rows = [_row(one) for one in documents]
    parquet.write_table(pa.Table.from_pylist(rows), path, compression="zstd", row_group_size=4096)


def _webdataset(path: Path, documents: Iterable[Document]) -> None:
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for n, one in enumerate(documents):
            about = {name: value for name, value in _row(one).items() if name != "text"}
            told = json.dumps(about, ensure_ascii=False)
            for suffix, content in (("txt", one.text), ("json", told)):
                raw = content.encode("utf-8", "replace")
                member = tarfile.TarInfo(f"{path.name.split('.')[0]}-{n:07d}.{suffix}")
                member.size = len(raw)
                tar.addfile(member, io.BytesIO(raw))


FORMATS: dict[str, tuple[str, Callable[[Path, Iterable[Document]], None]]] = {
    "jsonl": (".jsonl.zst", _jsonl),
    "parquet": (".parquet", _parquet),
    "webdataset": (".tar", _webdataset),
}


def card(name: str, splits: Iterable[str], format_: str) -> str:
    """The README of a folder, by which `datasets.load_dataset(FOLDER)` finds the splits."""
    suffix = FORMATS[format_][0]
    files = "".join(f"  - split: {split}\n    path: data/{split}-*{suffix}\n" for split in splits)
    head = f"---\npretty_name: {name}\nconfigs:\n- config_name: default\n  data_files:\n{files}---\n"
    return f"{head}\nMade by `cupola refine mix`; `manifest.json` says of what.\n"
