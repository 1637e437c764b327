"""`qpdf --check`: cross-references, lengths and structure. A warning (exit 3) counts as a problem."""

from __future__ import annotations

import shutil

from .case import Case, Finding, run


def judge(case: Case) -> Finding:
    finding = Finding("qpdf")
    if shutil.which("qpdf") is None:
        finding.missing = "qpdf is not installed (apt-get install qpdf)"
        return finding
    answer = run("qpdf", "--check", case.pdf)
    if answer.returncode != 0:
        said = (answer.stderr or answer.stdout).strip().splitlines()
        finding.problems.append(f"exit {answer.returncode}: " + "; ".join(said[:5]))
    return finding
