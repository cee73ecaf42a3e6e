"""Run `python -m handrail ...` so that it ends soon after the process that started it, however that one ends."""

import runpy
import sys

from handrail.drills.estate.child import follow_parent

if __name__ == "__main__":
    follow_parent()
    sys.argv[0] = "handrail"
    runpy.run_module("handrail", run_name="__main__")
