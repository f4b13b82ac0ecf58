"""Paid exams: gold, an interval instead of a bare score, a wait before a retake, and a result that explains itself."""
