"""Items as numbers: one function a provider (models.card says what each does). Pure: no database, no store of blobs."""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cupola.kernel.errors import invalid
from cupola.kernel.extras import module
from cupola.models.card import Features

TEXT_DIMS = 32_768
PIXELS_SIDE_PX = 16
PICTURE_PROVIDERS = ("pixels", "image")


@dataclass(frozen=True, slots=True)
class Raw:
    """What is known of one item. picture: small and ours (a WebP or PNG file), None where there is none to see."""

    ref: str
    text: str | None = None
    picture: bytes | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Matrix:
    """(n, d) features. Sparse where indptr is there (rows of a CSR matrix), else dense: values of `shape`."""

    shape: tuple[int, ...]
    values: NDArray[np.float32]
    indptr: NDArray[np.int32] | None = None
    indices: NDArray[np.int32] | None = None

    def packed(self) -> dict[str, Any]:
        """As what msgpack holds."""
        sparse = self.indptr is not None and self.indices is not None
        return {
            "shape": list(self.shape),
            "values": self.values.tobytes(),
            "indptr": self.indptr.tobytes() if sparse and self.indptr is not None else None,
            "indices": self.indices.tobytes() if sparse and self.indices is not None else None,
        }

    def rows(self, since: int, until: int) -> Matrix:
        """Rows since … until - 1."""
        shape = (until - since, *self.shape[1:])
        if self.indptr is None or self.indices is None:
            return Matrix(shape, self.values[since:until])
        low, high = int(self.indptr[since]), int(self.indptr[until])
        pointers = (self.indptr[since : until + 1] - low).astype(np.int32)
        return Matrix(shape, self.values[low:high], pointers, self.indices[low:high])

    def dense(self) -> NDArray[np.float32]:
        """(n, d) in full."""
        return dense(self.packed())


def dense(packed: Mapping[str, Any]) -> NDArray[np.float32]:
    """(n, …) in full, of what `packed` wrote."""
    shape = tuple(int(n) for n in packed["shape"])
    values = np.frombuffer(packed["values"], np.float32)
    if packed["indptr"] is None:
        return values.reshape(shape)
    indptr = np.frombuffer(packed["indptr"], np.int32)
    out = np.zeros(shape, np.float32)
    out[np.repeat(np.arange(shape[0]), np.diff(indptr)), np.frombuffer(packed["indices"], np.int32)] = values
    return out


def stacked(parts: Sequence[Matrix]) -> Matrix:
    """Several matrices of one width as one, in their order."""
    shape = (sum(part.shape[0] for part in parts), *parts[0].shape[1:])
    if parts[0].indptr is None:
        return Matrix(shape, np.concatenate([part.values for part in parts]))
    pointers, seen = [np.zeros(1, np.int32)], 0
    for part in parts:
        assert part.indptr is not None
        pointers.append(part.indptr[1:] + seen)
        seen += int(part.indptr[-1])
    indices = np.concatenate([part.indices for part in parts if part.indices is not None])
    return Matrix(shape, np.concatenate([p.values for p in parts]), np.concatenate(pointers), indices)


def features_of(spec: Features, items: Sequence[Raw]) -> Matrix:
    """(n, d) features of items. Raises Problem (INVALID) at an item that has none of what the provider reads."""
    return _PROVIDERS[spec.provider](spec, items)


def lacks(spec: Features, item: Raw) -> bool:
    """Whether an item has nothing that the provider could read."""
    if spec.provider == "text-ngrams":
        return item.text is None
    if spec.provider in PICTURE_PROVIDERS:
        return item.picture is None
    if spec.provider == "embedding":
        return spec.key not in item.metadata
    return False


def guessed(media_types: Sequence[str], embedding_dims: int | None) -> Features:
    """What to read of items like these, where nobody says: embeddings where all have them, else words or pixels."""
    if embedding_dims is not None:
        return Features("embedding", dims=embedding_dims)
    pictures = sum(one.startswith("image/") for one in media_types)
    if pictures * 2 > len(media_types):
        return Features("pixels", side_px=PIXELS_SIDE_PX)
    return Features("text-ngrams", dims=TEXT_DIMS)


def _missing(spec: Features, item: Raw, what: str) -> Exception:
    return invalid(
        "features-missing",
        f"Item {item.ref!r} has {what}, which features of {spec.provider} are made of.",
        place=item.ref,
        remedy="Choose another provider of features, or leave such items out.",
    )


def _text(spec: Features, items: Sequence[Raw]) -> Matrix:
    text = module("sklearn.feature_extraction.text", "learning")
    sparse = module("scipy.sparse", "learning")
    for item in items:
        if item.text is None:
            raise _missing(spec, item, "no text")
    half = (spec.dims or TEXT_DIMS) // 2
    texts = [item.text for item in items]
    halves = [
        text.HashingVectorizer(
            analyzer=analyzer, ngram_range=runs, n_features=half, alternate_sign=False, norm=None, dtype=np.float32
        ).transform(texts)
        for analyzer, runs in (("word", (1, 2)), ("char_wb", (2, 5)))
    ]
    whole = sparse.hstack(halves, format="csr")
    whole.sort_indices()
    return Matrix(
        (len(items), 2 * half),
        whole.data.astype(np.float32),
        whole.indptr.astype(np.int32),
        whole.indices.astype(np.int32),
    )


def _opened(spec: Features, item: Raw, mode: str) -> NDArray[np.float32]:
    if item.picture is None:
        raise _missing(spec, item, "no picture")
    assert spec.side_px is not None
    with Image.open(io.BytesIO(item.picture)) as picture:
        small = picture.convert(mode).resize((spec.side_px, spec.side_px), Image.Resampling.BILINEAR)
        return np.asarray(small, np.float32) / 255.0


def _pixels(spec: Features, items: Sequence[Raw]) -> Matrix:
    side = spec.side_px or PIXELS_SIDE_PX
    rows = [_opened(spec, item, "L").ravel() for item in items]
    return Matrix((len(items), side * side), np.stack(rows) if rows else np.zeros((0, side * side), np.float32))


def _image(spec: Features, items: Sequence[Raw]) -> Matrix:
    side = spec.side_px or 0
    mean, std = np.asarray(spec.mean, np.float32), np.asarray(spec.std, np.float32)
    rows = [((_opened(spec, item, "RGB") - mean) / std).transpose(2, 0, 1) for item in items]
    values = np.stack(rows) if rows else np.zeros((0, 3, side, side), np.float32)
    return Matrix((len(items), 3, side, side), np.ascontiguousarray(values, np.float32))


def _metadata(spec: Features, items: Sequence[Raw]) -> Matrix:
    """A number stands in the first places, one a column; a word is counted in a place that its hash names."""
    assert spec.dims is not None
    wide = len(spec.columns) + spec.dims
    values = np.zeros((len(items), wide), np.float32)
    for n, item in enumerate(items):
        for m, column in enumerate(spec.columns):
            value = item.metadata.get(column)
            if isinstance(value, int | float):
                if not math.isfinite(value) or abs(value) > 1e30:
                    raise invalid("features-nan", f"{column} of item {item.ref!r} is no number.", place=item.ref)
                values[n, m] = value
            elif value is not None:
                digest = hashlib.sha256(f"{column}\0{value}".encode()).digest()
                values[n, len(spec.columns) + int.from_bytes(digest[:8], "big") % spec.dims] += 1.0
    return Matrix((len(items), wide), values)


def _embedding(spec: Features, items: Sequence[Raw]) -> Matrix:
    assert spec.dims is not None
    values = np.zeros((len(items), spec.dims), np.float32)
    for n, item in enumerate(items):
        given = item.metadata.get(spec.key)
        if given is None:
            raise _missing(spec, item, f"no {spec.key!r} in its metadata")
        try:
            row = np.asarray(given, np.float32)
        except (TypeError, ValueError):
            row = np.zeros(0, np.float32)
        if row.shape != (spec.dims,) or not np.isfinite(row).all():
            raise invalid(
                "embedding-shape",
                f"{spec.key!r} of item {item.ref!r} is not a list of {spec.dims} finite numbers.",
                place=item.ref,
                remedy="Give every item an embedding by the same encoder.",
            )
        values[n] = row
    return Matrix((len(items), spec.dims), values)


_PROVIDERS: Mapping[str, Callable[[Features, Sequence[Raw]], Matrix]] = {
    "text-ngrams": _text,
    "pixels": _pixels,
    "image": _image,
    "metadata": _metadata,
    "embedding": _embedding,
}
