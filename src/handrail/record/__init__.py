"""The append-only, hash-linked, signed log: the only writer of state and the only source of truth."""
