"""A source's severities, rate and tried payloads at the command line, against a real server."""

from pathlib import Path
from typing import Any

from tests.cli.conftest import Cast


def test_severities_are_shown_set_and_unset(cast: Cast) -> None:
    cast.maria("source", "add", "zbx", "--integration", "zabbix")
    assert "warning" in cast.maria("source", "severities", "zbx").out
    cast.maria("source", "severities", "zbx", "--set", "Warning=high", "--set", "not classified=low")
    done = cast.maria("source", "severities", "zbx", "--unset", "not classified", "--label", "labels.prio")
    assert "warning is high" in done.err + done.out
    shown: Any = cast.maria.json("source", "severities", "zbx")
    assert (shown["words"], shown["label"]) == ({"warning": "high"}, "prio")
    assert "no severity" in cast.maria("source", "severities", "zbx", "--set", "a=urgent", code=2).err
    assert "WORD=SEVERITY" in cast.maria("source", "severities", "zbx", "--set", "a", code=2).err
    cast.maria("source", "severities", "zbx", "--unset", "never", code=2)


def test_a_payload_is_tried_and_a_rate_set(cast: Cast, tmp_path: Path) -> None:
    cast.maria("source", "add", "hooks", "--integration", "generic")
    file = tmp_path / "payload.json"
    file.write_text('{"title": "Disk nearly full", "severity": "Ouch"}')
    out = cast.maria("source", "try", "hooks", str(file), "--header", "Content-Type: application/json").out
    assert "Disk nearly full" in out
    tried: Any = cast.maria.json("source", "try", "hooks", str(file))
    assert (tried["alerts"][0]["severity"], tried["alerts"][0]["is_known_word"]) == ("medium", False)
    cast.maria("source", "rate", "hooks", "--per-second", "50")
    assert cast.maria.json("source", "show", "hooks")["source"]["alerts_per_second"] == 50
    assert "50 a second" in cast.maria("source", "show", "hooks").out
    cast.maria("source", "rate", "hooks", "--off")
    cast.maria("source", "rate", "hooks", code=2)
