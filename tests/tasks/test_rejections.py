"""A review that rejects: its maker reads why, and the task goes where the line of stages says."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest

from cupola.kernel.errors import Problem
from cupola.platform.pg.tx import Role
from cupola.quality import adjudication
from cupola.tasks import service as tasks
from cupola.tasks import work
from cupola.tasks.model import Rejection
from cupola.tasks.stages import Review, StagePrice
from tests.foundry import Foundry, choice
from tests.tasks.test_stages import accept, claim, page, reviewed, send, settled

FIX = StagePrice(6, None, None)
MENDED = (Review(4, None, None, FIX), Review(3, None, None))


def reject(foundry: Foundry, person: UUID, page: Any, reason: str = "wrong-class", note: str = "that is a b") -> Any:
    return send(
        foundry,
        person,
        page,
        [{"task": str(one.task), "reject": {"reason": reason, "note": note}, "seconds": 2} for one in page.tasks],
    )


def told(foundry: Foundry, person: UUID) -> list[Rejection]:
    return foundry.call(lambda run: work.rejections(run, person, None, 50))


def test_what_is_rejected_comes_back_to_its_maker_with_the_reason_is_fixed_and_reviewed_again(
    foundry: Foundry,
) -> None:
    project = reviewed(foundry, 2, lines=MENDED)
    maker, reviewer, last = foundry.people(3)
    foundry.submit(maker, page(foundry, maker, project, 0), "a")
    foundry.hear()
    under = page(foundry, reviewer, project, 1)
    assert reject(foundry, reviewer, under).paid_minor == 8
    foundry.hear()
    assert settled(foundry, project) == {}
    assert [(one.reason, one.note, one.project) for one in told(foundry, maker)] == [
        ("wrong-class", "that is a b", project.id)
    ] * 2
    assert told(foundry, reviewer) == []
    assert claim(foundry, reviewer, project, 2) is None, "whoever rejected it does not mend it"
    back = page(foundry, maker, project, 2)
    assert (back.does, back.price_minor) == ("fix", 6)
    assert {(one.rejected.reason, one.rejected.note) for one in back.tasks if one.rejected} == {
        ("wrong-class", "that is a b")
    }
    assert [json.loads(bytes(one.pre_label)) for one in back.tasks] == [choice("a")] * 2
    assert foundry.submit(maker, back, "b").paid_minor == 12
    foundry.hear()
    assert settled(foundry, project) == {}, "what was fixed is reviewed"
    again = page(foundry, last, project, 3)
    assert [json.loads(bytes(one.pre_label)) for one in again.tasks] == [choice("b")] * 2
    assert all(one.rejected is None for one in again.tasks)
    accept(foundry, last, again)
    foundry.hear()
    assert [(label["values"], how, count) for label, how, _, count in settled(foundry, project).values()] == [
        (["b"], "reviewed", 4)
    ] * 2
    foundry.sound()
    assert foundry.balances(project.tenant)["worker"] == 2 * (10 + 4 + 6 + 3)


def test_what_a_rejection_says_stands_behind_no_label(foundry: Foundry) -> None:
    """The reviewer who rejected a label did not say it, whatever the label is that settles in the end."""
    sure = []
    for rejects in (True, False):
        project = reviewed(foundry, 1, lines=(Review(4, None, None, FIX),))
        maker, reviewer, other = foundry.people(3)
        foundry.submit(maker, page(foundry, maker, project, 0), "a")
        foundry.hear()
        under = page(foundry, reviewer, project, 1)
        if rejects:
            reject(foundry, reviewer, under)
            foundry.hear()
            foundry.submit(other, page(foundry, other, project, 2), "a")
        else:
            accept(foundry, reviewer, under)
        foundry.hear()
        [(label, how, confidence, _)] = settled(foundry, project).values()
        assert (label["values"], how) == (["a"], "reviewed")
        sure.append(confidence)
        votes = foundry.sql("SELECT count(*) FROM judgement WHERE project = %s", project.id)
        assert votes == [(3 if rejects else 2,)]
    assert sure[0] == pytest.approx(sure[1]), "two stand behind it in both"


def test_what_is_accepted_passes_by_the_fix_and_its_review(foundry: Foundry) -> None:
    project = reviewed(foundry, 2, lines=MENDED)
    maker, reviewer, other = foundry.people(3)
    foundry.submit(maker, page(foundry, maker, project, 0), "a")
    foundry.hear()
    accept(foundry, reviewer, page(foundry, reviewer, project, 1))
    foundry.hear()
    assert len(settled(foundry, project)) == 2
    assert claim(foundry, other, project, 2) is None
    assert claim(foundry, other, project, 3) is None


def test_without_a_fix_in_the_line_what_is_rejected_is_an_experts_and_says_so(foundry: Foundry) -> None:
    project = reviewed(foundry, 1)
    maker, reviewer = foundry.people(2)
    foundry.submit(maker, page(foundry, maker, project, 0), "a")
    foundry.hear()
    reject(foundry, reviewer, page(foundry, reviewer, project, 1), "missing", "")
    foundry.hear()
    assert foundry.sql("SELECT state FROM task WHERE project = %s", project.id) == [(2,)]

    async def look(conn: Any) -> Any:
        waiting = await adjudication.doubtful(conn, foundry.runtime, project.tenant, project.id, None, 10, "x")
        task = await tasks.task_detail(conn, foundry.runtime, project.tenant, project.tasks[0], "x")
        return waiting, task.judgements

    [doubtful], judgements = foundry.app(project.tenant, look)
    assert doubtful.reason == "a review rejected it"
    assert [one.rejected.reason if one.rejected else None for one in judgements] == [None, "missing"]
    assert [one.reason for one in told(foundry, maker)] == ["missing"]
    foundry.app(
        project.tenant,
        lambda conn: adjudication.adjudicate(conn, project.tenant, project.tasks[0], None, choice("b"), False, ""),
    )
    assert [label["values"] for label, *_ in settled(foundry, project).values()] == [["b"]]


def test_an_answer_that_was_lost_is_asked_for_again_and_rejects_once(foundry: Foundry) -> None:
    project = reviewed(foundry, 2)
    maker, reviewer = foundry.people(2)
    foundry.submit(maker, page(foundry, maker, project, 0), "a")
    foundry.hear()
    under = page(foundry, reviewer, project, 1)
    first = reject(foundry, reviewer, under)
    assert reject(foundry, reviewer, under, "other", "something else") == first, "the first answer stands"
    assert (
        foundry.sql("SELECT reason, note FROM rejection WHERE project = %s", project.id)
        == [("wrong-class", "that is a b")] * 2
    )


@pytest.mark.parametrize(
    ("judgement", "code", "place"),
    [
        ({"reject": {"reason": "ugly"}}, "body-malformed", ""),
        ({"reject": {"reason": "missing", "note": "x" * 2001}}, "body-malformed", ""),
        ({"reject": {"reason": "other", "note": " "}}, "rejection-unsaid", "/judgements/0/reject/note"),
        ({"reject": {"reason": "missing"}, "accept": True}, "label-or-accept", "/judgements/0"),
        ({"reject": {"reason": "missing"}, "label": choice("b")}, "label-or-accept", "/judgements/0"),
    ],
)
def test_a_rejection_gives_a_reason_of_the_list_and_words_where_the_list_ends(
    foundry: Foundry, judgement: dict[str, Any], code: str, place: str
) -> None:
    project = reviewed(foundry, 1)
    maker, reviewer = foundry.people(2)
    drawn = page(foundry, maker, project, 0)
    with pytest.raises(Problem) as early:
        reject(foundry, maker, drawn)
    assert (early.value.code, early.value.place) == ("nothing-to-reject", "/judgements/0/reject")
    foundry.submit(maker, drawn, "a")
    foundry.hear()
    under = page(foundry, reviewer, project, 1)
    with pytest.raises(Problem) as refused:
        send(foundry, reviewer, under, [{"task": str(under.tasks[0].task)} | judgement])
    assert (refused.value.code, refused.value.place or "") == (code, place)


def test_who_mends_neither_accepts_nor_rejects(foundry: Foundry) -> None:
    project = reviewed(foundry, 1, lines=MENDED)
    maker, reviewer = foundry.people(2)
    foundry.submit(maker, page(foundry, maker, project, 0), "a")
    foundry.hear()
    reject(foundry, reviewer, page(foundry, reviewer, project, 1))
    foundry.hear()
    back = page(foundry, maker, project, 2)
    for say in (accept, reject):
        with pytest.raises(Problem) as refused:
            say(foundry, maker, back)
        assert refused.value.code in ("nothing-to-accept", "nothing-to-reject")


def test_a_line_has_at_most_four_stages_and_a_fix_only_after_a_review(foundry: Foundry) -> None:
    with pytest.raises(Problem) as refused:
        reviewed(foundry, 1, lines=(Review(4, None, None, FIX), Review(4, None, None, FIX)))
    assert (refused.value.code, refused.value.place) == ("stages-many", "/reviews")
    project = reviewed(foundry, 1, lines=MENDED)
    view = foundry.app(project.tenant, lambda conn: tasks.project_view(conn, project.tenant, project.id))
    assert view.stages == ["draw", "review", "fix", "review"]
    for line in ("{draw,fix}", "{draw,review,fix,fix}", "{draw,draw}"):
        with pytest.raises(Exception, match="project_stages_check"):
            foundry.sql("UPDATE project SET stages = %s WHERE id = %s", line, project.id)


def test_nobody_else_reads_what_was_said_of_a_makers_work(foundry: Foundry) -> None:
    project = reviewed(foundry, 1)
    maker, reviewer, other = foundry.people(3)
    foundry.submit(maker, page(foundry, maker, project, 0), "a")
    foundry.hear()
    reject(foundry, reviewer, page(foundry, reviewer, project, 1))

    async def seen(run: Any, person: UUID) -> int:
        worker = run.worker_of(project.tenant, person)
        async with run.db.tx(Role.GATEWAY, tenant=project.tenant, worker=worker, person=person) as conn:
            row = await (await conn.execute("SELECT count(*) FROM rejection")).fetchone()
        return int(row[0])

    counts = [foundry.call(lambda run, p=person: seen(run, p)) for person in (maker, reviewer, other)]
    assert counts == [1, 0, 0]
