"""A model that settles alone, as far as a certificate goes, and the watch over it."""
