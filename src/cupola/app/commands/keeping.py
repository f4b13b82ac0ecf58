"""Keeping an instance: its schema, its health, its backups and its books."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID

from cupola.app import doctor, launch, moving
from cupola.app.commands.common import EXIT_WRONG, Data, Json, err, out, show, within
from cupola.ledger import service as ledger
from cupola.ledger import store as ledger_store
from cupola.platform import backup as backups
from cupola.platform import settings as config
from cupola.platform.pg import migrate as migrations
from cupola.platform.pg import partitions as spreading
from cupola.platform.pg.tx import Role
from cupola.platform.runtime import Runtime
from cupola.workforce.rules import service as rules_of_work


def migrate(*, partitions: int | None = None, data: Data = None, json_: Json = False) -> None:
    """Bring the database to the present schema. Forward only; safe to run again.

    Parameters
    ----------
    partitions
        Spread the large tables into so many partitions by tenant, 1 to 256. Once, when a database has outgrown one
        table of each; with every server and worker stopped, and room for a second copy of the largest table.
    """
    settings = config.load(data)
    with launch.database(settings) as place:
        if partitions is not None:
            spreading.spread(place.admin_url, partitions)
        spread = spreading.present(place.admin_url)
    head = migrations.head()
    show(
        {"revision": head, "partitions": spread},
        json_,
        f"The database stands at revision {head}."
        + (f" Its large tables are spread into {spread} partitions by tenant." if spread else ""),
    )


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
        # the secret may be another one now, and with it the password of the server's login
        migrations.migrate(place.admin_url, config.load(data).database_password)
    show(report, json_, f"Restored the backup of {report.made_at}: {report.files} files, {report.bytes:,} bytes.")


def rules(*, data: Data = None, json_: Json = False) -> int:
    """How each of the 24 rules of work stands on this instance, by live queries; exit code 3 when one is broken."""
    found = within(data, lambda run: rules_of_work.report(run.db))
    broken = any(rule.state == "broken" for rule in found.rules)
    if json_:
        show(found, True, "")
        return EXIT_WRONG if broken else 0
    for rule in found.rules:
        out.print(f"{rule.id:>3}  {rule.state:<7} {rule.says}", highlight=False, soft_wrap=True)
        if rule.lacks:
            out.print(f"     not built: {rule.lacks}", highlight=False, soft_wrap=True)
        for offence in rule.offences[:10]:
            where = f"tenant {offence.tenant}: " if offence.tenant else ""
            err.print(f"     {where}{offence.detail}", highlight=False, soft_wrap=True)
    return EXIT_WRONG if broken else 0


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
