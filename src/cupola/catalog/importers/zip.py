"""A zip archive: every file in it, or what its manifest names."""

from __future__ import annotations

import io
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path, PurePosixPath

from cupola.catalog import media
from cupola.catalog.found import (
    Entry,
    Found,
    Noted,
    Opened,
    Read,
    absent,
    check_ref,
    is_clutter,
    manifests_among,
    passed_over,
    refused,
    safe_path,
    spellings,
)
from cupola.catalog.importers.manifest import lines_in
from cupola.catalog.importers.zip_names import known_encoding, spell
from cupola.catalog.media.base import too_large
from cupola.kernel import limits
from cupola.kernel.errors import Problem, invalid

__all__ = ["known_encoding", "read_zip"]

MAX_DIRECTORY_BYTES = 64 * 1024 * 1024  # names and sizes of all entries, which are held in memory
PART_BYTES = 1024 * 1024
BROKEN = (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError)
# Each stands in the documents of one family of office programs and nowhere else.
OFFICE = ("[Content_Types].xml", "META-INF/manifest.xml", "Index/Document.iwa")
RATIO_FROM_BYTES = 1024 * 1024  # below this a high ratio is a blank picture, not a bomb


class Archive:
    """An open archive and how its names are spelled."""

    def __init__(self, archive: zipfile.ZipFile, names: str | None) -> None:
        self.file = archive
        self.entries = archive.infolist()
        self.names, self.guessed = spell(self.entries, names)
        # The last of a name counts, as it does for whoever unpacks; accents may be spelled in two ways.
        self._by_name = {self.names[number]: info for number, info in enumerate(self.entries)}
        self._by_sound = {_composed(self.names[number]): info for number, info in enumerate(self.entries)}

    def named(self, name: str) -> zipfile.ZipInfo | None:
        return self._by_name.get(name) or self._by_sound.get(_composed(name))


def _composed(name: str) -> str:
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def read_zip(path: Path, cursor: str | None, open_files: ExitStack, names: str | None = None) -> Iterator[Entry]:
    """The entries of an archive in its own order; the reference is the path inside of it. It stays open.

    names: the encoding of names that do not say it themselves. Raises Problem (INVALID) code "zip-unreadable",
    "zip-too-many" or "zip-office" for the archive as a whole.
    """
    archive = opened_archive(path, open_files, names)
    if any(archive.named(name) is not None for name in OFFICE):
        raise invalid(
            "zip-office",
            "This is an office document, not an archive of files.",
            remedy="Save the table as CSV (UTF-8), or pack pictures and texts in a zip.",
        )
    if archive.guessed and cursor is None:
        yield _about_names(archive)
    top = _top(archive)
    manifests = manifests_among(name.removeprefix(top) for name in archive.names.values() if name.startswith(top))
    if manifests:
        if cursor is None:
            yield from passed_over(manifests[1:], manifests[0])
        yield from _by_manifest(archive, top, manifests[0], cursor)
        return
    seen: set[str] = set()
    start = int(cursor) + 1 if cursor is not None else 0
    for number, info in enumerate(archive.entries):
        name = archive.names[number]
        if info.is_dir() or name.endswith("/") or is_clutter(PurePosixPath(name).parts):
            continue
        twice = name in seen
        seen.add(name)
        if number >= start:
            yield _entry(archive, info, name, number, twice)


def opened_archive(path: Path, open_files: ExitStack, names: str | None) -> Archive:
    """An archive that stays open in `open_files`. Raises Problem (INVALID) code "zip-unreadable" or "zip-too-many"."""
    _check_directory(path)
    try:
        return Archive(open_files.enter_context(zipfile.ZipFile(path)), names)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise invalid("zip-unreadable", f"The archive cannot be read: {error}.", remedy="Pack it again.") from None


def read_entry(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """An entry's bytes in parts, once its head was found fit. Raises Problem (INVALID)."""
    _check(info)
    return _read(archive, info)


def _about_names(archive: Archive) -> Noted:
    shown = next(name for name in archive.names.values() if not name.isascii())
    return Noted(
        "",
        "the archive",
        "",
        "names-guessed",
        f"The archive does not say how its file names are written; they were read as {archive.guessed}, such as "
        f"{shown[:200]!r}.",
        'If that is wrong, import it again and name the encoding ("names": "cp932", or --names cp932).',
    )


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


def _top(archive: Archive) -> str:
    """The one folder that everything lies in ("photos/"), as most packers make it; else nothing."""
    paths = [PurePosixPath(name) for name in archive.names.values()]
    tops = {path.parts[:1] for path in paths if not is_clutter(path.parts)}
    if len(tops) == 1 and (only := tops.pop()) and any("/" in name for name in archive.names.values()):
        return only[0] + "/"
    return ""


def _by_manifest(archive: Archive, top: str, name: str, cursor: str | None) -> Iterator[Entry]:
    def reader(path: str) -> Read:
        info = next((info for one in spellings(path) if (info := archive.named(top + one)) is not None), None)
        if info is None or info.is_dir():
            raise absent(path, (name.removeprefix(top) for name in archive.names.values()))
        _check(info)
        return lambda: Opened(_read(archive.file, info))

    info = archive.named(top + name)
    assert info is not None
    _check(info, most_bytes=limits.MAX_UPLOAD_BYTES)
    try:
        with archive.file.open(info) as stream:
            yield from lines_in(stream, name, cursor, reader)
    except BROKEN as error:
        raise _broken(error) from None


def _entry(archive: Archive, info: zipfile.ZipInfo, name: str, number: int, twice: bool) -> Entry:
    place, cursor = f"entry {number + 1}: {name}"[:2_000], str(number)
    try:
        ref = check_ref(safe_path(name))
        if twice:
            raise invalid("duplicate-ref", "An earlier entry has the same name.", remedy="Keep one of them.")
        _check(info)
    except Problem as problem:
        printable = name.encode(errors="backslashreplace").decode().replace("\0", "\\0")
        return refused(problem, printable, place.replace("\0", "\\0"), cursor)
    return Found(ref, place, cursor, read=lambda: Opened(_read(archive.file, info)))


def _check(info: zipfile.ZipInfo, most_bytes: int | None = None) -> None:
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
            remedy="Pictures and words do not compress like that; pack the original.",
        )
    most = media.most_bytes() if most_bytes is None else most_bytes
    if info.file_size > most:
        raise too_large(info.file_size, most)


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    try:
        with archive.open(info) as entry:
            while part := entry.read(PART_BYTES):
                yield part
    except BROKEN as error:
        raise _broken(error) from None


def _broken(error: Exception) -> Problem:
    return invalid("zip-entry-broken", f"The entry cannot be unpacked: {error}.", remedy="Pack it again.")
