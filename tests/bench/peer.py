"""python peer.py FILE.pdf SIGNED_FOLDER KEY.pem CERT.pem RUNS: pyHanko doing the same work.

It times itself, in processor time. Prints a line of JSON when an operation begins, `{"operation": …}`, and when it is done, with `"ms"` and `"peak_kb"`.
`prepare` is opening the file, appending the signature revision in place and digesting it; `complete` is checking a ready
CMS against that digest and embedding it; `verify…` is opening a file of SIGNED_FOLDER and validating every signature in
it. Nothing of pyHanko's does what `ingest` and `provision` do. Imports and interpreter start are not counted. The
operations that may take minutes come last.
"""

from __future__ import annotations

import asyncio
import json
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from pyhanko.keys import load_cert_from_pemder, load_private_key_from_pemder
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import signers
from pyhanko.sign.signers.pdf_signer import PdfTBSDocument
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.generic_cms import validate_sig_integrity
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

# What `SignRequest::room_for` adds to the certificate.
ROOM = 14 << 10
# Beyond this, one measurement has to do.
LONG_MS = 5000


def main() -> int:
    source, signed = Path(sys.argv[1]), Path(sys.argv[2])
    key, certificate, runs = sys.argv[3], sys.argv[4], int(sys.argv[5])
    signing_cert = load_cert_from_pemder(certificate)
    signer = signers.SimpleSigner(
        signing_cert=signing_cert,
        signing_key=load_private_key_from_pemder(key, passphrase=None),
        cert_registry=SimpleCertificateStore(),
    )
    sign(source, signer, signing_cert, runs)
    for operation in ("verify", "verify-two", "verify-five"):
        repeat(operation, runs, lambda operation=operation: verify(signed / f"{operation}.pdf", signing_cert))
    return 0


def sign(source: Path, signer: signers.SimpleSigner, certificate: object, runs: int) -> None:
    metadata = signers.PdfSignatureMetadata(field_name="Signer1", md_algorithm="sha256")
    # The room that is measured against, in hex digits.
    digits = 2 * (len(certificate.dump()) + ROOM)
    for _ in range(runs):
        with tempfile.NamedTemporaryFile(suffix=".pdf") as copy:
            shutil.copyfile(source, copy.name)
            with open(copy.name, "rb+") as file:
                say("prepare")
                began = time.process_time()
                writer = IncrementalPdfFileWriter(file, strict=False)
                pdf_signer = signers.PdfSigner(metadata, signer=signer)
                prepared, _, output = asyncio.run(
                    pdf_signer.async_digest_doc_for_signing(writer, in_place=True, bytes_reserved=digits)
                )
                say("prepare", since(began))
                digest = prepared.document_digest
                cms = asyncio.run(signer.async_sign(digest, digest_algorithm="sha256", use_pades=True))
                signer_info = cms["content"]["signer_infos"][0]
                began = time.process_time()
                intact, valid = validate_sig_integrity(signer_info, certificate, "data", digest)
                assert intact and valid
                PdfTBSDocument.finish_signing(output, prepared, cms)
                say("complete", since(began))


def verify(signed: Path, certificate: object) -> float:
    with open(signed, "rb") as file:
        began = time.process_time()
        for signature in PdfFileReader(file, strict=False).embedded_signatures:
            status = validate_pdf_signature(
                signature, ValidationContext(trust_roots=[certificate], allow_fetching=False)
            )
            assert status.intact and status.valid
        return since(began)


def repeat(operation: str, runs: int, work: Callable[[], float]) -> None:
    for _ in range(runs):
        say(operation)
        ms = work()
        say(operation, ms)
        if ms > LONG_MS:
            break


def say(operation: str, ms: float | None = None) -> None:
    line: dict[str, object] = {"operation": operation}
    if ms is not None:
        line |= {"ms": ms, "peak_kb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}
    print(json.dumps(line), flush=True)


def since(began: float) -> float:
    return (time.process_time() - began) * 1000


if __name__ == "__main__":
    sys.exit(main())
