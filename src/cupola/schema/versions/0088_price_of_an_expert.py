"""Runs 0088_price_of_an_expert.sql."""

from cupola.platform.pg.migrate import run_sql

revision = "0088"
down_revision = "0087"


def upgrade() -> None:
    run_sql("0088_price_of_an_expert.sql")
