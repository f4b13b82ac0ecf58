"""What is absent from the package, each a function from its files to the offences found, in sentences."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

from cupola.labels import KINDS, SHAPES
from tests.absences import source
from tests.absences.source import Files

SQL_HOMES = (
    "cupola/schema/",
    "cupola/platform/pg/tx.py",
    "cupola/platform/pg/migrate.py",
    "cupola/platform/pg/partitions.py",
    "cupola/platform/pg/indexes.py",
)
"""Besides every store.py: the migrations, what lays tables anew, and the helper that opens a transaction."""

TRANSACTION_HOMES = ("cupola/platform/pg/", "cupola/platform/backup.py", "cupola/schema/")
"""The transaction helper, and what works on whole databases before or beside it."""

NETWORK_HOMES = (
    "cupola/platform/net.py",
    "cupola/platform/net_blocking.py",
    "cupola/platform/mail.py",
    "cupola/app/",
    "cupola/client/",
)
"""The guarded way out (operator's choice, no private addresses), the mail server that the operator names, and the
clients of our own API in `app`."""

_NETWORK = (
    "httpx",
    "requests",
    "urllib.request",
    "urllib3",
    "aiohttp",
    "http.client",
    "smtplib",
    "ftplib",
    "websockets",
)
_HTTP = ("fastapi", "starlette", "httpx", "uvicorn", "http", "requests")
_TELEMETRY = ("sentry_sdk", "posthog", "opentelemetry.exporter", "segment", "mixpanel", "statsd", "datadog", "newrelic")

_SQL = re.compile(
    r"""^[\s(]*(?:
      SELECT\s.*\bFROM\b | SELECT\s+\w+\( | SELECT\s+(?:%s|:\w|\d|EXISTS|COUNT) |
      WITH\s+(?:RECURSIVE\s+)?\w+\s*(?:\([^)]*\))?\s*AS\s |
      INSERT\s+INTO\s | UPDATE\s+[\w."]+(?:\s+(?:AS\s+)?\w+)?\s+SET\s | DELETE\s+FROM\s |
      MERGE\s+INTO\s | TRUNCATE\s+\w |
      (?:CREATE|ALTER|DROP)\s+(?:OR\s+REPLACE\s+)?(?:UNIQUE\s+)?(?:TABLE|INDEX|FUNCTION|ROLE|POLICY|VIEW|SCHEMA|DATABASE|TYPE|
        TRIGGER|SEQUENCE|EXTENSION)\b |
      GRANT\s.*\bTO\b | REVOKE\s.*\bFROM\b | LISTEN\s+\w | NOTIFY\s+\w | (?:SET|RESET)\s+(?:ROLE|LOCAL|search_path)\b |
      COPY\s.*\b(?:FROM|TO)\b | LOCK\s+TABLE | VACUUM\b | COMMIT\b | ROLLBACK\b | BEGIN;?\s*$ | DO\s+\$
    )""",
    re.VERBOSE | re.DOTALL,
)


def looks_like_sql(text: str) -> bool:
    """Whether a text is a statement: its keywords all in capitals or all small, as prose ("Select a ...") is not."""
    if _SQL.match(text):
        return True
    # small letters: only forms that no sentence has
    return bool(
        re.match(
            r"^[\s(]*(?:select\s[^.!?]*\bfrom\s+\w+(?:\.\w+)?\s*(?:$|where|order|join|limit|group|[a-z]\s)|insert\s+into\s+\w+\s*\(|"
            r"update\s+\w+\s+set\s+\w+\s*=|delete\s+from\s+\w+(?:\s+where|\s*$))",
            text,
            re.DOTALL,
        )
    )


def sql_outside_stores(files: Files) -> list[str]:
    return [
        f"{path}:{line} holds SQL; it belongs into the store.py beside it: {' '.join(text.split())[:60]!r}"
        for path, tree in source.trees(files)
        if not path.endswith("/store.py") and not path.startswith(SQL_HOMES)
        for line, text in source.texts(tree)
        if looks_like_sql(text)
    ]


def commits_outside_the_helper(files: Files) -> list[str]:
    found = []
    for path, tree in source.trees(files):
        if path.startswith(TRANSACTION_HOMES):
            continue
        known = source.aliases(tree)
        savepoints = _inside_a_given_transaction(tree)
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or id(node) in savepoints:
                continue
            name = source.full_name(node.func, known)
            if isinstance(node.func, ast.Attribute) and node.func.attr in {"commit", "rollback", "transaction"}:
                found.append(f"{path}:{node.lineno} ends a transaction by .{node.func.attr}(); use Database.tx")
            elif name.startswith("psycopg") and name.rsplit(".", 1)[-1] in {
                "connect",
                "AsyncConnectionPool",
                "ConnectionPool",
            }:
                found.append(f"{path}:{node.lineno} opens a connection of its own by {name}; use Database.tx")
    return found


def _inside_a_given_transaction(tree: ast.Module) -> set[int]:
    """Calls `conn.transaction()` where the caller gave `conn`: within its transaction that is only a savepoint."""
    return {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        and any(argument.arg == "conn" for argument in function.args.args)
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and source.dotted(node.func) == "conn.transaction"
    }


def float_money(files: Files) -> list[str]:
    found = []
    for path, tree in source.trees(files):
        for node in ast.walk(tree):
            for name, annotation, value, line in _bindings(node):
                if not name.endswith("_minor"):
                    continue
                if annotation is not None and any(
                    isinstance(part, ast.Name) and part.id in {"float", "Decimal"} for part in ast.walk(annotation)
                ):
                    found.append(f"{path}:{line} {name} is not a whole number of minor units")
                if value is not None and _may_be_fraction(value):
                    found.append(f"{path}:{line} {name} is given a fraction")
    return found


def _bindings(node: ast.AST) -> list[tuple[str, ast.expr | None, ast.expr | None, int]]:
    """(name, annotation, value, line) of what a node binds."""
    if isinstance(node, ast.arg):
        return [(node.arg, node.annotation, None, node.lineno)]
    if isinstance(node, ast.AnnAssign):
        return [(source.dotted(node.target).rsplit(".", 1)[-1], node.annotation, node.value, node.lineno)]
    if isinstance(node, ast.Assign):
        return [(source.dotted(target).rsplit(".", 1)[-1], None, node.value, node.lineno) for target in node.targets]
    if isinstance(node, ast.AugAssign):
        divided = isinstance(node.op, ast.Div)
        value = ast.BinOp(node.target, node.op, node.value) if divided else node.value
        return [(source.dotted(node.target).rsplit(".", 1)[-1], None, value, node.lineno)]
    if isinstance(node, ast.keyword) and node.arg:
        return [(node.arg, None, node.value, node.value.lineno)]
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return [(node.name, node.returns, None, node.lineno)]
    return []


def _may_be_fraction(value: ast.expr) -> bool:
    """Whether an expression may be a float: a true division, a float constant or float(), not made whole again."""
    if isinstance(value, ast.Call):
        name = source.dotted(value.func).rsplit(".", 1)[-1]
        return name == "float" or (name in {"max", "min", "abs", "sum"} and any(map(_may_be_fraction, value.args)))
    if isinstance(value, ast.Constant):
        return isinstance(value.value, float)
    if isinstance(value, ast.BinOp):
        if isinstance(value.op, ast.Div):
            return True
        return _may_be_fraction(value.left) or _may_be_fraction(value.right)
    if isinstance(value, ast.UnaryOp):
        return _may_be_fraction(value.operand)
    if isinstance(value, ast.IfExp):
        return _may_be_fraction(value.body) or _may_be_fraction(value.orelse)
    return False


def http_in_models_and_services(files: Files) -> list[str]:
    return [
        f"{path}:{node.lineno} imports {name}: a model and a service know nothing of HTTP"
        for path, tree in source.trees(files)
        if path.endswith(("/model.py", "/service.py"))
        for node in ast.walk(tree)
        for name in source.imported(node, path)[:1]
        if _within(name, _HTTP)
    ]


def _within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


_CLOCKS = {
    *(
        f"time.{n}"
        for n in ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "localtime")
    ),
    *(
        "time.gmtime",
        "datetime.datetime.now",
        "datetime.datetime.utcnow",
        "datetime.datetime.today",
        "datetime.date.today",
    ),
    *("uuid.uuid1", "uuid.uuid4", "uuid.uuid7", "os.urandom", "os.getrandom"),
}


def clock_or_chance_outside_the_kernel(files: Files) -> list[str]:
    found = []
    for path, tree in source.trees(files):
        if path.startswith("cupola/kernel/"):
            continue
        known = source.aliases(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                for name in source.imported(node, path)[:1]:
                    seedable = [alias.name for alias in node.names] in (["random"], ["Random"])
                    if _within(name, ("secrets",)) or (_within(name, ("random",)) and not seedable):
                        found.append(
                            f"{path}:{node.lineno} imports {name}; chance comes from cupola.kernel.ids or a seed"
                        )
            elif isinstance(node, ast.Call):
                name = source.full_name(node.func, known)
                if name in _CLOCKS:
                    found.append(f"{path}:{node.lineno} calls {name}; use cupola.kernel.clock or ids")
                elif name.startswith("random.") and not (name == "random.Random" and node.args):
                    found.append(f"{path}:{node.lineno} calls {name} without a seed")
                elif name.startswith("numpy.random."):
                    drawn = name.rsplit(".", 1)[-1]
                    seeded = (
                        drawn in {"default_rng", "Generator", "SeedSequence", "PCG64", "Philox"}
                        and node.args + node.keywords
                    )
                    if not seeded:
                        found.append(f"{path}:{node.lineno} calls {name} without a seed")
            elif isinstance(node, ast.Attribute) and source.full_name(node, known) in _CLOCKS:
                found.append(f"{path}:{node.lineno} takes hold of {source.full_name(node, known)}; use cupola.kernel")
    return sorted(set(found))


_SQL_CLOCK = re.compile(
    r"\b(?:now|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday|random|gen_random_uuid|uuidv4)\s*\(\s*\)"
    r"|\bcurrent_(?:timestamp|date|time)\b|\blocaltimestamp\b",
    re.IGNORECASE,
)


def clock_or_chance_in_sql(files: Files) -> list[str]:
    """files: stores and schema. The database's clock does not move with ours, so a deadline would have two times."""
    found = []
    for path, text in files.items():
        if path.endswith(".sql"):
            lines = [(n, _code(line)) for n, line in enumerate(text.splitlines(), 1)]
        elif path.endswith("/store.py"):
            lines = list(source.texts(ast.parse(text, path)))
        else:
            continue
        found += [
            f"{path}:{n} asks the database for {match.group()}; pass it in from cupola.kernel"
            for n, line in lines
            for match in _SQL_CLOCK.finditer(line)
        ]
    return found


_STATE = r"\b(?:\w*state|role|review|paused_from)\b"
_IS = r"(?:=|<>|!=|<=?|>=?|\b(?:NOT\s+)?IN\b|\bIS\s+(?:NOT\s+)?DISTINCT\s+FROM\b|\bBETWEEN\b)"
_NUMBERED_STATE = re.compile(
    rf"{_STATE}\s*{_IS}\s*(?:ANY\s*)?\W{{0,3}}\d"
    rf"|\b(?:greatest|least|coalesce|nullif)\s*\(\s*(?:\w+\.)?{_STATE}\s*,\s*\d"
    rf"|\bCASE\s+(?:\w+\.)?{_STATE}[^;]*?\bWHEN\s+\d"
    rf"|{_STATE}\s*:?=\s*CASE\b[^;]*?\b(?:THEN|ELSE)\s+\d",
    re.IGNORECASE,
)


def states_by_number(files: Files) -> list[str]:
    """files: stores and functions. A number says nothing and is found by nobody; the words stand in kernel.states."""
    found = []
    for path, text in files.items():
        if "/schema/functions/" in path:
            parts = [(1, "\n".join(map(_code, text.splitlines())))]
        elif path.endswith("/store.py"):
            parts = list(source.texts(ast.parse(text, path)))
        else:
            continue
        found += [
            f"{path}:{start + part.count(chr(10), 0, match.start())} names a state by its number: {match.group()!r}"
            for start, part in parts
            for match in _NUMBERED_STATE.finditer(part)
        ]
    return found


def _code(line: str) -> str:
    return line.split("--", 1)[0]


def notify_in_sql(files: Files) -> list[str]:
    """files: stores and schema. NOTIFY takes a global lock at commit; events are tailed instead."""
    found = []
    for path, text in files.items():
        if path.endswith(".sql"):
            lines = [(n, _code(line)) for n, line in enumerate(text.splitlines(), 1)]
        else:
            lines = list(source.texts(ast.parse(text, path)))
        found += [
            f"{path}:{n} notifies inside a transaction; write an event instead"
            for n, line in lines
            if re.search(r"\bpg_notify\s*\(|(?:^|;|\bPERFORM\b|\bEXECUTE\s+')\s*NOTIFY\s+\w", line)
        ]
    return found


def imports_inside_functions(files: Files) -> list[str]:
    found = set()
    for path, tree in source.trees(files):
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                for node in ast.walk(function):
                    for name in source.imported(node, path)[:1]:
                        if _within(name, ("cupola",)):
                            found.add(f"{path}:{node.lineno} imports {name} inside a function")
    return sorted(found)


def import_cycles(files: Files) -> list[str]:
    """Cycles among modules, by the depth-first search of Tarjan (1972). `__init__` counts as the module it is."""
    modules = {source.module_name(path): path for path in files}
    graph: dict[str, set[str]] = {}
    for name, path in modules.items():
        graph[name] = set()
        for node in ast.walk(ast.parse(files[path], path)):
            named = source.imported(node, path)
            # `from a import b` reaches b where b is a module, else what is written in a
            hits = [target for target in named[1:] if target in modules] if isinstance(node, ast.ImportFrom) else []
            if len(hits) < len(named) - 1 or not isinstance(node, ast.ImportFrom):
                hits += [target for target in named[:1] if target in modules]
            graph[name] |= set(hits) - {name}
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[str] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for target in sorted(graph[name]):
            if target not in index:
                visit(target)
                low[name] = min(low[name], low[target])
            elif target in stack:
                low[name] = min(low[name], index[target])
        if low[name] == index[name]:
            ring = []
            while True:
                ring.append(stack.pop())
                if ring[-1] == name:
                    break
            if len(ring) > 1:
                found.append("these import each other in a ring: " + ", ".join(sorted(ring)))

    for name in sorted(graph):
        if name not in index:
            visit(name)
    return found


def network_outside_the_guard(files: Files) -> list[str]:
    found = []
    for path, tree in source.trees(files):
        for node in ast.walk(tree):
            for name in source.imported(node, path):
                if _within(name, _TELEMETRY):
                    found.append(f"{path}:{node.lineno} imports {name}, which reports to somebody else")
                elif _within(name, _NETWORK) and not path.startswith(NETWORK_HOMES):
                    found.append(f"{path}:{node.lineno} imports {name}; go out through cupola.platform.net")
    return sorted(set(found))


def exports_held_in_memory(files: Files) -> list[str]:
    found = []
    for path, tree in source.trees(files):
        if not path.startswith("cupola/releases/exporters/"):
            continue
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in {"fetchall", "all"}
            ):
                found.append(f"{path}:{node.lineno} reads all rows at once by .{node.func.attr}(); stream them")
            if (
                isinstance(node, ast.Call)
                and source.dotted(node.func) in {"list", "sorted", "tuple"}
                and any("row" in source.dotted(argument) for argument in node.args)
            ):
                found.append(f"{path}:{node.lineno} holds the rows in a {source.dotted(node.func)}; stream them")
    return found


def file_names_in_headers(files: Files) -> list[str]:
    """A header holds Latin letters only; people's words are not made of them."""
    return [
        f"{path}:{line} names a file in a header; write platform.web.attachment(name)"
        for path, tree in source.trees(files)
        if path != "cupola/platform/web.py"
        for line, text in source.texts(tree)
        if re.search(r"\bfilename\*?\s*=", text)
    ]


def cursors_held_for_readers(files: Files) -> list[str]:
    """A server-side cursor in what is streamed to a client holds a connection for as long as the client likes."""
    return [
        f"{path}:{node.lineno} streams from a cursor; read in pages (Statement.pages)"
        for path, tree in source.trees(files)
        if path.endswith(("/api.py", "/evidence.py")) or path.startswith("cupola/compat/")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "stream"
        if node.args and source.dotted(node.args[0]).split(".")[-1] == "conn"
    ]


KIND_HOMES = (
    "cupola/labels/kinds/",
    "cupola/labels/shapes/",
    "cupola/quality/strategies/",
    "cupola/compat/",
    "cupola/formats/",
)
"""The tables themselves, the strategies (each made for one kind of labels), the words of other people's APIs, and their
files: a format says which shapes it has, and what it lacks is counted as left out."""

OWN_KINDS = ("cupola/quality/cli.py", "cupola/quality/aggregation.py", "cupola/labels/spec.py")
"""Told by the same words: the kinds of the library of numerics (`quality/kinds.py`), and the types of attributes."""

KINDS_TOLD = frozenset(KINDS) | frozenset(SHAPES)
STRUCTS_OF_KINDS = frozenset(one.label.__name__ for one in KINDS.values()) | frozenset(
    one.shape.__name__ for one in SHAPES.values()
)


def ladders_of_kinds(files: Files) -> list[str]:
    """Whoever asks which kind a label or shape is forgets the next one; the rows of the tables are asked instead."""
    found = []
    for path, tree in source.trees(files):
        if path.startswith(KIND_HOMES):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and source.dotted(node.func) in {"isinstance", "issubclass"}:
                asked = {source.dotted(part).rsplit(".", 1)[-1] for part in ast.walk(node.args[1])}
                found += [f"{path}:{node.lineno} asks for {name}" for name in sorted(asked & STRUCTS_OF_KINDS)]
            elif isinstance(node, ast.Compare) and path not in OWN_KINDS:
                sides = [node.left, *node.comparators]
                if any(source.dotted(side).rsplit(".", 1)[-1] in {"kind", "geometry", "type"} for side in sides):
                    told = {text for side in sides for _, text in source.texts(side)}
                    found += [f"{path}:{node.lineno} asks for {name!r}" for name in sorted(told & KINDS_TOLD)]
            elif isinstance(node, ast.Match) and source.dotted(node.subject).rsplit(".", 1)[-1] in {"kind", "geometry"}:
                told = {text for case in node.cases for _, text in source.texts(case.pattern)}
                found += [f"{path}:{node.lineno} asks for {name!r}" for name in sorted(told & KINDS_TOLD)]
            elif isinstance(node, ast.MatchClass) and source.dotted(node.cls).rsplit(".", 1)[-1] in STRUCTS_OF_KINDS:
                found.append(f"{path}:{node.lineno} asks for {source.dotted(node.cls)}")
    return found


Rule = Callable[[Files], list[str]]
PACKAGE_RULES: tuple[Rule, ...] = (
    sql_outside_stores,
    commits_outside_the_helper,
    float_money,
    http_in_models_and_services,
    clock_or_chance_outside_the_kernel,
    clock_or_chance_in_sql,
    notify_in_sql,
    states_by_number,
    imports_inside_functions,
    import_cycles,
    network_outside_the_guard,
    exports_held_in_memory,
    file_names_in_headers,
    cursors_held_for_readers,
    ladders_of_kinds,
)
