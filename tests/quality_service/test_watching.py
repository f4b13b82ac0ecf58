"""What a refit notices about people, and the gold it sends them."""

from __future__ import annotations

import json
import re
from uuid import UUID

import numpy as np

from cupola.kernel import ids
from cupola.quality import dashboard, fitting, live, online, watching
from cupola.quality.course import Prices
from cupola.quality.model import WorkerFlag
from cupola.tasks import work
from cupola.tasks.model import Assignment, Plan
from tests.foundry import Foundry, choice

TASKS, HONEST, RING = 400, 12, 4


def said(page: Assignment, *, always: bool) -> bytes:
    """What the item's number says is right, or always b."""
    judgements = [
        {
            "task": str(one.task),
            "label": choice("b" if always else "abc"[int(re.sub("[^0-9]", "", one.item.ref)) % 3]),
            "seconds": 3.0,
        }
        for one in page.tasks
    ]
    return json.dumps({"fence": page.fence, "judgements": judgements}).encode()


def watched() -> tuple[list[list[WorkerFlag]], list[UUID]]:
    """A crowd of honest people, a ring that copies its leader, and one who always says the same."""
    rng = np.random.default_rng(5)
    workers = [ids.uuid7() for _ in range(HONEST + RING + 1)]
    truth = rng.integers(0, 3, TASKS)
    leader = rng.integers(0, 3, TASKS)
    rows = []
    for task in range(TASKS):
        for worker in rng.choice(HONEST, 3, replace=False):
            rows.append((task, worker, truth[task] if rng.random() < 0.85 else rng.integers(0, 3)))
        if task % 3 == 0:
            rows += [(task, HONEST + n, leader[task]) for n in range(RING)]
        if task % 4 == 0:
            rows.append((task, HONEST + RING, 1))
    task, worker, code = np.array(rows).T
    golds = np.full(TASKS, -1, np.int16)
    golds[:60] = truth[:60]
    parameters = fitting.refit(
        live.cold(3),
        task,
        worker,
        code,
        workers,
        golds,
        golds,
        target_accuracy=0.95,
        share=0.5,
        plan=online.Plan(),
        prices=Prices(),
        items=60,
    )
    return watching.signals(parameters, task, worker, code, golds, workers, None), workers


def test_a_ring_and_somebody_who_never_looks_are_told_from_honest_people_each_with_evidence() -> None:
    flags, workers = watched()
    kinds = [{flag.kind for flag in one} for one in flags]
    assert all("collusion" in one for one in kinds[HONEST : HONEST + RING])
    assert "spammer" in kinds[-1]
    assert not any(kinds[:HONEST])
    ring = next(flag for flag in flags[HONEST] if flag.kind == "collusion")
    assert len(ring.others) == RING - 1
    assert ring.evidence
    assert ring.strength > 0
    assert str(workers[HONEST]) not in ring.others, "others are named by their pseudonyms"
    figures = {flag.kind: flag.figures for one in flags for flag in one}
    assert set(figures["collusion"]) == {"others", "agreed", "shared", "due"}
    assert set(figures["spammer"]) == {"follows", "error"}
    for name in ("others", "agreed", "shared"):
        assert f"{ring.figures[name]:.0f}" in ring.evidence, "whoever writes the sentence anew says the same"


def test_the_proven_meet_less_gold_and_whoever_seems_to_drift_meets_more() -> None:
    drift = [WorkerFlag("drift", 5.0, "standard errors", 200, [], "fell")]
    rates = watching.gold_rates(
        0.04, 0.9, np.array([3, 12, 40, 40, 40]), np.array([0.5, 0.8, 0.95, 0.8, 0.95]), [[], [], [], [], drift]
    )
    assert rates == [None, None, 0.02, None, 0.1]


def test_the_rate_reaches_the_queue_and_flags_reach_the_dashboard(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    gold = {n: "abc"[n % 3] for n in range(60)}
    project = foundry.project(tenant, 260, plan=Plan(0.9, 0.9, 2, 4, 0.5), gold=gold, page_size=50)
    people = foundry.people(4)
    for _ in range(12):
        for n, person in enumerate(people):
            page = foundry.call(lambda run, p=person: work.claim(run, p, project.id, None, None))
            if page is not None:
                foundry.call(lambda run, p=person, a=page, m=n: work.submit(run, p, a.id, said(a, always=m == 3)))
        foundry.hear()
    rates = foundry.sql(
        "SELECT s.gold_seen, s.low, q.gold_rate, s.flags::text FROM skill s JOIN queue_cursor q "
        "ON q.tenant = s.tenant AND q.project = s.project AND q.worker = s.worker WHERE s.tenant = %s "
        "ORDER BY s.skill DESC",
        tenant,
    )
    # whoever seems to drift meets more, proven or not
    proven = [rate for seen, low, rate, flags in rates if seen >= 30 and low >= 0.9 and "drift" not in flags]
    assert proven, rates
    assert all(rate == 0.25 for rate in proven), rates
    shown = foundry.call(lambda run: dashboard.quality(run, tenant, project.id))
    flagged = [one for one in shown.contributors if any(flag.kind == "spammer" for flag in one.flags)]
    assert len(flagged) == 1
