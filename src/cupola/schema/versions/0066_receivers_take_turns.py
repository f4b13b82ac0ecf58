"""Runs 0066_receivers_take_turns.sql."""

from cupola.platform.pg.migrate import run_sql

revision = "0066"
down_revision = "0065"


def upgrade() -> None:
    run_sql("0066_receivers_take_turns.sql")
