"""Whom a project is for: a readable expression over what is known of people, and why somebody is it or is not."""
