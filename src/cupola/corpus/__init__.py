"""Corpus: text at scale, from polluted to refined. Pure numerics: Arrow in, Arrow out; no database, no server."""
