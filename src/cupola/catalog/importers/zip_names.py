"""What the names in a zip archive are: the format says UTF-8 or an encoding of 1981, packers write what they like."""

from __future__ import annotations

import codecs
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable

from cupola.kernel.encodings import weighed

_UTF8_FLAG = 0x0800
_UNICODE_PATH = 0x7075  # Info-ZIP's extra field with the name in UTF-8
_UNIX = 3  # "version made by"
OWN = "cp437"  # what the format says for names that do not say
_WESTERN = frozenset("äöüßÄÖÜéèêëàâçîïìíôòóûùúñÑæÆåÅÉáÿ")  # those of the format's own encoding
_BICAMERAL = frozenset({"LATIN", "CYRILLIC", "GREEK"})


def known_encoding(name: str) -> bool:
    try:
        return not codecs.lookup(name).name.startswith(("base64", "hex", "rot", "zlib", "bz2", "quopri", "uu"))
    except LookupError:
        return False


def spell(entries: Iterable[zipfile.ZipInfo], told: str | None) -> tuple[dict[int, str], str]:
    """(position -> name, the encoding that was guessed for those that do not say, or nothing).

    told: the encoding that somebody named for them.
    """
    listed = list(entries)
    names: dict[int, str] = {}
    raw: dict[int, bytes] = {}
    for number, info in enumerate(listed):
        names[number] = info.filename
        if info.flag_bits & _UTF8_FLAG or info.filename.isascii():
            continue
        written = _written(info)
        if written is not None:
            names[number] = written
            continue
        try:
            raw[number] = info.orig_filename.encode("cp437")
        except UnicodeEncodeError:
            continue
    if not raw:
        return names, ""
    encoding = told or _guess(list(raw.values()), any(info.create_system == _UNIX for info in listed))
    for number, name in raw.items():
        names[number] = name.decode(encoding, "replace").replace("\\", "/")
    certain = encoding == "utf-8" or (encoding == OWN and all(_is_western(names[number]) for number in raw))
    return names, "" if told or certain else encoding


def _written(info: zipfile.ZipInfo) -> str | None:
    """The name in UTF-8 that an extra field holds, if it belongs to this name (APPNOTE 4.6.9)."""
    at, extra = 0, info.extra
    while at + 4 <= len(extra):
        tag, size = struct.unpack_from("<HH", extra, at)
        body = extra[at + 4 : at + 4 + size]
        if tag == _UNICODE_PATH and len(body) > 5 and body[0] == 1:
            try:
                if struct.unpack_from("<I", body, 1)[0] == zlib.crc32(info.orig_filename.encode("cp437")):
                    return body[5:].decode()
            except UnicodeError:
                return None
        at += 4 + size
    return None


def _guess(found: list[bytes], unix: bool) -> str:
    try:
        texts = [name.decode() for name in found]
    except UnicodeDecodeError:
        pass
    else:
        # Many packers write UTF-8 without saying so. Two bytes alone can be chance, elsewhere than on a Unix.
        letters = [char for text in texts for char in text if not char.isascii()]
        if unix or len(letters) > 2 or any(char > "\u07ff" for char in letters):
            return "utf-8"
    if _reads(found, OWN) and all(
        char in _WESTERN for name in found for char in name.decode(OWN) if not char.isascii()
    ):
        return OWN
    weight = weighed(b"\n".join(found))
    fitting = [name for name in weight if _reads(found, name)]
    return max(fitting, key=weight.__getitem__, default=OWN)


def _reads(names: Iterable[bytes], encoding: str) -> bool:
    """Do all of them read as words, of letters of one script each, as names are made of?"""
    try:
        return all(_is_plausible(name.decode(encoding)) for name in names)
    except UnicodeDecodeError:
        return False


def _is_western(text: str) -> bool:
    """Are its letters those of Western Europe, some of each word plain ones? "été" is so, "Öîàì" is not."""
    words = "".join(char if char.isalpha() else " " for char in text).split()
    return all(char.isascii() or char in _WESTERN for char in text) and all(
        3 * sum(char.isascii() for char in word) >= len(word) for word in words
    )


def _is_plausible(text: str) -> bool:
    before = ""
    for char in text:
        if not char.isascii() and unicodedata.category(char)[0] not in "LMNP":
            return False  # lines of boxes, currencies, what nobody has assigned
        if before and before.isalpha() and char.isalpha():
            scripts = {_script(before), _script(char)}
            if scripts & _BICAMERAL and (
                len(scripts) > 1 or (before.islower() and char.isupper() and not (before + char).isascii())
            ):
                return False  # "GrФсe" is no word, nor is "âXâN"; "Größe" is
        before = char
    return True


def _script(char: str) -> str:
    return unicodedata.name(char, "").partition(" ")[0]
