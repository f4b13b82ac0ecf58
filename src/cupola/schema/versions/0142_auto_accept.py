"""Runs 0142_auto_accept.sql."""

from cupola.platform.pg.migrate import run_sql

revision = "0142"
down_revision = "0141"


def upgrade() -> None:
    run_sql("0142_auto_accept.sql")
