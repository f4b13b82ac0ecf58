"""Slow work: which event asks for which, and what each kind of it is."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from cupola.catalog import jobs as catalog_jobs
from cupola.compat.scale import outcome, pointclouds
from cupola.kernel.errors import Kind, Problem
from cupola.models import runs as models
from cupola.models.accepting import service as accepting
from cupola.models.service import JOB as LEARNING
from cupola.orders import placing
from cupola.platform import jobs
from cupola.platform.events import Event
from cupola.platform.jobs import Job
from cupola.platform.pg.tx import Conn
from cupola.platform.runtime import Runtime
from cupola.quality import service as quality
from cupola.quality.figures import service as figures
from cupola.quality.service import Aggregator
from cupola.releases import exporting, freezing
from cupola.routing import service as routing
from cupola.tasks.adding import service as adding

# event -> the kind of job that its subject needs
KINDS = {
    "import.requested": "import",
    "import.done": "thumbnails",
    "export.requested": "export",
    "release.freeze-requested": "freeze",
    "tasks.requested": "tasks",
}


async def ask(conn: Conn, tenant: UUID, events: Sequence[Event]) -> None:
    """Ask for the slow work that some events of a tenant make necessary."""
    for kind, job in KINDS.items():
        subjects = [event.subject for event in events if event.kind == kind and event.subject is not None]
        # thumbnails are made for all of a tenant's pictures that lack one
        await jobs.add(conn, tenant, job, *([tenant] if subjects and job == "thumbnails" else subjects))


def work(run: Runtime) -> list[Job]:
    """Every kind of slow work."""
    aggregator = Aggregator(run, ask=routing.ask)
    return [
        Job("import", _import, catalog_jobs.fail_import),
        Job("thumbnails", lambda run, tenant, _: catalog_jobs.make_thumbnails(run, tenant), at_once=2, each=1),
        Job("export", exporting.run_export, exporting.fail_export),
        Job("tasks", adding.run_add, adding.fail_add, at_once=2, each=1),
        Job("freeze", freezing.run_freeze, freezing.fail_freeze, at_once=2, each=1),
        # models are fitted, and people chosen for directed projects, beside the decisions
        Job(quality.REFIT, aggregator.catch_up, aggregator.without_fit, at_once=2, each=1),
        Job(quality.ASK, aggregator.ask_anew, at_once=2, each=1),
        Job(figures.JOB, figures.keep, at_once=2, each=1),
        # models fitted and asked, each in a child process of its own
        Job(LEARNING, models.run_learning, models.fail, at_once=1, each=1),
        Job(accepting.JOB, accepting.go_on, accepting.give_up, at_once=2, each=1),
        # orders: put on their lines, as money and attachments come in
        Job(outcome.PLACE, lambda run, tenant, _: placing.place_waiting(run, tenant), each=1),
        Job(outcome.PLACE_FUNDED, lambda run, tenant, _: placing.place_waiting(run, tenant, unfunded=True), each=1),
        # a fault of ours is no fault of the order's: it is tried for days before its client is told
        Job(placing.FETCH, placing.fetch, placing.give_up, at_once=16, each=4, tries=500),
        Job(outcome.TOP_UP, lambda run, tenant, _: placing.top_up(run, tenant), each=1),
        # frames of point clouds are large
        Job(outcome.FRAMES, pointclouds.check, pointclouds.give_up, at_once=2, each=1),
    ]


async def _import(run: Runtime, tenant: UUID, subject: UUID) -> None:
    try:
        await catalog_jobs.run_import(run, tenant, subject)
    except Problem as problem:
        if problem.kind is not Kind.CONFLICT:  # another process has gone on with it
            raise
