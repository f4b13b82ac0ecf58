"""Texts that are too long for a row: the column names them and their bytes lie in the tenant's blobs.

A value is a text as it is, or `@<sha256>:<bytes>`, and what follows that in the column follows the text. What is kept
so is JSON, which never begins with "@": nobody can write a reference by sending one. A field of a row that may come
from such a column is annotated `LongText`, a parameter that may hold such a text is named in a statement's `keeps`:
`Statement` puts and reads, and nobody else knows of references (beside `label_hash`, `label_bytes` and the sweeper in
the database).
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, Protocol, TypeAlias, TypeVar
from uuid import UUID

from cupola.kernel import limits
from cupola.kernel.errors import Kind, Problem

AT_ONCE = 8  # blobs that one statement reads or puts side by side
BATCH_BYTES = 16 * 1024 * 1024  # of long texts that a page of rows holds in memory at once


LongText: TypeAlias = str  # one that may lie in a blob
_reference = re.compile(r"@([0-9a-f]{64}):([0-9]{1,12})")
_fields: dict[type, tuple[str, ...]] = {}  # of the rows of all statements
R = TypeVar("R")
T = TypeVar("T")
V = TypeVar("V")


class LongTexts(Protocol):
    """Where the bytes are: the store of blobs."""

    async def put(self, tenant: UUID, data: bytes) -> object: ...
    async def get(self, tenant: UUID, sha256: str) -> bytes: ...


def is_long(text: str) -> bool:
    """Whether a text is kept beside its row. A reference is short, and stays as it is."""
    return len(text) > limits.MAX_ROW_LABEL_BYTES // 4 and len(text.encode()) > limits.MAX_ROW_LABEL_BYTES


def reference(data: bytes) -> str:
    """What stands in the column of a text of these bytes."""
    return f"@{hashlib.sha256(data).hexdigest()}:{len(data)}"


def long_fields(row: type) -> tuple[str, ...]:
    """The fields of a dataclass that are annotated `LongText`, optional ones and lists of them too.

    Read as the text that an annotation is here: evaluating it would stumble over a field that is named as a type.
    """
    known = _fields.get(row)
    if known is None:
        named = (field.name for field in fields(row) if "LongText" in str(field.type)) if is_dataclass(row) else ()
        known = _fields[row] = tuple(named)
    return known


# ---------------------------------------------------------------- writing
async def kept(
    store: LongTexts | None, tenant: UUID, params: Mapping[str, Any], names: Iterable[str]
) -> Mapping[str, Any]:
    """Parameters with what is long in `names` (a text, a list of texts, or None) put into blobs and named instead.

    The bytes are there before the statement runs: whoever is killed in between leaves a blob that nothing names.
    """
    found = {name: value for name in names if _any_long(value := params[name])}
    if not found:
        return params
    if store is None:
        raise AssertionError("a long text is to be kept and this database was given no blobs")
    texts = {text.encode() for value in found.values() for text in _texts(value) if is_long(text)}
    await _side_by_side(functools.partial(store.put, tenant), list(texts))
    return {**params, **{name: _named(value) for name, value in found.items()}}


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        return (value,)
    return [one for one in value if one is not None] if isinstance(value, list) else ()


def _any_long(value: Any) -> bool:
    return any(map(is_long, _texts(value)))


def _named(value: Any) -> Any:
    if isinstance(value, list):
        return [_named(one) for one in value]
    return reference(value.encode()) if isinstance(value, str) and is_long(value) else value


# ---------------------------------------------------------------- reading
async def whole(store: LongTexts | None, tenant: UUID | None, rows: list[R], names: Sequence[str]) -> list[R]:
    """Rows with each reference in the fields `names` replaced by the text that it names.

    Raises Problem (UNAVAILABLE) "label-missing" with the place of the blob where it is not there, or not what it was.
    """
    wanted = {ref for row in rows for name in names for ref in _references(getattr(row, name))}
    if not wanted:
        return rows
    if store is None or tenant is None:
        raise AssertionError("a long text is read and this database was given no blobs, or the statement no tenant")
    order = list(wanted)
    read = functools.partial(_text, store, tenant)
    found = dict(zip(order, await _side_by_side(read, order), strict=True))
    return [_filled(row, names, found) for row in rows]


def batches(rows: list[R], names: Sequence[str]) -> Iterator[list[R]]:
    """Rows in parts, none of which has more long text than is held at once; a single row may."""
    part: list[R] = []
    held = 0
    for row in rows:
        mine = sum(int(ref[66:]) for name in names for ref in _references(getattr(row, name)))
        if part and mine and held + mine > BATCH_BYTES:
            yield part
            part, held = [], 0
        part.append(row)
        held += mine
    yield part


def _references(value: Any) -> Iterable[str]:
    return [found[0] for text in _texts(value) if text[:1] == "@" and (found := _reference.match(text))]


def _filled(row: R, names: Sequence[str], found: Mapping[str, str]) -> R:
    """The row itself where it names nothing."""
    changed = {name: _spelt(value, found) for name in names if _references(value := getattr(row, name))}
    return replace(row, **changed) if changed else row  # type: ignore[type-var]


def _spelt(value: Any, found: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_spelt(one, found) for one in value]
    named = _reference.match(value) if isinstance(value, str) else None
    return value if named is None else found[named[0]] + value[named.end() :]


async def _text(store: LongTexts, tenant: UUID, ref: str) -> str:
    sha256 = ref[1:65]
    try:
        data = await store.get(tenant, sha256)
    except Problem as problem:
        if problem.kind is Kind.NOT_FOUND:
            raise _missing(tenant, sha256, "is not there") from problem
        raise
    if reference(data) != ref:
        raise _missing(tenant, sha256, "does not hold what it is named after")
    return data.decode()


def _missing(tenant: UUID, sha256: str, what: str) -> Problem:
    return Problem(
        Kind.UNAVAILABLE,
        "label-missing",
        f"A label is kept in the blob {tenant}/{sha256}, and that {what}.",
        remedy="The operator must bring this blob back from a backup of the store of files.",
        place=f"blobs/{tenant}/{sha256}",
    )


async def _side_by_side(do: Callable[[T], Awaitable[V]], things: Sequence[T]) -> list[V]:
    """What `do` answers for each of them, a few at a time."""
    out: list[V] = []
    for start in range(0, len(things), AT_ONCE):
        out += await asyncio.gather(*(do(one) for one in things[start : start + AT_ONCE]))
    return out
