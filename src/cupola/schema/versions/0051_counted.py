"""Runs 0051_counted.sql."""

from cupola.platform.pg.migrate import run_sql

revision = "0051"
down_revision = "0050"


def upgrade() -> None:
    run_sql("0051_counted.sql")
