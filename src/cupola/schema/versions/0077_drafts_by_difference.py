"""Runs 0077_drafts_by_difference.sql."""

from cupola.platform.pg.migrate import run_sql

revision = "0077"
down_revision = "0076"


def upgrade() -> None:
    run_sql("0077_drafts_by_difference.sql")
