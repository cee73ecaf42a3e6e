"""Integrations and actions: one folder each, one contract each."""
