"""Runs 0078_settlement_parts.sql."""

from cupola.platform.pg.migrate import run_sql

revision = "0078"
down_revision = "0077"


def upgrade() -> None:
    run_sql("0078_settlement_parts.sql")
