"""Runs 0087_names_that_tell.sql."""

from cupola.platform.pg.migrate import run_sql

revision = "0087"
down_revision = "0084"


def upgrade() -> None:
    run_sql("0087_names_that_tell.sql")
