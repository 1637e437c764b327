"""poppler's pdfsig with an NSS database that trusts exactly our anchors.

pdfsig judges the CMS and the chain. It does not see changes after signing (it calls every shadow attack valid) and does
not check document time stamps, so it is never asked alone.
"""

from __future__ import annotations

import functools
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

    answer = run("pdfsig", "-no-ocsp", "-nssdir", f"sql:{trusting(case.trust).name}", case.pdf)

    blocks = re.split(r"^Signature #\d+:$", answer.stdout, flags=re.M)[1:]
    # pdfsig calls a document time stamp a signature of unknown type, and does not look at it.
    signatures = [block for block in blocks if "Signature Type: unknown" not in block]
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


@functools.cache
def trusting(anchors: Path) -> tempfile.TemporaryDirectory:
    """A folder with an NSS database that trusts every certificate of a PEM file; it goes when the process ends."""
    folder = tempfile.TemporaryDirectory(prefix="judge-nss-")
    database = f"sql:{folder.name}"
    run("certutil", "-N", "-d", database, "--empty-password")
    for number, pem in enumerate(PEM.findall(anchors.read_text())):
        one = Path(folder.name) / f"anchor-{number}.pem"
        one.write_text(pem + "\n")
        run("certutil", "-A", "-d", database, "-n", f"anchor-{number}", "-t", "CT,C,C", "-i", one)
    return folder
