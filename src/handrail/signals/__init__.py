"""Alerts and changes at volume: receive, normalise, deduplicate, correlate."""
