"""Runs 0040_consumers_by_tenant.sql."""

from cupola.platform.pg.migrate import run_sql

revision = "0040"
down_revision = "0009"


def upgrade() -> None:
    run_sql("0040_consumers_by_tenant.sql")
