"""Which endings of pictures the installed programs look for, by their own lists, as JSON: {program: [ending, …]}.

Read from their sources: to import a trainer takes what it trains with.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path


def source(program: str, *within: str) -> ast.Module | None:
    """A module of an installed program; None where it is not installed."""
    found = find_spec(program)
    if found is None or found.origin is None:
        return None
    return ast.parse(Path(found.origin).parent.joinpath(*within).read_text("utf-8"))


def texts(node: ast.expr) -> list[str]:
    return [one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)]


def assigned(tree: ast.Module, name: str) -> Iterator[str]:
    for node in ast.walk(tree):
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        if any(isinstance(one, ast.Name) and one.id == name for one in targets) and node.value is not None:
            yield from texts(node.value)


def asked(tree: ast.Module, keyword: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == keyword:
            yield from texts(node.value)


FOUND = {
    "datumaro": (source("datumaro", "util", "image.py"), assigned, "IMAGE_EXTENSIONS"),
    "supervision, yolo": (source("supervision", "dataset", "formats", "yolo.py"), asked, "extensions"),
    "supervision, voc": (source("supervision", "dataset", "formats", "pascal_voc.py"), asked, "extensions"),
    "ultralytics": (source("ultralytics", "data", "utils.py"), assigned, "IMG_FORMATS"),
    "torchvision": (source("torchvision", "datasets", "folder.py"), assigned, "IMG_EXTENSIONS"),
}
told = {
    name: sorted({one.lstrip(".") for one in read(tree, what)} - {"txt", "xml", "yaml"})
    for name, (tree, read, what) in FOUND.items()
    if tree is not None
}
print(json.dumps(told))
