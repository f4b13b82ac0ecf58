"""How the stored databases beside this file were made: a short real run of one version, dumped.

`python -m tests.migrations.fill` makes one of the present version. A dump is never made again: it is what that version
left behind, and each later version must bring it to its own schema with labels, money and proofs unchanged.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from scaleapi.tasks import TaskType

from cupola.app import worker
from cupola.kernel import clock
from cupola.ledger import service as ledger
from cupola.ontology import service as ontologies
from cupola.platform.pg.binaries import Binaries
from cupola.platform.pg.cluster import Cluster
from cupola.platform.pg.migrate import head
from cupola.quality import adjudication
from cupola.releases import service as releases
from cupola.tasks import drafting, work
from cupola.tasks import service as tasks
from cupola.tasks.adding import service as adding
from cupola.tasks.model import Plan
from cupola.tasks.stages import NewProject
from tests.conftest import reachable_folder
from tests.foundry import CHOICE, Foundry, Project, choice
from tests.migrations.facts import facts
from tests.releases.test_release import audit, bundle, freeze
from tests.scale.conftest import ROUTERS, new_world, until
from tests.scale.labelling import crowd, work_until
from tests.serving import Serving, fresh_serving, template

HERE = Path(__file__).parent
BOXES = {"kind": "objects", "classes": [{"name": "car"}, {"name": "van"}]}
TEXT = {"kind": "text"}


def boxes(n: int) -> dict[str, Any]:
    shape = {"type": "box", "x": 10 + n, "y": 20, "w": 30, "h": 40}
    return {"kind": "objects", "objects": [{"id": "o1", "cls": "car", "shape": shape}]}


def labelled(foundry: Foundry, tenant: UUID) -> tuple[list[UUID], Project]:
    """Choices with gold, and a page in each of the states that one can be in."""
    people = foundry.people(4)
    plan = Plan(0.9, 0.9, 2, 3, 0.3)
    project = foundry.project(tenant, 40, plan=plan, gold={0: "a", 1: "b", 2: "a", 3: "c"}, page_size=6)
    for _ in range(3):
        for n, person in enumerate(people[:3]):
            page = foundry.call(lambda run, person=person: work.claim(run, person, project.id, None, None))
            if page is not None:
                foundry.submit(person, page, "b" if n == 2 else "a")
    late = foundry.claim(people[3], project)
    draft = json.dumps({"fence": late.fence, "rev": 1, "label": choice("c")}).encode()
    foundry.call(lambda run: drafting.keep(run, people[3], late.id, late.tasks[0].task, draft))
    clock.advance(timedelta(seconds=700))
    foundry.expire()
    clock.advance(timedelta(seconds=-700))
    back = foundry.claim(people[3], project, 2)
    foundry.call(lambda run: work.give_back(run, people[3], back.id, back.fence, "unclear", "too small"))
    foundry.claim(people[3], project, 3)  # still open
    return people, project


def decided(foundry: Foundry, project: Project) -> None:
    for (task,) in foundry.sql(
        "SELECT id FROM task WHERE project = %s AND NOT gold AND judged > 0 AND state < 3", project.id
    ):
        foundry.sql("UPDATE task SET state = 2, open_slots = 0 WHERE id = %s", task)

        async def verdict(conn: Any, task: UUID = task) -> Any:
            return await adjudication.adjudicate(conn, project.tenant, task, None, choice("a"), False, "")

        foundry.app(project.tenant, verdict)


def directed(foundry: Foundry, tenant: UUID, people: list[UUID]) -> UUID:
    dataset = foundry.dataset(tenant, 3)
    workers = [foundry.runtime.worker_of(tenant, person) for person in people]
    foundry.sql("UPDATE item SET eligible = %s WHERE dataset = %s", workers, dataset)

    async def make(conn: Any) -> UUID:
        version = await ontologies.create(conn, tenant, "by name", CHOICE, {})
        asked = NewProject(
            "by name", dataset, version.version_id, Plan(0.9, 0.9, 1, 2), 12, "EUR", None, None, 5, 600, "directed"
        )
        project = (await tasks.create_project(conn, foundry.runtime, tenant, asked)).id
        await adding.add_tasks(conn, tenant, project, None, 0.0)
        await ledger.allot(conn, tenant, project, 10_000, "EUR")
        await tasks.move_project(conn, tenant, project, "launch")
        return project

    foundry.fund(tenant, 10_000)
    return foundry.app(tenant, make)


def kinds(foundry: Foundry, tenant: UUID) -> None:
    for spec, label in ((TEXT, lambda n: {"kind": "text", "text": f"Ünïcode 学生 {n}"}), (BOXES, boxes)):
        project = foundry.project(tenant, 4, spec=spec)
        person = foundry.person()
        page = foundry.claim(person, project)
        judgements = [{"task": str(t.task), "label": label(n), "seconds": 2.5} for n, t in enumerate(page.tasks)]
        body = json.dumps({"fence": page.fence, "judgements": judgements}).encode()
        foundry.call(lambda run: work.submit(run, person, page.id, body))  # noqa: B023  # called at once


def ordered(served: Serving) -> None:
    world = new_world(served)
    world.fund()
    client = world.live
    client.create_project("Barks", TaskType.Categorization, {"instruction": "Listen."})
    made = [
        client.create_task(
            TaskType.Categorization,
            project="Barks",
            attachment=f"It barks {n}.",
            attachment_type="text",
            categories=["cat", "dog"],
        )
        for n in range(4)
    ]
    until(lambda: all(client.get_task(one.id).waiting_for == "work" for one in made), "in the queue")

    def answered() -> Any:
        return all(one.status == "completed" for one in client.get_tasks("Barks"))

    work_until(world, crowd(world, 3), lambda _: choice("dog"), answered, "answered")


def fill(foundry: Foundry, served: Serving, evidence: Path) -> None:
    tenant = foundry.tenant()
    people, project = labelled(foundry, tenant)
    decided(foundry, project)
    release = freeze(foundry, project, "first", 24)
    audit(foundry, project, release.id, 1)
    foundry.app(tenant, lambda conn: releases.certify_release(conn, foundry.runtime, tenant, release.id))
    bundle(foundry, project, release.id, evidence)
    frozen = freeze(foundry, project, "second", 8)
    audit(foundry, project, frozen.id, 0)
    directed(foundry, tenant, people)
    kinds(foundry, tenant)
    ordered(served)


def main() -> None:
    folder = reachable_folder()
    name = HERE / f"schema_{head()}"
    try:
        with (
            Cluster.open(folder / "data") as cluster,
            fresh_serving(
                cluster, template(cluster), folder / "served", ROUTERS, allowed_hosts=("127.0.0.1",)
            ) as served,
        ):
            stop = served.call(worker.start)
            foundry = Foundry(served.admin_url, "", served.runtime, served.loop)
            fill(foundry, served, name.with_suffix(".evidence.zip"))
            served.call(lambda _: stop())
            name.with_suffix(".json").write_text(json.dumps(facts(foundry), indent=0, ensure_ascii=False) + "\n")
            with tempfile.TemporaryDirectory() as scratch:
                dump = Path(scratch, "dump")
                arguments = ["--dbname", served.admin_url, "--format=custom", "--compress=gzip:9"]
                Binaries.for_clients().run(
                    "pg_dump",
                    [*arguments, "--schema=cupola", "--file", str(dump)],
                    as_account=False,
                    environment={},
                    timeout_s=60,
                )
                name.with_suffix(".dump").write_bytes(dump.read_bytes())
    finally:
        Cluster.destroy(folder / "data")
        subprocess.run(["rm", "-rf", str(folder)], check=False)


if __name__ == "__main__":
    main()
