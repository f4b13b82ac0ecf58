"""Runs 0007_two_auditors.sql."""

from cupola.platform.pg.migrate import run_sql

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    run_sql("0007_two_auditors.sql")
