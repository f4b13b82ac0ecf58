"""Runs 0041_invitations.sql."""

from cupola.platform.pg.migrate import run_sql

revision = "0041"
down_revision = "0040"


def upgrade() -> None:
    run_sql("0041_invitations.sql")
