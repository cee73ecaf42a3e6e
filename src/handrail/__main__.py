"""`python -m handrail` is the `handrail` command."""

from handrail.cli.main import main

main()
