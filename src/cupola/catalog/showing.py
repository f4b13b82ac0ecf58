"""Items as somebody may look at them: what they are made of, behind addresses that only this somebody can use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from cupola.catalog.conversations.model import without_owner
from cupola.labels import ItemFacts
from cupola.labels.facts import UNKNOWN, with_columns
from cupola.platform.references import sign_reference
from cupola.platform.runtime import Runtime

THUMB_TYPE = "image/webp"
NO_METADATA = msgspec.Raw(b"{}")


class PartDocument(msgspec.Struct, frozen=True):
    """A part as the database tells it (item_parts). Exactly one of asset (SHA-256, hex), url, body."""

    ordinal: int
    media_type: str
    role: str = ""
    sensor: str = ""
    timestamp_ns: int | None = None
    asset: str | None = None
    url: str | None = None
    body: str | None = None
    bytes: int = 0
    facts: ItemFacts = UNKNOWN
    meta: msgspec.Raw = NO_METADATA


class ItemDocument(msgspec.Struct, frozen=True):
    """An item as the database tells it (item_shown). parts: None where the item is its own one part.

    width_px, height_px: as shown. facts: what its columns do not tell. thumb: SHA-256 of its small picture, hex.
    hidden: what its owner calls it, and says of it, is not for whoever looks.
    """

    item: UUID
    ref: str
    media_type: str
    asset: str | None = None
    url: str | None = None
    body: str | None = None
    width_px: int | None = None
    height_px: int | None = None
    thumb: str | None = None
    metadata: msgspec.Raw = NO_METADATA
    facts: ItemFacts | None = None
    parts: list[PartDocument] | None = None
    hidden: bool = False

    @property
    def known(self) -> ItemFacts:
        """All that labels of it are checked against."""
        return with_columns(self.facts or UNKNOWN, self.media_type, self.width_px, self.height_px, self.body)


@dataclass(frozen=True, slots=True)
class PartView:
    """One part of an item, in the item's order. role, sensor: its owner's words; timestamp_ns: when it was taken."""

    ordinal: int
    role: str
    sensor: str
    timestamp_ns: int | None
    media_type: str
    url: str | None
    text: str | None
    bytes: int
    facts: ItemFacts
    meta: Any


@dataclass(frozen=True, slots=True)
class ItemView:
    """An item as an editor needs it. URLs are signed and short-lived.

    facts: what is known beside media type and size. parts: what it is made of; empty where it is its own one part.
    frames_url: of a video, where its frame table is, and with `&n=` its pictures (see catalog.video.api).
    """

    id: UUID
    ref: str
    media_type: str
    url: str | None
    thumb_url: str | None
    text: str | None
    width: int | None
    height: int | None
    metadata: Any
    facts: ItemFacts | None
    parts: list[PartView]
    frames_url: str | None = None


_decoder = msgspec.json.Decoder(ItemDocument)
_parts_decoder = msgspec.json.Decoder(list[PartDocument])


def read(document: str) -> ItemDocument:
    """What the database told of an item."""
    return _decoder.decode(document)


def read_parts(text: str | None) -> list[PartDocument]:
    """What the database told of an item's parts alone."""
    return [] if text is None else _parts_decoder.decode(text)


class _Instruction(msgspec.Struct, omit_defaults=True):
    """Of metadata, what belongs to the question."""

    instruction: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


def _without_words(told: ItemDocument) -> ItemDocument:
    """An item under a name that says nothing, with its instruction alone of what its owner says of it."""
    asked = msgspec.json.encode(msgspec.json.decode(told.metadata, type=_Instruction))
    return msgspec.structs.replace(
        told,
        ref=f"item {told.item.hex[:8]}",
        metadata=msgspec.Raw(asked),
        parts=None if told.parts is None else [msgspec.structs.replace(one, meta=NO_METADATA) for one in told.parts],
    )


def _blind(part: PartDocument) -> PartDocument:
    """A part of a conversation without whose words it is, and what else its owner alone knows."""
    if b'"owner"' not in bytes(part.meta):
        return part
    meta = without_owner(msgspec.json.decode(part.meta))
    return msgspec.structs.replace(part, meta=msgspec.Raw(msgspec.json.encode(meta)))


class Show:
    """How one somebody is shown items of one tenant. bound_to: who must ask; life_s: how long the addresses hold."""

    def __init__(self, run: Runtime, tenant: UUID, bound_to: str, life_s: int) -> None:
        self._run, self._tenant, self._bound_to, self._life_s = run, tenant, bound_to, life_s

    def item(self, told: ItemDocument, metadata: Any = None) -> ItemView:
        """metadata: as it is to be answered, where that is not the document's own JSON."""
        if told.hidden:
            told = _without_words(told)
        if told.parts is not None:
            told = msgspec.structs.replace(told, parts=[_blind(part) for part in told.parts])
        return ItemView(
            told.item,
            told.ref,
            told.media_type,
            self.address(told.asset, told.url, told.media_type),
            self.thumb(told.thumb, told.asset, told.media_type),
            told.body,
            told.width_px,
            told.height_px,
            told.metadata if metadata is None else metadata,
            None if told.facts is None else told.known,
            self.parts(told.parts or ()),
            self.frames(told.asset, told.facts),
        )

    def frames(self, asset: str | None, facts: ItemFacts | None) -> str | None:
        """Where the frames of a video of ours are shown."""
        if asset is None or facts is None or facts.frame_table is None:
            return None
        return self._run.blobs.sign_frames(
            self._tenant, asset, facts.frame_table, expires_s=self._life_s, bound_to=self._bound_to
        )

    def parts(self, told: list[PartDocument] | tuple[()]) -> list[PartView]:
        return [
            PartView(
                part.ordinal,
                part.role,
                part.sensor,
                part.timestamp_ns,
                part.media_type,
                self.address(part.asset, part.url, part.media_type),
                part.body,
                part.bytes,
                part.facts,
                part.meta,
            )
            for part in told
        ]

    def address(self, asset: str | None, url: str | None, media_type: str) -> str | None:
        """Where the bytes are read: of a blob of ours, or through us what is kept elsewhere."""
        if asset is not None:
            return self._blob(asset, media_type)
        if url is None:
            return None
        return sign_reference(
            self._run.settings.derive("references"),
            url,
            media_type=media_type,
            owner=str(self._tenant),
            bound_to=self._bound_to,
            expires_s=self._life_s,
        )

    def thumb(self, thumb: str | None, asset: str | None, media_type: str) -> str | None:
        """A picture that is small already is its own thumbnail."""
        if thumb is None:
            return None
        return self._blob(thumb, media_type if thumb == asset else THUMB_TYPE)

    def _blob(self, sha256: str, media_type: str) -> str:
        return self._run.blobs.sign_local(
            self._tenant, sha256, expires_s=self._life_s, bound_to=self._bound_to, media_type=media_type
        )
