"""Runs 0002_money_and_work.sql."""

from cupola.platform.pg.migrate import run_sql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    run_sql("0002_money_and_work.sql")
