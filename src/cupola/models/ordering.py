"""The order of a project's queue, by what a version of a model is least sure of. The platform's own choice.

Nobody's work, price or right to work changes by it: tasks that nobody has begun change places among each other.
"""

from __future__ import annotations

from uuid import UUID

import numpy as np

from cupola.kernel.errors import conflict, not_found
from cupola.models import selection, service, store
from cupola.models.accepting import service as accepting
from cupola.models.accepting import store as ranks
from cupola.models.model import Ordered
from cupola.platform import events
from cupola.platform.pg.tx import Conn
from cupola.quality.opinions import service as opinions
from cupola.tasks import service as tasks_service

MAX_ORDERED = 20_000


async def order(
    conn: Conn, tenant: UUID, project: UUID, *, model: str, version: int | None, floor: float, seed: int
) -> Ordered:
    """Ask next about what teaches a model most: tasks that nobody has begun, closest margins first, between them a
    random floor.

    Raises Problem: NOT_FOUND; CONFLICT "nothing-to-order" where no such task has an opinion of the version.
    """
    _, ontology = await tasks_service.project_and_ontology(conn, tenant, project)
    names = service.able(ontology)
    found = await store.MODEL_NAMED.maybe(conn, tenant=tenant, name=model)
    if found is None:
        raise not_found("model")
    known = (
        await store.NEWEST.maybe(conn, tenant=tenant, model=found.id)
        if version is None
        else await store.VERSION.maybe(conn, tenant=tenant, model=found.id, version=version)
    )
    if known is None:
        raise not_found("version of a model")
    rows = await ranks.RANKS.all(conn, tenant=tenant, project=project, limit=MAX_ORDERED)
    rater = opinions.rater_of(tenant, found.name, str(known.version))
    tasks = [row.task for row in rows]
    found_shares = await store.SHARES.all(conn, tenant=tenant, rater=rater, tasks=tasks)
    said = {one.task: one.probabilities for one in found_shares}
    asked = [task for task in tasks if task in said]
    if not asked:
        raise conflict(
            "nothing-to-order",
            "No task that nobody has begun has an opinion of this version, with probabilities.",
            remedy="Ask the model of the project's tasks first.",
        )
    shares = np.zeros((len(asked), len(names)), np.float32)
    for n, task in enumerate(asked):
        shares[n, : len(said[task])] = said[task][: len(names)]
    picked = selection.chosen(shares, len(asked), seed, floor=floor)
    rest = [task for task in tasks if task not in said]
    await accepting.reordered(conn, tenant, project, rows, [asked[one.place] for one in picked] + rest)
    drawn = sum(one.arm == "floor" for one in picked)
    await events.emit(conn, tenant, "learning.ordered", project, project, tasks=len(asked), floor=drawn)
    return Ordered(found.name, known.version, len(asked), drawn)
