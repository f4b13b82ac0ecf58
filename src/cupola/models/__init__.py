"""Models that learn from what people settle: registered, fitted, heard as opinions, and trusted alone only as far as a
certificate goes."""
