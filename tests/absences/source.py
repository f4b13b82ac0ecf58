"""The Python files of the package, and what the rules need to read them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "cupola"

Files = Mapping[str, str]
"""Path below src/ (`cupola/tasks/store.py`) -> text: what a rule reads, so that a violation can be planted."""


def package_files() -> dict[str, str]:
    return {
        path.relative_to(ROOT / "src").as_posix(): path.read_text("utf-8")
        for path in sorted(PACKAGE.rglob("*.py"))
        if "web" not in path.relative_to(PACKAGE).parts
    }


def schema_files() -> dict[str, str]:
    return {
        path.relative_to(ROOT / "src").as_posix(): path.read_text("utf-8")
        for path in sorted((PACKAGE / "schema").glob("*.sql"))
    }


def function_files() -> dict[str, str]:
    return {
        path.relative_to(ROOT / "src").as_posix(): path.read_text("utf-8")
        for path in sorted((PACKAGE / "schema" / "functions").glob("*.sql"))
    }


def trees(files: Files) -> Iterator[tuple[str, ast.Module]]:
    for name, text in files.items():
        yield name, ast.parse(text, name)


def module_name(path: str) -> str:
    parts = path.removesuffix(".py").split("/")
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def docstrings(tree: ast.AST) -> set[int]:
    """The ids of the nodes that are docstrings or bare strings: prose, not values."""
    return {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and is_text(node.value)}


def is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def texts(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every text value with its line: plain, or an f-string with its holes replaced by `x`. Docstrings are left out."""
    prose = docstrings(tree)
    inside = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in ast.walk(node)
        if part is not node
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield (
                node.lineno,
                "".join(
                    part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else "x"
                    for part in node.values
                ),
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose | inside:
            yield node.lineno, node.value


def dotted(node: ast.AST) -> str:
    """`a.b.c` for such an expression, else an empty text."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        left = dotted(node.value)
        return f"{left}.{node.attr}" if left else ""
    return ""


def aliases(tree: ast.AST) -> dict[str, str]:
    """The name by which something imported is known here -> its full name."""
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                known[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                known[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return known


def full_name(node: ast.AST, known: Mapping[str, str]) -> str:
    """The full name of what an expression names, through this file's imports."""
    name = dotted(node)
    head, _, rest = name.partition(".")
    if head not in known:
        return ""
    return f"{known[head]}.{rest}" if rest else known[head]


def imported(node: ast.AST, path: str) -> list[str]:
    """The modules that an import statement names (`from a import b` names both a and a.b)."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            here = module_name(path).split(".")
            if not path.endswith("__init__.py"):
                here = here[:-1]
            here = here[: len(here) - node.level + 1]
            base = ".".join([*here, base] if base else here)
        return [base, *(f"{base}.{alias.name}" for alias in node.names)]
    return []
