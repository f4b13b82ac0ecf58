"""Projects of orders: parameters with their history, and batches."""
