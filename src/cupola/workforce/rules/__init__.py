"""The 24 rules of work, each with what makes it hold and a query that looks for what breaks it."""
