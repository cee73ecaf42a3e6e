"""The `handrail` command: noun-verb, `--json` everywhere."""
