"""Runs 0067_blind_auditors.sql."""

from cupola.platform.pg.migrate import run_sql

revision = "0067"
down_revision = "0066"


def upgrade() -> None:
    run_sql("0067_blind_auditors.sql")
