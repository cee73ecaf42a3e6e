"""Real senders, unmodified, against a real server."""
