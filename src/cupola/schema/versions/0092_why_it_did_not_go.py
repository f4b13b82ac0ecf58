"""Runs 0092_why_it_did_not_go.sql."""

from cupola.platform.pg.migrate import run_sql

revision = "0092"
down_revision = "0091"


def upgrade() -> None:
    run_sql("0092_why_it_did_not_go.sql")
