"""Version 2: strict about types, paged by tokens, expandable."""
