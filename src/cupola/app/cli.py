"""The command line. Commands that run or mend an instance work on its data folder; the others speak the HTTP API."""

from __future__ import annotations

import errno
import sys

from cyclopts import App

from cupola import __version__
from cupola.kernel import terminal
from cupola.kernel.errors import Kind, Problem
from cupola.kernel.terminal import Plain

app = App(
    name="cupola",
    version=__version__,
    help="The open data foundry: raw data in, certified training data out, everyone who worked on it paid.",
    help_format="rich",
)
tenant = App(name="tenant", help="Organisations of this instance.")
key = App(name="key", help="API keys.")
ledger = App(name="ledger", help="Money.")
contributor = App(name="contributor", help="People who work by a token.")
person = App(name="person", help="People who sign in.")
project = App(name="project", help="Projects: what is asked of the crowd, and for how much.")
exam = App(name="exam", help="Paid exams: what somebody shows in them opens projects that ask for it.")
tasks = App(name="tasks", help="The tasks of a project.")

# Named, not imported: a command loads what it needs when it is run.
_NAMES = (
    "running",
    "keeping",
    "data",
    "shows",
    "organisations",
    "projects",
    "project_moves",
    "templating",
    "working",
    "skilled",
    "videos",
)
(
    _RUNNING,
    _KEEPING,
    _DATA,
    _SHOWS,
    _ORGANISATIONS,
    _PROJECTS,
    _PROJECT_MOVES,
    _TEMPLATING,
    _WORKING,
    _SKILLED,
    _VIDEOS,
) = (f"cupola.app.commands.{name}" for name in _NAMES)
app.command(f"{_RUNNING}:up", name="up", help="Start everything in one process: database, server and worker.")
app.command(f"{_RUNNING}:serve_", name="serve", help="Start a server only.")
app.command(
    f"{_RUNNING}:worker", name="worker", help="Start a worker only: events, imports, exports, webhooks, expiries."
)
app.command(f"{_KEEPING}:migrate", name="migrate", help="Bring the database to the present schema.")
app.command(f"{_KEEPING}:doctor_", name="doctor", help="What is running, what is missing, and how to mend it.")
app.command(f"{_KEEPING}:backup", name="backup", help="Write everything of an instance into one file.")
app.command(f"{_KEEPING}:restore", name="restore", help="Bring a backup back.")
tenant.command(
    f"{_ORGANISATIONS}:tenant_create", name="create", help="Create an organisation with its two worlds and its owner."
)
tenant.command(f"{_ORGANISATIONS}:tenant_owner", name="owner", help="Make somebody an owner of an organisation.")
tenant.command(f"{_ORGANISATIONS}:tenant_list", name="list", help="List the organisations of this instance.")
app.command(f"{_ORGANISATIONS}:fund", name="fund", help="Record money that came in for an organisation.")
key.command(f"{_ORGANISATIONS}:key_create", name="create", help="Create an API key and print it, once.")
contributor.command(
    f"{_ORGANISATIONS}:contributor_create", name="create", help="Make contributors who work by a token."
)
person.command(f"{_ORGANISATIONS}:person_link", name="link", help="A one-time link that sets a new password.")
project.command(f"{_PROJECTS}:project_create", name="create", help="Create a project over a dataset: what is asked.")
project.command(
    f"{_TEMPLATING}:project_templates", name="templates", help="What is commonly asked about texts: ready to use."
)
project.command(f"{_PROJECTS}:project_list", name="list", help="List the projects.")
project.command(f"{_PROJECTS}:project_show", name="show", help="How a project stands, and what to do next.")
project.command(f"{_PROJECTS}:project_launch", name="launch", help="Give a project money and offer its work.")
project.command(f"{_PROJECT_MOVES}:project_estimate", name="estimate", help="What a project will likely need and cost.")
project.command(f"{_PROJECT_MOVES}:project_pause", name="pause", help="Offer no more of a project's work for a while.")
project.command(f"{_PROJECT_MOVES}:project_resume", name="resume", help="Offer a paused project's work again.")
project.command(f"{_PROJECT_MOVES}:project_stop", name="stop", help="End a project; what is claimed is still paid.")
project.command(f"{_SKILLED}:project_ask", name="ask", help="Say whom a project is for.")
exam.command(f"{_SKILLED}:exam_make", name="make", help="Make a paid exam of a project's gold.")
exam.command(f"{_SKILLED}:exam_list", name="list", help="List your exams.")
contributor.command(
    f"{_SKILLED}:credentials_take", name="credentials", help="Take a list of credentials that were verified elsewhere."
)
tasks.command(f"{_PROJECTS}:tasks_add", name="add", help="Make a task of each item, and gold of known answers.")
app.command(f"{_WORKING}:work", name="work", help="Work as a contributor: claim, judge, submit.")
app.command(f"{_WORKING}:adjudicate", name="adjudicate", help="Decide what the crowd could not settle.")
app.command(f"{_WORKING}:audit", name="audit", help="Judge the drawn items of a release, blind.")
app.command(f"{_WORKING}:certify", name="certify", help="Compute, sign and keep a release's certificate.")
app.command(f"{_KEEPING}:rules", name="rules", help="How the 24 rules of work stand on this instance.")
ledger.command(f"{_KEEPING}:ledger_check", name="check", help="Test the invariants L1-L12 on every tenant.")
app.command(f"{_DATA}:import_", name="import", help="Import a folder, a zip or a manifest into a dataset.")
app.command(
    f"{_DATA}:release", name="release", help="Freeze a project's settled labels, declare the audit and draw it."
)
app.command(f"{_DATA}:export", name="export", help="Export a release with its evidence into a folder.")
app.command(f"{_DATA}:verify", name="verify", help="Compute a release's certificate again, from its files alone.")
app.command(f"{_VIDEOS}:frames", name="frames", help="How a video's frames are numbered, and their pictures.")
app.command(
    f"{_SHOWS}:demo", name="demo", help="Run the whole job on 1,797 handwritten digits, and stay up to look at."
)
app.command(f"{_SHOWS}:replay", name="replay", help="Run the whole job on real people's recorded judgements.")
app.command(
    "cupola.quality.cli:app", name="quality", help="Labels with an honest accuracy statement from files of judgements."
)
app.command(
    "cupola.formats.cli:convert", name="convert", help="Annotations from one format to another, with no server."
)
app.command(
    "cupola.app.commands.refining:app", name="refine", help="Text at scale: what rules would take, and copies out."
)
app.command("cupola.app.commands.learning:app", name="model", help="Models that learn from what people settle.")
app.command("cupola.preferences.cli:arena", name="arena", help="Boards of models from votes on pairs, with intervals.")
app.command("cupola.preferences.cli:judge", name="judge", help="Models that judge, checked against people.")
for group in (tenant, key, ledger, contributor, person, project, exam, tasks):
    app.command(group)
app.register_install_completion_command()

EXIT_FAILED, EXIT_REFUSED = 1, 2


def _untouchable(error: OSError | UnicodeDecodeError) -> None:
    """Say what a file, a folder or a disk refused, by its name and without a traceback."""
    err = Plain(stderr=True)
    if isinstance(error, UnicodeDecodeError):
        err.headed("file-encoding", f": A file is no UTF-8: {error}.", "bold red")
        err.print("Save it as UTF-8.", soft_wrap=True)
        return
    place = f"{error.filename}: " if error.filename else ""
    err.headed("file-trouble", f": {place}{error.strerror or error}.", "bold red")
    remedy = _REMEDIES.get(error.errno or 0)
    if remedy:
        err.print(remedy, soft_wrap=True)


_REMEDIES = {
    errno.ENOSPC: "The disk is full: make room there, or name another place, and run it again.",
    errno.EDQUOT: "The quota is used up: make room there, or name another place, and run it again.",
    errno.EACCES: "This account may not do that there: name another place, or ask whoever owns it.",
    errno.EPERM: "This account may not do that there: name another place, or ask whoever owns it.",
    errno.EROFS: "Nothing can be written there: name another place.",
    errno.ENOENT: "Check the path.",
    errno.EISDIR: "A file is wanted there, not a folder.",
    errno.ENOTDIR: "A folder is wanted there, not a file.",
    errno.ENAMETOOLONG: "Give a shorter name.",
    errno.EADDRINUSE: "Another program listens there: end it, or choose another port with --port.",
}


def main() -> None:
    """Run a command. Exit codes: 0 done, 1 failed, 2 refused (mend the input), 3 a check found something wrong."""
    terminal.forgiving()
    try:
        code = app(result_action="return_value")
    except Problem as problem:
        err = Plain(stderr=True)
        err.headed(problem.code, f": {problem.detail}", "bold red")
        if problem.remedy:
            err.print(problem.remedy, soft_wrap=True)
        sys.exit(EXIT_FAILED if problem.kind is Kind.UNAVAILABLE else EXIT_REFUSED)
    except (OSError, UnicodeDecodeError) as error:
        if isinstance(error, BrokenPipeError):
            terminal.hung_up()
        else:
            _untouchable(error)
        sys.exit(EXIT_FAILED)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)
