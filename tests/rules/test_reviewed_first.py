"""R2, R3, R9-R12: work that is reviewed before it is paid, and the hearing of who was judged wrongly."""

from __future__ import annotations

import itertools

import psycopg
import pytest

from cupola.appeals import model, panel, service
from cupola.kernel import clock
from cupola.tasks import work
from tests.foundry import Foundry, answers, choice, moved_clock
from tests.rules.reviewing import REVIEW_S, Reviewed, later, refused


def test_R2_what_nobody_looked_at_in_time_is_accepted_and_paid_by_whoever_reads_next(foundry: Foundry) -> None:
    scene = Reviewed(foundry)
    held = scene.work(3)
    assert scene.earned() == 0
    assert scene.judgements() == 0, "what is not paid is not the requester's"
    assert scene.look(held[0]).due_at - scene.look(held[0]).at == model.timedelta(seconds=REVIEW_S)
    with moved_clock(later(days=7)):  # and nothing has run since: no worker process, no scheduler
        assert scene.earned() == 150
        assert scene.look(held[0]).state == "accepted"
        assert scene.look(held[0]).steps[-1].by == "deadline"
    assert scene.judgements() == 3
    foundry.sound()


def test_R2_an_accepted_submission_is_the_judgement_that_was_made_and_is_heard(foundry: Foundry) -> None:
    scene = Reviewed(foundry, items=2)
    held = scene.work(2)
    assert scene.accept(*held) == 2
    assert scene.accept(*held) == 0
    rows = foundry.sql("SELECT id FROM judgement WHERE project = %s", scene.project.id)
    assert sorted(row[0] for row in rows) == sorted(held)
    foundry.hear()
    heard = foundry.sql(
        "SELECT sum(judged), sum(leased), sum(open_slots) FROM task WHERE project = %s", scene.project.id
    )
    assert heard == [(2, 0, 2)], "whoever settles has heard of them, and asks for one more of each"
    foundry.sound()


def test_R2_a_longer_wait_than_72_hours_is_no_row(foundry: Foundry) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        Reviewed(foundry).foundry.sql("UPDATE project SET review_first_s = 259201 WHERE review_first_s IS NOT NULL")


def test_R2_the_terms_are_those_of_the_claim(foundry: Foundry) -> None:
    scene = Reviewed(foundry)
    page = foundry.claim(scene.worker, scene.project, 2)
    assert page.review_first_s == REVIEW_S
    foundry.sql("UPDATE project SET review_first_s = NULL WHERE id = %s", scene.project.id)
    assert all(one.held for one in foundry.submit(scene.worker, page).judgements)
    paid = foundry.claim(foundry.person(), scene.project, 1)
    assert paid.review_first_s is None


def test_R3_a_submitted_page_neither_expires_nor_can_be_given_back_or_submitted_again(foundry: Foundry) -> None:
    scene = Reviewed(foundry)
    page = foundry.claim(scene.worker, scene.project, 3)
    first = foundry.submit(scene.worker, page, only=2)
    again = foundry.submit(scene.worker, page, "b", only=2)
    assert [one.judgement for one in again.judgements] == [one.judgement for one in first.judgements]
    with moved_clock(later(hours=2)):
        foundry.expire()
        assert [one.state for one in map(scene.look, (one.judgement for one in first.judgements))] == ["waiting"] * 2
    assert foundry.balances(scene.tenant)["escrow"] > 0
    with moved_clock(later(days=3)):
        assert scene.earned() == 100
    assert foundry.balances(scene.tenant)["escrow"] == 0
    foundry.sound()


def test_R3_no_money_goes_back_to_a_project_without_an_upheld_verdict(foundry: Foundry) -> None:
    scene = Reviewed(foundry)
    (held,) = scene.work(1)
    row = foundry.sql(
        "SELECT a.id, a.slot, l.hold_minor FROM submission s JOIN assignment a ON a.id = s.assignment "
        "JOIN lease l ON l.assignment = a.id AND l.task = s.task WHERE s.id = %s",
        held,
    )[0]
    planted = (
        "SELECT ledger_post(%s, ARRAY[uuidv7()], ARRAY[uuidv7()], ARRAY['reject'], "
        "ARRAY[account_id(%s, 'escrow', %s, NULL, %s, 'EUR')], "
        "ARRAY[account_id(%s, 'project_budget', %s, NULL, 0, 'EUR')], "
        "ARRAY[%s::bigint], %s, 1, 1, now())"
    )
    tenant, project = scene.tenant, scene.project.id
    with pytest.raises(psycopg.errors.RestrictViolation, match="upheld verdict"):
        foundry.as_tenant(tenant, planted, tenant, tenant, project, row[1], tenant, project, row[2], row[0])
    scene.reject(held)
    with pytest.raises(psycopg.errors.RestrictViolation, match="upheld verdict"):
        foundry.as_tenant(tenant, planted, tenant, tenant, project, row[1], tenant, project, row[2], row[0])


def test_R9_a_rejection_needs_a_reason_a_place_and_evidence_that_says_otherwise(foundry: Foundry) -> None:
    scene = Reviewed(foundry, gold={0: "b", 1: "b", 2: "b"})
    held = scene.work(8, "b")
    golds = {row[0] for row in foundry.sql("SELECT id FROM submission WHERE gold AND id = ANY (%s)", held)}
    plain = [one for one in held if one not in golds]
    refused("evidence-agrees", lambda: scene.reject(plain[0]))
    refused("evidence-other", lambda: scene.reject(plain[0], corrected=None))
    refused("rejection-unsaid", lambda: scene.reject(plain[0], reason="other", corrected=choice("a")))
    assert refused("label-unknown-class", lambda: scene.reject(plain[0], corrected=choice("z"))).place.startswith(
        "/corrected"
    )
    refused("evidence-no-gold", lambda: scene.reject(plain[0], evidence="gold", corrected=None))
    for one in golds:
        refused("evidence-agrees", lambda one=one: scene.reject(one, evidence="gold", corrected=None))
    foundry.sql("UPDATE gold SET label = %s WHERE tenant = %s", '{"kind":"choice","values":["a"]}', scene.tenant)
    for one in golds:
        assert scene.reject(one, evidence="gold", corrected=None).state == "rejected"
        break
    first = scene.reject(plain[0], evidence="reviewers", corrected=None)
    assert (first.state, first.doubts) == ("waiting", 1)
    assert scene.reject(plain[0], evidence="reviewers", corrected=None).state == "waiting", "one person is not two"
    assert scene.reject(plain[0], evidence="reviewers", corrected=None, by=scene.other_reviewer).state == "rejected"


@pytest.mark.parametrize(
    "without",
    [{"reason": "because"}, {"place": ""}, {"evidence": "hearsay"}, {"corrected": None}, {"reason": "other"}],
)
def test_R9_a_rejection_without_one_of_them_is_no_row(foundry: Foundry, without: dict[str, str | None]) -> None:
    scene = Reviewed(foundry)
    (held,) = scene.work(1)
    row = {"reason": "missing", "place": "here", "evidence": "corrected", "corrected": "{}", **without}
    with pytest.raises(psycopg.errors.CheckViolation):
        foundry.sql(
            "INSERT INTO submission_rejection (tenant, submission, worker, reason, place, note, evidence, corrected, "
            "rejecter, at, appeal_by) VALUES (%s, %s, uuidv7(), %s, %s, '', %s, %s, uuidv7(), now(), "
            "now() + interval '14 days')",
            scene.tenant, held, row["reason"], row["place"], row["evidence"], row["corrected"],
        )  # fmt: skip


def test_R9_who_rejects_work_does_not_get_it(foundry: Foundry) -> None:
    scene = Reviewed(foundry)
    kept, lost = scene.work(2)
    scene.accept(kept)
    scene.reject(lost)
    with moved_clock(later(days=15)):
        assert scene.earned() == 50
        assert (scene.look(lost).state, scene.look(lost).rejection.how) == ("refused", "unappealed")  # type: ignore[union-attr]
    assert scene.judgements() == 1
    free = foundry.sql("SELECT open_slots FROM task WHERE id = %s", scene.look(lost).task)
    assert free == [(1,)], "somebody else is asked"
    foundry.sound()


def test_R10_a_panel_of_three_strangers_decides_blind_two_of_them_must_agree_and_all_are_paid_by_time(
    foundry: Foundry,
) -> None:
    scene = Reviewed(foundry)
    won, lost = scene.work(2)
    paid = []
    for held, upheld in ((won, False), (lost, True)):
        scene.reject(held)
        appeal = scene.appeal(held)
        scene.answer(appeal, stands=True)
        peer, judge, another = foundry.person(), scene.judge(), scene.judge()
        case = scene.sit(peer, appeal)
        assert str(scene.tenant) not in str(case)
        assert str(scene.worker) not in str(case)
        with moved_clock(120):
            paid.append(scene.vote(peer, appeal, upheld=upheld))
            assert scene.vote(peer, appeal, upheld=not upheld) == paid[-1], "the first vote stands"
        assert scene.look(held).appeal.votes == []  # type: ignore[union-attr]
        scene.vote(judge, appeal, upheld=not upheld)
        assert scene.look(held).state == "rejected"
        scene.vote(another, appeal, upheld=upheld)
        assert scene.look(held).rejection.upheld is upheld  # type: ignore[union-attr]
        assert foundry.call(lambda run, who=peer: panel.cases(run, who)) == [
            one for one in foundry.call(lambda run, who=peer: panel.cases(run, who)) if one.mine
        ]
    assert abs(paid[0] - paid[1]) <= 1, "the outcome pays nothing"
    assert 59 <= paid[0] <= 62, "two minutes at eighteen an hour"
    assert scene.earned() == 50
    assert scene.judgements() == 1
    assert foundry.balances(scene.tenant)["hearing_reserve"] == 0
    foundry.sound()


def test_R10_neither_side_can_sit_on_its_own_case(foundry: Foundry) -> None:
    scene = Reviewed(foundry)
    (held,) = scene.work(1)
    scene.reviewer = scene.judge()
    scene.reject(held)
    appeal = scene.appeal(held)
    scene.answer(appeal, stands=True)
    member, labeler = scene.judge(), foundry.person()
    foundry.sql("INSERT INTO membership VALUES (%s, %s, 'reviewer', now())", scene.tenant, member)
    foundry.sql("INSERT INTO labeler (tenant, person, created_at) VALUES (%s, %s, now())", scene.tenant, labeler)
    guest = foundry.person()
    foundry.sql("UPDATE person SET is_guest = true WHERE id = %s", guest)
    for who in (scene.worker, scene.reviewer, member, labeler, guest):
        refused("not-found", lambda who=who: scene.sit(who, appeal))
        assert foundry.call(lambda run, who=who: panel.cases(run, who)) == []
    # nor by a row that somebody writes by hand, on any seat
    peer, judge = foundry.person(), scene.judge()
    wrong = [
        *itertools.product((scene.worker, scene.reviewer, member, labeler, guest), (1, 2, 3)),
        (peer, 2),
        (judge, 1),
    ]
    for who, seat in wrong:
        with pytest.raises(psycopg.errors.RestrictViolation, match="neither side"):
            foundry.sql(
                "INSERT INTO panel_seat (tenant, appeal, seat, person, worker, taken_at) "
                "VALUES (%s, %s, %s, %s, uuidv7(), now())",
                scene.tenant, appeal, seat, who,
            )  # fmt: skip
    scene.sit(peer, appeal)
    refused("not-found", lambda: scene.sit(foundry.person(), appeal))  # the peers' seat is taken
    with moved_clock(later(hours=25)):
        scene.sit(foundry.person(), appeal)  # and free again where nobody votes


@pytest.mark.parametrize("stage", ["nobody answers", "no panel comes", "the panel stays undecided"])
def test_R11_where_nobody_answers_in_time_the_worker_has_won_and_is_paid(foundry: Foundry, stage: str) -> None:
    scene = Reviewed(foundry)
    (held,) = scene.work(1)
    scene.reject(held)
    appeal = scene.appeal(held)
    wait = later(hours=73)
    if stage != "nobody answers":
        scene.answer(appeal, stands=True)
        wait = later(days=14, minutes=1)
    if stage == "the panel stays undecided":
        scene.vote(foundry.person(), appeal, upheld=True)
    with moved_clock(wait - later(hours=2)):
        assert scene.earned() == 0
    with moved_clock(wait):  # nothing but this read
        assert scene.earned() == 50
        told = scene.look(held)
        assert told.rejection is not None
        assert told.rejection.how == ("unanswered" if stage == "nobody answers" else "undecided")
        assert told.steps[-1].by == "deadline"
        refused("appeal-answered", lambda: scene.answer(appeal, stands=True))
    assert foundry.balances(scene.tenant).get("hearing_reserve", 0) == 0
    foundry.sound()


def test_R11_an_appeal_is_filed_within_14_days_once_and_seen_by_both_sides(foundry: Foundry) -> None:
    scene = Reviewed(foundry)
    late, kept = scene.work(2)
    refused("not-rejected", lambda: scene.appeal(kept))
    scene.reject(late)
    scene.reject(kept)
    appeal = scene.appeal(kept)
    assert scene.appeal(kept) == appeal
    stranger = foundry.person()
    refused("not-found", lambda: scene.appeal(kept, stranger))
    mine = foundry.call(lambda run: service.my_submission(run, scene.worker, kept)).submission
    ours = scene.look(kept)
    assert [(s.what, s.by, s.due_at) for s in mine.steps] == [(s.what, s.by, s.due_at) for s in ours.steps]
    assert [s.what for s in mine.steps] == ["submitted", "rejected", "appealed", "answered"]
    assert mine.steps[-1].at is None
    assert mine.steps[-1].due_at is not None
    assert mine.worker is None
    assert ours.worker is not None
    scene.answer(appeal, stands=False)
    assert scene.earned() == 50
    with moved_clock(later(days=14, minutes=1)):
        refused("appeal-late", lambda: scene.appeal(late))
    foundry.sound()


def test_R11_standing_by_a_rejection_needs_the_money_for_its_panel(foundry: Foundry) -> None:
    scene = Reviewed(foundry, items=1, budget_minor=200)
    (held,) = scene.work(1)
    scene.reject(held)
    appeal = scene.appeal(held)
    refused("hearing-unpaid", lambda: scene.answer(appeal, stands=True))
    assert scene.look(held).appeal.state == "filed"  # type: ignore[union-attr]
    scene.answer(appeal, stands=False)
    foundry.sound()


def test_R12_mass_rejection_freezes_the_batch_and_falls_unless_an_operator_lifts_it(foundry: Foundry) -> None:
    scene = Reviewed(foundry, items=20)
    held = scene.work(10)
    for one in held[:3]:
        scene.reject(one)
    refused("batch-frozen", lambda: scene.reject(held[3]))
    assert scene.look(held[0]).frozen
    assert scene.look(held[0]).steps[2].what == "frozen"
    with moved_clock(later(days=15)):
        assert scene.earned() == 500, "nobody looked: whatever was rejected falls, and what waited is accepted"
        assert scene.look(held[0]).rejection.how == "frozen"  # type: ignore[union-attr]
    foundry.sound()


def test_R12_a_lifted_freeze_gives_whoever_was_rejected_their_14_days_anew(foundry: Foundry) -> None:
    scene = Reviewed(foundry, items=20)
    held = scene.work(5)
    for one in held[:3]:
        scene.reject(one)
    (freeze,) = foundry.sql("SELECT id FROM review_freeze WHERE tenant = %s", scene.tenant)
    operator = foundry.person()
    with moved_clock(later(days=13)):
        foundry.sql(
            "SELECT freeze_end(%s, %s, %s, true, 'They were wrong.', %s)",
            scene.tenant,
            freeze[0],
            operator,
            clock.now(),
        )
    with moved_clock(later(days=20)):
        scene.appeal(held[0])
        assert scene.look(held[1]).state == "rejected"
    with moved_clock(later(days=28)):
        assert scene.look(held[1]).state == "refused"
    foundry.sound()


def test_R9_a_rejection_names_the_part_of_the_label_that_its_evidence_speaks_of(foundry: Foundry) -> None:
    boxes = {"kind": "objects", "classes": [{"name": "car", "geometry": "box"}, {"name": "dog", "geometry": "box"}]}
    scene = Reviewed(foundry, items=4, spec=boxes)
    car = {"id": "a", "cls": "car", "shape": {"type": "box", "x": 1, "y": 1, "w": 9, "h": 9}}
    dog = {**car, "id": "b", "cls": "dog"}
    made = {"kind": "objects", "objects": [car, dog]}
    right = {"kind": "objects", "objects": [car, {**dog, "shape": {**dog["shape"], "x": 50}}]}
    page = foundry.claim(scene.worker, scene.project, 3)
    told = foundry.call(lambda run: work.submit(run, scene.worker, page.id, answers(page, label=made)))
    one, another, third = (row.judgement for row in told.judgements)
    assert refused("part-unknown", lambda: scene.reject(one, corrected=right, part="c")).place == "/part"
    assert refused("part-agrees", lambda: scene.reject(one, corrected=right, part="a")).place == "/part"
    assert refused("part-unknown", lambda: scene.reject(one, evidence="reviewers", corrected=None, part="c"))
    named = scene.reject(one, corrected=right, part="b").rejection
    assert named is not None
    assert named.part == "b"
    whole = scene.reject(another, corrected=right).rejection
    assert whole is not None
    assert whole.part is None
    detail = foundry.call(lambda run: service.my_submission(run, scene.worker, one))
    assert [(part.name, part.words) for part in detail.parts] == [("a", "car"), ("b", "dog")]
    ours = scene.appeal(one)
    scene.answer(ours, stands=True)
    judge = scene.judge()
    assert ours in {case.id for case in foundry.call(lambda run: panel.cases(run, judge))}
    heard = scene.sit(judge, ours)
    assert (heard.part, [part.name for part in heard.parts]) == ("b", ["a", "b"])
    assert scene.look(third).rejection is None
