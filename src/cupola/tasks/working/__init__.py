"""Where contributors work: the statements of their verbs, and what is remembered of where their pages live."""
