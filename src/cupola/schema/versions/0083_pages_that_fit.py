"""Runs 0083_pages_that_fit.sql."""

from cupola.platform.pg.migrate import run_sql

revision = "0083"
down_revision = "0082"


def upgrade() -> None:
    run_sql("0083_pages_that_fit.sql")
