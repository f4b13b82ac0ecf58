"""Runs 0121_payouts.sql."""

from cupola.platform.pg.migrate import run_sql

revision = "0121"
down_revision = "0120"


def upgrade() -> None:
    run_sql("0121_payouts.sql")
