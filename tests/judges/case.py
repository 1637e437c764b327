"""What a judge is given, and what it answers."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

TOOL_TIMEOUT_SECONDS = 120


@dataclass(frozen=True)
class Case:
    """One released PDF and everything needed to judge it."""

    pdf: Path
    trust: Path
    """Trust anchors, PEM, one or more certificates."""
    bases: tuple[Path, ...] = ()
    """Earlier revisions, oldest first; each must be a byte prefix of the next and of `pdf`."""
    pages_of: Path | None = None
    """The PDF whose pages must still be there, and whose conformance is kept."""
    signatures: int | None = None
    """How many signatures (document time stamps not counted) the file must hold."""
    level: str | None = None
    """The level (B-B … B-LTA) that every signature of ours must have."""


@dataclass
class Finding:
    """One judge's answer. `details` is whatever helps a person who reads a failure."""

    judge: str
    problems: list[str] = field(default_factory=list)
    details: list[dict] = field(default_factory=list)
    missing: str | None = None
    """Set when the judge could not be asked at all (its tool is not installed)."""

    @property
    def ok(self) -> bool:
        return self.missing is None and not self.problems

    def as_json(self) -> dict:
        return {
            "judge": self.judge,
            "ok": self.ok,
            "missing": self.missing,
            "problems": self.problems,
            "details": self.details,
        }


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a tool without a shell, in the C locale so that its sentences can be matched."""
    return subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=TOOL_TIMEOUT_SECONDS,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC", "HOME": "/nonexistent"},
        check=False,
    )
