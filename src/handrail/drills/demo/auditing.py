"""The end: Ada exports the record through the API and checks it with the stand-alone verifier, without Handrail."""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handrail.drills.demo.case import Case
from handrail.drills.demo.journal import Step, StepFailed
from handrail.record.export import verifier_source

_VERIFY_SECONDS = 60


@dataclass
class Auditing:
    """`vkey` is the record's public key as Ada wrote it down before anything happened."""

    case: Case
    out: Path
    vkey: str
    size: int = 0
    root: str = ""
    verified: bool = False

    @property
    def export(self) -> Path:
        return self.out / "record-export.zip"

    @property
    def verifier(self) -> Path:
        return self.out / "verify.py"

    def play(self) -> None:
        stage = self.case.stage
        stage.do(Step("export", "Ada", "exports the record"), self._export)
        stage.do(Step("verify", "Ada", "checks it offline, without Handrail"), self._verify)

    def as_json(self) -> dict[str, object]:
        return {"size": self.size, "root": self.root, "vkey": self.vkey, "verified": self.verified}

    def _export(self) -> str:
        self.case.stage.pause()
        kept = self.case.stage.world.server.data_dir / "checkpoints.log"
        # The copy is older than the export, as an outsider's is: it must not know more than what is checked.
        shutil.copyfile(kept, self._checkpoints)
        self.case.stage.cast["ada"].api.save("/record/export", self.export)
        self.verifier.write_bytes(verifier_source())
        return f"{self.export.stat().st_size / 1024:.0f} KiB: entries, alerts, evidence, signed checkpoints"

    def _verify(self) -> str:
        """Isolated from our own code: nothing of Handrail can be imported there."""
        command = [
            sys.executable, "-I", str(self.verifier), str(self.export), "--key", self.vkey,
            "--checkpoints", str(self._checkpoints), "--json",
        ]  # fmt: skip
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_VERIFY_SECONDS, check=False)
            report: dict[str, Any] = json.loads(done.stdout)
        except (subprocess.TimeoutExpired, ValueError) as error:
            raise StepFailed(f"The verifier did not come to a result: {error}") from error
        if done.returncode != 0 or not report["ok"]:
            raise StepFailed(
                f"The record does not hold: {'; '.join(one['sentence'] for one in report['findings'][:3])}"
            )
        self.size, self.root, self.verified = int(report["size"]), str(report["root"]), True
        return f"{self.size} entries, every link, signature and authority holds"

    @property
    def _checkpoints(self) -> Path:
        return self.case.stage.world.work_dir / "checkpoints-kept-outside.log"
