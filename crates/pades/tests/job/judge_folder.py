"""pyHanko's word on every file of a folder, one line each: `NAME ok` or `NAME why not`."""

import pathlib
import sys

from pyhanko.keys import load_cert_from_pemder
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

folder, root = sys.argv[1:3]
context = ValidationContext(trust_roots=[load_cert_from_pemder(root)], revocation_mode="soft-fail")


def judge(path):
    with open(path, "rb") as file:
        signatures = PdfFileReader(file).embedded_signatures
        if len(signatures) != 2:
            return f"{len(signatures)} signatures"
        for signature in signatures:
            status = validate_pdf_signature(signature, context)
            level = status.modification_level
            if not status.bottom_line or level is None or level > ModificationLevel.FORM_FILLING:
                return f"{signature.field_name} {status.summary()}"
    return "ok"


for path in sorted(pathlib.Path(folder).glob("*.pdf")):
    try:
        verdict = judge(path)
    except Exception as error:  # a judge that fails has not accepted
        verdict = f"{type(error).__name__} {error}"
    print(path.name, " ".join(verdict.split())[:200])
