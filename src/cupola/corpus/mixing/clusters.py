"""Which documents belong together: those of equal text, and what shares a band key and is as similar as asked, with all
that hangs together so (connected components)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cupola.corpus.hashing import U64
from cupola.corpus.near import I64, Texts, edges_of_band, similarities, twins_of
from cupola.kernel.lazy import Lazy

csgraph: Any = Lazy("scipy.sparse.csgraph")
sparse: Any = Lazy("scipy.sparse")


def clusters(hashes: U64, bands: npt.NDArray[Any], texts: Texts, similarity: float) -> I64:
    """int64[n]: the lowest row of each document's cluster. hashes uint64[n, 2] and bands uint32[n, b] as a profile has
    them; texts(rows) gives texts again."""
    n = len(hashes)
    rows = np.arange(n)
    twins = twins_of(hashes)
    kept = np.flatnonzero((twins < 0) & (bands[:, 0] != 0)) if n else rows
    pairs = [edges_of_band(bands[kept, band], kept) for band in range(bands.shape[1])] if n else []
    edges = np.unique(np.concatenate(pairs), axis=0) if pairs else np.empty((0, 2), np.int64)
    near = edges[similarities(edges, texts, rows) >= similarity] if len(edges) else edges
    again = np.flatnonzero(twins >= 0)
    joined = np.concatenate((near, np.stack((twins[again], again), 1)))
    if not len(joined):
        return rows
    graph = sparse.coo_array((np.ones(len(joined), np.int8), (joined[:, 0], joined[:, 1])), (n, n))
    _, label = csgraph.connected_components(graph, directed=False)
    lowest = np.full(label.max() + 1, n, np.int64)
    np.minimum.at(lowest, label, rows)
    found: I64 = lowest[label]
    return found
