"""Contributors as programs: they claim pages over the work interface and judge them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cupola.client import ApiError, Client
from tests.scale.conftest import World, until

Judge = Callable[[dict[str, Any]], dict[str, Any]]


def crowd(world: World, count: int) -> list[Client]:
    """Contributors with tokens, admitted to the live world."""
    operator = world.served.operator().client
    body = {
        "people": [{"name": f"worker {n}"} for n in range(count)],
        "tokens": True,
        "tenants": [world.owner.tenant],
    }
    made = operator.post("/api/contributors", json=body)
    assert made.status_code == 201, made.text
    return [Client(world.served.url, row["token"]) for row in made.json()["items"]]


def work(world: World, worker: Client, judge: Judge) -> int:
    """Claim and judge each page of this world that is offered; returns the judgements made."""
    ours = {str(row[0]) for row in world.sql("SELECT id FROM project WHERE tenant = %s", world.owner.tenant)}
    done = 0
    for offer in worker.get("/api/work/offers"):
        while offer["project"] in ours:
            try:
                page = worker.post(f"/api/work/projects/{offer['project']}/claim")
            except ApiError as refusal:
                if refusal.code in ("budget-exhausted", "project-not-live"):
                    break
                raise
            if page is None:
                break
            judgements = [{"task": one["task"], "label": judge(one), "seconds": 3.0} for one in page["tasks"]]
            path = f"/api/work/assignments/{page['id']}/submit"
            worker.post(path, {"fence": page["fence"], "judgements": judgements})
            done += len(judgements)
    return done


def work_until(world: World, workers: list[Client], judge: Judge, check: Callable[[], Any], what: str) -> Any:
    """Let everybody work until something is true; its value."""

    def round_and_check() -> Any:
        for worker in workers:
            work(world, worker, judge)
        return check()

    return until(round_and_check, what)
