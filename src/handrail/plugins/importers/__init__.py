"""Importers: each reads what another system knows of services. Nothing takes effect by reading; see `contract`."""
