"""A zip archive: every file in it, or what its manifest names."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path, PurePosixPath

from cupola.catalog.found import MANIFESTS, Entry, Found, Read, check_ref, is_clutter, refused, safe_path, too_large
from cupola.catalog.importers.manifest import lines_in
from cupola.kernel import limits
from cupola.kernel.errors import Problem, invalid

MAX_DIRECTORY_BYTES = 64 * 1024 * 1024  # names and sizes of all entries, which are held in memory
RATIO_FROM_BYTES = 1024 * 1024  # below this a high ratio is a blank picture, not a bomb


def read_zip(path: Path, cursor: str | None, open_files: ExitStack) -> Iterator[Entry]:
    """The entries of an archive in its own order; the reference is the path inside of it. It stays open.

    Raises Problem (INVALID) code "zip-unreadable" or "zip-too-many" for the archive as a whole.
    """
    _check_directory(path)
    try:
        archive = open_files.enter_context(zipfile.ZipFile(path))
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise invalid("zip-unreadable", f"The archive cannot be read: {error}.", remedy="Pack it again.") from None
    entries = archive.infolist()
    top = _top(entries)
    for name in MANIFESTS:
        if top + name in archive.NameToInfo:
            yield from _by_manifest(archive, top, name, cursor)
            return
    seen: set[str] = set()
    start = int(cursor) + 1 if cursor is not None else 0
    for number, info in enumerate(entries):
        if info.is_dir() or is_clutter(PurePosixPath(info.filename).parts):
            continue
        twice = info.filename in seen
        seen.add(info.filename)
        if number >= start:
            yield _entry(archive, info, number, twice)


def _check_directory(path: Path) -> None:
    """Refuse a directory too large to be held, before anything holds it (APPNOTE 4.3.14 to 4.3.16)."""
    with path.open("rb") as file:
        length = file.seek(0, io.SEEK_END)
        file.seek(max(0, length - 66_000))  # the end record and the longest comment
        tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        return  # zipfile says what is wrong
    size, count = struct.unpack_from("<I", tail, at + 12)[0], struct.unpack_from("<H", tail, at + 10)[0]
    wide = tail.rfind(b"PK\x06\x06")
    if wide >= 0 and len(tail) >= wide + 48:
        count, size = struct.unpack_from("<QQ", tail, wide + 32)
    if size > MAX_DIRECTORY_BYTES or count > limits.MAX_ZIP_ENTRIES:
        raise invalid(
            "zip-too-many",
            f"The archive has {count} entries and a directory of {size} bytes.",
            remedy="Split it: about half a million files in one archive are taken.",
        )


def _top(entries: list[zipfile.ZipInfo]) -> str:
    """The one folder that everything lies in ("photos/"), as most packers make it; else nothing."""
    tops = {
        PurePosixPath(info.filename).parts[:1] for info in entries if not is_clutter(PurePosixPath(info.filename).parts)
    }
    if len(tops) == 1 and (only := tops.pop()) and any("/" in info.filename for info in entries):
        return only[0] + "/"
    return ""


def _by_manifest(archive: zipfile.ZipFile, top: str, name: str, cursor: str | None) -> Iterator[Entry]:
    def reader(path: str) -> Read:
        info = archive.NameToInfo.get(top + safe_path(path))
        if info is None or info.is_dir():
            raise invalid("file-absent", f"There is no file {path!r} in the archive.", remedy="Check the manifest.")
        _check(info)
        return lambda: _read(archive, info)

    info = archive.NameToInfo[top + name]
    _check(info, most_bytes=limits.MAX_UPLOAD_BYTES)
    with archive.open(info) as stream:
        yield from lines_in(stream, name, cursor, reader)


def _entry(archive: zipfile.ZipFile, info: zipfile.ZipInfo, number: int, twice: bool) -> Entry:
    place, cursor = f"entry {number + 1}: {info.filename}"[:2_000], str(number)
    try:
        ref = check_ref(safe_path(info.filename))
        if twice:
            raise invalid("duplicate-ref", "An earlier entry has the same name.", remedy="Keep one of them.")
        _check(info)
    except Problem as problem:
        printable = info.filename.encode(errors="backslashreplace").decode().replace("\0", "\\0")
        return refused(problem, printable, place.replace("\0", "\\0"), cursor)
    return Found(ref, place, cursor, read=lambda: _read(archive, info))


def _check(info: zipfile.ZipInfo, most_bytes: int = limits.MAX_IMAGE_BYTES) -> None:
    """What an entry's header tells. The announced size is what is read at most, so it may be believed."""
    mode = info.external_attr >> 16
    if stat.S_ISLNK(mode):
        raise invalid("symlink", "This entry is a symbolic link.", remedy="Pack the file itself.")
    if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise invalid("wrong-type", "This entry is no ordinary file.", remedy="Leave it out.")
    if info.flag_bits & 0x1:
        raise invalid("zip-encrypted", "This entry is encrypted.", remedy="Pack it without a password.")
    if info.file_size > RATIO_FROM_BYTES and info.file_size > limits.MAX_ZIP_RATIO * max(1, info.compress_size):
        raise invalid(
            "zip-ratio",
            f"It unfolds from {info.compress_size} to {info.file_size} bytes.",
            remedy="Pictures do not compress like that; pack the original.",
        )
    if info.file_size > most_bytes:
        raise too_large(info.file_size, most_bytes)


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    try:
        return archive.read(info)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError) as error:
        raise invalid("zip-entry-broken", f"The entry cannot be unpacked: {error}.", remedy="Pack it again.") from None
