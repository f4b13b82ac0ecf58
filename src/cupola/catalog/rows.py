"""Items ready to be stored, with the blobs that they name put already: what every way in ends with. No database."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec

from cupola.catalog import media
from cupola.catalog.conversations.model import counts
from cupola.catalog.found import FoundPart, Noted
from cupola.catalog.media.base import Content, Probe, too_large
from cupola.kernel import ids, limits
from cupola.kernel.errors import Problem, invalid
from cupola.labels import ItemFacts
from cupola.labels.facts import beside_columns, to_json
from cupola.platform.blobs import Blobs

MIXED = "multipart/mixed"  # the media type of an item that is made of parts


@dataclass(frozen=True, slots=True)
class Taken:
    """Something that is stored or need not be: what it is, and exactly one of `asset` (its blob's hash), `url`, `body`.

    size_bytes: 0 for what is kept as a reference.
    """

    known: Probe
    size_bytes: int
    asset: bytes | None = None
    url: str | None = None
    body: str | None = None


@dataclass(frozen=True, slots=True)
class PartRow:
    """A part of an item that can be stored. facts, meta: JSON."""

    ordinal: int
    role: str
    sensor: str
    timestamp_ns: int | None
    asset: bytes | None
    url: str | None
    body: str | None
    media_type: str
    size_bytes: int
    width_px: int | None
    height_px: int | None
    facts: str
    meta: str


@dataclass(frozen=True, slots=True)
class Row:
    """An item that can be stored. asset: hash of the blob that was put; fingerprint: of all its content.

    facts: what is known of it beside the columns, as JSON. parts: none where it is its own one part.
    """

    id: UUID
    ref: str
    place: str
    media_type: str
    asset: bytes | None
    url: str | None
    body: str | None
    size_bytes: int
    width_px: int | None
    height_px: int | None
    metadata: str
    pre_label: str | None
    gold_label: str | None
    eligible: tuple[UUID, ...] | None
    fingerprint: bytes
    notes: tuple[Noted, ...] = ()
    facts: str | None = None
    parts: tuple[PartRow, ...] = ()


def blobs_of(rows: Sequence[Row]) -> list[Row | PartRow]:
    """What of them is kept in a blob."""
    return [one for row in rows for one in (row.parts or (row,)) if one.asset is not None]


def store_content(blobs: Blobs, tenant: UUID, content: Content, name: str, announced: str = "") -> Taken:
    """Look at a content and put it into the store, unless it is a text; blocking. Raises Problem as `media.probe`."""
    known = media.probe(content, name, announced)
    if known.text is not None:
        return Taken(known, content.size_bytes, body=known.text)
    return Taken(known, content.size_bytes, kept(blobs, tenant, content))


def kept(blobs: Blobs, tenant: UUID, content: Content) -> bytes:
    """Put a content into the store, blocking; its SHA-256. On the disk for certain after `blobs.settle_now`."""
    if content.data is not None:
        return bytes.fromhex(blobs.put_now(tenant, content.data).sha256)
    assert content.path is not None
    return bytes.fromhex(blobs.adopt_now(tenant, content.path, content.sha256, content.size_bytes).sha256)


def row_of(
    ref: str,
    taken: Taken,
    parts: tuple[PartRow, ...] = (),
    *,
    place: str = "",
    metadata: str = "{}",
    pre_label: str | None = None,
    gold_label: str | None = None,
    eligible: tuple[UUID, ...] | None = None,
    notes: tuple[Noted, ...] = (),
) -> Row:
    """An item ready to be stored. metadata, pre_label, gold_label: JSON."""
    known, asset, url, body = taken.known, taken.asset, taken.url, taken.body
    content: tuple[object, ...] = (
        known.media_type, asset, url, body, metadata, pre_label, gold_label, eligible, *((parts,) if parts else ())
    )  # fmt: skip
    return Row(
        ids.uuid7(), ref, place or ref, known.media_type, asset, url, body, taken.size_bytes, known.width_px,
        known.height_px, metadata, pre_label, gold_label, eligible,
        hashlib.sha256(msgspec.msgpack.encode(content)).digest(), notes, beside_columns(facts_of(known), body), parts,
    )  # fmt: skip


def part_rows(parts: Sequence[FoundPart], taken: Sequence[Taken]) -> tuple[PartRow, ...]:
    rows = []
    told = words = 0
    for number, (part, got) in enumerate(zip(parts, taken, strict=True)):
        meta = dict(part.meta)
        if got.known.orientation != 1:
            meta["exif_orientation"] = got.known.orientation
        text = metadata_json(meta, f"/parts/{number}/meta")
        told, words = told + len(text) - len("{}"), words + len(got.body or "")
        known = got.known
        rows.append(
            PartRow(
                number, part.role, part.sensor, part.timestamp_ns, got.asset, got.url, got.body, known.media_type,
                got.size_bytes, known.width_px, known.height_px, to_json(facts_of(known)), text,
            )
        )  # fmt: skip
    if told > limits.MAX_METADATA_BYTES:
        raise _too_much(told, "/parts")
    if words > limits.MAX_TEXT_ITEM_BYTES:
        raise too_large(words, limits.MAX_TEXT_ITEM_BYTES)
    return tuple(rows)


def together(taken: Sequence[Taken], parts: Sequence[FoundPart] = ()) -> Taken:
    """What is known of an item that is made of these. Its size is that of its pictures, where all have the same; what
    is said in it is counted where it is a conversation."""
    facts = [one.known for one in taken]
    pictures = {(one.width_px, one.height_px) for one in facts if one.width_px is not None}
    width_px, height_px = pictures.pop() if len(pictures) == 1 else (None, None)
    said = counts((part.role, part.meta) for part in parts)
    all_words = all(one.characters is not None for one in facts)
    return Taken(
        Probe(
            MIXED,
            width_px,
            height_px,
            frames=len(facts) if all(one.width_px is not None for one in facts) else None,
            characters=sum(one.characters or 0 for one in facts) if all_words else None,
            turns=said.turns,
            messages=said.messages,
            candidates=said.candidates,
            steps=said.steps,
        ),
        sum(one.size_bytes for one in taken),
    )


def facts_of(known: Probe) -> ItemFacts:
    """What labels of it are checked against."""
    return ItemFacts(
        known.media_type,
        known.width_px,
        known.height_px,
        known.duration_s,
        known.frames,
        known.characters,
        points=known.points,
        turns=known.turns,
        messages=known.messages,
        candidates=known.candidates,
        steps=known.steps,
        frame_table=known.frame_table,
    )


def metadata_json(metadata: Mapping[str, object], place: str = "/metadata") -> str:
    """What is told of an item or a part, as JSON that can be stored. Raises Problem (INVALID)."""
    if not metadata:
        return "{}"
    try:
        told = msgspec.json.encode(metadata, order="deterministic").decode()
    except (TypeError, ValueError, msgspec.MsgspecError) as error:
        raise invalid(
            "metadata-malformed", f"The metadata is no JSON: {error}.", place=place, remedy="Use JSON values."
        ) from None
    if len(told) > limits.MAX_METADATA_BYTES:
        raise _too_much(len(told), place)
    if "\\u0000" in told:
        raise invalid("metadata-malformed", "The metadata holds U+0000.", place=place, remedy="Remove that character.")
    return told


def _too_much(characters: int, place: str) -> Problem:
    return invalid(
        "metadata-too-large",
        f"The metadata has {characters} characters; at most {limits.MAX_METADATA_BYTES} are taken.",
        place=place,
        remedy="Keep what people need to see.",
    )
