"""Paid training before the first page of a project: real tasks, and what was right is told after each."""
