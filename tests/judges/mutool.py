"""`mutool sign -v`: mupdf's opinion on the digests. It does not know our anchors, and it calls every filled field an
edit, so what it says about edits is passed on but decides nothing."""

from __future__ import annotations

import shutil

from .case import Case, Finding, run


def judge(case: Case) -> Finding:
    finding = Finding("mutool")
    if shutil.which("mutool") is None:
        finding.missing = "mutool is not installed (apt-get install mupdf-tools)"
        return finding
    answer = run("mutool", "sign", "-v", case.pdf)
    finding.details.append({"said": answer.stdout.strip()})
    for line in answer.stdout.splitlines():
        if "digest" in line.lower() and "unchanged" not in line:
            finding.problems.append(line.strip())
    return finding
