"""A project that is a line of stages: drawn by one, accepted or fixed by another, each paid as the stage says."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest

from cupola.kernel.errors import Kind, Problem
from cupola.ledger import service as ledger
from cupola.ontology import service as ontologies
from cupola.routing import service as routing
from cupola.tasks import service as tasks
from cupola.tasks import work
from cupola.tasks.adding import service as adding
from cupola.tasks.model import Assignment, Plan
from cupola.tasks.stages import NewProject, Review, StagePrice
from tests.foundry import CHOICE, Foundry, Project, answers, choice, moved_clock

BOXES = {"kind": "objects", "classes": [{"name": "car"}]}


def boxes(x: float) -> dict[str, Any]:
    shape = {"type": "box", "x": x, "y": 10, "w": 30, "h": 20}
    return {"kind": "objects", "objects": [{"id": "o1", "cls": "car", "shape": shape}]}


def reviewed(
    foundry: Foundry,
    items: int = 4,
    *,
    reviews: tuple[int, ...] = (4,),
    price: int = 10,
    draws: int = 1,
    spec: dict[str, Any] | None = None,
    routing: str = "open",
    gold: dict[int, str] | None = None,
    lines: tuple[Review, ...] | None = None,
) -> Project:
    tenant = foundry.tenant()
    dataset = foundry.dataset(tenant, items, gold)
    foundry.fund(tenant, 10_000)

    async def make(conn: Any) -> UUID:
        version = await ontologies.create(conn, tenant, "drawn and reviewed", spec or CHOICE, {})
        plan = Plan(0.9, 0.9, draws, draws, 0.3 if gold else 0.0)
        new = NewProject(
            "drawn and reviewed", dataset, version.version_id, plan, price,
            "EUR", None, None, 10, 600, routing,
            tuple(Review(one, None, None) for one in reviews) if lines is None else lines,
        )  # fmt: skip
        project = (await tasks.create_project(conn, foundry.runtime, tenant, new)).id
        await adding.add_tasks(conn, tenant, project, None, 1.0)
        await ledger.allot(conn, tenant, project, 10_000, "EUR")
        await tasks.move_project(conn, tenant, project, "launch")
        return project

    project = foundry.app(tenant, make)
    rows = foundry.sql("SELECT id FROM task WHERE project = %s ORDER BY rank", project)
    return Project(tenant, project, [row[0] for row in rows])


def claim(foundry: Foundry, person: UUID, project: Project, stage: int, count: int | None = None) -> Assignment | None:
    return foundry.call(lambda run: work.claim(run, person, project.id, count, None, stage=stage))


def page(foundry: Foundry, person: UUID, project: Project, stage: int, count: int | None = None) -> Assignment:
    found = claim(foundry, person, project, stage, count)
    assert found is not None, "there was nothing to claim"
    return found


def send(foundry: Foundry, person: UUID, page: Assignment, judgements: list[dict[str, Any]]) -> Any:
    body = json.dumps({"fence": page.fence, "judgements": judgements}).encode()
    return foundry.call(lambda run: work.submit(run, person, page.id, body))


def accept(foundry: Foundry, person: UUID, page: Assignment) -> Any:
    return send(foundry, person, page, [{"task": str(one.task), "accept": True, "seconds": 1} for one in page.tasks])


def settled(foundry: Foundry, project: Project) -> dict[UUID, tuple[Any, str, float, int]]:
    rows = foundry.sql(
        "SELECT task, label, how, confidence, cardinality(judgements) FROM settlement WHERE project = %s", project.id
    )
    return {task: (json.loads(label), how, sure, count) for task, label, how, sure, count in rows}


def test_what_one_draws_another_accepts_or_fixes_and_each_is_paid_at_the_price_of_their_stage(
    foundry: Foundry,
) -> None:
    project = reviewed(foundry)
    drawer, reviewer = foundry.people(2)
    assert claim(foundry, reviewer, project, 1) is None, "there is nothing to review yet"
    drawn = page(foundry, drawer, project, 0)
    assert (drawn.stage, drawn.does, drawn.price_minor) == (0, "draw", 10)
    assert foundry.submit(drawer, drawn, "a").paid_minor == 40
    foundry.hear()
    assert claim(foundry, drawer, project, 1) is None, "nobody reviews their own work"
    assert claim(foundry, foundry.person(), project, 0) is None, "the plan asks for one drawing"
    under = page(foundry, reviewer, project, 1)
    assert (under.stage, under.does, under.price_minor) == (1, "review", 4)
    assert [json.loads(bytes(one.pre_label)) for one in under.tasks] == [choice("a")] * 4
    said = [{"task": str(one.task), "accept": True} for one in under.tasks[:3]]
    said.append({"task": str(under.tasks[3].task), "label": choice("b")})
    assert send(foundry, reviewer, under, said).paid_minor == 16
    foundry.hear()
    found = settled(foundry, project)
    assert {task: (label["values"][0], how, count) for task, (label, how, _, count) in found.items()} == {
        one.task: ("b" if n == 3 else "a", "reviewed", 2) for n, one in enumerate(under.tasks)
    }
    accepted, fixed = found[under.tasks[0].task][2], found[under.tasks[3].task][2]
    assert accepted > fixed, "two stand behind what was accepted, one behind what was fixed"
    assert foundry.sql("SELECT DISTINCT state, stage FROM task WHERE project = %s", project.id) == [(3, 1)]
    rows = foundry.sql(
        "SELECT r.stage, r.label = d.label, d.worker <> r.worker, d.stage FROM judgement r "
        "JOIN judgement d ON d.tenant = r.tenant AND d.id = r.about AND d.task = r.task WHERE r.project = %s "
        "ORDER BY 2", project.id,
    )  # fmt: skip
    assert rows == [(1, False, True, 0)] + [(1, True, True, 0)] * 3
    foundry.sound()
    assert foundry.balances(project.tenant)["worker"] == 56


def test_a_page_is_kept_apart_by_stage_on_the_board_and_in_its_queue(foundry: Foundry) -> None:
    project = reviewed(foundry, 6)
    drawer, other = foundry.people(2)
    foundry.submit(drawer, page(foundry, drawer, project, 0, 3), "a")
    foundry.hear()

    def board(person: UUID) -> dict[int, tuple[str, int, int]]:
        offers = foundry.call(lambda run: routing.board(run, person))
        return {one.stage: (one.does, one.price_minor, one.available) for one in offers if one.project == project.id}

    assert board(drawer) == {0: ("draw", 10, 3)}
    assert board(other) == {0: ("draw", 10, 3), 1: ("review", 4, 3)}
    assert len(page(foundry, other, project, 1, 2).tasks) == 2
    assert board(other) == {0: ("draw", 10, 3), 1: ("review", 4, 1)}
    assert len(page(foundry, other, project, 0).tasks) == 3
    foundry.sound()


def test_a_review_that_expires_or_is_given_back_comes_to_somebody_else_and_its_money_back_to_the_project(
    foundry: Foundry,
) -> None:
    project = reviewed(foundry, 2)
    drawer, slow, quick = foundry.people(3)
    foundry.submit(drawer, page(foundry, drawer, project, 0), "a")
    foundry.hear()
    returned = page(foundry, slow, project, 1)
    foundry.call(lambda run: work.give_back(run, slow, returned.id, returned.fence, "unclear", ""))
    assert claim(foundry, slow, project, 1) is None
    late = page(foundry, quick, project, 1)
    with moved_clock(700):
        assert foundry.expire() >= 1
        foundry.hear()
        again = page(foundry, quick, project, 1)
        assert {one.task for one in again.tasks} == {one.task for one in late.tasks}
        accept(foundry, quick, again)
        foundry.hear()
    assert len(settled(foundry, project)) == 2
    foundry.sound()


def test_three_stages_hand_on_what_the_one_before_left(foundry: Foundry) -> None:
    project = reviewed(foundry, 2, reviews=(4, 6), spec=BOXES)
    drawer, first, second = foundry.people(3)
    drawn = page(foundry, drawer, project, 0)
    send(foundry, drawer, drawn, [{"task": str(one.task), "label": boxes(10)} for one in drawn.tasks])
    foundry.hear()
    under = page(foundry, first, project, 1)
    send(foundry, first, under, [{"task": str(one.task), "label": boxes(12)} for one in under.tasks])
    foundry.hear()
    assert settled(foundry, project) == {}
    assert claim(foundry, first, project, 2) is None, "who reviewed it has no part in what follows"
    last = page(foundry, second, project, 2)
    assert [json.loads(bytes(one.pre_label)) for one in last.tasks] == [boxes(12)] * 2
    assert accept(foundry, second, last).paid_minor == 12
    foundry.hear()
    assert [label for label, *_ in settled(foundry, project).values()] == [boxes(12)] * 2
    foundry.sound()


def test_of_several_drawings_the_one_nearest_to_all_is_reviewed(foundry: Foundry) -> None:
    project = reviewed(foundry, 3, draws=3)
    for value, person in zip("abb", foundry.people(3), strict=True):
        foundry.submit(person, page(foundry, person, project, 0), value)
        foundry.hear()
    under = page(foundry, foundry.person(), project, 1)
    assert {json.loads(bytes(one.pre_label))["values"][0] for one in under.tasks} == {"b"}


def test_reviews_are_no_votes_of_a_fit_and_gold_is_met_where_things_are_drawn(foundry: Foundry) -> None:
    project = reviewed(foundry, 60, gold=dict.fromkeys(range(20), "a"))
    drawers, reviewer = foundry.people(2), foundry.person()
    for _ in range(12):
        for person in drawers:
            found = claim(foundry, person, project, 0)
            if found is not None:
                foundry.submit(person, found, "a")
        foundry.hear()
        under = claim(foundry, reviewer, project, 1)
        if under is not None:
            accept(foundry, reviewer, under)
            foundry.hear()
    assert foundry.sql(
        "SELECT count(*) FILTER (WHERE gold), count(*) FILTER (WHERE NOT gold) FROM judgement "
        "WHERE project = %s AND stage = 1", project.id,
    ) == [(0, 40)]  # fmt: skip
    assert foundry.sql("SELECT count(*) FROM judgement WHERE project = %s AND gold", project.id)[0][0] > 10
    worker = foundry.runtime.worker_of(project.tenant, reviewer)
    assert foundry.sql("SELECT count(*) FROM skill WHERE project = %s AND worker = %s", project.id, worker) == [(0,)]
    assert foundry.sql("SELECT count(*) FROM skill WHERE project = %s", project.id)[0][0] == 2


@pytest.mark.parametrize(
    ("judgement", "code", "place"),
    [
        ({}, "label-or-accept", "/judgements/0"),
        ({"accept": True, "label": choice("a")}, "label-or-accept", "/judgements/0"),
        ({"label": choice("z")}, "label-unknown-class", "/judgements/0/label/values/0"),
    ],
)
def test_a_review_says_one_thing(foundry: Foundry, judgement: dict[str, Any], code: str, place: str) -> None:
    project = reviewed(foundry, 1)
    drawer, reviewer = foundry.people(2)
    drawn = page(foundry, drawer, project, 0)
    with pytest.raises(Problem) as early:
        accept(foundry, drawer, drawn)
    assert (early.value.code, early.value.place) == ("nothing-to-accept", "/judgements/0/accept")
    foundry.submit(drawer, drawn, "a")
    foundry.hear()
    under = page(foundry, reviewer, project, 1)
    with pytest.raises(Problem) as refused:
        send(foundry, reviewer, under, [{"task": str(under.tasks[0].task)} | judgement])
    assert (refused.value.code, refused.value.place) == (code, place)


def test_a_project_without_reviews_has_one_stage_and_a_directed_one_no_review(foundry: Foundry) -> None:
    plain = foundry.project(foundry.tenant(), 2)
    with pytest.raises(Problem) as refused:
        claim(foundry, foundry.person(), plain, 1)
    assert refused.value.kind is Kind.NOT_FOUND
    with pytest.raises(Problem) as directed:
        reviewed(foundry, 1, routing="directed")
    assert directed.value.code == "stages-open"
    person = foundry.person()
    only = foundry.claim(person, plain)
    assert (only.stage, only.does) == (0, "draw")
    foundry.call(lambda run: work.submit(run, person, only.id, answers(only)))


def test_each_stage_has_an_offer_of_its_own(foundry: Foundry) -> None:
    project = reviewed(foundry, 2)
    run = foundry.runtime

    def raised(price: int, stage: int) -> Any:
        new = StagePrice(price, None, None)
        return foundry.app(
            project.tenant, lambda conn: tasks.change_offer(conn, run, project.tenant, project.id, new, stage)
        )

    assert (raised(9, 1).stage, raised(12, 0).price_minor) == (1, 12)
    view = foundry.app(project.tenant, lambda conn: tasks.project_view(conn, project.tenant, project.id))
    assert [(one.stage, one.price_minor) for one in view.offers] == [(0, 12), (1, 9)]
    assert (view.offer.price_minor, view.stages) == (12, ["draw", "review"])
    with pytest.raises(Problem) as cut:
        raised(5, 1)
    assert cut.value.code == "price-cut"
    with pytest.raises(Problem) as unknown:
        raised(50, 2)
    assert (unknown.value.code, unknown.value.place) == ("stage-unknown", "/stage")
    drawer, reviewer = foundry.people(2)
    assert foundry.submit(drawer, page(foundry, drawer, project, 0), "a").paid_minor == 24
    foundry.hear()
    assert accept(foundry, reviewer, page(foundry, reviewer, project, 1)).paid_minor == 18


def test_the_same_person_is_held_to_one_judgement_at_each_stage_by_the_tables(foundry: Foundry) -> None:
    project = reviewed(foundry, 1)
    drawer, reviewer = foundry.people(2)
    foundry.submit(drawer, page(foundry, drawer, project, 0), "a")
    foundry.hear()
    accept(foundry, reviewer, page(foundry, reviewer, project, 1))
    columns = [row[0] for row in foundry.sql(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'judgement'::regclass AND attnum > 0 AND NOT attisdropped "
        "AND attgenerated = '' AND attname <> 'id'"
    )]  # fmt: skip
    named = ", ".join(columns)
    with pytest.raises(Exception, match="judgement_tenant_task_worker_stage_key"):
        foundry.sql(f"INSERT INTO judgement (id, {named}) SELECT uuidv7(), {named} FROM judgement WHERE stage = 1")
