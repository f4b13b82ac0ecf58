"""What tests of reviewed work share: a requester's side, a worker's side, and who sits on panels."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from cupola.appeals import panel, service
from cupola.appeals.model import Submission
from cupola.kernel import clock, ids
from cupola.kernel.errors import Problem
from cupola.ledger import service as ledger
from cupola.platform.runtime import Runtime
from cupola.tasks.model import Assignment
from tests.foundry import Foundry, Project, choice

DAY_S = 86_400
REVIEW_S = 48 * 3600


class Reviewed:
    """A project that is reviewed first, with one worker and everybody around them."""

    def __init__(self, foundry: Foundry, *, items: int = 10, budget_minor: int = 100_000, **more: Any) -> None:
        self.foundry = foundry
        self.tenant = foundry.tenant()
        self.project: Project = foundry.project(
            self.tenant, items, budget_minor=budget_minor, review_first_s=REVIEW_S, price_minor=50, **more
        )
        self.worker = foundry.person()
        self.reviewer, self.other_reviewer = ids.uuid7(), ids.uuid7()

    def work(self, tasks: int = 1, value: str = "a", worker: UUID | None = None) -> list[UUID]:
        """Claim and submit so many; their submissions."""
        who = worker or self.worker
        page: Assignment = self.foundry.claim(who, self.project, tasks)
        told = self.foundry.submit(who, page, value)
        assert all(one.held for one in told.judgements)
        assert told.paid_minor == 0
        return [one.judgement for one in told.judgements]

    def ours(self, verb: Callable[[Any], Awaitable[Any]]) -> Any:
        return self.foundry.app(self.tenant, verb)

    def look(self, submission: UUID) -> Submission:
        found: Submission = self.ours(lambda conn: service.submission(conn, self.tenant, submission))
        return found

    def accept(self, *submissions: UUID) -> int:
        accepted: int = self.ours(lambda conn: service.accept(conn, self.tenant, submissions))
        return accepted

    def reject(self, submission: UUID, **more: Any) -> Submission:
        said = {
            "reason": "wrong-class",
            "place": "the whole text",
            "note": "",
            "evidence": "corrected",
            "corrected": choice("b"),
            **more,
        }
        by = said.pop("by", self.reviewer)
        found: Submission = self.ours(lambda conn: service.reject(conn, self.tenant, by, submission, **said))
        return found

    def appeal(self, submission: UUID, worker: UUID | None = None) -> UUID:
        who = worker or self.worker
        told = self.foundry.call(lambda run: service.file(run, who, submission, "It says a."))
        assert told.submission.appeal is not None
        return told.submission.appeal.id

    def answer(self, appeal: UUID, *, stands: bool) -> Submission:
        found: Submission = self.ours(
            lambda conn: service.answer(conn, self.tenant, appeal, stands=stands, words="See the guidelines.")
        )
        return found

    def judge(self) -> UUID:
        person = self.foundry.person()
        self.foundry.sql("UPDATE person SET is_judge = true WHERE id = %s", person)
        return person

    def sit(self, person: UUID, appeal: UUID) -> Any:
        return self.foundry.call(lambda run: panel.sit(run, person, appeal))

    def vote(self, person: UUID, appeal: UUID, *, upheld: bool) -> int:
        self.sit(person, appeal)
        told = self.foundry.call(lambda run: panel.vote(run, person, appeal, upheld=upheld, words=""))
        return told.paid_minor

    def earned(self, worker: UUID | None = None) -> int:
        """What the worker's own page of earnings says; asking for it decides what ran out."""
        who = worker or self.worker
        told = self.foundry.call(lambda run: _earnings(run, who))
        return sum(one.balance_minor for one in told.by_currency)

    def judgements(self) -> int:
        rows = self.foundry.sql("SELECT count(*) FROM judgement WHERE project = %s", self.project.id)
        count: int = rows[0][0]
        return count


async def _earnings(run: Runtime, person: UUID) -> Any:
    return await ledger.earnings(run.db, person)


def refused(code: str, verb: Callable[[], Any]) -> Problem:
    """The problem with which a verb is refused; its code is the one expected."""
    with pytest.raises(Problem) as caught:
        verb()
    assert caught.value.code == code
    return caught.value


def later(**span: float) -> float:
    return timedelta(**span).total_seconds()


__all__ = ["DAY_S", "REVIEW_S", "Reviewed", "clock", "later", "refused"]
