"""Runs 0008_teammates_are_people.sql."""

from cupola.platform.pg.migrate import run_sql

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    run_sql("0008_teammates_are_people.sql")
