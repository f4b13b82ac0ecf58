"""The templates that there are: a file each in `files`, by its name."""

from __future__ import annotations

import functools
import importlib.resources
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec

from cupola.kernel.errors import Kind, Problem, invalid
from cupola.templates.model import Template, check

MAX_BYTES = 1_000_000


@functools.cache
def templates() -> Mapping[str, Template]:
    """All of ours, by name, in the order of their groups' names."""
    folder = importlib.resources.files("cupola.templates") / "files"
    found = {file.name.removesuffix(".yaml"): read(file.read_bytes(), file.name)
             for file in folder.iterdir() if file.name.endswith(".yaml")}  # fmt: skip
    return MappingProxyType(dict(sorted(found.items(), key=lambda one: (one[1].group, one[0]))))


def named(name: str) -> Template:
    """Raises Problem (NOT_FOUND)."""
    found = templates().get(name)
    if found is None:
        raise Problem(
            Kind.NOT_FOUND,
            "template-unknown",
            f"There is no template {name!r}.",
            remedy=f"Use one of: {', '.join(sorted(templates()))}; or give the path of a YAML file of your own.",
        )
    return found


def read_file(path: Path) -> Template:
    """A template of somebody's own. Raises Problem (INVALID) with the place of a fault."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise invalid("template-unreadable", f"{path} has more than {MAX_BYTES} bytes.", remedy="Shorten it.")
        return read(path.read_bytes(), str(path))
    except OSError as error:
        raise invalid(
            "template-unreadable", f"{path}: {error.strerror or error}", remedy="Check the path.", place="--template"
        ) from error


def read(source: bytes, called: str) -> Template:
    """Raises Problem (INVALID) with the place of a fault."""
    try:
        template: Template = msgspec.yaml.decode(source, type=Template)
    except msgspec.ValidationError as error:
        raise invalid(
            "template-wrong", f"{called}: {error}", remedy="See the files of cupola/templates for the members."
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise invalid("template-unreadable", f"{called} is no YAML: {error}", remedy="Mend it.") from None
    try:
        check(template)
    except Problem as problem:
        problem.detail = f"{called}: {problem.detail}"
        raise
    return template
