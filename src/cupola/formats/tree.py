"""The files that a format lies in: a folder, a zip, or one file. Names are relative, with forward slashes."""

from __future__ import annotations

import codecs
import io
import os
import zipfile
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import IO, Protocol

from PIL import Image, UnidentifiedImageError

from cupola.formats.report import Report
from cupola.kernel.errors import Problem, invalid

PICTURES = frozenset({
    "jpg", "jpeg", "jpe", "jfif", "png", "bmp", "gif", "webp", "tif", "tiff", "avif", "ppm", "pgm", "jp2",
})  # fmt: skip
CLUTTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini", "__MACOSX", ".git"})
MOST_FILE_BYTES = 512 * 1024 * 1024  # of one that has to be in memory as a whole
MOST_HEAD_BYTES = 64 * 1024


class Files(Protocol):
    """Where files lie. names: of all ordinary ones, in order."""

    @property
    def names(self) -> list[str]: ...
    @property
    def title(self) -> str: ...
    def open(self, name: str) -> IO[bytes]: ...
    def size(self, name: str) -> int: ...


class Folder:
    """The files below a folder, or one file by itself. Links are passed over."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise invalid("path-missing", f"{path} does not exist.", place=str(path), remedy="Check the path.")
        self._root = path if path.is_dir() else path.parent
        self._only = None if path.is_dir() else path.name
        self.title = path.resolve().stem

    @cached_property
    def names(self) -> list[str]:
        if self._only is not None:
            return [self._only]
        found: list[str] = []
        for folder, inner, files in os.walk(self._root):
            inner[:] = [name for name in inner if name not in CLUTTER]
            below = Path(folder).relative_to(self._root).as_posix()
            prefix = "" if below == "." else below + "/"
            for name in files:
                path = os.path.join(folder, name)
                if name not in CLUTTER and not name.startswith("._") and not os.path.islink(path):
                    found.append(prefix + name)
        return sorted(found)

    def open(self, name: str) -> IO[bytes]:
        try:
            return (self._root / name).open("rb")
        except OSError as error:
            raise invalid(
                "file-unreadable", f"{name} cannot be opened: {error.strerror}.", place=name, remedy="Check the file."
            ) from None

    def size(self, name: str) -> int:
        return (self._root / name).stat().st_size

    def path(self, name: str) -> Path:
        return self._root / name


class Zip:
    """The files in an archive. Names that do not say how they are written are read as `spelled` says.

    spelled: {position of the entry: its name}, where somebody has looked into that.
    """

    def __init__(self, path: Path | IO[bytes], spelled: dict[int, str] | None = None, title: str = "archive") -> None:
        try:
            self._archive = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError) as error:
            raise invalid("zip-unreadable", f"The archive cannot be read: {error}.", remedy="Pack it again.") from None
        self.title = title
        self._entries: dict[str, zipfile.ZipInfo] = {}
        for number, info in enumerate(self._archive.infolist()):
            name = (spelled or {}).get(number, info.filename)
            parts = PurePosixPath(name).parts
            if info.is_dir() or any(part in CLUTTER or part.startswith("._") or part == ".." for part in parts):
                continue
            self._entries[name] = info

    @cached_property
    def names(self) -> list[str]:
        return sorted(self._entries)

    def open(self, name: str) -> IO[bytes]:
        try:
            return self._archive.open(self._entries[name])
        except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError) as error:
            raise invalid("zip-entry-broken", f"{name} cannot be unpacked: {error}.", place=name) from None

    def size(self, name: str) -> int:
        return self._entries[name].file_size

    def close(self) -> None:
        self._archive.close()


class Below:
    """A part of other files: those below one of their folders."""

    def __init__(self, files: Files, root: str) -> None:
        self._files, self._root = files, root
        self.title = files.title

    @cached_property
    def names(self) -> list[str]:
        return [name[len(self._root) :] for name in self._files.names if name.startswith(self._root)]

    def open(self, name: str) -> IO[bytes]:
        return self._files.open(self._root + name)

    def size(self, name: str) -> int:
        return self._files.size(self._root + name)


class Joined:
    """Annotations in one place and their pictures in another."""

    def __init__(self, files: Files, pictures: Files) -> None:
        self._files, self._pictures = files, pictures
        self.title = files.title

    @cached_property
    def _others(self) -> dict[str, str]:
        own = set(self._files.names)
        return {
            (name if name not in own else f"pictures/{name}"): name
            for name in self._pictures.names
            if ending(name) in PICTURES
        }

    @cached_property
    def names(self) -> list[str]:
        return sorted([*self._files.names, *self._others])

    def open(self, name: str) -> IO[bytes]:
        other = self._others.get(name)
        return self._files.open(name) if other is None else self._pictures.open(other)

    def size(self, name: str) -> int:
        other = self._others.get(name)
        return self._files.size(name) if other is None else self._pictures.size(other)


def ending(name: str) -> str:
    """The part behind the last dot, in small letters."""
    return PurePosixPath(name).suffix.lower().lstrip(".")


def with_ending(files: Files, *endings: str) -> list[str]:
    return [name for name in files.names if ending(name) in endings]


def head(files: Files, name: str, size: int = MOST_HEAD_BYTES) -> bytes:
    """The beginning of a file, without a mark of its encoding."""
    with files.open(name) as stream:
        start = stream.read(size)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return start.decode("utf-16", "replace").encode()
    return start.removeprefix(codecs.BOM_UTF8)


def whole(files: Files, name: str) -> bytes:
    """All of a file. Raises Problem (INVALID) for one too large to be in memory."""
    if files.size(name) > MOST_FILE_BYTES:
        raise invalid(
            "file-too-large",
            f"{name} has {files.size(name)} bytes; at most {MOST_FILE_BYTES} are read of such a file.",
            place=name,
            remedy="Split it.",
        )
    with files.open(name) as stream:
        return stream.read()


def text_of(data: bytes, place: str, report: Report) -> str:
    """Bytes as text: UTF-8 or what its mark says, else GB 18030 where all of it reads so, which is told.

    Raises Problem (INVALID) with the line.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        try:
            text = data.decode("gb18030")
        except UnicodeDecodeError:
            line = data.count(b"\n", 0, error.start) + 1
            raise invalid(
                "encoding-unknown",
                f"{place}, line {line}: the text is neither UTF-8 nor GB 18030.",
                place=f"{place}:{line}",
                remedy="Save it as UTF-8.",
            ) from None
        report.drop("encoding-guessed", f"{place} (GB 18030)")
        return text


def lines_of(files: Files, name: str, report: Report) -> Iterator[tuple[int, str]]:
    """(number from 1, line) of a text that may be larger than memory; its ends of lines are gone."""
    encoding = "utf-8-sig"
    start = b""
    with files.open(name) as stream:
        start = stream.read(4)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    with files.open(name) as stream:
        decoded = io.TextIOWrapper(stream, encoding="latin-1" if encoding == "utf-8-sig" else encoding, newline="\n")
        told = False
        for number, line in enumerate(decoded, 1):
            if encoding == "utf-8-sig":
                raw = line.encode("latin-1")
                if number == 1:
                    raw = raw.removeprefix(codecs.BOM_UTF8)
                try:
                    line = raw.decode()
                except UnicodeDecodeError:
                    quiet = Report()
                    line = text_of(raw, f"{name}:{number}", quiet)
                    if not told:
                        report.add(quiet)
                        told = True
            yield number, line.rstrip("\r\n")


class Pictures:
    """The pictures among files, found as annotations name them: by path, by name, by name without its ending."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self._paths: dict[str, str] = {}
        self._names: dict[str, str | None] = {}
        self._stems: dict[str, str | None] = {}
        for path in files.names:
            if ending(path) not in PICTURES:
                continue
            self._paths[path.casefold()] = path
            pure = PurePosixPath(path)
            for known, key in ((self._names, pure.name.casefold()), (self._stems, pure.stem.casefold())):
                known[key] = path if key not in known else None  # two of a name are told apart by paths alone

    @property
    def paths(self) -> list[str]:
        return list(self._paths.values())

    def find(self, name: str, *folders: str, stem: bool = False) -> str:
        """Its path; "" for none, or for several that it could be. folders: where to look first. stem: `name` has no
        ending."""
        wanted = name.replace("\\", "/").strip().removeprefix("./").lstrip("/")
        pure = PurePosixPath(wanted)
        if stem:
            for folder in folders:
                for one in PICTURES:
                    path = self._paths.get(f"{folder}{wanted}.{one}".casefold())
                    if path is not None:
                        return path
            return self._stems.get(pure.name.casefold()) or ""
        for folder in (*folders, ""):
            path = self._paths.get((folder + wanted).casefold())
            if path is not None:
                return path
        # a path of another machine: its longest end that is here
        parts = pure.parts
        for start in range(1, len(parts)):
            path = self._paths.get("/".join(parts[start:]).casefold())
            if path is not None:
                return path
        found = self._names.get(pure.name.casefold())
        if found is not None:
            return found
        return self._stems.get(pure.stem.casefold()) or ""

    def size(self, path: str) -> tuple[int, int] | None:
        """(width, height) in px as it is shown, turned as its file says; None where it cannot be read."""
        try:
            with self.files.open(path) as stream, Image.open(stream) as picture:
                width, height = picture.size
                turned = picture.getexif().get(0x0112, 1) >= 5
        except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError, Problem):
            return None
        return (height, width) if turned else (width, height)


def number(value: object) -> float:
    """A finite number. Raises ValueError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"{value!r} is no number")
    found = float(value)
    if found != found or found in (float("inf"), float("-inf")):
        raise ValueError(f"{value!r} is no finite number")
    return found
