"""Runs 0068_labels_by_hash.sql."""

from cupola.platform.pg.migrate import run_sql

revision = "0068"
down_revision = "0067"


def upgrade() -> None:
    run_sql("0068_labels_by_hash.sql")
