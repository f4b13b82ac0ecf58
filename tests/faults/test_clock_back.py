"""The clock of a machine is set back while people work: nothing vanishes, nobody is told of a fault of ours."""

from __future__ import annotations

import pytest

from cupola.kernel import clock
from tests.foundry import Foundry, moved_clock
from tests.serving import Serving


@pytest.mark.parametrize("back_s", [-90, -3 * 86_400])
def test_work_made_before_the_jump_is_claimed_judged_and_paid_after_it(foundry: Foundry, back_s: float) -> None:
    tenant, person = foundry.tenant(), foundry.person()
    project = foundry.project(tenant, 6, page_size=2)
    first = foundry.claim(person, project)
    with moved_clock(back_s):
        foundry.submit(person, first)
        second = foundry.claim(person, project)
        foundry.submit(person, second)
        foundry.expire()
        foundry.hear()
    third = foundry.claim(person, project)
    foundry.submit(person, third)
    foundry.hear()
    assert foundry.sql("SELECT count(*) FROM judgement WHERE project = %s", project.id)[0][0] == 6
    foundry.sound()


def test_a_lease_taken_before_the_jump_does_not_outlive_the_jumps_return(foundry: Foundry) -> None:
    tenant, person, other = foundry.tenant(), foundry.person(), foundry.person()
    project = foundry.project(tenant, 2, page_size=2, lease_s=600)
    with moved_clock(-3_600):
        foundry.claim(person, project)
    foundry.expire()  # an hour later than it was claimed, by the clock that came back
    assert len(foundry.claim(other, project).tasks) >= 1


def test_the_api_answers_after_the_jump_for_everybody_who_was_in_before(foundry: Foundry) -> None:
    with foundry.http() as url:
        serving = Serving(url, foundry.admin_url, foundry.runtime, foundry.loop, None)  # type: ignore[arg-type]
        owner = serving.owner("Before the jump")
        owner.client.headers["Cupola-Tenant"] = owner.tenant
        key = serving.key(owner)
        assert owner.client.post("/api/datasets", json={"name": "before"}).status_code == 201
        for back_s in (-90, -86_400):
            with moved_clock(back_s):
                answers = [
                    owner.client.get("/api/session"),
                    owner.client.get("/api/datasets"),
                    key.get("/api/datasets"),
                    key.get("/api/projects"),
                    owner.client.post("/api/datasets", json={"name": f"after {back_s}"}),
                    owner.client.post("/api/invitations", json={"role": "reviewer"}),
                ]
                assert all(answer.is_success for answer in answers), [
                    (answer.request.url, answer.status_code, answer.text) for answer in answers
                ]
    assert clock.now() is not None
