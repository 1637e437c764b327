"""pyHanko once more, by the procedures of EN 319 102-1 (its `ades_lta_validation`) instead of its everyday ones: AdES-PASSED
for signatures with archive data, from proofs of existence.

No file holds the status of the authority that made its newest time stamp: whoever judges asks for that on the day. Here
the test PKI's responder and lists are asked once, after all files are made.
"""

from __future__ import annotations

import asyncio
import functools
import subprocess
from pathlib import Path

from .case import Case, Finding


def judge(case: Case, fields: list[str], pki: Path) -> Finding:
    """About the signatures in `fields`."""
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.ades.report import AdESPassed
    from pyhanko.sign.validation.ades import ades_lta_validation

    finding = Finding("ades")
    with case.pdf.open("rb") as handle:
        signatures = [one for one in PdfFileReader(handle).embedded_regular_signatures if one.field_name in fields]
        if len(signatures) != len(fields):
            finding.problems.append(f"found {len(signatures)} of the signatures in {fields}")
        for one in signatures:
            try:
                said = asyncio.run(ades_lta_validation(one, pdf_validation_spec=terms(case.trust, pki)))
            except Exception as error:  # every pyHanko failure is this judge's "no"
                finding.problems.append(f"{one.field_name}: {type(error).__name__}: {error}")
                continue
            if said.ades_subindic != AdESPassed.OK:
                finding.problems.append(f"{one.field_name}: {said.ades_subindic}: {said.failure_msg}")
            elif said.oldest_evidence_record_timestamp is None and said.signature_timestamp_status is None:
                finding.problems.append(f"{one.field_name}: believed without a time stamp")
    return finding


def terms(trust: Path, pki: Path):
    """Trust in the anchors alone, revocation required for everybody, with what is known today."""
    from asn1crypto import crl, ocsp
    from pyhanko.keys import load_cert_from_pemder, load_certs_from_pemder
    from pyhanko.sign.validation.policy_decl import LocalKnowledge, PdfSignatureValidationSpec, SignatureValidationSpec
    from pyhanko_certvalidator.context import CertValidationPolicySpec
    from pyhanko_certvalidator.policy_decl import CertRevTrustPolicy, RevocationCheckingPolicy
    from pyhanko_certvalidator.registry import SimpleTrustManager
    from pyhanko_certvalidator.revinfo.archival import CRLContainer, OCSPContainer

    response, lists = today(pki)
    known = LocalKnowledge(
        known_ocsps=OCSPContainer.load_multi(ocsp.OCSPResponse.load(response)),
        known_crls=[CRLContainer(crl.CertificateList.load(one)) for one in lists],
        known_certs=[load_cert_from_pemder(str(pki / "ca.pem"))],
    )
    policy = CertValidationPolicySpec(
        trust_manager=SimpleTrustManager.build(list(load_certs_from_pemder([str(trust)]))),
        revinfo_policy=CertRevTrustPolicy(RevocationCheckingPolicy.from_legacy("require")),
    )
    return PdfSignatureValidationSpec(SignatureValidationSpec(cert_validation_policy=policy, local_knowledge=known))


@functools.cache
def today(pki: Path) -> tuple[bytes, tuple[bytes, ...]]:
    """What the responder says of the time-stamping authority, and the lists of root and CA."""

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=pki, check=True, capture_output=True)

    openssl("ocsp", "-index", "ca.index", "-CA", "ca.pem", "-rsigner", "ocsp.pem", "-rkey", "ocsp.key",
            "-reqin", "tsa.ocsp-request", "-respout", "tsa.today.ocsp", "-ndays", "7")
    for authority in ("root", "ca"):
        openssl("ca", "-gencrl", "-config", "ca.cnf", "-name", f"{authority}_authority", "-out", f"{authority}.today.pem")
        openssl("crl", "-in", f"{authority}.today.pem", "-outform", "DER", "-out", f"{authority}.today.crl")
    lists = tuple((pki / f"{authority}.today.crl").read_bytes() for authority in ("root", "ca"))
    return (pki / "tsa.today.ocsp").read_bytes(), lists
