"""The card of a model: what it says of which items. It stands beside the weights and is checked first."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from cupola.kernel import limits
from cupola.kernel.errors import invalid

MAX_DIMS = 65_536
MAX_SIDE_PX = 512
Provider = Literal["text-ngrams", "pixels", "image", "metadata", "embedding"]
PROVIDERS: tuple[Provider, ...] = ("text-ngrams", "pixels", "image", "metadata", "embedding")
Tensor = Annotated[str, Meta(min_length=1, max_length=200)]
Words = Annotated[str, Meta(max_length=4_000)]


class Features(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How an item becomes numbers.

    provider: text-ngrams (words, pairs of words and runs of 2 to 5 letters, each hashed into half of `dims`), pixels
    (grey, `side_px` x `side_px`, row by row, 0 to 1), image (`side_px` x `side_px`, RGB, channels first, minus `mean`,
    by `std`), metadata (the item's metadata of `columns`, numbers as they are, words hashed into `dims`), embedding
    (the list of `dims` numbers under `key` in the item's metadata).
    """

    provider: Provider
    dims: Annotated[int, Meta(ge=1, le=MAX_DIMS)] | None = None
    side_px: Annotated[int, Meta(ge=4, le=MAX_SIDE_PX)] | None = None
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    columns: Annotated[list[str], Meta(max_length=200)] = []
    key: str = "embedding"


class Card(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a model is. classes: in the order of its output; gives: whether that output holds probabilities or logits.

    input, output: names of the tensors of an ONNX file: (n, …) in, (n, classes) out, in single precision.
    """

    classes: Annotated[list[str], Meta(min_length=2, max_length=limits.MAX_CLASSES)]
    features: Features
    kind: Literal["choice"] = "choice"
    input: Tensor = "features"
    output: Tensor = "probabilities"
    gives: Literal["probabilities", "logits"] = "probabilities"
    about: Words = ""
    licence: Annotated[str, Meta(max_length=200)] = ""
    trained_on: Words = ""


def read_card(text: str | bytes) -> Card:
    """A card from JSON. Raises Problem (INVALID) that names the place."""
    try:
        card = msgspec.json.decode(text, type=Card)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        detail, _, place = str(error).partition(" - at `")
        raise invalid(
            "card-malformed",
            f"This is no card of a model: {detail}.".replace("..", "."),
            place="/card" + place.rstrip("`").removeprefix("$").replace(".", "/"),
            remedy="docs/models.md shows one.",
        ) from error
    return checked(card)


def features_from(given: Any, place: str) -> Features:
    """`features` of a card alone. Raises Problem (INVALID)."""
    try:
        found = msgspec.convert(given, Features)
    except msgspec.ValidationError as error:
        raise invalid("card-malformed", f"These are no features: {error}.", place=place) from error
    return checked(Card(["a", "b"], found)).features


def checked(card: Card) -> Card:
    """The card, if its parts fit each other. Raises Problem (INVALID)."""
    if len(set(card.classes)) != len(card.classes):
        raise invalid("card-malformed", "The card names a class twice.", place="/card/classes")
    given = card.features
    lacks = {
        "text-ngrams": given.dims is None or given.dims % 2 == 1,
        "pixels": given.side_px is None,
        "image": given.side_px is None or 0.0 in given.std,
        "metadata": given.dims is None or not given.columns,
        "embedding": given.dims is None,
    }
    if lacks[given.provider]:
        needs = {"text-ngrams": "an even `dims`", "pixels": "`side_px`", "image": "`side_px` and a `std` without 0",
                 "metadata": "`dims` and `columns`", "embedding": "`dims`"}[given.provider]  # fmt: skip
        raise invalid("card-malformed", f"Features of {given.provider} need {needs}.", place="/card/features")
    return card


def write_card(card: Card) -> str:
    """The card as JSON."""
    return msgspec.json.encode(card).decode()
