"""The few statements that a database server needs before there is a schema."""

from __future__ import annotations

DATABASE = "cupola"
# One line: the single-user backend reads a statement a line.
CREATE_DATABASE = f"CREATE DATABASE {DATABASE}\n"
