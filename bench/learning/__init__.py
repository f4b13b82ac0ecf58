"""What the learning loop is worth, with random and fixed arms in the same run."""
