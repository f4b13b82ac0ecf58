"""`python -m cupola` is `cupola`."""

from cupola.app.cli import main

main()
