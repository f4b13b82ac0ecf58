"""A run as one file of HTML that needs no network: what went, why, with samples, and what other thresholds would do."""
