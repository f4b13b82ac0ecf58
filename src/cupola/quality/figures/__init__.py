"""What the dashboard shows of a project: counted, and kept where counting is dear."""
