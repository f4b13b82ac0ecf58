"""What the public client of Scale's interface speaks: a translator over the orders' services. No SQL, no state."""
