"""Runs 0089_rejections.sql."""

from cupola.platform.pg.migrate import run_sql

revision = "0089"
down_revision = "0088"


def upgrade() -> None:
    run_sql("0089_rejections.sql")
