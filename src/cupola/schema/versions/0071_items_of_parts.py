"""Runs 0071_items_of_parts.sql."""

from cupola.platform.pg.migrate import run_sql

revision = "0071"
down_revision = "0070"


def upgrade() -> None:
    run_sql("0071_items_of_parts.sql")
