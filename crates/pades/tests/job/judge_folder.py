"""The word of pyHanko and pdfsig on every file of a folder, one line each: `NAME ok` or `NAME judge: why not`."""

import multiprocessing
import pathlib
import subprocess
import sys

from pyhanko.keys import load_cert_from_pemder
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

folder, root = sys.argv[1:3]
SIGNATURES = 2
SECONDS = 120


def by_pyhanko(path):
    context = ValidationContext(trust_roots=[load_cert_from_pemder(root)], revocation_mode="soft-fail")
    with open(path, "rb") as file:
        signatures = PdfFileReader(file).embedded_signatures
        if len(signatures) != SIGNATURES:
            return f"{len(signatures)} signatures"
        for signature in signatures:
            status = validate_pdf_signature(signature, context)
            level = status.modification_level
            if not status.bottom_line or level is None or level > ModificationLevel.FORM_FILLING:
                return f"{signature.field_name} {status.summary()} {signature.diff_result}"
            # A security store comes after the last signature.
            if status.coverage < SignatureCoverageLevel.ENTIRE_REVISION:
                return f"{signature.field_name} covers {status.coverage.name}"
    return None


def by_pdfsig(path):
    said = subprocess.run(["pdfsig", "-nocert", path], capture_output=True, text=True, errors="replace", timeout=SECONDS)
    valid = said.stdout.count("Signature is Valid")
    return None if valid == SIGNATURES else f"{valid} of {SIGNATURES} signatures are valid"


def judge(path):
    refused = []
    for name, one in (("pyhanko", by_pyhanko), ("pdfsig", by_pdfsig)):
        try:
            why = one(path)
        except Exception as error:  # a judge that fails has not accepted
            why = f"{type(error).__name__} {error}"
        if why is not None:
            refused.append(f"{name}: {' '.join(why.split())[:1000]}")
    return f"{path.name} {'; '.join(refused) or 'ok'}"


with multiprocessing.get_context("fork").Pool() as pool:
    for line in pool.imap(judge, sorted(pathlib.Path(folder).glob("*.pdf")), chunksize=4):
        print(line, flush=True)
