"""A corpus through the refinery: units of input, judged, compared, written; resumable, the same however divided."""
