from pathlib import Path

from handrail.drills.estate.deploys import Deploy, DeployLog


def deploy(number: int) -> Deploy:
    return Deploy(f"k{number}", "payments", "2.4.1", "2.4.0", None, "2026-01-05T09:00:00.000000Z", number)


def test_a_log_that_does_not_exist_is_empty(tmp_path: Path) -> None:
    log = DeployLog(tmp_path / "deploys.jsonl")
    assert len(log) == 0 and log.last is None and log.find("k1") is None


def test_deploys_are_known_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "deploys.jsonl"
    DeployLog(path).append(deploy(1))
    DeployLog(path).append(deploy(2))
    log = DeployLog(path)
    assert (len(log), log.last, log.find("k1")) == (2, deploy(2), deploy(1))


def test_a_line_torn_by_a_crash_never_happened_and_spoils_nothing(tmp_path: Path) -> None:
    path = tmp_path / "deploys.jsonl"
    DeployLog(path).append(deploy(1))
    with path.open("ab") as file:
        file.write(b'{"key": "k2", "serv')
    log = DeployLog(path)
    assert log.find("k2") is None
    log.append(deploy(2))
    assert DeployLog(path).last == deploy(2)
