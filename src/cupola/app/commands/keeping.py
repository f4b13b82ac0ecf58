"""Keeping an instance: its schema, its health, its backups, its organisations, keys and books."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from cyclopts import Parameter

from cupola.app import doctor, launch, moving
from cupola.app.commands.common import EXIT_WRONG, Data, Json, err, out, show, within
from cupola.identity import service as identity
from cupola.kernel.errors import not_found
from cupola.ledger import service as ledger
from cupola.ledger import store as ledger_store
from cupola.platform import backup as backups
from cupola.platform import settings as config
from cupola.platform.once import Once
from cupola.platform.pg import migrate as migrations
from cupola.platform.pg.tx import Role
from cupola.platform.runtime import Runtime


def migrate(*, data: Data = None, json_: Json = False) -> None:
    """Bring the database to the present schema. Forward only; safe to run again."""
    settings = config.load(data)
    with launch.database(settings):
        pass
    head = migrations.head()
    show({"revision": head}, json_, f"The database stands at revision {head}.")


def doctor_(*, data: Data = None, host: str = "127.0.0.1", port: int = 8000, json_: Json = False) -> int:
    """What is running, what is missing, and how to mend it."""
    findings = doctor.examine(data or config.default_data_dir(), host=host, port=port)
    print(json.dumps(doctor.as_json(findings), indent=1)) if json_ else out.print(doctor.as_text(findings))
    return 0 if doctor.healthy(findings) else EXIT_WRONG


def backup(file: Path, *, data: Data = None, json_: Json = False) -> None:
    """Write everything of an instance (database, blobs, secret) into one file; it may stay up meanwhile."""
    settings = config.load(data)
    with launch.database(settings) as place:
        report = backups.backup(place.admin_url, file, moving.parts(settings))
    show(
        report,
        json_,
        f"Wrote {file}: the database at revision {report.schema} and {report.files} files, {report.bytes:,} bytes.",
    )


def restore(file: Path, *, data: Data = None, force: bool = False, json_: Json = False) -> None:
    """Bring a backup back. Refuses an instance that holds something, unless --force."""
    settings = config.load(data)
    with launch.database(settings, migrate_fresh=False) as place:
        report = backups.restore(place.admin_url, file, moving.parts(settings), settings.database_password, force=force)
    show(report, json_, f"Restored the backup of {report.made_at}: {report.files} files, {report.bytes:,} bytes.")


def tenant_create(name: str, *, data: Data = None, json_: Json = False) -> None:
    """Create an organisation with its two worlds, live and test."""

    async def work(run: Runtime) -> Any:
        async with run.db.tx(Role.OPS) as conn:
            return await identity.create_organisation(conn, Once(), name, None)

    made = within(data, work)
    show(made, json_, f"{made.name}: live {made.live.id}, test {made.test.id}")


def key_create(
    *,
    tenant: str,
    test: Annotated[bool, Parameter(negative="", help="A key of the test world.")] = False,
    name: str = "command line",
    data: Data = None,
    json_: Json = False,
) -> None:
    """Create an API key of an organisation and print it, once: only its hash is stored.

    Parameters
    ----------
    tenant
        The organisation's name.
    name
        What the key is for.
    """

    async def work(run: Runtime) -> Any:
        async with run.db.tx(Role.OPS) as conn:
            found = await identity.organisation(conn, tenant)
        if found is None:
            raise not_found(f"organisation named {tenant!r}")
        world = found.test.id if test else found.live.id
        async with run.db.tx(Role.APP, tenant=world) as conn:
            return await identity.create_key(conn, Once(), world, name)

    made = within(data, work)
    show(made, json_, made.key)


def ledger_check(*, data: Data = None, json_: Json = False) -> int:
    """Test the invariants L1-L12 on every tenant; exit code 3 when one does not hold."""

    async def work(run: Runtime) -> Any:
        async with run.db.tx(Role.OPS) as conn:
            tenants: list[UUID] = [row.id for row in await ledger_store.TENANTS.all(conn)]
        return await ledger.check(run.db, tenants)

    found = within(data, work)
    if json_:
        show(found, True, "")
    else:
        out.print(
            f"{found.tenants} tenants, {found.accounts} accounts, {found.transfers} transfers: "
            + ("L1-L12 hold." if not found.violations else f"{len(found.violations)} offences."),
            highlight=False,
        )
        for offence in found.violations[:50]:
            err.print(f"{offence.rule} tenant {offence.tenant}: {offence.detail}", highlight=False)
    return EXIT_WRONG if found.violations else 0
