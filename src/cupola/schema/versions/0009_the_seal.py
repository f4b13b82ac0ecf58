"""Runs 0009_the_seal.sql."""

from cupola.platform.pg.migrate import run_sql

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    run_sql("0009_the_seal.sql")
