"""Runs 0074_stages.sql."""

from cupola.platform.pg.migrate import run_sql

revision = "0074"
down_revision = "0073"


def upgrade() -> None:
    run_sql("0074_stages.sql")
