"""What the operator sees of a running process: metrics, logs with the request they belong to, traces."""
