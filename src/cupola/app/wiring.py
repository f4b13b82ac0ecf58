"""Who reacts to what: the whole business on one screen.

Domains announce events and know nothing of each other; here it says who listens.
"""

from __future__ import annotations

from cupola.app import slow
from cupola.compat.scale import outcome, pointclouds
from cupola.ledger import service as ledger
from cupola.platform.dispatch import Consumer
from cupola.platform.runtime import Runtime
from cupola.platform.webhooks import service as webhooks
from cupola.quality.service import Aggregator
from cupola.routing import service as routing


def consumers(run: Runtime) -> list[Consumer]:
    """Every consumer of events, each fed by one process at a time."""
    aggregator = Aggregator(run, ask=routing.ask)
    return [
        # a judgement came, or a page came back: settle, ask for one more, or call an expert
        Consumer(
            "aggregate",
            (
                "judgement.submitted",
                "assignment.returned",
                "assignment.expired",
                "tasks.created",
                "project.launched",
            ),
            aggregator.handle,
        ),
        # orders: placed when they come in, answered when their tasks settle, told to their clients
        Consumer("orders", outcome.KINDS, lambda events: outcome.handle(run, events)),
        # frames of point clouds: fetched and checked apart, for they are large and hold up nobody's orders
        Consumer("frames", pointclouds.KINDS, lambda events: pointclouds.handle(run, events)),
        # a project was stopped, or a page of a stopped one came back: its free money is the tenant's again
        Consumer(
            "ledger",
            ("project.stopped", "assignment.returned", "assignment.expired"),
            lambda events: ledger.return_rest(run.db, events),
        ),
        # whatever a tenant subscribed to goes out, signed, with retries
        Consumer("webhooks", ("*",), lambda events: webhooks.enqueue_all(run, events)),
        # slow work: imports, thumbnails, exports
        Consumer("jobs", tuple(slow.KINDS), lambda events: slow.enqueue(run, events)),
    ]
