"""The commands, a file for each kind of work; `app.cli` loads a file when one of its commands is run."""
