"""Asks pyHanko about every signature of a file: intact, valid, trusted, and no change worse than form filling."""

import sys

from pyhanko.keys import load_cert_from_pemder
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

path, root = sys.argv[1:3]
with open(path, "rb") as file:
    reader = PdfFileReader(file)
    context = ValidationContext(trust_roots=[load_cert_from_pemder(root)], revocation_mode="soft-fail")
    signatures = reader.embedded_signatures
    if not signatures:
        sys.exit("no signatures")
    for signature in signatures:
        status = validate_pdf_signature(signature, context)
        level = status.modification_level
        print(signature.field_name, status.coverage.name, level.name, "bottom line", status.bottom_line)
        worse = level is not None and level > ModificationLevel.FORM_FILLING
        if not (status.intact and status.valid and status.trusted and status.docmdp_ok and status.bottom_line) or worse:
            sys.exit(f"{signature.field_name}: {status.pretty_print_details()}")
