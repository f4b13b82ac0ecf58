"""Runs 0084_events_are_cut.sql."""

from cupola.platform.pg.migrate import run_sql

revision = "0084"
down_revision = "0083"


def upgrade() -> None:
    run_sql("0084_events_are_cut.sql")
