"""Names of files in exports: such as trainers, file systems and archives take, and such as tell their reference."""

from __future__ import annotations

import hashlib
import re
import unicodedata

from cupola.releases.exporters.base import Row

ENDINGS = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/webp": "webp",
    "image/gif": "gif",
    "image/bmp": "bmp",
    "image/avif": "avif",
}
_SAME = {"jpeg": "jpg", "jpe": "jpg", "jfif": "jpg", "mpo": "jpg", "apng": "png"}
MAX_STEM_CHARS = 80
MAX_FOLDER_BYTES = 120
_ending = re.compile(r"\.([A-Za-z0-9]{1,5})\Z")
_plain = re.compile(r"[^A-Za-z0-9_.-]+")
# What one file system or another refuses in a name; letters of every script are fine.
_unfit = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*\ud800-\udfff]+')
_DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{name}{n}" for name in ("com", "lpt") for n in range(1, 10))})


def stem(ref: str) -> str:
    """The beginning of a file's name that tells its reference and that no other reference has."""
    plain = _plain.sub("_", _ending.sub("", ref)).strip("._")[-MAX_STEM_CHARS:]
    return f"{plain or 'item'}-{hashlib.sha256(ref.encode()).hexdigest()[:10]}"


def file_name(row: Row) -> str:
    """What the item's file is called: its reference where that is a file's path with the right ending, as it is for
    whoever imported files; else a name made from it."""
    ending = ENDINGS.get(row.media_type)
    found = _ending.search(row.ref)
    told = found.group(1).lower() if found else ""
    parts = row.ref.split("/")
    is_path = all(part and part not in (".", "..") and not _unfit.search(part) for part in parts)
    if is_path and told and (ending is None or _SAME.get(told, told) == ending):
        return row.ref
    return f"{stem(row.ref)}.{ending}" if ending else stem(row.ref)


def folders(names: list[str]) -> dict[str, str]:
    """Name -> folder: the name itself where every file system takes it, and no two alike in any case or spelling."""
    out: dict[str, str] = {}
    taken: set[str] = set()
    for number, name in enumerate(names):
        plain = _unfit.sub("_", unicodedata.normalize("NFC", name)).strip(" .") or "class"
        while len(plain.encode()) > MAX_FOLDER_BYTES:
            plain = plain[:-1]
        alike = plain.casefold()
        if alike in taken or plain.partition(".")[0].casefold() in _DEVICES:
            plain = f"{plain}-{number}"
            alike = plain.casefold()
        taken.add(alike)
        out[name] = plain
    return out
