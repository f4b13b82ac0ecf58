"""Other programs' interfaces, spoken over our own services."""
