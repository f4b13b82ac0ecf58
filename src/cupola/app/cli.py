"""The command line. Commands that run or mend an instance work on its data folder; the others speak the HTTP API."""

from __future__ import annotations

import sys

from cyclopts import App
from rich.console import Console

from cupola import __version__
from cupola.kernel.errors import Kind, Problem

app = App(
    name="cupola",
    version=__version__,
    help="The open data foundry: raw data in, certified training data out, everyone who worked on it paid.",
    help_format="rich",
)
tenant = App(name="tenant", help="Organisations of this instance.")
key = App(name="key", help="API keys.")
ledger = App(name="ledger", help="Money.")

# Named, not imported: a command loads what it needs when it is run.
_RUNNING, _KEEPING, _DATA, _SHOWS = (f"cupola.app.commands.{name}" for name in ("running", "keeping", "data", "shows"))
app.command(f"{_RUNNING}:up", name="up", help="Start everything in one process: database, server and worker.")
app.command(f"{_RUNNING}:serve_", name="serve", help="Start a server only.")
app.command(
    f"{_RUNNING}:worker", name="worker", help="Start a worker only: events, imports, exports, webhooks, expiries."
)
app.command(f"{_KEEPING}:migrate", name="migrate", help="Bring the database to the present schema.")
app.command(f"{_KEEPING}:doctor_", name="doctor", help="What is running, what is missing, and how to mend it.")
app.command(f"{_KEEPING}:backup", name="backup", help="Write everything of an instance into one file.")
app.command(f"{_KEEPING}:restore", name="restore", help="Bring a backup back.")
tenant.command(f"{_KEEPING}:tenant_create", name="create", help="Create an organisation with its two worlds.")
key.command(f"{_KEEPING}:key_create", name="create", help="Create an API key and print it, once.")
ledger.command(f"{_KEEPING}:ledger_check", name="check", help="Test the invariants L1-L12 on every tenant.")
app.command(f"{_DATA}:import_", name="import", help="Import a folder, a zip or a manifest into a dataset.")
app.command(
    f"{_DATA}:release", name="release", help="Freeze a project's settled labels, declare the audit and draw it."
)
app.command(f"{_DATA}:export", name="export", help="Export a release with its evidence into a folder.")
app.command(f"{_DATA}:verify", name="verify", help="Compute a release's certificate again, from its files alone.")
app.command(
    f"{_SHOWS}:demo", name="demo", help="Run the whole job on 1,797 handwritten digits, and stay up to look at."
)
app.command(f"{_SHOWS}:replay", name="replay", help="Run the whole job on real people's recorded judgements.")
app.command(
    "cupola.quality.cli:app", name="quality", help="Labels with an honest accuracy statement from files of judgements."
)
for group in (tenant, key, ledger):
    app.command(group)
app.register_install_completion_command()

EXIT_FAILED, EXIT_REFUSED = 1, 2


def main() -> None:
    """Run a command. Exit codes: 0 done, 1 failed, 2 refused (mend the input), 3 a check found something wrong."""
    try:
        code = app(result_action="return_value")
    except Problem as problem:
        err = Console(stderr=True)
        err.print(f"[bold red]{problem.code}[/]: {problem.detail}", soft_wrap=True, highlight=False)
        if problem.remedy:
            err.print(problem.remedy, soft_wrap=True, highlight=False)
        sys.exit(EXIT_FAILED if problem.kind is Kind.UNAVAILABLE else EXIT_REFUSED)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)
