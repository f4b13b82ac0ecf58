"""Runs 0090_files_handed_in.sql."""

from cupola.platform.pg.migrate import run_sql

revision = "0090"
down_revision = "0089"


def upgrade() -> None:
    run_sql("0090_files_handed_in.sql")
