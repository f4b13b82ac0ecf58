"""Bring a database to the present schema: roles, forward-only SQL files, functions, indexes.

Tables change by numbered files. Functions do not: `schema/functions` holds the one present definition of each, and
whenever the set differs from the one a database was given, all of it is replaced in one transaction. Indexes of large
tables come last and outside of it (`indexes`), so that nobody who writes waits for them.

Runs with an administrator's connection, which the server itself never uses: `migrate` ends by making the login
`cupola_server`, which may only step into the three roles of `platform.pg.tx`.
"""

from __future__ import annotations

import hashlib
import importlib.resources
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import conninfo, sql

from cupola.kernel import states
from cupola.kernel.errors import Kind, Problem
from cupola.platform.pg import indexes

LOGIN = "cupola_server"
OWNER = "cupola_owner"
_GROUPS = ("cupola_app", "cupola_gateway", "cupola_ops")
_SCOPE = "scope.sql"  # what policies and triggers of tables stand on
_OURS: LiteralString = (
    "FROM pg_proc p WHERE p.pronamespace = 'cupola'::regnamespace AND p.proname <> 'uuidv7' AND NOT EXISTS "
    "(SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')"
)
_LANGUAGE: LiteralString = "(SELECT oid FROM pg_language WHERE lanname = %s)"
_LOOSE: LiteralString = (  # nothing stands on them
    " AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.refclassid = 'pg_proc'::regclass AND d.refobjid = p.oid)"
)
_BRIEFLY = "SET LOCAL lock_timeout = '3s'"
_PAUSES_S = (1, 2, 4, 8, 15, 15)
_ASK_AGAIN_S = 0.2
_LOCK = 7_466_031_201  # advisory lock: one migration at a time
OLDEST = 15  # UNIQUE NULLS NOT DISTINCT and views that run as whoever asks came with it
# What Postgres 18 has built in (RFC 9562, version 7): milliseconds since 1970, then random bits.
_UUIDV7 = """
CREATE OR REPLACE FUNCTION cupola.uuidv7() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
  SELECT encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
    PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6),
    52, 1), 53, 1), 'hex')::uuid
$$
"""


def _schema_dir() -> Path:
    return Path(str(importlib.resources.files("cupola.schema")))


def _roles(conn: psycopg.Connection, database: str, password: str) -> None:
    for role in (OWNER, *_GROUPS):
        conn.execute(
            sql.SQL(
                "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {name}) "
                "THEN CREATE ROLE {role} NOLOGIN; END IF; END $$"
            ).format(name=sql.Literal(role), role=sql.Identifier(role))
        )
    conn.execute(
        sql.SQL(
            "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {name}) "
            "THEN CREATE ROLE {role} LOGIN NOINHERIT; END IF; END $$"
        ).format(name=sql.Literal(LOGIN), role=sql.Identifier(LOGIN))
    )
    conn.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(LOGIN), sql.Literal(password)))
    # not by each connection: a pool in between gives every transaction another one
    conn.execute(sql.SQL("ALTER ROLE {} SET search_path = cupola").format(sql.Identifier(LOGIN)))
    conn.execute(sql.SQL("ALTER ROLE {} SET timezone = 'UTC'").format(sql.Identifier(LOGIN)))
    # the login is NOINHERIT; Postgres 16 and later keep that with each grant as well
    options = sql.SQL(" WITH INHERIT FALSE, SET TRUE" if conn.info.server_version >= 160_000 else "")
    for group in _GROUPS:
        conn.execute(sql.SQL("GRANT {} TO {}{}").format(sql.Identifier(group), sql.Identifier(LOGIN), options))
    conn.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(OWNER)))
    conn.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS cupola AUTHORIZATION {}").format(sql.Identifier(OWNER)))
    users = sql.SQL(", ").join(map(sql.Identifier, (*_GROUPS, LOGIN)))  # the login: to call the verbs of work
    conn.execute(sql.SQL("GRANT USAGE ON SCHEMA cupola TO {}").format(users))
    if conn.info.server_version < 180_000:
        conn.execute(_UUIDV7)
    conn.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(sql.Identifier(database), sql.Identifier(LOGIN)))


def run_sql(name: str) -> None:
    """Run one file of the schema folder, e.g. "0001_foundation.sql", in the present migration."""
    from alembic import op

    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.execute((_schema_dir() / name).read_text("utf-8"))


def _function_files() -> dict[str, str]:
    # Any: they are as much our own text as the statements in a store
    texts: dict[str, Any] = {
        file.name: file.read_text("utf-8") for file in sorted((_schema_dir() / "functions").glob("*.sql"))
    }
    return {name: states.filled(text) for name, text in texts.items()}


def _wanted_indexes() -> tuple[indexes.Index, ...]:
    return indexes.read(_schema_dir() / "indexes.sql")


def functions_digest() -> str:
    """The hash of the set of functions that this version of Cupola works with."""
    digest = hashlib.sha256()
    for name, text in _function_files().items():
        digest.update(f"{name} {len(text)}\n{text}".encode())
    return digest.hexdigest()


def drop_functions(conn: psycopg.Connection) -> None:
    """Drop every function of ours that nothing stands on, in the caller's transaction."""
    for (name,) in conn.execute("SELECT oid::regprocedure::text " + _OURS + _LOOSE).fetchall():
        conn.execute(sql.SQL("DROP FUNCTION ") + sql.SQL(name))  # as Postgres itself writes it


def replace_functions(conn: psycopg.Connection) -> None:
    """Drop every function of ours and make the present ones, in the caller's transaction.

    What a policy, a trigger or a view stands on stays and is replaced where it is: its signature can only change with
    what stands on it. Bodies are checked once all are there, so that they may call each other in any order.
    """
    conn.execute("SET LOCAL check_function_bodies = off")
    drop_functions(conn)
    for text in _function_files().values():
        conn.execute(text.encode())
    conn.execute("SET LOCAL check_function_bodies = on")
    conn.execute("SELECT fmgr_sql_validator(oid) " + _OURS + " AND prolang = " + _LANGUAGE, ("sql",))
    conn.execute("SELECT plpgsql_validator(oid) " + _OURS + " AND prolang = " + _LANGUAGE, ("plpgsql",))
    for (name,) in conn.execute("SELECT oid::regprocedure::text " + _OURS).fetchall():
        conn.execute(sql.SQL("REVOKE EXECUTE ON FUNCTION {} FROM PUBLIC").format(sql.SQL(name)))
    conn.execute(sql.SQL("COMMENT ON SCHEMA cupola IS {}").format(sql.Literal(f"functions {functions_digest()}")))


def _functions(admin_url: str) -> None:
    with psycopg.connect(admin_url) as conn:
        conn.execute(f"SET ROLE {OWNER}")
        conn.execute("SET search_path TO cupola")
        conn.execute(_BRIEFLY)
        replace_functions(conn)


def _indexes(admin_url: str) -> None:
    with psycopg.connect(admin_url, autocommit=True) as conn:
        conn.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(OWNER)))
        conn.execute("SET search_path TO cupola")
        indexes.build(conn, _wanted_indexes())


def _alone(conn: psycopg.Connection) -> None:
    """Wait until nobody else migrates. By asking again: whoever waited inside Postgres would be a transaction that is
    under way, and an index that is made concurrently waits for those."""
    while conn.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK,)).fetchone() != (True,):
        time.sleep(_ASK_AGAIN_S)


def _upgrade(admin_url: str) -> None:
    # a second to load, and most starts find nothing to do
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    config = Config()
    config.set_main_option("script_location", str(_schema_dir()))
    config.set_main_option("path_separator", "os")
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(admin_url), poolclass=NullPool, future=True
    )
    with engine.begin() as connection:
        connection.exec_driver_sql(f"SET ROLE {OWNER}")
        connection.exec_driver_sql("SET search_path TO cupola")
        config.attributes["connection"] = connection
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        driver.execute(_BRIEFLY)
        driver.execute(_function_files()[_SCOPE].encode())
        command.upgrade(config, "head")
        replace_functions(driver)
    engine.dispose()


def _patiently(step: Callable[[], None]) -> None:
    """Try a change again that gave way: it waits for a lock only briefly, for everybody else waits behind it."""
    for pause_s in (*_PAUSES_S, None):
        try:
            step()
        except psycopg.errors.LockNotAvailable:
            if pause_s is None:
                raise
            time.sleep(pause_s)
        else:
            return


def migrate(admin_url: str, password: str) -> str:
    """Bring the database of `admin_url` to the present schema and return the URL the server is to use.

    `password` becomes the login password of the server's role; it is derived from the instance's secret, so that every
    process of one instance knows it. Raises Problem("migration-failed") with what Postgres said.
    """
    try:
        with psycopg.connect(admin_url, autocommit=True) as conn:
            refuse_old(conn)
            _alone(conn)
            _roles(conn, conn.info.dbname, password)
            if present(admin_url) != head():
                _patiently(lambda: _upgrade(admin_url))
            elif _has_functions(conn) != functions_digest():
                _patiently(lambda: _functions(admin_url))
            if indexes.lacking(conn, _wanted_indexes()):
                _patiently(lambda: _indexes(admin_url))
    except psycopg.Error as error:
        raise Problem(
            Kind.UNAVAILABLE,
            "migration-failed",
            f"The database could not be brought to the present schema: {str(error).strip()}",
            remedy="Give an administrator's URL that may create roles, then run `cupola migrate` again; it goes on "
            "where it stopped.",
        ) from error
    return server_url(admin_url, password)


def refuse_old(conn: psycopg.Connection) -> None:
    """Raises Problem for a Postgres that is too old to hold the schema."""
    major = conn.info.server_version // 10_000
    if major < OLDEST:
        raise Problem(
            Kind.UNSUPPORTED,
            "postgres-too-old",
            f"This is Postgres {major}; Cupola needs {OLDEST} or later and is tested on {OLDEST} and 18.",
            remedy="Point CUPOLA_DATABASE_URL to a later one, or leave it out: Cupola brings an embedded one along.",
        )


def server_url(admin_url: str, password: str) -> str:
    """The same database as the server's own role sees it."""
    return conninfo.make_conninfo(admin_url, user=LOGIN, password=password)


def present(url: str) -> str | None:
    """The revision a database stands at, or None when it was never migrated."""
    with psycopg.connect(url, autocommit=True) as conn:
        row = conn.execute("SELECT to_regclass('cupola.alembic_version') IS NOT NULL").fetchone()
        if not row or not row[0]:
            return None
        found = conn.execute("SELECT version_num FROM cupola.alembic_version").fetchone()
        return str(found[0]) if found else None


def _has_functions(conn: psycopg.Connection) -> str | None:
    found = conn.execute(
        "SELECT substr(obj_description(oid, 'pg_namespace'), 11) FROM pg_namespace WHERE nspname = 'cupola'"
    ).fetchone()
    return found[0] if found else None


def behind(url: str) -> str | None:
    """What a database lacks of the schema that this version needs, in words, or None when it has all of it."""
    have, need = present(url), head()
    if have != need:
        return f"The database stands at revision {have or 'none'}, this version needs {need}."
    with psycopg.connect(url, autocommit=True) as conn:
        if _has_functions(conn) != functions_digest():
            return f"The database stands at revision {need} with the functions of another version."
        lacks = indexes.lacking(conn, _wanted_indexes())
        if lacks:
            return f"The database stands at revision {need} without the index {lacks[0].name}, or with half of it."
    return None


def head() -> str:
    """The revision this version of Cupola needs."""
    return max(file.name[:4] for file in (_schema_dir() / "versions").glob("[0-9][0-9][0-9][0-9]_*.py"))
