"""Runs 0076_tasks_in_steps.sql."""

from cupola.platform.pg.migrate import run_sql

revision = "0076"
down_revision = "0075"


def upgrade() -> None:
    run_sql("0076_tasks_in_steps.sql")
