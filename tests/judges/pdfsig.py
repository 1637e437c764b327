"""poppler's pdfsig with an NSS database that trusts exactly our anchors.

pdfsig judges the CMS and the chain. It does not see changes after signing (it calls every shadow attack valid) and does
not check document time stamps, so it is never asked alone.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

from .case import Case, Finding, run

PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.S)


def judge(case: Case) -> Finding:
    finding = Finding("pdfsig")
    for tool in ("pdfsig", "certutil"):
        if shutil.which(tool) is None:
            finding.missing = f"{tool} is not installed (apt-get install poppler-utils libnss3-tools)"
            return finding

    with tempfile.TemporaryDirectory(prefix="judge-nss-") as folder:
        database = trusting(Path(folder), case.trust)
        answer = run("pdfsig", "-nssdir", database, case.pdf)

    blocks = re.split(r"^Signature #\d+:$", answer.stdout, flags=re.M)[1:]
    signatures = [block for block in blocks if "ETSI.RFC3161" not in block]
    if not signatures:
        finding.problems.append(f"found no signature: {(answer.stdout + answer.stderr).strip()[:300]}")
    if case.signatures is not None and len(signatures) != case.signatures:
        finding.problems.append(f"found {len(signatures)} signatures, not {case.signatures}")
    for number, block in enumerate(signatures, start=1):
        said = dict(re.findall(r"^\s+- ([^:\n]+): ?(.*)$", block, flags=re.M))
        finding.details.append(said)
        if said.get("Signature Validation") != "Signature is Valid.":
            finding.problems.append(f"signature {number}: {said.get('Signature Validation')}")
        if said.get("Certificate Validation") != "Certificate is Trusted.":
            finding.problems.append(f"signature {number}: {said.get('Certificate Validation')}")
    return finding


def trusting(folder: Path, anchors: Path) -> str:
    """An NSS database in `folder` that trusts every certificate of the PEM file `anchors`."""
    database = f"sql:{folder}"
    run("certutil", "-N", "-d", database, "--empty-password")
    for number, pem in enumerate(PEM.findall(anchors.read_text())):
        one = folder / f"anchor-{number}.pem"
        one.write_text(pem + "\n")
        run("certutil", "-A", "-d", database, "-n", f"anchor-{number}", "-t", "CT,C,C", "-i", one)
    return database
