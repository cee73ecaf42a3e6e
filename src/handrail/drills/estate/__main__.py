"""Run the practice estate by hand until Ctrl-C: `python -m handrail.drills.estate --dir D --webhook URL`."""

import argparse
import json
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import NoReturn

from handrail.drills.estate.estate import Estate
from handrail.drills.estate.topology import MONITOR, SERVICES
from handrail.kernel.errors import HandrailError, Refused


def main() -> None:
    """Start, print where everything stands as one JSON object on stdout, and wait."""
    options = _options()
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with Estate.start(
            options.dir, ports=dict(options.port), webhook_url=options.webhook, change_url=options.change,
            webhook_token=os.environ.get("ESTATE_WEBHOOK_TOKEN", ""), rate=options.rate,
            change_token=os.environ.get("ESTATE_CHANGE_TOKEN", ""), load_seconds=options.load_seconds,
            control_token=os.environ.get("ESTATE_CONTROL_TOKEN"),
        ) as estate:  # fmt: skip
            _stay(estate, options)
    except KeyboardInterrupt:
        pass
    except HandrailError as error:
        print(error.detail, file=sys.stderr)
        sys.exit(2 if isinstance(error, Refused) else 1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="handrail.drills.estate",
        description="Tokens are read from ESTATE_CONTROL_TOKEN, ESTATE_WEBHOOK_TOKEN and ESTATE_CHANGE_TOKEN.",
    )
    parser.add_argument("--dir", type=Path, required=True, help="folder for logs, deploys and catalog-info.yaml")
    parser.add_argument("--webhook", help="where alerts are posted, in Alertmanager's form")
    parser.add_argument("--change", help="where change events are posted, as CloudEvents")
    parser.add_argument(
        "--port", type=_port, action="append", default=[], metavar="NAME=PORT",
        help=f"port of {', '.join((*SERVICES, MONITOR))}; a free one without it",
    )  # fmt: skip
    parser.add_argument("--release", type=_release, action="append", default=[], metavar="SERVICE=VERSION",
                        help="ship this release right after the start")  # fmt: skip
    parser.add_argument("--rate", type=float, default=40.0, help="requests a second")
    parser.add_argument("--load-seconds", type=float, default=3600.0, help="the load stops by itself after so long")
    return parser.parse_args()


def _port(text: str) -> tuple[str, int]:
    name, _, port = text.partition("=")
    if not port.isdecimal() or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"“{text}” is not NAME=PORT with a port up to 65535")
    return name, int(port)


def _release(text: str) -> tuple[str, str]:
    service, _, version = text.partition("=")
    if service not in SERVICES or not version:
        raise argparse.ArgumentTypeError(f"“{text}” is not SERVICE=VERSION")
    return service, version


def _stay(estate: Estate, options: argparse.Namespace) -> NoReturn:
    """Wait until a signal comes; a process that dies on the way is told once."""
    facts = {
        "catalog": str(estate.catalog_path),
        "control_token_file": str(estate.work_dir / "control-token"),
        "services": {name: estate.control_url(name) for name in SERVICES},
        "signals": {name: estate.signal_url(name) for name in SERVICES},
        "pids": estate.pids(),
    }
    print(json.dumps(facts, indent=2), flush=True)
    for service, version in options.release:
        estate.release(service, version)
    told: set[str] = set()
    while True:
        time.sleep(1)
        for sentence in estate.ended():
            if sentence not in told:
                told.add(sentence)
                print(sentence, file=sys.stderr, flush=True)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
