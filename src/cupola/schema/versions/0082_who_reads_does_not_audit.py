"""Runs 0082_who_reads_does_not_audit.sql."""

from cupola.platform.pg.migrate import run_sql

revision = "0082"
down_revision = "0081"


def upgrade() -> None:
    run_sql("0082_who_reads_does_not_audit.sql")
