"""Runs 0086_price_of_an_expert.sql."""

from cupola.platform.pg.migrate import run_sql

revision = "0086"
down_revision = "0084"


def upgrade() -> None:
    run_sql("0086_price_of_an_expert.sql")
