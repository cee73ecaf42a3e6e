"""Scores of the methods that the product ships, on public benchmark data: one configuration for all of it."""
