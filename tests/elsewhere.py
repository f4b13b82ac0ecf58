"""Another Postgres in the place of the embedded one, for the tests that only make databases and use them."""

from __future__ import annotations

import psycopg
from psycopg import conninfo, sql

from cupola.platform.pg import store


class Elsewhere:
    """What tests use of `Cluster`, on a server that somebody else runs. url: a superuser's, of any database."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.create_database(store.DATABASE)

    @property
    def url(self) -> str:
        return self.url_for("postgres")

    def url_for(self, role: str, database: str = store.DATABASE) -> str:
        return conninfo.make_conninfo(self._url, user=role, dbname=database)

    def create_database(self, name: str, *, template: str = "template1") -> str:
        self.drop_database(name)
        with psycopg.connect(self._url, autocommit=True) as conn:
            conn.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
            )
        return self.url_for("postgres", name)

    def drop_database(self, name: str) -> None:
        with psycopg.connect(self._url, autocommit=True) as conn:
            store.drop(conn, name)
