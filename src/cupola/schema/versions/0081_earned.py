"""Runs 0081_earned.sql."""

from cupola.platform.pg.migrate import run_sql

revision = "0081"
down_revision = "0080"


def upgrade() -> None:
    run_sql("0081_earned.sql")
