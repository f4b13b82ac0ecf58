"""Who reacts to what: the whole business on one screen.

Domains announce events and know nothing of each other; here it says who listens.
"""

from __future__ import annotations

from cupola.app import slow
from cupola.compat.scale import outcome
from cupola.ledger import service as ledger
from cupola.models.accepting import service as accepting
from cupola.platform.dispatch import Consumer
from cupola.platform.runtime import Runtime
from cupola.platform.webhooks import service as webhooks
from cupola.quality import service as quality
from cupola.routing import service as routing


def consumers(run: Runtime) -> list[Consumer]:
    """Every consumer of events."""
    aggregator = quality.Aggregator(run, ask=routing.ask)
    return [
        # a judgement came, or a page came back: settle, ask for one more, or call an expert
        Consumer("aggregate", quality.KINDS, aggregator.handle, aggregator.forget),
        # orders: placed when they come in, answered when their tasks settle, told to their clients
        Consumer("orders", outcome.KINDS, lambda conn, tenant, events: outcome.handle(conn, run, tenant, events)),
        # a project was stopped, or what a stopped one held came back: its free money is the tenant's again
        Consumer("ledger", ("project.stopped", *ledger.COMES_BACK), ledger.return_rest),
        # whatever a tenant subscribed to goes out, signed, with retries
        Consumer("webhooks", ("*",), webhooks.enqueue),
        # a model that settles alone: people settled some of its sample, or of what is watched
        Consumer("models", accepting.KINDS, accepting.heard),
        # slow work: imports, thumbnails, exports
        Consumer("jobs", tuple(slow.KINDS), slow.ask),
    ]
