"""Runs 0060_models_of_every_strategy.sql."""

from cupola.platform.pg.migrate import run_sql

revision = "0060"
down_revision = "0052"


def upgrade() -> None:
    run_sql("0060_models_of_every_strategy.sql")
