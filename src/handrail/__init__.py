"""Handrail: a self-hosted major-incident platform in which machines move fast and people hold the rail."""

__version__ = "0.1.0"
