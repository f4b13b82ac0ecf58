"""Nobody who works can tell gold from work: with all that a contributor sees one guesses no better than chance."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from cupola.kernel.errors import Problem
from cupola.routing import service as routing
from cupola.tasks import work
from cupola.tasks.model import Assignment, Plan
from tests.foundry import Foundry, Project, moved_clock

ITEMS, GOLDS = 120, 40
CHANCE_SIGMAS = 6.0  # of a guess by chance: one run in a thousand million


@dataclass
class Seen:
    """What one contributor sees over time, and in `gold` what they would give a lot to know."""

    foundry: Foundry
    project: Project
    person: UUID
    gold: set[UUID]
    pages: list[Assignment] = field(default_factory=list)

    def available(self) -> int:
        offers = self.foundry.call(lambda run: routing.board(run, self.person))
        return sum(offer.available for offer in offers if offer.project == self.project.id)

    def claim(self, tasks: int) -> Assignment | None:
        page = self.foundry.call(lambda run: work.claim(run, self.person, self.project.id, tasks, None))
        if page is not None:
            self.pages.append(page)
        return page

    def golds(self, page: Assignment) -> int:
        return sum(one.task in self.gold for one in page.tasks)


def scene(foundry: Foundry, *, page_size: int = 10, rate: float = 0.2, first: bool = True) -> Callable[[], Seen]:
    """A project whose manifest has its gold first (or last): whoever is given the function is new to it."""
    places = range(GOLDS) if first else range(ITEMS, ITEMS + GOLDS)
    project = foundry.project(
        foundry.tenant(),
        ITEMS + GOLDS,
        plan=Plan(0.9, 0.9, 2, 3, rate),
        gold=dict.fromkeys(places, "a"),
        page_size=page_size,
    )
    gold = {row[0] for row in foundry.sql("SELECT id FROM task WHERE project = %s AND gold", project.id)}
    assert len(gold) == GOLDS
    return lambda: Seen(foundry, project, foundry.person(), gold)


@pytest.mark.parametrize(("page_size", "asked"), [(1, 1), (10, 1), (10, 10), (50, 7)])
def test_what_is_left_falls_by_one_with_each_task_and_no_claim_comes_back_empty_before_the_last(
    foundry: Foundry, page_size: int, asked: int
) -> None:
    seen = scene(foundry, page_size=page_size)()
    met = 0
    left = seen.available()
    assert ITEMS <= left <= ITEMS + GOLDS
    for _ in range(25):
        page = seen.claim(asked)
        assert page is not None
        assert len(page.tasks) == min(asked, left)
        assert seen.available() == left - len(page.tasks)
        left -= len(page.tasks)
        met += seen.golds(page)
        foundry.submit(seen.person, page)
        assert seen.available() == left
        if left == 0:
            break
    assert met > 0, "gold is met whatever the size of the pages"


def test_the_row_ends_where_it_was_said_to_end(foundry: Foundry) -> None:
    seen = scene(foundry, page_size=10)()
    left = seen.available()
    while (page := seen.claim(10)) is not None:
        assert len(page.tasks) == min(10, left)
        left -= len(page.tasks)
        foundry.submit(seen.person, page)
    assert left == seen.available() == 0


@pytest.mark.parametrize("asked", [1, 6])
@pytest.mark.parametrize("others", [False, True])
def test_what_expired_comes_back_alike(foundry: Foundry, asked: int, others: bool) -> None:
    new = scene(foundry)
    seen = new()
    for _ in range(12 // asked):
        before = seen.available()
        page = seen.claim(asked)
        assert page is not None
        with moved_clock(601):
            foundry.expire()
            if others:
                somebody = new()
                for _ in range(3):
                    taken = somebody.claim(10)
                    if taken is not None:
                        foundry.submit(somebody.person, taken)
            else:
                assert seen.available() == before
            again = seen.claim(asked)
            if others and again is None:  # they took all there was, and nothing comes back of either sort
                break
            assert again is not None
            there, back = {one.task for one in page.tasks}, {one.task for one in again.tasks}
            assert back & there in ((there, set()) if others else (there,)), "gold came back without the work beside it"
            foundry.submit(seen.person, again)
    assert sum(seen.golds(page) for page in seen.pages) > 0


def test_what_was_returned_never_comes_back_of_either_sort(foundry: Foundry) -> None:
    seen = scene(foundry)()
    met: set[UUID] = set()
    golds = 0
    for _ in range(8):
        left = seen.available()
        page = seen.claim(10)
        assert page is not None
        golds += seen.golds(page)
        assert not met & {one.task for one in page.tasks}
        met |= {one.task for one in page.tasks}
        foundry.call(lambda run, page=page: work.give_back(run, seen.person, page.id, page.fence, "unclear", ""))
        assert seen.available() == left - len(page.tasks)
    assert golds > 0


def test_work_that_others_took_does_not_leave_gold_to_come_back_alone(foundry: Foundry) -> None:
    """The queue is worked off between the expiry and the next claim: what comes back would be gold, and none does."""
    new = scene(foundry)
    seen = new()
    page = None
    while page is None or not 0 < seen.golds(page) < len(page.tasks):
        page = seen.claim(10)
        assert page is not None
    with moved_clock(601):
        foundry.expire()
        foundry.sql("UPDATE task SET open_slots = 0 WHERE project = %s", seen.project.id)  # as if others held all
        assert seen.available() == 0
        assert seen.claim(10) is None


GUESSES: dict[str, Callable[[Assignment, int], object]] = {
    "the lowest task identifier": lambda page, n: page.tasks[n].task,
    "the highest task identifier": lambda page, n: -page.tasks[n].task.int,
    "the lowest item identifier": lambda page, n: page.tasks[n].item.id,
    "the highest item identifier": lambda page, n: -page.tasks[n].item.id.int,
    "the first of the page": lambda page, n: n,
    "the last of the page": lambda page, n: -n,
}


@pytest.mark.parametrize("first", [True, False])
def test_no_order_on_a_page_tells_gold(foundry: Foundry, first: bool) -> None:
    new = scene(foundry, rate=0.3, first=first)
    pages: list[tuple[Seen, Assignment]] = []
    for _ in range(8):
        seen = new()
        for _ in range(6):
            page = seen.claim(10)
            if page is None:
                break
            pages.append((seen, page))
            foundry.submit(seen.person, page)
    for name, guess in GUESSES.items():
        right, expected, variance = 0, 0.0, 0.0
        for seen, page in pages:
            share = seen.golds(page) / len(page.tasks)
            pick = min(range(len(page.tasks)), key=lambda n, page=page: guess(page, n))  # type: ignore[arg-type,return-value]
            right += page.tasks[pick].task in seen.gold
            expected += share
            variance += share * (1 - share)
        assert abs(right - expected) <= CHANCE_SIGMAS * math.sqrt(variance), name
    assert expected > 5


def test_a_page_has_the_same_members_and_pays_the_same_for_either_sort(foundry: Foundry) -> None:
    seen = scene(foundry)()
    shapes = set()
    paid = set()
    for _ in range(6):
        page = seen.claim(10)
        assert page is not None
        done = {one.task: one.paid_minor for one in foundry.submit(seen.person, page).judgements}
        for one in page.tasks:
            shapes.add((one.state, one.item.media_type, one.pre_label is None, one.draft is None, one.item.url is None))
            paid.add(done[one.task])
    assert sum(seen.golds(page) for page in seen.pages) > 0
    assert len(shapes) == len(paid) == 1


def test_gold_stands_at_other_places_for_everybody(foundry: Foundry) -> None:
    """Two who compare their rows learn nothing from the places."""
    new = scene(foundry, rate=0.3)
    rows = []
    for _ in range(2):
        seen = new()
        row = []
        for _ in range(40):
            page = seen.claim(1)
            assert page is not None
            row.append(seen.golds(page) == 1)
            foundry.submit(seen.person, page)
        rows.append(row)
    assert rows[0] != rows[1]
    assert all(1 <= sum(row) <= 30 for row in rows)


def test_the_contributors_role_cannot_read_what_is_gold(foundry: Foundry) -> None:
    seen = scene(foundry)()
    page = seen.claim(10)
    assert page is not None
    for column, table in (("gold", "lease"), ("gold", "judgement"), ("gold_seed", "project"), ("label", "gold")):
        with pytest.raises(Exception, match="permission denied"):
            foundry.sql(f"SET ROLE cupola_gateway; SELECT {column} FROM {table}")
    foundry.sql("SET ROLE cupola_gateway; SELECT task FROM lease")


def test_nobody_holds_a_whole_project(foundry: Foundry) -> None:
    project = foundry.project(foundry.tenant(), 300, page_size=10)
    person = foundry.person()
    pages = [foundry.claim(person, project) for _ in range(8)]
    assert sum(len(page.tasks) for page in pages) == 75
    with pytest.raises(Problem) as refused:
        foundry.claim(person, project)
    assert refused.value.code == "holds-enough"
    foundry.submit(person, pages[0])
    assert len(foundry.claim(person, project).tasks) == len(pages[0].tasks)
