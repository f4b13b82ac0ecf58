"""What is known of an item without looking at it: what a label is checked against, whatever the item is made of."""

from __future__ import annotations

from dataclasses import dataclass, replace

import msgspec


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """The facts of one item or of one of its parts; what does not apply to its medium, or is not known, is None.

    media: the media type ("image/png"). width_px, height_px: as shown, with the orientation applied. duration_s: of
    video and audio. frames: pictures of a sequence or video. characters: Unicode code points of a text. points: of a
    point cloud. messages, turns (messages of an assistant), candidates (to compare), steps: of a conversation.
    frame_table: of a video, the SHA-256 of the table that numbers its frames.
    """

    media: str = ""
    width_px: int | None = None
    height_px: int | None = None
    duration_s: float | None = None
    frames: int | None = None
    characters: int | None = None
    turns: int | None = None
    points: int | None = None
    messages: int | None = None
    candidates: int | None = None
    steps: int | None = None
    frame_table: str | None = None


UNKNOWN = ItemFacts()


def to_json(facts: ItemFacts) -> str:
    """All that is known, and nothing of what is not."""
    known = {name: value for name in ItemFacts.__slots__ if (value := getattr(facts, name)) not in (None, "")}
    return msgspec.json.encode(known).decode()


def beside_columns(facts: ItemFacts, body: str | None) -> str | None:
    """What is known beyond what an item's own columns tell (media type, size, and a text's length by the text)."""
    characters = None if body is not None else facts.characters
    rest = to_json(replace(facts, media="", width_px=None, height_px=None, characters=characters))
    return None if rest == "{}" else rest


def with_columns(
    rest: ItemFacts, media: str, width_px: int | None, height_px: int | None, body: str | None
) -> ItemFacts:
    """The way back: what stands beside an item's columns, and what they tell."""
    characters = rest.characters if body is None else len(body)
    return replace(rest, media=media, width_px=width_px, height_px=height_px, characters=characters)


def from_json(text: str | None) -> ItemFacts:
    """What `to_json` or `beside_columns` wrote."""
    return UNKNOWN if text is None else msgspec.json.decode(text, type=ItemFacts)
