"""Files that orders refer to: uploaded, or fetched when they are first needed."""
