"""Runs 0079_kept_figures.sql."""

from cupola.platform.pg.migrate import run_sql

revision = "0079"
down_revision = "0078"


def upgrade() -> None:
    run_sql("0079_kept_figures.sql")
