"""The formats that are installed: ours and those of extensions, by name."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from cupola.kernel.errors import Kind, Problem
from cupola.labels import Ontology
from cupola.platform import hooks
from cupola.releases.exporters.base import Format

log = logging.getLogger("cupola.exports")


def named(name: str) -> Format:
    """Raises Problem: INVALID for an unknown name, UNAVAILABLE for an extension that is no format or does not load."""
    found = hooks.load(hooks.EXPORTERS, name)
    if not isinstance(found, Format):
        raise Problem(
            Kind.UNAVAILABLE,
            "plugin-broken",
            f"The extension {name!r} is not a format, but a {type(found).__name__}.",
            remedy="It must be an object of cupola.releases.exporters.base.Format; tell the package that brings it.",
        )
    return found


def able(name: str, ontology: Ontology) -> Format:
    """The format, if it holds this ontology's labels. Raises Problem: as `named`, UNSUPPORTED where it does not."""
    wanted = named(name)
    if why := wanted.refusal(ontology):
        others = [other for other, one in every().items() if not one.refusal(ontology)]
        raise Problem(
            Kind.UNSUPPORTED,
            "export-kind",
            f"{wanted.title} cannot hold this release: {why}",
            remedy=f"Export it as one of: {', '.join(others)}.",
        )
    return wanted


def every() -> Mapping[str, Format]:
    """All that can be used, by name. One that does not load is told in the log and hides no other."""
    found: dict[str, Format] = {}
    for name in hooks.names(hooks.EXPORTERS):
        try:
            found[name] = named(name)
        except Problem as problem:
            log.warning("%s %s", problem.detail, problem.remedy)
    return found
