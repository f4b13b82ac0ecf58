"""Orders: what a client asks for in its own words, carried out by the foundry."""
