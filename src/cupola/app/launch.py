"""From settings to a runtime: start the embedded database where one is wanted, bring it to the present schema."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from cupola.kernel.errors import Kind, Problem
from cupola.platform.blobs import Blobs
from cupola.platform.pg import migrate, seal
from cupola.platform.pg.cluster import Cluster
from cupola.platform.pg.tx import Database
from cupola.platform.runtime import Runtime
from cupola.platform.settings import Settings


@dataclass(frozen=True, slots=True)
class Place:
    """Where the database is: `admin_url` for migrations and backups, `server_url` for everything else.

    revive: starts an embedded one again that has died; does nothing while it lives.
    """

    admin_url: str
    server_url: str
    revive: Callable[[], object] | None = None


@contextmanager
def database(settings: Settings, *, bring_up_to_date: bool = True, migrate_fresh: bool = True) -> Iterator[Place]:
    """The database of an instance, running and at the present schema while the block runs.

    migrate_fresh=False leaves it as it is (a backup brings its own schema).
    Raises Problem: "schema-behind" when it may not be brought up to date, or whatever kept it from starting.
    """
    if settings.database_url is not None:
        yield _present(settings, settings.database_url, bring_up_to_date, migrate_fresh)
        return
    with Cluster.open(settings.data_dir) as cluster:
        yield replace(
            _present(settings, cluster.url, bring_up_to_date, migrate_fresh),
            revive=cluster.ensure_running if settings.revive else None,
        )


def _present(settings: Settings, admin_url: str, bring_up_to_date: bool, migrate_fresh: bool) -> Place:
    server_url = migrate.server_url(admin_url, settings.database_password)
    if not migrate_fresh:
        return Place(admin_url, server_url)
    seal.check(admin_url, settings.seal)
    lacks = migrate.behind(admin_url)
    if lacks is not None:
        if not bring_up_to_date:
            raise Problem(
                Kind.UNAVAILABLE,
                "schema-behind",
                lacks,
                remedy="Run: cupola migrate",
            )
        server_url = migrate.migrate(admin_url, settings.database_password)
        seal.keep(admin_url, settings.seal)
    return Place(admin_url, server_url)


def runtime(settings: Settings, server_url: str, *, connections: int = 12) -> Runtime:
    """A runtime; its database is not open yet."""
    where = settings.blobs_url or settings.data_dir / "blobs"
    return Runtime(
        settings, Database(server_url, max_size=connections), Blobs.open(where, secret=settings.derive("blob urls"))
    )
