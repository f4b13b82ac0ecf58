"""Where experts disagree or give up, the guideline is what needs mending."""

from __future__ import annotations

from cupola.quality import adjudication
from cupola.tasks.model import Plan
from tests.foundry import Foundry, choice


def test_a_task_decided_twice_differently_and_one_given_up_wait_for_the_guideline(foundry: Foundry) -> None:
    project = foundry.project(foundry.tenant(), 3, plan=Plan(target_accuracy=0.99, max_judgements=1, gold_rate=0.0))
    foundry.sql("UPDATE task SET state = 2, open_slots = 0 WHERE project = %s", project.id)
    first, second, third = project.tasks
    verdicts = [
        (first, choice("a"), False),
        (first, choice("b"), False),
        (second, None, True),
        (third, choice("a"), False),
        (third, choice("a"), False),
    ]
    for task, label, undecidable in verdicts:
        foundry.app(
            project.tenant,
            lambda conn, task=task, label=label, undecidable=undecidable: adjudication.adjudicate(
                conn, project.tenant, task, None, label, undecidable, "hard to tell" if undecidable else ""
            ),
        )
    rows = foundry.app(project.tenant, lambda conn: adjudication.unclear(conn, project.tenant, project.id, None, 10))
    assert {row.task for row in rows} == {first, second}
    by_task = {row.task: row for row in rows}
    assert sorted(label["values"][0] for label in by_task[first].labels) == ["a", "b"]
    assert by_task[second].undecided == 1
    assert by_task[second].notes == "hard to tell"
