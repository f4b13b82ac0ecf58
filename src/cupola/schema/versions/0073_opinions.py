"""Runs 0073_opinions.sql."""

from cupola.platform.pg.migrate import run_sql

revision = "0073"
down_revision = "0072"


def upgrade() -> None:
    run_sql("0073_opinions.sql")
