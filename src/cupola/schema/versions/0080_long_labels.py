"""Runs 0080_long_labels.sql."""

from cupola.platform.pg.migrate import run_sql

revision = "0080"
down_revision = "0079"


def upgrade() -> None:
    run_sql("0080_long_labels.sql")
