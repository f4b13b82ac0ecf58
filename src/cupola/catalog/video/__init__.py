"""Videos as numbered pictures: the table that numbers them, and the pictures themselves, exact and in chunks."""
