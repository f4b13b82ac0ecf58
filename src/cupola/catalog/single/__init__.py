"""Single items: what orders need beside whole imports."""
