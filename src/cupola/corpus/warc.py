"""Records of WARC files (ISO 28500:2017), plain or a gzip member each, and the answers of HTTP in them.

Crawls are long files that are often torn: what is broken is told with its place, and reading goes on at the next record
that can be found.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

_PIECE = 1 << 16
_MAGIC = b"\x1f\x8b\x08"
_BEGINS = b"WARC/"
_MOST_HEAD = 1 << 16


@dataclass(frozen=True)
class Record:
    """place: the byte of the file, as it lies there, where it begins; headers by their names in small letters; body:
    None where it is longer than may be held; fault: why there is none, "" where there is one."""

    place: int
    headers: dict[str, str]
    body: bytes | None
    fault: str = ""


def records(file: BinaryIO, packed: bool, most_bytes: int) -> Iterator[Record]:
    """Every record of a file, and in place of what cannot be read one that says why (`fault`)."""
    return _packed(file, most_bytes) if packed else _plain(file, most_bytes)


def _packed(file: BinaryIO, most_bytes: int) -> Iterator[Record]:
    held, at = b"", 0  # bytes from place `at` on, not looked at yet
    told = False  # that what is being skipped is no record
    while True:
        if len(held) < _PIECE and (more := file.read(_PIECE)):
            held += more
            continue
        if not held:
            return
        if not held.startswith(_MAGIC):
            if not told:
                yield Record(at, {}, None, "no packed record begins here")
                told = True
            found = held.find(_MAGIC)
            if found < 0:
                skipped = max(len(held) - 2, 1)
                held, at = held[skipped:], at + skipped
                continue
            held, at = held[found:], at + found
        unpack, whole, size, first = zlib.decompressobj(31), bytearray(), 0, at
        fault, read = "", 0
        while not unpack.eof:
            try:
                out = unpack.decompress(held, most_bytes + _MOST_HEAD)
            except zlib.error as error:
                fault = f"the packed record is broken: {error}"
                break
            read += len(held) - len(unpack.unconsumed_tail) - len(unpack.unused_data)
            size += len(out)
            if size <= most_bytes + _MOST_HEAD:
                whole += out
            held = unpack.unconsumed_tail
            if unpack.eof:
                break
            if not held and not (held := file.read(_PIECE)):
                fault = "the file ends inside a record"
                break
        if not fault:
            held, at, told = unpack.unused_data, first + read, False
            yield _record(first, bytes(whole), size > most_bytes + _MOST_HEAD)
            continue
        yield Record(first, {}, None, fault)
        if not held:
            return
        held, at, told = (
            held[1:],
            first + read + 1,
            True,
        )  # not behind the fault: the next record is looked for from there


def _record(place: int, raw: bytes, too_long: bool) -> Record:
    head, parted, body = raw.partition(b"\r\n\r\n")
    if not head.startswith(_BEGINS) or not parted:
        return Record(place, {}, None, "no record of a WARC begins here")
    headers = headers_of(head)
    try:
        length = int(headers.get("content-length", ""))
    except ValueError:
        return Record(place, headers, None, "the record does not say how long it is")
    if too_long:
        return Record(place, headers, None)
    if len(body) < length:
        return Record(place, headers, None, "the record is shorter than it says")
    return Record(place, headers, body[:length])


def _plain(file: BinaryIO, most_bytes: int) -> Iterator[Record]:
    at = 0
    while line := file.readline(_MOST_HEAD):
        place, at = at, at + len(line)
        if not line.startswith(_BEGINS):
            if line.strip():
                yield Record(place, {}, None, "no record of a WARC begins here")
                while line and not line.startswith(_BEGINS):  # to the next one that looks like a record
                    line = file.readline(_MOST_HEAD)
                    place, at = at, at + len(line)
            if not line.startswith(_BEGINS):
                continue
        head = [line]
        while (line := file.readline(_MOST_HEAD)).strip():
            head.append(line)
            at += len(line)
        at += len(line)
        headers = headers_of(b"".join(head))
        try:
            length = int(headers.get("content-length", ""))
        except ValueError:
            yield Record(place, headers, None, "the record does not say how long it is")
            continue
        body, left = bytearray(), length
        while left and (some := file.read(min(left, _PIECE))):
            left -= len(some)
            at += len(some)
            if length <= most_bytes:
                body += some
        if left:
            yield Record(place, headers, None, "the file ends inside a record")
        else:
            yield Record(place, headers, bytes(body) if length <= most_bytes else None)


def headers_of(head: bytes) -> dict[str, str]:
    """The lines `Name: value` behind the first one."""
    found: dict[str, str] = {}
    for line in head.splitlines()[1:]:
        name, parted, value = line.decode("utf-8", "replace").partition(":")
        if parted:
            found.setdefault(name.strip().lower(), value.strip())
    return found


def answer(body: bytes, most_bytes: int) -> tuple[dict[str, str], bytes]:
    """Headers and body of an answer of HTTP, the body joined from its chunks and unpacked as the headers say; where it
    is not so (crawlers unpack and leave the headers), as it is. Raises ValueError for one that is packed otherwise or
    longer than `most_bytes` when unpacked."""
    head, _, rest = body.partition(b"\r\n\r\n")
    headers = headers_of(head)
    if headers.get("transfer-encoding", "").lower() == "chunked":
        rest = _joined(rest)
    packing = headers.get("content-encoding", "").lower()
    if packing in ("gzip", "x-gzip", "deflate"):
        unpack = zlib.decompressobj(31 if "gzip" in packing else 15)
        try:
            out = unpack.decompress(rest, most_bytes)
        except zlib.error:
            return headers, rest
        if unpack.unconsumed_tail:
            raise ValueError("the answer is too long when unpacked")
        return headers, out
    if packing not in ("", "identity", "none") and rest[:200].lstrip()[:1] != b"<":
        raise ValueError(f"the answer is packed as {packing}")
    return headers, rest


def _joined(rest: bytes) -> bytes:
    out, at = bytearray(), 0
    while (end := rest.find(b"\r\n", at)) >= 0:
        try:
            size = int(rest[at:end].split(b";")[0], 16)
        except ValueError:
            return bytes(out) or rest  # it was joined before
        if size == 0:
            return bytes(out)
        out += rest[end + 2 : end + 2 + size]
        at = end + 4 + size
    return bytes(out) or rest
