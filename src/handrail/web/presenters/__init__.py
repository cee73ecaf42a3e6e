"""From what the store knows to what a page shows: pure functions, one module for each part of a page."""
