"""The database schema: numbered SQL files, run forward only."""
