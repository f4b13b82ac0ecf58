"""Takes away what `kernel.retention` says is old: one sweeper for all kinds."""
