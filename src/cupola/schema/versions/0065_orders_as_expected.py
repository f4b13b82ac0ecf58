"""Runs 0065_orders_as_expected.sql."""

from cupola.platform.pg.migrate import run_sql

revision = "0065"
down_revision = "0060"


def upgrade() -> None:
    run_sql("0065_orders_as_expected.sql")
