"""Files that people hand in as answers to a form."""
