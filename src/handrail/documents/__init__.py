"""The documents that ship with the product: usable as they are, replaced by an organisation's own through a gate."""
