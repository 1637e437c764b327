"""`mutool sign -v`: mupdf's opinion on the digest and on edits after signing. It does not know our anchors."""

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
        if "edits since signing" in line or "Digest Mismatch" in line:
            finding.problems.append(line.strip())
    return finding
