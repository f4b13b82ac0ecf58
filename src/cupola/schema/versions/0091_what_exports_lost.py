"""Runs 0091_what_exports_lost.sql."""

from cupola.platform.pg.migrate import run_sql

revision = "0091"
down_revision = "0090"


def upgrade() -> None:
    run_sql("0091_what_exports_lost.sql")
