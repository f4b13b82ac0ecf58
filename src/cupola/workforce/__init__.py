"""The people who work: the rules that protect them."""
