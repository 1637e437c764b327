"""pyHanko's word on one file: `judge.py FILE ROOT.pem`, without a network.

Every signature must be trusted with revocation from the security store alone, and have nothing after it
but updates for long-term validation.
"""

import sys

from pyhanko.keys import load_cert_from_pemder
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation import DocumentSecurityStore, validate_pdf_signature, validate_pdf_timestamp

path, root = sys.argv[1:3]
roots = [load_cert_from_pemder(root)]
with open(path, "rb") as file:
    reader = PdfFileReader(file, strict=True)
    store = DocumentSecurityStore.read_dss(reader)
    settings = {"trust_roots": roots, "allow_fetching": False, "retroactive_revinfo": True}

    def context():
        return store.as_validation_context({**settings, "revocation_mode": "hard-fail"})

    signatures, stamps = reader.embedded_regular_signatures, reader.embedded_timestamp_signatures
    if not signatures or not stamps:
        sys.exit(f"{len(signatures)} signatures, {len(stamps)} document time stamps")
    for signature in signatures:
        status = validate_pdf_signature(signature, context(), context())
        level = status.modification_level
        print(signature.field_name, status.coverage.name, level.name, "bottom line", status.bottom_line)
        if not (status.intact and status.valid and status.trusted and status.bottom_line):
            sys.exit(f"{signature.field_name}: {status.pretty_print_details()}")
        if level != ModificationLevel.LTA_UPDATES:
            sys.exit(f"{signature.field_name}: {level.name}")
    for stamp in stamps:
        status = validate_pdf_timestamp(stamp, context())
        if not (status.intact and status.valid and status.trusted):
            sys.exit(f"{stamp.field_name}: {status.summary()}")
