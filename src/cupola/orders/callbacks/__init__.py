"""Messages to a client about its orders, with retries."""
