"""Single tasks: what orders need beside whole datasets."""
