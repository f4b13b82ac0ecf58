"""What is settled by codes is settled without its labels: whoever decides may not even read them here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from cupola.platform.pg.cluster import Cluster
from cupola.quality import store
from cupola.tasks.model import Plan
from tests.foundry import Foundry, fresh_foundry

TABLES = ("judgement", "gold", "settlement", "adjudication")


@pytest.fixture
def unread(cluster: Cluster, foundry_template: str, tmp_path: Path) -> Iterator[Foundry]:
    """An instance whose tenants' side may read everything of judgements but the labels."""
    with fresh_foundry(cluster, foundry_template, tmp_path / "foundry") as opened:
        for table in TABLES:
            rows = opened.sql(
                "SELECT column_name FROM information_schema.columns WHERE table_schema = 'cupola' AND table_name = %s "
                "AND column_name NOT LIKE 'label%%'",
                table,
            )
            readable = ", ".join(f'"{name}"' for (name,) in rows)
            opened.sql(f"REVOKE SELECT ON {table} FROM cupola_app")
            opened.sql(f"GRANT SELECT ({readable}) ON {table} TO cupola_app")
        yield opened


def test_single_choices_are_settled_fitted_and_settled_again_without_a_look_at_any_label(unread: Foundry) -> None:
    project = unread.project(
        unread.tenant(),
        60,
        gold=dict.fromkeys(range(6), "a"),
        plan=Plan(min_judgements=2, max_judgements=3, gold_rate=0.2),
    )
    for person in unread.people(4):
        for _ in range(3):
            page = unread.claim(person, project)
            unread.submit(person, page, "a")
            unread.hear()
    (settled,) = unread.sql("SELECT count(*) FROM settlement WHERE project = %s AND code IS NOT NULL", project.id)
    (fitted,) = unread.sql("SELECT count(*) FROM model_version WHERE project = %s", project.id)
    assert settled[0] > 20
    assert fitted[0] > 0


def test_the_labels_are_indeed_out_of_reach_here(unread: Foundry) -> None:
    tenant = unread.tenant()
    project = unread.project(tenant, 1)
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied"):
        unread.app(tenant, lambda conn: store.VOTES.all(conn, tenant=tenant, tasks=project.tasks))
