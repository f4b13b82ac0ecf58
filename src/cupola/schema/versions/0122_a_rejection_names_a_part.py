"""Runs 0122_a_rejection_names_a_part.sql."""

from cupola.platform.pg.migrate import run_sql

revision = "0122"
down_revision = "0121"


def upgrade() -> None:
    run_sql("0122_a_rejection_names_a_part.sql")
