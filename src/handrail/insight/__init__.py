"""Outcome measures computed from the record."""
