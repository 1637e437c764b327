"""python peer.py FILE.pdf KEY.pem CERT.pem RUNS: pyHanko doing the same deferred signing, timed inside the process.

Prints one JSON object: {"prepare": [ms…], "complete": [ms…], "verify": [ms…], "peak_kb": N}. `prepare` is opening the file,
appending the signature revision in place and digesting it; `complete` is embedding a ready CMS; `verify` is opening and
validating the one signature. Imports and interpreter start are not counted.
"""

from __future__ import annotations

import asyncio
import json
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

from pyhanko.keys import load_cert_from_pemder, load_private_key_from_pemder
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import signers
from pyhanko.sign.signers.pdf_signer import PdfTBSDocument
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore


def main() -> int:
    source, key, certificate, runs = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
    signing_cert = load_cert_from_pemder(certificate)
    signer = signers.SimpleSigner(
        signing_cert=signing_cert,
        signing_key=load_private_key_from_pemder(key, passphrase=None),
        cert_registry=SimpleCertificateStore(),
    )
    metadata = signers.PdfSignatureMetadata(field_name="Signer1", md_algorithm="sha256")
    timings: dict[str, list[float]] = {"prepare": [], "complete": [], "verify": []}
    for _ in range(runs):
        with tempfile.NamedTemporaryFile(suffix=".pdf") as copy:
            shutil.copyfile(source, copy.name)
            with open(copy.name, "rb+") as file:
                began = time.perf_counter()
                writer = IncrementalPdfFileWriter(file, strict=False)
                pdf_signer = signers.PdfSigner(metadata, signer=signer)
                prepared, _, output = asyncio.run(
                    pdf_signer.async_digest_doc_for_signing(writer, in_place=True, bytes_reserved=65536)
                )
                timings["prepare"].append(since(began))
                cms = asyncio.run(
                    signer.async_sign(prepared.document_digest, digest_algorithm="sha256", use_pades=True)
                )
                began = time.perf_counter()
                PdfTBSDocument.finish_signing(output, prepared, cms)
                timings["complete"].append(since(began))
            with open(copy.name, "rb") as file:
                began = time.perf_counter()
                signature = PdfFileReader(file, strict=False).embedded_signatures[0]
                validate_pdf_signature(signature, ValidationContext(trust_roots=[signing_cert], allow_fetching=False))
                timings["verify"].append(since(began))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({**timings, "peak_kb": peak}))
    return 0


def since(began: float) -> float:
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    sys.exit(main())
