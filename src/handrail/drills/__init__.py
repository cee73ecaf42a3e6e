"""The practice estate and the demonstration that plays a real outage on it."""
