"""Runs 0120_review_first.sql."""

from cupola.platform.pg.migrate import run_sql

revision = "0120"
down_revision = "0092"


def upgrade() -> None:
    run_sql("0120_review_first.sql")
