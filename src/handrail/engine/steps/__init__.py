"""The machine steps: each one short, each reporting back as a command."""
