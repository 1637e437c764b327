"""Every earlier revision is a byte-for-byte prefix of the next one and of the released file."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from .case import Case, Finding

CHUNK = 1 << 20


def judge(case: Case) -> Finding:
    finding = Finding("prefix")
    for earlier, later in pairwise([*case.bases, case.pdf]):
        at = first_difference(earlier, later)
        if at is not None:
            finding.problems.append(f"{later.name} differs from {earlier.name} at byte {at}")
    return finding


def first_difference(earlier: Path, later: Path) -> int | None:
    """Offset of the first byte of `earlier` that `later` lacks or changes; `None` if it is a prefix."""
    at = 0
    with earlier.open("rb") as left, later.open("rb") as right:
        while old := left.read(CHUNK):
            new = right.read(len(old))
            if old != new:
                return at + next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), len(new))
            at += len(old)
    return None
