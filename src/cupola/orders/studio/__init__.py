"""Who works on which project and batch: teammates, assignments, groups."""
