"""Alembic's entry: run the pending revisions on the connection it was handed."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, version_table_schema="cupola")
with context.begin_transaction():
    context.run_migrations()
