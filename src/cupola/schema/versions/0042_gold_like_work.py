"""Runs 0042_gold_like_work.sql."""

from cupola.platform.pg.migrate import run_sql

revision = "0042"
down_revision = "0041"


def upgrade() -> None:
    run_sql("0042_gold_like_work.sql")
