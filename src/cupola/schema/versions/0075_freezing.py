"""Runs 0075_freezing.sql."""

from cupola.platform.pg.migrate import run_sql

revision = "0075"
down_revision = "0074"


def upgrade() -> None:
    run_sql("0075_freezing.sql")
