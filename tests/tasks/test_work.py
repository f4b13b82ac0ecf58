"""The rules of work: claim, submit, expiry, return, drafts, races. Each through the services, on a real database."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from cupola.kernel import clock, ids, limits
from cupola.kernel.errors import Kind, Problem
from cupola.ontology import service as ontologies
from cupola.routing import service as routing
from cupola.tasks import drafting, work
from cupola.tasks.model import Assignment, Plan
from tests.foundry import Foundry, answers, choice, moved_clock

EACH_MINOR = 10 + 1 + 1  # price, fee of 10 %, insurance of 5 % rounded up


def said(foundry: Foundry, person: UUID, page: Assignment, body: bytes) -> Problem:
    """The problem that a submit is refused with."""
    with pytest.raises(Problem) as refused:
        foundry.call(lambda run: work.submit(run, person, page.id, body))
    return refused.value


def test_a_contributor_works_on_a_server_that_has_just_started(foundry: Foundry) -> None:
    project = foundry.project(foundry.tenant(), 3)
    person = foundry.person()
    ontologies._decoded.clear()  # what a restart forgets
    offers = foundry.call(lambda run: routing.board(run, person))
    assert project.id in [offer.project for offer in offers]
    ontologies._decoded.clear()
    assert len(foundry.claim(person, project).tasks) == 3


def test_a_second_submit_gets_the_first_answer_and_pays_nothing_more(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    project = foundry.project(tenant, 4)
    person = foundry.person()
    page = foundry.claim(person, project)
    first = foundry.submit(person, page)
    paid = foundry.balances(tenant)["worker"]
    again = foundry.submit(person, page, "b")
    assert again == first
    assert first.paid_minor == 4 * 10
    assert (foundry.balances(tenant)["worker"], paid) == (40, 40)
    assert foundry.sql("SELECT count(*) FROM judgement WHERE tenant = %s", tenant) == [(4,)]
    assert foundry.sql("SELECT DISTINCT label::jsonb -> 'values' ->> 0 FROM judgement WHERE tenant = %s", tenant) == [
        ("a",)
    ]
    foundry.sound()


def test_a_page_may_be_submitted_in_parts(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    project = foundry.project(tenant, 5)
    person = foundry.person()
    page = foundry.claim(person, project)
    part = foundry.submit(person, page, only=2)
    assert (part.state, part.remaining, part.paid_minor) == ("claimed", 3, 20)
    rest = foundry.submit(person, page)
    assert (rest.state, rest.remaining) == ("submitted", 0)
    assert foundry.balances(tenant) | {"external": 0, "budget": 0, "project_budget": 0} == {
        "external": 0,
        "budget": 0,
        "project_budget": 0,
        "escrow": 0,
        "worker": 50,
        "platform_fee": 5,
        "quality_reserve": 5,
    }
    foundry.sound()


def test_one_submit_twice_at_the_same_moment_is_paid_once(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    project = foundry.project(tenant, 6)
    person = foundry.person()
    page = foundry.claim(person, project)
    body = answers(page)
    results = foundry.together([lambda run: work.submit(run, person, page.id, body)] * 6)
    assert [type(one).__name__ for one in results] == ["Submitted"] * 6
    assert len({json.dumps([str(j.judgement) for j in one.judgements]) for one in results}) == 1
    assert foundry.balances(tenant)["worker"] == 60
    foundry.sound()


def test_a_submit_after_expiry_is_parked_and_offered_back_first(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    project = foundry.project(tenant, 30, page_size=5)
    person = foundry.person()
    page = foundry.claim(person, project, 3)
    with moved_clock(601):
        late = said(foundry, person, page, answers(page, "b"))
        assert (late.kind, late.code, late.extra["kept"]) == (Kind.CONFLICT, "assignment-expired", True)
        assert sorted(late.extra["tasks"]) == sorted(str(one.task) for one in page.tasks)
        assert foundry.balances(tenant).get("worker", 0) == 0
        back = foundry.claim(person, project, 5)
        drafts = {one.task: one.draft for one in back.tasks if one.draft is not None}
        assert set(drafts) == {one.task for one in page.tasks}
        assert all(json.loads(bytes(draft)) == choice("b") for draft in drafts.values())
        assert foundry.submit(person, back, "b").paid_minor == 50
    assert foundry.sql("SELECT count(*) FROM draft WHERE tenant = %s", tenant) == [(0,)]
    foundry.sound()


def test_who_submits_an_old_page_whose_tasks_were_paid_on_a_new_one_is_told_of_the_payment(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    project = foundry.project(tenant, 2)
    person = foundry.person()
    old = foundry.claim(person, project)
    with moved_clock(601):
        assert said(foundry, person, old, answers(old)).code == "assignment-expired"
        new = foundry.claim(person, project)
        first = foundry.submit(person, new)
        again = foundry.submit(person, old)
    assert {j.judgement for j in again.judgements} == {j.judgement for j in first.judgements}
    assert foundry.balances(tenant)["worker"] == 20
    assert foundry.sql("SELECT count(*) FROM draft WHERE tenant = %s", tenant) == [(0,)]


def test_the_worker_ends_pages_whose_time_ran_out_and_the_money_returns(foundry: Foundry) -> None:
    with moved_clock(100_000):
        foundry.expire()  # what other tests left
    tenant = foundry.tenant()
    project = foundry.project(tenant, 8, budget_minor=1_000)
    page = foundry.claim(foundry.person(), project, 8)
    assert foundry.balances(tenant)["escrow"] == 8 * EACH_MINOR
    assert foundry.expire() == 0
    with moved_clock(601):
        assert foundry.expire() == 1
        assert foundry.expire() == 0
    assert (foundry.balances(tenant)["escrow"], foundry.balances(tenant)["project_budget"]) == (0, 1_000)
    assert foundry.sql("SELECT DISTINCT open_slots, leased FROM task WHERE tenant = %s", tenant) == [(1, 0)]
    assert foundry.sql("SELECT state FROM assignment WHERE id = %s", page.id) == [(3,)]
    foundry.sound()


def test_a_heartbeat_keeps_a_page_and_none_keeps_it_past_a_day(foundry: Foundry) -> None:
    project = foundry.project(foundry.tenant(), 4, lease_s=60)
    person = foundry.person()
    page = foundry.claim(person, project)
    with moved_clock(50):
        until = foundry.call(lambda run: work.heartbeat(run, person, page.id, page.fence))
        assert until > page.expires_at
    with moved_clock(100):
        assert foundry.expire() == 0
        assert foundry.submit(person, page, only=1).paid_minor == 10
    long = foundry.claim(person, foundry.project(foundry.tenant(), 4, lease_s=80_000))
    with moved_clock(50_000):
        body = json.dumps({"fence": long.fence, "label": choice("c"), "rev": 1}).encode()
        foundry.call(lambda run: drafting.keep(run, person, long.id, long.tasks[0].task, body))
        until = foundry.call(lambda run: work.heartbeat(run, person, long.id, long.fence))
    assert until == long.claimed_at + timedelta(hours=24)
    with moved_clock(80_001), pytest.raises(Problem) as ended:
        foundry.call(lambda run: work.heartbeat(run, person, page.id, page.fence))
    assert ended.value.code == "assignment-ended"


def test_an_idle_tab_gives_its_page_back_and_work_anywhere_keeps_it(foundry: Foundry) -> None:
    project = foundry.project(foundry.tenant(), 12, page_size=2, lease_s=600)
    person = foundry.person()
    first, second = foundry.claim(person, project), foundry.claim(person, project)

    def beat(page: Assignment) -> datetime:
        return foundry.call(lambda run: work.heartbeat(run, person, page.id, page.fence))

    for moment in (500, 1_000, 1_500):
        with moved_clock(moment):
            beat(first)
            until = beat(second)
    assert until - second.claimed_at < timedelta(seconds=1_801)
    with moved_clock(1_600):
        foundry.submit(person, first, only=1)  # the page that waits is kept by work on the other
    with moved_clock(1_700):
        assert beat(second) - second.claimed_at > timedelta(seconds=2_200)
    with moved_clock(2_250):
        assert beat(second) - second.claimed_at > timedelta(seconds=2_800)
    with moved_clock(3_450):
        foundry.expire()
        with pytest.raises(Problem) as ended:
            beat(second)
        assert ended.value.code == "assignment-ended"


def test_drafts_together_have_a_bound_and_what_comes_back_brings_no_more(foundry: Foundry) -> None:
    project = foundry.project(foundry.tenant(), 12, page_size=12)
    person = foundry.person()
    page = foundry.claim(person, project)

    def keep(n: int, size: int) -> int:
        body = b'{"fence":%d,"rev":1,"label":{"t":"%s"}}' % (page.fence, b"x" * size)
        return foundry.call(lambda run: drafting.keep(run, person, page.id, page.tasks[n].task, body)).rev

    for n in range(5):
        keep(n, 3_300_000)
    with pytest.raises(Problem) as refused:
        keep(5, 3_300_000)
    assert refused.value.code == "drafts-too-large"
    assert refused.value.kind is Kind.TOO_LARGE
    foundry.sql(  # as if more had been parked by late submits
        "INSERT INTO draft (tenant, worker, task, label, rev, at) SELECT tenant, worker, %s, label, 1, at FROM draft "
        "WHERE tenant = %s LIMIT 1",
        page.tasks[6].task,
        project.tenant,
    )
    with moved_clock(601):
        foundry.expire()
        pages = [foundry.claim(person, project) for _ in range(2)]
    brought = [sum(len(one.draft) for one in back.tasks if one.draft) for back in pages]
    assert all(size <= limits.MAX_DRAFTS_BYTES for size in brought)
    assert sum(brought) > limits.MAX_DRAFTS_BYTES
    assert {one.task for back in pages for one in back.tasks} == {one.task for one in page.tasks}


def test_a_wrong_fence_is_refused_at_every_write(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    project = foundry.project(tenant, 2)
    person = foundry.person()
    page = foundry.claim(person, project)
    wrong = page.fence + 1
    body = json.dumps({**json.loads(answers(page)), "fence": wrong}).encode()
    assert said(foundry, person, page, body).code == "stale-fence"
    draft = json.dumps({"fence": wrong, "label": choice(), "rev": 1}).encode()
    task = page.tasks[0].task
    for verb in (
        lambda run: work.heartbeat(run, person, page.id, wrong),
        lambda run: work.give_back(run, person, page.id, wrong, "unclear", ""),
        lambda run: drafting.keep(run, person, page.id, task, draft),
    ):
        with pytest.raises(Problem) as refused:
            foundry.call(verb)
        assert refused.value.kind is Kind.CONFLICT
    assert foundry.sql("SELECT state, open FROM assignment WHERE id = %s", page.id) == [(0, 2)]


@pytest.mark.parametrize("number", [2**31, 2**63, 2**70, -(2**70)])
def test_a_number_out_of_range_is_a_refusal_with_its_place_and_no_accident(foundry: Foundry, number: int) -> None:
    project = foundry.project(foundry.tenant(), 2)
    person = foundry.person()
    page = foundry.claim(person, project)
    task = page.tasks[0].task
    body = json.dumps({**json.loads(answers(page)), "fence": number}).encode()
    assert said(foundry, person, page, body).kind in (Kind.INVALID, Kind.CONFLICT)
    for draft in ({"fence": page.fence, "rev": number}, {"fence": number, "rev": 1}):
        sent = json.dumps({**draft, "label": choice()}).encode()
        with pytest.raises(Problem):
            foundry.call(lambda run, sent=sent: drafting.keep(run, person, page.id, task, sent))


def test_a_label_that_does_not_fit_is_refused_with_its_place_and_rule_and_nothing_is_paid(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    project = foundry.project(tenant, 3)
    person = foundry.person()
    page = foundry.claim(person, project)
    body = json.loads(answers(page))
    body["judgements"][1]["label"] = choice("no such class")
    refused = said(foundry, person, page, json.dumps(body).encode())
    assert refused.kind is Kind.INVALID
    assert refused.place.startswith("/judgements/1/label/")
    assert "no such class" in refused.detail
    assert refused.remedy
    assert foundry.sql("SELECT count(*) FROM judgement WHERE tenant = %s", tenant) == [(0,)]
    for at, change in (
        ("/judgements/2/seconds", {"seconds": -1}),
        ("/judgements/2/task", {"task": body["judgements"][0]["task"]}),
    ):
        bad = json.loads(answers(page))
        bad["judgements"][2].update(change)
        assert said(foundry, person, page, json.dumps(bad).encode()).place == at
    for broken in (b"", b"[]", b"{", b'{"fence":1}', b'{"fence":1,"judgements":[]}', b"\xff"):
        assert said(foundry, person, page, broken).kind is Kind.INVALID


def test_a_task_of_another_page_is_refused_and_nothing_of_the_submit_is_kept(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    project = foundry.project(tenant, 4, page_size=2)
    one, two = foundry.people(2)
    mine, theirs = foundry.claim(one, project), foundry.claim(two, project)
    body = json.loads(answers(mine))
    body["judgements"].append({"task": str(theirs.tasks[0].task), "label": choice(), "seconds": 1})
    refused = said(foundry, one, mine, json.dumps(body).encode())
    assert (refused.code, refused.place) == ("task-not-on-page", "/judgements/2/task")
    assert foundry.sql("SELECT count(*) FROM judgement WHERE tenant = %s", tenant) == [(0,)]
    stranger = said(foundry, two, mine, answers(mine))
    assert stranger.kind is Kind.NOT_FOUND


def test_a_returned_page_is_never_offered_to_the_same_person_again(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    project = foundry.project(tenant, 3)
    one, two = foundry.people(2)
    page = foundry.claim(one, project)
    foundry.submit(one, page, only=1)
    back = foundry.call(lambda run: work.give_back(run, one, page.id, page.fence, "unclear", "no idea"))
    assert back.state == "returned"
    assert sorted(task.state for task in back.tasks) == ["paid", "released", "released"]
    again = foundry.call(lambda run: work.give_back(run, one, page.id, page.fence, "unclear", ""))
    assert again.state == "returned"
    assert foundry.call(lambda run: work.claim(run, one, project.id, None, None)) is None
    assert {task.task for task in foundry.claim(two, project).tasks} == {task.task for task in page.tasks[1:]}
    foundry.sound()


def test_a_late_draft_of_an_older_revision_changes_nothing(foundry: Foundry) -> None:
    project = foundry.project(foundry.tenant(), 2)
    person = foundry.person()
    page = foundry.claim(person, project)
    task = page.tasks[0].task

    def keep(value: str, rev: int) -> int:
        body = json.dumps({"fence": page.fence, "label": choice(value), "rev": rev}).encode()
        return foundry.call(lambda run: drafting.keep(run, person, page.id, task, body)).rev

    assert keep("a", 1) == 1
    assert keep("b", 3) == 3
    assert keep("c", 2) == 3
    shown = foundry.call(lambda run: work.one_page(run, person, page.id))
    assert [json.loads(bytes(one.draft)) for one in shown.tasks if one.draft is not None] == [choice("b")]
    foundry.submit(person, page)
    with pytest.raises(Problem, match="submitted already"):
        keep("a", 9)


def test_a_draft_of_a_page_that_expired_comes_back_with_the_next_claim(foundry: Foundry) -> None:
    project = foundry.project(foundry.tenant(), 20, page_size=2)
    person = foundry.person()
    page = foundry.claim(person, project)
    body = json.dumps({"fence": page.fence, "label": choice("c"), "rev": 7}).encode()
    foundry.call(lambda run: drafting.keep(run, person, page.id, page.tasks[1].task, body))
    with moved_clock(601):
        foundry.expire()
        back = foundry.claim(person, project, 1)
    assert [(one.task, one.draft_rev) for one in back.tasks] == [(page.tasks[1].task, 7)]


def test_a_stopped_project_takes_no_claims_and_pays_what_was_claimed(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    project = foundry.project(tenant, 40, page_size=2)
    people = foundry.people(10)
    pages = [foundry.claim(person, project) for person in people]
    foundry.move(project, "stop")
    with pytest.raises(Problem) as refused:
        foundry.claim(people[0], project)
    assert refused.value.code in ("project-not-live", "not-found")
    for person, page in zip(people, pages, strict=True):
        assert foundry.submit(person, page).paid_minor == 20
    assert foundry.balances(tenant)["worker"] == 200
    foundry.sound()


def test_sixty_four_clients_at_one_judgement_a_task_never_meet_on_a_task(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    plan = Plan(target_accuracy=0.5, confidence=0.5, min_judgements=1, max_judgements=1, gold_rate=0.0)
    project = foundry.project(tenant, 300, plan=plan, page_size=5)
    people = foundry.people(64)

    async def until_nothing(run, person) -> int:
        made = 0
        while (page := await work.claim(run, person, project.id, None, None)) is not None:
            made += len((await work.submit(run, person, page.id, answers(page))).judgements)
        return made

    made = foundry.together([lambda run, person=person: until_nothing(run, person) for person in people])
    assert not [one for one in made if isinstance(one, BaseException)]
    assert sum(made) == 300
    assert foundry.sql("SELECT count(*), count(DISTINCT task) FROM judgement WHERE tenant = %s", tenant) == [(300, 300)]
    assert foundry.sql("SELECT DISTINCT judged, leased, open_slots FROM task WHERE tenant = %s", tenant) == [(1, 0, 0)]
    foundry.sound()


def test_a_claim_with_the_same_key_gets_the_same_page_also_at_the_same_moment(foundry: Foundry) -> None:
    project = foundry.project(foundry.tenant(), 50, page_size=5)
    person = foundry.person()
    foundry.submit(person, foundry.claim(person, project))
    key = str(ids.uuid7())
    pages = foundry.together([lambda run: work.claim(run, person, project.id, None, key)] * 6)
    assert {type(page).__name__ for page in pages} == {"Assignment"}, pages
    assert len({page.id for page in pages}) == 1
    assert foundry.claim(person, project, key=key).id == pages[0].id
    assert foundry.sql("SELECT count(*) FROM assignment WHERE project = %s", project.id) == [(2,)]
    foundry.sound()


def test_a_key_of_a_claim_used_for_another_project_is_refused(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    one, two = foundry.project(tenant, 5), foundry.project(tenant, 5)
    person = foundry.person()
    foundry.claim(person, one, key="the same")
    with pytest.raises(Problem) as refused:
        foundry.claim(person, two, key="the same")
    assert refused.value.code == "idempotency-key-reused"


def test_gold_is_mixed_in_and_never_a_page_of_its_own(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    project = foundry.project(tenant, 40, gold=dict.fromkeys(range(10), "a"), page_size=10)
    person = foundry.person()
    golds = {row[0] for row in foundry.sql("SELECT id FROM task WHERE tenant = %s AND gold", tenant)}
    assert len(golds) == 10
    seen = 0
    while (page := foundry.call(lambda run: work.claim(run, person, project.id, None, None))) is not None:
        inside = [one.task in golds for one in page.tasks]
        assert not all(inside)
        seen += sum(inside)
        foundry.submit(person, page)
    assert seen >= 1
    assert foundry.sql("SELECT count(*) FROM judgement WHERE tenant = %s AND NOT gold", tenant) == [(30,)]
    assert foundry.sql("SELECT sum(leased) FROM task WHERE tenant = %s AND gold", tenant) == [(0,)]
    foundry.sound()


def test_times_are_those_of_the_clock_that_tests_move(foundry: Foundry) -> None:
    project = foundry.project(foundry.tenant(), 3)
    with moved_clock(5_000):
        page = foundry.claim(foundry.person(), project)
        assert abs((page.claimed_at - clock.now()).total_seconds()) < 60
