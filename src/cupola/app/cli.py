"""The command line. Commands that run or mend an instance work on its data folder; the others speak the HTTP API."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

import httpx
import msgspec
from cyclopts import App, Parameter
from rich.console import Console
from rich.table import Table

from cupola import __version__
from cupola.app import doctor, launch, moving, serve
from cupola.app.demo import run_demo
from cupola.app.replay import run_replay
from cupola.client import ApiError, Client
from cupola.identity import service as identity
from cupola.kernel.errors import Kind, Problem, not_found
from cupola.ledger import service as ledger
from cupola.ledger import store as ledger_store
from cupola.platform import backup as backups
from cupola.platform import settings as config
from cupola.platform.once import Once
from cupola.platform.pg import migrate as migrations
from cupola.platform.pg.tx import Role
from cupola.platform.runtime import Runtime
from cupola.quality.cli import app as quality_app
from cupola.releases import evidence

T = TypeVar("T")
out = Console()
err = Console(stderr=True)

app = App(
    name="cupola",
    version=__version__,
    help="The open data foundry: raw data in, certified training data out, everyone who worked on it paid.",
    help_format="rich",
)
tenant_app = App(name="tenant", help="Organisations of this instance.")
key_app = App(name="key", help="API keys.")
ledger_app = App(name="ledger", help="Money.")
for sub in (tenant_app, key_app, ledger_app, quality_app):
    app.command(sub)
app.register_install_completion_command()

Data = Annotated[
    Path | None, Parameter(name="--data", help="The instance's folder (default: $CUPOLA_DATA or ./.cupola).")
]
Json = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON.")]
Url = Annotated[str, Parameter(name="--url", env_var="CUPOLA_URL", help="The server.")]
ApiKey = Annotated[str, Parameter(name="--key", env_var="CUPOLA_KEY", help="An API key (see: cupola key create).")]
LOCAL = "http://127.0.0.1:8000"

EXIT_REFUSED, EXIT_FAILED, EXIT_WRONG = 2, 1, 3


def main() -> None:
    """Run a command. Exit codes: 0 done, 1 failed, 2 refused (mend the input), 3 a check found something wrong."""
    try:
        code = app(result_action="return_value")
    except Problem as problem:
        _refused(problem.code, problem.detail, problem.remedy)
        sys.exit(EXIT_REFUSED if problem.kind is not Kind.UNAVAILABLE else EXIT_FAILED)
    except ApiError as error:
        _refused(error.code, error.detail, error.remedy)
        sys.exit(EXIT_REFUSED if error.status < 500 else EXIT_FAILED)
    except httpx.TransportError as error:
        _refused("server-unreachable", f"The server does not answer: {error}", "Start it with: cupola up")
        sys.exit(EXIT_FAILED)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)


def _refused(code: str, detail: str, remedy: str) -> None:
    err.print(f"[bold red]{code}[/]: {detail}", soft_wrap=True, highlight=False)
    if remedy:
        err.print(remedy, soft_wrap=True, highlight=False)


def _show(value: Any, as_json: bool, text: str) -> None:
    if as_json:
        plain = asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
        print(json.dumps(msgspec.to_builtins(plain), indent=1, ensure_ascii=False))
    else:
        out.print(text, soft_wrap=True, highlight=False)


def _within(data: Path | None, work: Callable[[Runtime], Awaitable[T]]) -> T:
    """Run `work` on the instance's database."""
    settings = config.load(data)
    with launch.database(settings) as place:
        run = launch.runtime(settings, place.server_url, connections=2)

        async def go() -> T:
            await run.db.open()
            try:
                return await work(run)
            finally:
                await run.db.close()

        return asyncio.run(go())


# ---------------------------------------------------------------- running
@app.command
def up(*, data: Data = None, host: str | None = None, port: int | None = None, public_url: str | None = None) -> None:
    """Start everything in one process: the embedded database, the server and the worker.

    Parameters
    ----------
    host
        The address to listen on (default: 127.0.0.1).
    port
        The port to listen on (default: 8000).
    public_url
        The address people use, when it is another one.
    """
    settings = config.load(data, host=host, port=port, public_url=public_url)
    serve.run_server(settings, with_worker=True)


@app.command(name="serve")
def serve_command(
    *, data: Data = None, host: str | None = None, port: int | None = None, public_url: str | None = None
) -> None:
    """Start a server only; give it a database of your own in CUPOLA_DATABASE_URL and run `cupola worker` beside it."""
    serve.run_server(config.load(data, host=host, port=port, public_url=public_url), with_worker=False)


@app.command
def worker(*, data: Data = None) -> None:
    """Start a worker only: events, imports, exports, webhooks, expiries. Run as many as you like."""
    serve.run_worker(config.load(data))


@app.command
def migrate(*, data: Data = None, json_: Json = False) -> None:
    """Bring the database to the present schema. Forward only; safe to run again."""
    settings = config.load(data)
    with launch.database(settings):
        pass
    head = migrations.head()
    _show({"revision": head}, json_, f"The database stands at revision {head}.")


@app.command(name="doctor")
def doctor_command(*, data: Data = None, host: str = "127.0.0.1", port: int = 8000, json_: Json = False) -> int:
    """What is running, what is missing, and how to mend it."""
    findings = doctor.examine(data or config.default_data_dir(), host=host, port=port)
    print(json.dumps(doctor.as_json(findings), indent=1)) if json_ else out.print(doctor.as_text(findings))
    return 0 if doctor.healthy(findings) else EXIT_WRONG


@app.command
def backup(file: Path, *, data: Data = None, json_: Json = False) -> None:
    """Write everything of an instance (database, blobs, secret) into one file; it may stay up meanwhile."""
    settings = config.load(data)
    with launch.database(settings) as place:
        report = backups.backup(place.admin_url, file, moving.parts(settings))
    _show(report, json_, f"Wrote {file}: {report}")


@app.command
def restore(file: Path, *, data: Data = None, force: bool = False, json_: Json = False) -> None:
    """Bring a backup back. Refuses an instance that holds something, unless --force."""
    settings = config.load(data)
    with launch.database(settings, migrate_fresh=False) as place:
        report = backups.restore(place.admin_url, file, moving.parts(settings), settings.database_password, force=force)
    _show(report, json_, f"Restored {file}: {report}")


# ---------------------------------------------------------------- operating
@tenant_app.command(name="create")
def tenant_create(name: str, *, data: Data = None, json_: Json = False) -> None:
    """Create an organisation with its two worlds, live and test."""

    async def work(run: Runtime) -> Any:
        async with run.db.tx(Role.OPS) as conn:
            return await identity.create_organisation(conn, Once(), name, None)

    made = _within(data, work)
    _show(made, json_, f"{made.name}: live {made.live.id}, test {made.test.id}")


@key_app.command(name="create")
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

    made = _within(data, work)
    _show(made, json_, made.key)


@ledger_app.command(name="check")
def ledger_check(*, data: Data = None, json_: Json = False) -> int:
    """Test the invariants L1-L12 on every tenant; exit code 3 when one does not hold."""

    async def work(run: Runtime) -> Any:
        async with run.db.tx(Role.OPS) as conn:
            tenants: list[UUID] = [row.id for row in await ledger_store.TENANTS.all(conn)]
        return await ledger.check(run.db, tenants)

    found = _within(data, work)
    if json_:
        _show(found, True, "")
    else:
        out.print(
            f"{found.tenants} tenants, {found.accounts} accounts, {found.transfers} transfers: "
            + ("L1-L12 hold." if not found.violations else f"{len(found.violations)} offences."),
            highlight=False,
        )
        for offence in found.violations[:50]:
            err.print(f"{offence.rule} tenant {offence.tenant}: {offence.detail}", highlight=False)
    return EXIT_WRONG if found.violations else 0


# ---------------------------------------------------------------- data, through the API
@app.command(name="import")
def import_command(
    path: Path,
    *,
    key: ApiKey,
    dataset: str | None = None,
    licence: str = "",
    url: Url = LOCAL,
    json_: Json = False,
) -> int:
    """Import a folder, a zip or a manifest (JSONL, CSV, Parquet) into a dataset.

    Parameters
    ----------
    path
        What to import.
    dataset
        The dataset's name (default: the path's); it is made when there is none.
    licence
        The licence of a new dataset's items.
    """
    client = Client(url, key)
    found = moving.dataset(client, dataset or path.stem, licence)
    done = moving.import_path(client, found["id"], path, err if sys.stderr.isatty() else None)
    refusals = list(client.every(f"/api/imports/{done['id']}/refusals")) if done["refused"] else []
    if json_:
        _show({**done, "dataset": found["id"], "refusals": refusals}, True, "")
        return 0 if done["state"] == "done" else EXIT_FAILED
    out.print(
        f"{done['state']}: {done['accepted']} new, {done['unchanged']} known already, {done['refused']} refused "
        f"into dataset {found['name']} ({found['id']})",
        highlight=False,
        soft_wrap=True,
    )
    if refusals:
        table = Table("place", "reason", "what", "what to do")
        for row in refusals[:50]:
            table.add_row(row["place"], row["reason"], row["detail"], row["remedy"])
        out.print(table)
        if len(refusals) > 50:
            out.print(f"… and {len(refusals) - 50} more (all of them with --json)")
    if done.get("error"):
        err.print(done["error"], soft_wrap=True)
    return 0 if done["state"] == "done" else EXIT_FAILED


@app.command
def release(
    project: str,
    *,
    key: ApiKey,
    name: str,
    items: int = 300,
    confidence: float = 0.95,
    target: float = 0.99,
    licence: str = "",
    url: Url = LOCAL,
    json_: Json = False,
) -> None:
    """Freeze a project's settled labels, declare the audit and draw it.

    Parameters
    ----------
    project
        The project's name or id.
    name
        The release's name.
    items
        How many items the audit draws.
    confidence
        The confidence of the bound.
    target
        The accuracy to certify.
    licence
        The licence of the labels.
    """
    client = Client(url, key)
    found = moving.named(client, "/api/projects", project)
    plan = {"items": items, "confidence": confidence, "target_accuracy": target}
    made = client.post(f"/api/projects/{found['id']}/releases", {"name": name, "licence": licence, "plan": plan})
    _show(
        made,
        json_,
        f"Release {made['name']} ({made['id']}): {made['items']} items frozen, {made['audit']['drawn']} drawn. "
        "Judge them under Audits, then certify.",
    )


@app.command
def export(
    release: str,
    *,
    key: ApiKey,
    format: Literal["jsonl", "coco", "yolo", "parquet"] = "jsonl",
    to: Path = Path(),
    url: Url = LOCAL,
    json_: Json = False,
) -> None:
    """Export a release with its evidence into a folder; `cupola verify` computes the certificate again from there.

    Parameters
    ----------
    release
        The release's id.
    format
        What the file is to be.
    to
        The folder to write into.
    """
    client = Client(url, key)
    files = moving.export_release(client, release, format, to, err if sys.stderr.isatty() else None)
    _show({"files": [str(file) for file in files]}, json_, "\n".join(str(file) for file in files))


@app.command
def verify(
    release: str,
    *,
    key: Annotated[str | None, Parameter(name="--key", env_var="CUPOLA_KEY")] = None,
    url: Url = LOCAL,
    json_: Json = False,
) -> int:
    """Compute a release's certificate again, from its exported files alone. Exit code 3 when something does not hold.

    Parameters
    ----------
    release
        A folder or zip that `cupola export` wrote, or a release's id (then its evidence is fetched first).
    """
    where = Path(release)
    with tempfile.TemporaryDirectory() as scratch:
        if not where.exists():
            if key is None:
                raise Problem(
                    Kind.INVALID,
                    "evidence-missing",
                    f"{release} is no file here, and without a key its evidence cannot be fetched.",
                    remedy="Give the folder that `cupola export` wrote, or --key.",
                )
            where = Path(scratch) / "evidence.zip"
            Client(url, key).download(f"/api/releases/{UUID(release)}/evidence", where)
        found = evidence.verify(where)
    if json_:
        _show(found, True, "")
        return EXIT_WRONG if found.wrong else 0
    out.print(found.statement, soft_wrap=True, highlight=False)
    for line in found.checked:
        out.print(f"  [green]checked[/] {line}", highlight=False)
    for line in found.wrong:
        out.print(f"  [bold red]wrong[/] {line}", highlight=False, soft_wrap=True)
    out.print("[bold green]Everything holds.[/]" if not found.wrong else "[bold red]This certificate does not hold.[/]")
    return EXIT_WRONG if found.wrong else 0


# ---------------------------------------------------------------- the whole way
@app.command
def demo(
    *,
    data: Data = None,
    port: int = 8000,
    exit_: Annotated[bool, Parameter(name="--exit", negative="", help="End when the job is done.")] = False,
    seed: int = 7,
    logins: Annotated[Path | None, Parameter(help="Write URL and logins as JSON into this file.")] = None,
) -> int:
    """Run the whole job on 1,797 handwritten digits, with programs as contributors, and stay up for you to look."""
    folder = data or Path(tempfile.gettempdir()) / f"cupola-demo-{os.getuid()}"
    return run_demo(folder, port, exit_when_done=exit_, seed=seed, logins=logins)


@app.command
def replay(
    folder: Path,
    *,
    data: Data = None,
    port: int = 8010,
    target: float = 0.95,
    confidence: float = 0.99,
    max_judgements: int = 6,
    audit_items: int = 1000,
    seed: int = 7,
    limit: int | None = None,
    json_: Json = False,
) -> int:
    """Run the whole job on real people's recorded judgements: a folder with labels.csv and truth.csv.

    Parameters
    ----------
    folder
        labels.csv (task,worker,label) and truth.csv (task,label).
    target
        The accuracy the plan asks for.
    confidence
        The confidence of the certificate.
    max_judgements
        Judgements a task may get before an adjudicator decides.
    audit_items
        Items the audit draws.
    limit
        Use only so many tasks.
    """
    return run_replay(
        folder, data, port, target, confidence, max_judgements, audit_items, seed=seed, limit=limit, as_json=json_
    )
