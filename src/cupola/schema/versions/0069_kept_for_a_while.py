"""Runs 0069_kept_for_a_while.sql."""

from cupola.platform.pg.migrate import run_sql

revision = "0069"
down_revision = "0068"


def upgrade() -> None:
    run_sql("0069_kept_for_a_while.sql")
