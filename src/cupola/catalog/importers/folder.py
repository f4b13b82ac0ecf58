"""A folder of this machine, for operators' data that need not travel. Only below the roots that the operator opened."""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from cupola.catalog import media
from cupola.catalog.found import (
    Context,
    Entry,
    Found,
    Opened,
    Read,
    Refused,
    absent,
    check_ref,
    is_clutter,
    manifests_among,
    passed_over,
    refused,
    spellings,
)
from cupola.catalog.importers.manifest import lines_of
from cupola.catalog.media.base import too_large
from cupola.kernel.errors import Kind, Problem, invalid

PART_BYTES = 1024 * 1024


def folder(source: Mapping[str, Any], context: Context, cursor: str | None) -> Iterator[Entry]:
    """{"type": "folder", "path": "/data/photos"}: every file below it; the reference is its relative path.

    A manifest at the top (manifest.jsonl, .csv, .tsv or .parquet) says instead what is to be imported.
    Symbolic links are refused, because they can point anywhere. Raises Problem: FORBIDDEN, INVALID.
    """
    root = _allowed(str(source.get("path", "")), context.roots)
    manifests = manifests_among(_plain_files(root))
    if manifests:
        if cursor is None:
            yield from passed_over(manifests[1:], manifests[0])
        yield from lines_of(root / manifests[0], cursor, lambda path: _reader(root, path))
        return
    yield from _walk(root, "", cursor)


def _allowed(text: str, roots: tuple[Path, ...]) -> Path:
    path = Path(text)
    if not text or not path.is_absolute():
        raise invalid(
            "folder-not-absolute", "The folder is not an absolute path.", place="/source/path", remedy="Give it whole."
        )
    real = path.resolve()
    if not any(real.is_relative_to(root) for root in roots):
        raise Problem(
            Kind.FORBIDDEN,
            "folder-not-allowed",
            f"The folder {text!r} is not open to imports.",
            place="/source/path",
            remedy="Ask the operator to name it in CUPOLA_IMPORT_ROOTS, or upload a zip.",
        )
    if not real.is_dir():
        raise invalid("folder-absent", f"There is no folder {text!r}.", place="/source/path", remedy="Check the path.")
    return real


def _plain_files(root: Path) -> list[str]:
    try:
        with os.scandir(root) as listing:
            return [entry.name for entry in listing if entry.is_file(follow_symlinks=False)]
    except OSError:
        return []  # told when the folder is walked


def _walk(root: Path, below: str, cursor: str | None) -> Iterator[Entry]:
    """Depth first, names in order; a folder sorts as its name with a slash, so the order is that of whole paths."""
    try:
        with os.scandir(root / below) as listing:
            entries = [(e.name + "/" if e.is_dir(follow_symlinks=False) else e.name, e) for e in listing]
    except OSError as error:
        place = below or "."
        if cursor is None or below > cursor:
            yield Refused(
                place, place, below, "folder-unreadable", f"{error.strerror}.", "Give the server access to it."
            )
        return
    for name, entry in sorted(entries, key=lambda pair: pair[0]):
        path = below + name
        if is_clutter((entry.name,)) or (cursor is not None and path <= cursor and not cursor.startswith(path)):
            continue
        if name.endswith("/"):
            yield from _walk(root, path, cursor)
        elif path != cursor:
            yield _entry(root, path, entry)


def _entry(root: Path, path: str, entry: os.DirEntry[str]) -> Entry:
    try:
        # A name that is not UTF-8 cannot be a reference: it would come back as other bytes.
        path.encode()
        check_ref(path)
        if entry.is_symlink():
            raise invalid("symlink", "This is a symbolic link.", remedy="Replace it by the file that it points to.")
        info = entry.stat(follow_symlinks=False)
        if not stat.S_ISREG(info.st_mode):
            raise invalid("wrong-type", "This is no ordinary file.", remedy="Leave it out.")
        if info.st_size > media.most_bytes():
            raise too_large(info.st_size, media.most_bytes())
    except UnicodeEncodeError:
        shown = path.encode(errors="backslashreplace").decode()
        return Refused(shown, shown, path, "ref-invalid", "The file's name is not UTF-8.", "Rename the file.")
    except OSError as error:
        return Refused(path, path, path, "file-unreadable", f"{error.strerror}.", "Give the server access to it.")
    except Problem as problem:
        return refused(problem, path, path, path)
    return Found(path, path, path, read=lambda: Opened(read_regular(root / path)))


def _reader(root: Path, text: str) -> Read:
    """How to read a manifest's path. Raises Problem for one that leaves the folder or passes through a link."""
    path = next((path for one in spellings(text) if (path := _spelled(root, one)).exists()), root / spellings(text)[0])
    if path.is_symlink() or not path.resolve().is_relative_to(root):
        raise invalid("symlink", f"{text!r} is or passes through a symbolic link.", remedy="Put the file itself there.")
    if not path.is_file():
        raise absent(text, _beside(root, path))
    return lambda: Opened(read_regular(path))


def _beside(root: Path, path: Path) -> list[str]:
    """The paths of what lies where a file was looked for."""
    try:
        return [(path.parent / name).relative_to(root).as_posix() for name in os.listdir(path.parent)]
    except OSError:
        return []


def _spelled(root: Path, text: str) -> Path:
    """The path as the folder spells it: one system composes accents into letters, another takes them apart."""
    path = root / text
    if text.isascii() or path.exists():
        return path
    here = root
    for step in PurePosixPath(text).parts:
        same = here / step
        if not same.exists():
            wanted = unicodedata.normalize("NFC", step)
            names = os.listdir(here) if here.is_dir() and not here.is_symlink() else []
            same = here / next((name for name in names if unicodedata.normalize("NFC", name) == wanted), step)
        here = same
    return here


def read_regular(path: Path) -> Iterator[bytes]:
    """An ordinary file's bytes in parts, never through a link in its last step. Raises Problem."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            while part := file.read(PART_BYTES):
                yield part
    except OSError as error:
        raise invalid(
            "file-unreadable", f"{error.strerror}.", remedy="Give the server access to it, then import again."
        ) from None
