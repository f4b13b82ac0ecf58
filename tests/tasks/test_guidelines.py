"""A project goes on with better words for the same labels, and with nothing else."""

from __future__ import annotations

import pytest

from cupola.kernel.errors import Problem
from cupola.ontology import service as ontologies
from cupola.tasks import service, work
from tests.foundry import CHOICE, Foundry


def test_pages_claimed_from_now_on_show_the_new_guideline(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    project = foundry.project(tenant, 12, page_size=4)
    view = foundry.app(tenant, lambda conn: service.project_view(conn, tenant, project.id))
    now = foundry.app(tenant, lambda conn: ontologies.version(conn, tenant, view.ontology_version))
    better = foundry.app(
        tenant, lambda conn: ontologies.add_version(conn, tenant, now.id, CHOICE, {"en": "Round corners make a disc."})
    )
    person = foundry.people(1)[0]
    before = foundry.call(lambda run: work.claim(run, person, project.id, None, None))
    assert before is not None
    assert before.guidelines == {}
    foundry.submit(person, before, "a")
    foundry.app(tenant, lambda conn: service.take_guidelines(conn, tenant, project.id, better.version_id))
    after = foundry.call(lambda run: work.claim(run, person, project.id, None, None))
    assert after is not None
    assert after.guidelines == {"en": "Round corners make a disc."}
    foundry.submit(person, after, "a")
    foundry.hear()
    foundry.sound()


def test_a_version_that_asks_for_other_labels_is_refused(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    project = foundry.project(tenant, 2)
    view = foundry.app(tenant, lambda conn: service.project_view(conn, tenant, project.id))
    now = foundry.app(tenant, lambda conn: ontologies.version(conn, tenant, view.ontology_version))
    wider = {**CHOICE, "classes": [*CHOICE["classes"], {"name": "z"}]}
    other = foundry.app(tenant, lambda conn: ontologies.add_version(conn, tenant, now.id, wider, {}))
    with pytest.raises(Problem, match="asks for other labels"):
        foundry.app(tenant, lambda conn: service.take_guidelines(conn, tenant, project.id, other.version_id))
    stranger = foundry.tenant()
    with pytest.raises(Problem) as caught:
        foundry.app(stranger, lambda conn: service.take_guidelines(conn, stranger, project.id, other.version_id))
    assert caught.value.code == "not-found"
