"""Annotations of other tools, uploaded with their pictures, as `cupola.formats` reads them: pre-labels or gold."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from cupola.catalog.addresses import encoded
from cupola.catalog.found import Context, Entry, Found, Noted, Opened, check_ref, refused
from cupola.catalog.importers.zip import opened_archive, read_entry
from cupola.formats.caged import AUTO, USES
from cupola.formats.survey import Survey
from cupola.kernel.errors import Problem, invalid
from cupola.labels import KINDS, decode_label
from cupola.platform.blobs import Blobs
from cupola.platform.cage import Cage

_name = re.compile(r"([0-9a-f]{64})(?:/(.*))?\Z", re.DOTALL)
cage = Cage("cupola.formats.caged", children=2, memory_bytes=2 * 1024**3, time_s=300.0, what="set of annotations")


def annotated(source: Mapping[str, Any], context: Context, cursor: str | None) -> Iterator[Entry]:
    """{"type": "annotated", "upload": "<sha256>/<name>", "format"?: "auto", "use"?: "pre_label" | "gold" | "none",
    "kind": of the labels to be made}.

    What the file itself marks as truth is gold whatever `use` is. With "none" items come without labels but that.
    """
    use, kind = str(source.get("use", "pre_label")), str(source.get("kind", ""))
    if use not in USES:
        raise invalid(
            "use-unknown", f"There is no use {use!r}.", place="/source/use", remedy=f"One of: {', '.join(USES)}."
        )
    if kind and kind not in KINDS:
        raise invalid("kind-unknown", f"There is no kind {kind!r}.", place="/source/kind", remedy="See the survey.")
    sha256, name = upload_of(source)
    path = context.open_files.enter_context(context.blobs.local_file(context.tenant, sha256))
    archive, spelled = spelled_archive(path, context.open_files)
    with cage.hold() as ask:
        ask("start", str(path), name, str(source.get("format", AUTO)), use, kind, int(cursor or 0), spelled)
        last = int(cursor or 0)
        while rows := ask("more"):
            for row in rows:
                last = row["number"]
                yield _entry(row, archive, str(last))
        for one in ask("told"):
            yield Noted(
                "", str(one["example"]), str(last), "annotations-left-out",
                f"{one['en']}: {one['count']} ({one['reason']}).",
                "It is not in what was imported, or stands there otherwise.",
            )  # fmt: skip


def look(blobs: Blobs, tenant: UUID, upload: str, form: str, salt: str) -> Survey:
    """The survey of an upload. Raises Problem: INVALID, and as the store does for one that is not there."""
    sha256, name = upload_of({"upload": upload})
    with ExitStack() as open_files:
        path = open_files.enter_context(blobs.local_file(tenant, sha256))
        _, spelled = spelled_archive(path, open_files)
        return msgspec.convert(cage.call("look", str(path), name, form, salt, spelled), Survey)


def upload_of(source: Mapping[str, Any]) -> tuple[str, str]:
    """(SHA-256, file name) of the upload that a source names. Raises Problem (INVALID)."""
    found = _name.match(str(source.get("upload", "")))
    if found is None:
        raise invalid(
            "upload-unknown", "That names no upload.", place="/source/upload", remedy="Use the name that it was given."
        )
    return found.group(1), found.group(2) or "upload"


def spelled_archive(path: Path, open_files: ExitStack) -> tuple[Any, dict[int, str]]:
    """The archive, None where the file is none, and the names of its entries that are not written as UTF-8."""
    if not zipfile.is_zipfile(path):
        return None, {}
    archive = opened_archive(path, open_files, None)
    return archive, {
        number: archive.names[number]
        for number, info in enumerate(archive.entries)
        if archive.names[number] != info.filename
    }


def _entry(row: Mapping[str, Any], archive: Any, cursor: str) -> Entry:
    ref, place = str(row["ref"]), str(row["place"] or row["ref"])
    try:
        check_ref(ref)
        info = archive.named(row["picture"]) if archive is not None and row["picture"] else None
        if info is None and not row["url"] and row["body"] is None:
            raise invalid(
                "file-absent",
                f"The picture of {ref[:200]!r} is not among the files.",
                remedy="Pack the pictures with their annotations.",
            )
        labels = {part: None if row[part] is None else decode_label(row[part]) for part in ("pre_label", "gold_label")}
    except Problem as problem:
        return refused(problem, ref, place, cursor)
    return Found(
        ref,
        place,
        cursor,
        read=(lambda: Opened(read_entry(archive.file, info))) if info is not None else None,
        url=encoded(row["url"]) if info is None and row["url"] else None,
        text=row["body"] if info is None and not row["url"] else None,
        name=row["picture"],
        metadata=row["metadata"],
        pre_label=labels["pre_label"],
        gold_label=labels["gold_label"],
    )
