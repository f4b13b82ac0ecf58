"""Runs 0141_auto_accept.sql."""

from cupola.platform.pg.migrate import run_sql

revision = "0141"
down_revision = "0140"


def upgrade() -> None:
    run_sql("0141_auto_accept.sql")
