"""Runs 0072_fewer_checks.sql."""

from cupola.platform.pg.migrate import run_sql

revision = "0072"
down_revision = "0071"


def upgrade() -> None:
    run_sql("0072_fewer_checks.sql")
