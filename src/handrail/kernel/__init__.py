"""Clock, ids, errors, canonical JSON, limits and secrets: what every layer may use. Imports nothing of ours."""
