"""Runs 0003_membership_ends.sql."""

from cupola.platform.pg.migrate import run_sql

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    run_sql("0003_membership_ends.sql")
