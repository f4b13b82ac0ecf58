"""The extension surface: what others may add to Cupola by an entry point, with ours registered the same way.

cupola.importers   name of a source type -> cupola.catalog.found.Importer
cupola.exporters   name of a format      -> cupola.releases.exporters.base.Format
cupola.media       name of a medium      -> cupola.catalog.media.base.Medium
cupola.rails       name of a rail        -> cupola.payouts.rails.base.Rail
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from cupola.kernel.errors import Kind, Problem, invalid

IMPORTERS = "cupola.importers"
EXPORTERS = "cupola.exporters"
MEDIA = "cupola.media"
RAILS = "cupola.rails"


@cache
def shown() -> frozenset[str]:
    """The media types that a browser may render from our address, as the media say; all else is only downloaded."""
    return frozenset(media_type for name in names(MEDIA) for media_type in load(MEDIA, name).shown)


@cache
def _registered(group: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in sorted(entry_points(group=group), key=lambda point: point.value)}


def names(group: str) -> list[str]:
    """What is registered in a group, without loading it."""
    return sorted(_registered(group))


def load(group: str, name: str) -> Any:
    """The registered object. Raises Problem: INVALID for an unknown name, UNAVAILABLE when it does not load."""
    point = _registered(group).get(name)
    if point is None:
        raise invalid(
            "plugin-unknown",
            f"There is no {name!r} here.",
            remedy=f"Use one of: {', '.join(names(group)) or 'none is installed'}.",
        )
    try:
        return point.load()
    except Exception as error:
        raise Problem(
            Kind.UNAVAILABLE,
            "plugin-broken",
            f"The extension {point.value!r} does not load: {error}",
            remedy="Reinstall the package that brings it, or remove it.",
        ) from error
