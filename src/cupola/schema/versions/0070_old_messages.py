"""Runs 0070_old_messages.sql."""

from cupola.platform.pg.migrate import run_sql

revision = "0070"
down_revision = "0069"


def upgrade() -> None:
    run_sql("0070_old_messages.sql")
