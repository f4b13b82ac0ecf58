"""Bring a database to the present schema: roles, forward-only SQL files run by Alembic, the job queue's tables.

Runs with an administrator's connection, which the server itself never uses: `migrate` ends by making the login
`cupola_server`, which may only step into the three roles of `platform.pg.tx`.
"""

from __future__ import annotations

import asyncio
import importlib.resources
from pathlib import Path

import psycopg
from pgqueuer.db import PsycopgDriver
from pgqueuer.queries import Queries
from psycopg import conninfo, sql

from cupola.kernel.errors import Kind, Problem

LOGIN = "cupola_server"
OWNER = "cupola_owner"
_GROUPS = ("cupola_app", "cupola_gateway", "cupola_ops")
_LOCK = 7_466_031_201  # advisory lock: one migration at a time


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
    for group in _GROUPS:
        conn.execute(
            sql.SQL("GRANT {} TO {} WITH INHERIT FALSE, SET TRUE").format(sql.Identifier(group), sql.Identifier(LOGIN))
        )
    conn.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(OWNER)))
    conn.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS cupola AUTHORIZATION {}").format(sql.Identifier(OWNER)))
    conn.execute(sql.SQL("GRANT USAGE ON SCHEMA cupola TO {}").format(sql.SQL(", ").join(map(sql.Identifier, _GROUPS))))
    conn.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(sql.Identifier(database), sql.Identifier(LOGIN)))


def run_sql(name: str) -> None:
    """Run one file of the schema folder, e.g. "0001_foundation.sql", in the present migration."""
    from alembic import op

    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.execute((_schema_dir() / name).read_text("utf-8"))


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
        command.upgrade(config, "head")
    engine.dispose()


async def _job_tables(admin_url: str) -> None:
    async with await psycopg.AsyncConnection.connect(admin_url, autocommit=True) as conn:
        await conn.execute(f"SET ROLE {OWNER}")
        await conn.execute("SET search_path TO cupola")
        queries = Queries(PsycopgDriver(conn))
        if await queries.schema_is_installed():
            await queries.apply_upgrade()
        else:
            await queries.install(create_schema=False)
        await conn.execute(
            "DO $$ DECLARE t text; BEGIN "
            "FOR t IN SELECT relname FROM pg_class WHERE relnamespace = 'cupola'::regnamespace "
            "AND relkind IN ('r', 'p') AND relname LIKE 'pgqueuer%' LOOP "
            "EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO cupola_ops', t); END LOOP; "
            "FOR t IN SELECT relname FROM pg_class WHERE relnamespace = 'cupola'::regnamespace "
            "AND relkind = 'S' AND relname LIKE 'pgqueuer%' LOOP "
            "EXECUTE format('GRANT USAGE ON SEQUENCE %I TO cupola_ops', t); END LOOP; "
            "FOR t IN SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'cupola'::regnamespace "
            "AND proname LIKE '%pgqueuer%' LOOP "
            "EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO cupola_ops', t); END LOOP; END $$"
        )


def migrate(admin_url: str, password: str) -> str:
    """Bring the database of `admin_url` to the present schema and return the URL the server is to use.

    `password` becomes the login password of the server's role; it is derived from the instance's secret, so that every
    process of one instance knows it. Raises Problem("migration-failed") with what Postgres said.
    """
    try:
        with psycopg.connect(admin_url, autocommit=True) as conn:
            conn.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
            _roles(conn, conn.info.dbname, password)
            _upgrade(admin_url)
            asyncio.run(_job_tables(admin_url))
    except psycopg.Error as error:
        raise Problem(
            Kind.UNAVAILABLE,
            "migration-failed",
            f"The database could not be brought to the present schema: {str(error).strip()}",
            remedy="Give an administrator's URL that may create roles, then run `cupola migrate` again; it goes on "
            "where it stopped.",
        ) from error
    return server_url(admin_url, password)


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


def head() -> str:
    """The revision this version of Cupola needs."""
    return max(file.name[:4] for file in (_schema_dir() / "versions").glob("[0-9][0-9][0-9][0-9]_*.py"))
