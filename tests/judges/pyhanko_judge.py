"""pyHanko: trust, integrity, coverage, modification level, time stamps, with revocation from the DSS only.

A document with a security store is judged in `hard-fail` mode: every certificate that names a CRL or OCSP address needs
an answer from the store. Without one (B-B, B-T) revocation is not asked, because the judge must not use the network.
"""

from __future__ import annotations

from .case import Case, Finding


def judge(case: Case) -> Finding:
    finding = Finding("pyhanko")
    try:
        from pyhanko.keys import load_certs_from_pemder
        from pyhanko.pdf_utils.reader import PdfFileReader
        from pyhanko.sign.diff_analysis import ModificationLevel
        from pyhanko.sign.validation import validate_pdf_signature, validate_pdf_timestamp
        from pyhanko.sign.validation.dss import DocumentSecurityStore
        from pyhanko.sign.validation.errors import NoDSSFoundError
        from pyhanko.sign.validation.status import SignatureCoverageLevel
        from pyhanko_certvalidator import ValidationContext
    except ImportError as missing:
        finding.missing = f"{missing}: make venv"
        return finding

    roots = list(load_certs_from_pemder([str(case.trust)]))

    def context(reader: PdfFileReader) -> ValidationContext:
        settings = {"trust_roots": roots, "allow_fetching": False, "retroactive_revinfo": True}
        try:
            store = DocumentSecurityStore.read_dss(reader)
        except NoDSSFoundError:
            return ValidationContext(**settings, revocation_mode="soft-fail")
        return store.as_validation_context({**settings, "revocation_mode": "hard-fail"})

    def integrity(name: str, status, last: bool) -> None:
        if not status.intact:
            finding.problems.append(f"{name}: digest does not match")
        if not status.valid:
            finding.problems.append(f"{name}: signature value does not verify")
        if not status.trusted:
            finding.problems.append(f"{name}: not trusted: {status.summary()}")
        wanted = SignatureCoverageLevel.ENTIRE_FILE if last else SignatureCoverageLevel.ENTIRE_REVISION
        if status.coverage < wanted:
            finding.problems.append(f"{name}: coverage is {status.coverage.name}")
        level = status.modification_level
        if level is None or level > ModificationLevel.FORM_FILLING:
            finding.problems.append(f"{name}: modification level is {level.name if level else 'unknown'}")
        if status.docmdp_ok is False:
            finding.problems.append(f"{name}: breaks a DocMDP or FieldMDP lock")
        # The status of a document time stamp has no bottom line: it is intact, valid and trusted, or it is not.
        if not getattr(status, "bottom_line", True):
            finding.problems.append(f"{name}: pyHanko's bottom line is no: {status.summary()}")
        finding.details.append({"field": name, "summary": status.summary(), "coverage": status.coverage.name})

    with case.pdf.open("rb") as handle:
        try:
            reader = PdfFileReader(handle, strict=True)
            embedded = list(reader.embedded_signatures)
        except Exception as error:  # every pyHanko failure is this judge's "no"
            finding.problems.append(f"cannot be read: {type(error).__name__}: {error}")
            return finding
        regular = [one for one in embedded if one.sig_object_type == "/Sig"]
        if not regular:
            finding.problems.append("holds no signature")
        if case.signatures is not None and len(regular) != case.signatures:
            finding.problems.append(f"holds {len(regular)} signatures, not {case.signatures}")
        # A DSS revision after the last signature leaves that one at ENTIRE_REVISION.
        newest = max((one.signed_revision for one in embedded), default=0)
        for one in embedded:
            last = one.signed_revision == newest and newest == reader.xrefs.total_revisions - 1
            try:
                if one.sig_object_type == "/Sig":
                    status = validate_pdf_signature(one, context(reader), context(reader))
                    stamp = status.timestamp_validity
                    if stamp is not None and not (stamp.valid and stamp.intact and stamp.trusted):
                        finding.problems.append(f"{one.field_name}: time stamp: {stamp.summary()}")
                    if stamp is not None:
                        finding.details.append({"field": one.field_name, "timestamp": stamp.timestamp.isoformat()})
                else:
                    status = validate_pdf_timestamp(one, context(reader))
                integrity(one.field_name, status, last)
            except Exception as error:
                finding.problems.append(f"{one.field_name}: {type(error).__name__}: {error}")
    return finding
