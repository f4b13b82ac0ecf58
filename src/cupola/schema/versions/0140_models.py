"""Runs 0140_models.sql."""

from cupola.platform.pg.migrate import run_sql

revision = "0140"
down_revision = "0122"


def upgrade() -> None:
    run_sql("0140_models.sql")
