"""The large tables as hash partitions by tenant, for a database that has outgrown one table of each.

On a laptop they are plain tables. `spread` lays them anew, offline and in one transaction: each becomes a partitioned
table of the same name, with the same columns, keys, indexes, triggers, policies and rights, read back from the
catalogue, so that no list of them stands here to be forgotten. Every key of a tenant's table holds the tenant, so that
any of them can be spread; and nothing that reads or writes them can tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, LiteralString

import psycopg
from psycopg import sql

from cupola.kernel.errors import Kind, Problem
from cupola.platform.pg.migrate import OWNER, drop_functions, replace_functions

TABLES: Final = ("item", "task", "assignment", "lease", "judgement", "transfer", "event")
MOST = 256
_IDENTITY_SINCE = 170_000  # partitioned tables with identity columns
_KEYS: LiteralString = (
    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f' "
    "AND conparentid = 0 AND (conrelid = ANY (%(tables)s::regclass[]) OR confrelid = ANY (%(tables)s::regclass[])) "
    "ORDER BY 1, 2"
)
_VIEWS: LiteralString = (
    "SELECT DISTINCT v.oid::regclass::text, pg_get_viewdef(v.oid), coalesce(array_to_string(v.reloptions, ', '), '') "
    "FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_class v ON v.oid = r.ev_class "
    "WHERE d.refclassid = 'pg_class'::regclass AND d.classid = 'pg_rewrite'::regclass "
    "AND d.refobjid = ANY (%(tables)s::regclass[]) AND v.relkind = 'v' ORDER BY 1"
)
_RIGHTS: LiteralString = (
    "SELECT format('GRANT %%s ON %%s TO %%I', string_agg(DISTINCT a.privilege_type, ', '), %(table)s::regclass, "
    "pg_get_userbyid(a.grantee)) FROM pg_class c, aclexplode(c.relacl) a "
    "WHERE c.oid = %(table)s::regclass AND a.grantee <> c.relowner GROUP BY a.grantee "
    "UNION ALL SELECT format('GRANT %%s (%%s) ON %%s TO %%I', a.privilege_type, "
    "string_agg(quote_ident(t.attname), ', '), %(table)s::regclass, pg_get_userbyid(a.grantee)) "
    "FROM pg_attribute t, aclexplode(t.attacl) a "
    "WHERE t.attrelid = %(table)s::regclass GROUP BY a.grantee, a.privilege_type ORDER BY 1"
)
_POLICIES: LiteralString = (
    "SELECT format('CREATE POLICY %%I ON %%s AS %%s FOR %%s TO %%s%%s%%s', polname, polrelid::regclass, "
    "CASE WHEN polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END, "
    "CASE polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' "
    "ELSE 'ALL' END, (SELECT string_agg(CASE WHEN r = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r)) END, ', ') "
    "FROM unnest(polroles) r), ' USING (' || pg_get_expr(polqual, polrelid) || ')', "
    "' WITH CHECK (' || pg_get_expr(polwithcheck, polrelid) || ')') FROM pg_policy "
    "WHERE polrelid = %(table)s::regclass ORDER BY polname"
)


@dataclass(frozen=True, slots=True)
class _Kept:
    """What a table has beside its columns and rows, as the statements that make it again."""

    keys: list[str]
    indexes: list[str]
    triggers: list[str]
    policies: list[str]
    rights: list[str]
    options: str
    columns: list[str]
    identity: list[tuple[str, int | None]]


def present(admin_url: str) -> int:
    """Into how many partitions the large tables are spread; 0: they are plain tables."""
    with psycopg.connect(admin_url, autocommit=True) as conn:
        row = conn.execute(
            "SELECT count(*) FROM pg_inherits WHERE inhparent = to_regclass('cupola.task')",
        ).fetchone()
        return int(row[0]) if row else 0


def spread(admin_url: str, parts: int, *, wait_s: int = 10) -> None:
    """Lay the large tables anew as `parts` hash partitions by tenant each; all of it, or nothing.

    parts: 1 to 256; wait_s: how long for the others to leave. Needs room for a second copy of the largest table and no
    other session at work: servers and workers are stopped before. Raises Problem: INVALID for a number out of range,
    CONFLICT while somebody is at work.
    """
    if not 1 <= parts <= MOST:
        raise Problem(Kind.INVALID, "partitions-range", f"Partitions are 1 to {MOST}.", place="--partitions")
    with psycopg.connect(admin_url) as conn:
        conn.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(OWNER)))
        conn.execute("SET search_path TO cupola")
        conn.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(sql.Literal(f"{wait_s}s")))
        try:
            for table in TABLES:
                conn.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.Identifier(table)))
        except psycopg.errors.LockNotAvailable as error:
            raise Problem(
                Kind.CONFLICT,
                "database-in-use",
                "Somebody works with the database; tables are laid anew while nobody does.",
                remedy="Stop every server and worker of this instance, then run it again.",
            ) from error
        _spread(conn, parts)
    with psycopg.connect(admin_url, autocommit=True) as conn:
        for table in TABLES:  # the planner knows a partitioned table by this alone: nothing else gathers it
            conn.execute(sql.SQL("ANALYZE cupola.{}").format(sql.Identifier(table)))


def _spread(conn: psycopg.Connection[Any], parts: int) -> None:
    every = {"tables": list(TABLES)}
    foreign = [(str(a), str(b), str(c)) for a, b, c in conn.execute(_KEYS, every).fetchall()]
    views = [
        (str(name), str(said), str(options), [str(r[0]) for r in conn.execute(_RIGHTS, {"table": name}).fetchall()])
        for name, said, options in conn.execute(_VIEWS, every).fetchall()
    ]
    kept = {table: _kept(conn, table) for table in TABLES}
    drop_functions(conn)  # some take a row of a table
    for name, *_ in views:
        _run(conn, f"DROP VIEW {name}")
    for table, key, _ in foreign:
        _run(conn, f'ALTER TABLE {table} DROP CONSTRAINT "{key}"')
    for table in TABLES:
        _lay(conn, table, kept[table], parts)
    replace_functions(conn)
    for table, key, said in foreign:
        _run(conn, f'ALTER TABLE {table} ADD CONSTRAINT "{key}" {said}')
    for name, said, options, rights in views:
        _run(conn, f"CREATE VIEW {name} WITH ({options}) AS {said}" if options else f"CREATE VIEW {name} AS {said}")
        for right in rights:
            _run(conn, right)


def _run(conn: psycopg.Connection[Any], statement: str) -> None:
    """Execute what the catalogue wrote."""
    conn.execute(statement.encode())


def _texts(conn: psycopg.Connection[Any], query: LiteralString, table: str) -> list[str]:
    return [str(row[0]) for row in conn.execute(query, {"table": table}).fetchall()]


def _kept(conn: psycopg.Connection[Any], table: str) -> _Kept:
    options = conn.execute(
        "SELECT array_to_string(reloptions, ', ') FROM pg_class WHERE oid = coalesce((SELECT inhrelid FROM pg_inherits "
        "WHERE inhparent = %(table)s::regclass LIMIT 1), %(table)s::regclass)",
        {"table": table},
    ).fetchone()
    identity = []
    for (column,) in conn.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND (attidentity <> '' OR EXISTS (SELECT FROM "
        "pg_attrdef d WHERE d.adrelid = attrelid AND d.adnum = attnum AND pg_get_expr(d.adbin, d.adrelid) LIKE "
        "'nextval%%'))",
        (table,),
    ).fetchall():
        last = conn.execute("SELECT pg_sequence_last_value(pg_get_serial_sequence(%s, %s))", (table, column)).fetchone()
        identity.append((str(column), last[0] if last else None))
    return _Kept(
        _texts(
            conn,
            "SELECT format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', conrelid::regclass, conname, "
            "pg_get_constraintdef(oid)) FROM pg_constraint WHERE conrelid = %(table)s::regclass "
            "AND contype IN ('p', 'u') ORDER BY contype, conname",
            table,
        ),
        _texts(
            conn,
            "SELECT replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON ') FROM pg_index "
            "WHERE indrelid = %(table)s::regclass AND NOT EXISTS "
            "(SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u')) ORDER BY 1",
            table,
        ),
        _texts(
            conn,
            "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = %(table)s::regclass AND NOT tgisinternal "
            "ORDER BY tgname",
            table,
        ),
        _texts(conn, _POLICIES, table),
        _texts(conn, _RIGHTS, table),
        options[0] if options and options[0] else "",
        _texts(
            conn,
            "SELECT attname FROM pg_attribute WHERE attrelid = %(table)s::regclass AND attnum > 0 "
            "AND NOT attisdropped AND attgenerated = '' ORDER BY attnum",
            table,
        ),
        identity,
    )


def _lay(conn: psycopg.Connection[Any], table: str, kept: _Kept, parts: int) -> None:
    """The table under its name, partitioned, with the rows of what stood there."""
    old = f"{table}_before"
    _run(conn, f"ALTER TABLE {table} RENAME TO {old}")
    for leaf in _texts(conn, "SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = %(table)s::regclass", old):
        _run(conn, f"ALTER TABLE {leaf} RENAME TO {leaf}_before")
        _run(conn, f"ALTER TABLE {leaf}_before NO FORCE ROW LEVEL SECURITY")
    _run(conn, f"ALTER TABLE {old} NO FORCE ROW LEVEL SECURITY")  # the owner, too, sees one tenant's rows alone
    _run(
        conn,
        f"CREATE TABLE {table} (LIKE {old} INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING CONSTRAINTS "
        "INCLUDING COMMENTS INCLUDING STORAGE INCLUDING COMPRESSION) PARTITION BY HASH (tenant)",
    )
    for column, _ in kept.identity:
        _run(conn, f"ALTER TABLE {table} ALTER COLUMN {column} DROP DEFAULT")
    for n in range(parts):
        leaf = f"{table}_p{n}"
        _run(
            conn,
            f"CREATE TABLE {leaf} PARTITION OF {table} FOR VALUES WITH (MODULUS {parts}, REMAINDER {n})"
            + (f" WITH ({kept.options})" if kept.options else ""),
        )
    names = sql.SQL(", ").join(map(sql.Identifier, kept.columns))  # all but the generated ones
    conn.execute(
        sql.SQL("INSERT INTO {new} ({names}) SELECT {names} FROM {old}").format(
            new=sql.Identifier(table), old=sql.Identifier(old), names=names
        )
    )
    _run(conn, f"DROP TABLE {old}")  # its indexes and its sequence with it: their names are free
    for column, last in kept.identity:
        _numbered(conn, table, column, last)
    for statement in (*kept.keys, *kept.indexes, *kept.triggers):
        _run(conn, statement)
    leaves = [f"{table}_p{n}" for n in range(parts)]
    for name in (table, *leaves):
        _run(conn, f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    for policy in kept.policies:
        _run(conn, policy)
    for leaf in leaves:  # a partition is read and written through its table alone; nobody has a right on it either
        _run(conn, f"CREATE POLICY tenant_only ON {leaf} USING (tenant = (SELECT current_tenant()) AND false)")
        for trigger in kept.triggers:  # those for rows are inherited; this one looks at no rows and is not
            if "EXECUTE FUNCTION refuse_change()" in trigger and "FOR EACH STATEMENT" in trigger:
                _run(conn, trigger.replace(f" ON cupola.{table} ", f" ON cupola.{leaf} ", 1))
    for right in kept.rights:
        _run(conn, right)


def _numbered(conn: psycopg.Connection[Any], table: str, column: str, last: int | None) -> None:
    """Let a column count on from where it was."""
    if conn.info.server_version >= _IDENTITY_SINCE:
        _run(conn, f"ALTER TABLE {table} ALTER COLUMN {column} ADD GENERATED ALWAYS AS IDENTITY")
    else:
        _run(conn, f"CREATE SEQUENCE {table}_{column}_seq OWNED BY {table}.{column}")
        _run(conn, f"ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT nextval('{table}_{column}_seq')")
    if last is not None:
        conn.execute("SELECT setval(pg_get_serial_sequence(%s, %s), %s)", (table, column, last))
