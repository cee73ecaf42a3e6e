"""The `handrail` command with one point armed: when the trigger file is there, reaching the point kills the process."""

import os
import signal
from pathlib import Path

from handrail.cli.main import main
from handrail.kernel.points import arm

trigger = Path(os.environ["CRASH_TRIGGER"])


def hook(point: str) -> None:
    if trigger.exists() and trigger.read_text() == point:
        trigger.unlink()
        os.kill(os.getpid(), signal.SIGKILL)


for name in os.environ["CRASH_POINTS"].split(","):
    arm(name, lambda name=name: hook(name))  # type: ignore[misc]

main()
