"""Runs 0050_notes_of_imports.sql."""

from cupola.platform.pg.migrate import run_sql

revision = "0050"
down_revision = "0042"


def upgrade() -> None:
    run_sql("0050_notes_of_imports.sql")
