"""Runs 0052_release_states.sql."""

from cupola.platform.pg.migrate import run_sql

revision = "0052"
down_revision = "0051"


def upgrade() -> None:
    run_sql("0052_release_states.sql")
