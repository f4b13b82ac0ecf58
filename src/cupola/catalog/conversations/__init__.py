"""Conversations as items: what is said as parts of an item, in whichever shape it came."""
