"""Who is offered what: assignments, groups and the order of batches, told by the client and met by people."""

from __future__ import annotations

from typing import Any

from scaleapi.tasks import TaskType

from cupola.client import Client
from cupola.kernel import ids
from tests.scale.conftest import World, until

WORDS: dict[str, Any] = {"attachment_type": "text", "categories": ["cat", "dog"]}


def known(world: World, *names: str, admitted: bool = True) -> dict[str, tuple[str, Client]]:
    """Contributors with addresses: {name: (address, their work)}; not admitted: who never claimed here."""
    people = [{"name": name, "email": f"{name}-{ids.token(5).lower()}@example.org"} for name in names]
    body = {"people": people, "tokens": True, "tenants": [world.owner.tenant] if admitted else []}
    made = world.served.operator().client.post("/api/contributors", json=body)
    assert made.status_code == 201, made.text
    rows = zip(people, made.json()["items"], strict=True)
    return {person["name"]: (person["email"], Client(world.served.url, row["token"])) for person, row in rows}


def lines(world: World) -> set[str]:
    return {str(row[0]) for row in world.sql("SELECT id FROM project WHERE tenant = %s", world.owner.tenant)}


def offered(world: World, worker: Client) -> int:
    """How many tasks of this world stand on somebody's board."""
    ours = lines(world)
    return sum(one["available"] for one in worker.get("/api/work/offers") if one["project"] in ours)


def claimed(world: World, worker: Client, tasks: int = 50) -> dict[str, Any] | None:
    """A page of the world's one line; None when there is nothing for this worker."""
    [line] = lines(world)
    page: dict[str, Any] | None = worker.post(f"/api/work/projects/{line}/claim", {"tasks": tasks})
    return page


def texts(page: dict[str, Any] | None) -> list[str]:
    return [] if page is None else sorted(one["item"]["text"] for one in page["tasks"])


def placed(world: World, tasks: list[Any]) -> None:
    for one in tasks:
        until(lambda one=one: world.live.get_task(one.id).as_dict().get("waiting_for") == "work", "in the queue")


def orders(world: World, count: int, **where: Any) -> list[Any]:
    name = where.get("batch") or where.get("project")
    made = [
        world.live.create_task(TaskType.Categorization, attachment=f"{name} {n}", **where, **WORDS)
        for n in range(count)
    ]
    placed(world, made)
    return made


def test_who_never_claimed_here_is_offered_what_they_are_assigned_to(world: World) -> None:
    world.fund()
    people = known(world, "ann", "bob", admitted=False)
    ann, bob = people["ann"][1], people["bob"][1]
    client = world.live
    client.create_project("P", TaskType.Categorization, studio=True)
    client.add_studio_assignments([people["ann"][0]], ["P"])
    client.create_batch("P", "b")
    tasks = [client.create_task(TaskType.Categorization, batch="b", attachment=f"x{n}", **WORDS) for n in range(2)]
    client.finalize_batch("b")
    placed(world, tasks)
    assert (offered(world, ann), offered(world, bob)) == (2, 0)
    assert texts(claimed(world, ann)) == ["x0", "x1"]


def test_a_project_with_people_assigned_is_offered_to_them_alone_and_to_all_again_when_none_is(world: World) -> None:
    world.fund()
    people = known(world, "ann", "bob")
    ann, bob = people["ann"][1], people["bob"][1]
    client = world.live
    client.create_project("P", TaskType.Categorization)
    orders(world, 2, project="P")
    assert (offered(world, ann), offered(world, bob)) == (2, 2)
    client.add_studio_assignments([people["ann"][0].upper()], ["P"])
    assert (offered(world, ann), offered(world, bob)) == (2, 0)
    assert claimed(world, bob) is None
    orders(world, 1, project="P")  # what comes later is for her too
    assert (offered(world, ann), offered(world, bob)) == (3, 0)
    assert claimed(world, bob) is None
    assert len(texts(claimed(world, ann))) == 3
    client.remove_studio_assignments([people["ann"][0]], ["P"])
    assert offered(world, bob) == 0  # one judgement each is wanted, and she holds the page
    orders(world, 1, project="P")
    assert (offered(world, ann), offered(world, bob)) == (1, 1)


def test_who_is_removed_finishes_the_page_they_hold_and_gets_no_other(world: World) -> None:
    world.fund()
    people = known(world, "ann", "bob")
    email, ann = people["ann"]
    client = world.live
    client.create_project("P", TaskType.Categorization)
    client.add_studio_assignments([email, people["bob"][0]], ["P"])
    orders(world, 3, project="P")
    page = claimed(world, ann, tasks=1)
    assert page is not None
    client.remove_studio_assignments([email], ["P"])
    assert claimed(world, ann) is None
    label = {"kind": "choice", "values": ["cat"]}
    answer = ann.post(
        f"/api/work/assignments/{page['id']}/submit",
        {"fence": page["fence"], "judgements": [{"task": page["tasks"][0]["task"], "label": label, "seconds": 2.0}]},
    )
    assert answer["paid_minor"] > 0
    assert claimed(world, people["bob"][1]) is not None


def test_a_batch_given_to_groups_is_for_their_members_and_the_rest_of_the_project_is_not_theirs_alone(
    world: World,
) -> None:
    world.fund()
    people = known(world, "ann", "bob", "eve")
    (ann_email, ann), (bob_email, bob), (_, eve) = people.values()
    client = world.live
    client.create_project("P", TaskType.Categorization)
    for name in ("A", "B"):
        client.create_batch("P", name)
        orders(world, 2, batch=name)
    client.create_project_group("P", [ann_email], "seniors")
    client.create_project_group("P", [bob_email], "juniors")
    assert client.assign_studio_batches("A", ["seniors"]).groups == ["seniors"]
    assert (offered(world, ann), offered(world, bob), offered(world, eve)) == (4, 2, 0)
    assert texts(claimed(world, bob)) == ["B 0", "B 1"]
    client.update_project_group("P", "seniors", [bob_email], [ann_email])
    assert (offered(world, ann), offered(world, bob)) == (0, 2)
    assert texts(claimed(world, bob)) == ["A 0", "A 1"]
    client.assign_studio_batches("A", [])
    orders(world, 1, batch="A")
    assert offered(world, bob) == 1


def test_a_batch_of_a_group_without_members_waits_for_nobody_else(world: World) -> None:
    world.fund()
    people = known(world, "ann")
    email, ann = people["ann"]
    client = world.live
    client.create_project("P", TaskType.Categorization)
    client.create_batch("P", "A")
    orders(world, 1, batch="A")
    client.create_project_group("P", [email], "g")
    client.update_project_group("P", "g", [], [email])
    client.assign_studio_batches("A", ["g"])
    assert (offered(world, ann), claimed(world, ann)) == (0, None)


def test_somebody_named_before_they_came_is_offered_the_work_once_they_are_there(world: World) -> None:
    world.fund()
    client = world.live
    client.create_project("P", TaskType.Categorization)
    email = f"later-{ids.token(5).lower()}@example.org"
    client.add_studio_assignments([email], ["P"])
    orders(world, 1, project="P")
    body = {"people": [{"name": "Later", "email": email}], "tokens": True, "tenants": []}
    made = world.served.operator().client.post("/api/contributors", json=body).json()["items"]
    assert texts(claimed(world, Client(world.served.url, made[0]["token"]))) == ["P 0"]


def test_the_order_of_batches_and_the_priority_of_tasks_are_the_order_of_work(world: World) -> None:
    world.fund()
    [(_, ann)] = known(world, "ann").values()
    client = world.live
    client.create_project("P", TaskType.Categorization)
    for name in ("A", "B", "C"):
        client.create_batch("P", name)
    made = {name: orders(world, 2, batch=name) for name in ("A", "B", "C")}
    client.set_studio_batches_priorities(["C", "A"])
    key = world.served.client(Authorization=f"Bearer {world.live_key}")
    assert key.post(f"/v1/task/{made['A'][1].id}/priority", json={"priority": 9}).status_code == 200

    def next_text() -> str:
        page = claimed(world, ann, tasks=1)
        assert page is not None
        return texts(page)[0]

    assert {next_text(), next_text()} == {"C 0", "C 1"}
    assert next_text() == "A 1"  # its priority counts within its batch, and never before another batch's place
    client.reset_studio_batches_priorities()
    assert [next_text() for _ in range(3)] == ["A 0", "B 0", "B 1"]


def test_a_priority_given_at_creation_goes_first(world: World) -> None:
    world.fund()
    [(_, ann)] = known(world, "ann").values()
    client = world.live
    client.create_project("P", TaskType.Categorization)
    made = [
        client.create_task(TaskType.Categorization, project="P", attachment=name, priority=priority, **WORDS)
        for name, priority in (("low", 0), ("high", 30), ("middle", 10))
    ]
    placed(world, made)
    found = [texts(claimed(world, ann, tasks=1))[0] for _ in range(3)]
    assert found == ["high", "middle", "low"]
