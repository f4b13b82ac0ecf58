"""The few statements about whole databases: making one before there is a schema, swapping one for another."""

from __future__ import annotations

import psycopg
from psycopg import sql

from cupola.kernel import clock, ids

DATABASE = "cupola"
# One line: the single-user backend reads a statement a line.
CREATE_DATABASE = f"CREATE DATABASE {DATABASE}\n"

_HAS_TABLES = """
SELECT EXISTS (
  SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
)
"""
_EXISTS = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = %s)"
_OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
_HAS_SEAL = (
    "SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('cupola.instance') AND attname = 'seal' "
    "AND NOT attisdropped)"
)
_SEAL = "SELECT seal FROM cupola.instance"
_KEEP_SEAL = (
    "INSERT INTO cupola.instance (one, id, seal, created_at) VALUES (true, %s, %s, %s) "
    "ON CONFLICT (one) DO UPDATE SET seal = coalesce(cupola.instance.seal, excluded.seal)"
)


def has_tables(conn: psycopg.Connection) -> bool:
    """Whether the database holds any table that is not Postgres's own."""
    row = conn.execute(_HAS_TABLES).fetchone()
    return bool(row and row[0])


def exists(conn: psycopg.Connection, database: str) -> bool:
    row = conn.execute(_EXISTS, (database,)).fetchone()
    return bool(row and row[0])


def sessions(conn: psycopg.Connection, database: str) -> int:
    """How many other sessions are connected to a database."""
    row = conn.execute(_OTHERS, (database,)).fetchone()
    return int(row[0]) if row else 0


def create(conn: psycopg.Connection, database: str) -> None:
    """Make an empty database. The connection must be in autocommit."""
    conn.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(database)))


def drop(conn: psycopg.Connection, database: str) -> None:
    """Drop a database and whatever sessions it has. The connection must be in autocommit, in another database."""
    conn.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))


def rename(conn: psycopg.Connection, database: str, to: str) -> None:
    """Rename a database that nobody is connected to."""
    conn.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(database), sql.Identifier(to)))


def seal(conn: psycopg.Connection) -> bytes | None:
    """What the instance's secret left in its database; None before it did."""
    has = conn.execute(_HAS_SEAL).fetchone()
    row = conn.execute(_SEAL).fetchone() if has and has[0] else None
    return bytes(row[0]) if row is not None and row[0] is not None else None


def keep_seal(conn: psycopg.Connection, seal: bytes) -> None:
    """Write it where there is none yet."""
    conn.execute(_KEEP_SEAL, (ids.uuid7(), seal, clock.now()))
