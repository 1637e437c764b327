"""Has pyHanko sign at PAdES B-LTA: `make.py IN OUT FOLDER`. The folder holds `NAME.der` and `NAME.key` of root, ca, signer
and rsa-tsa, and `*.ocsp` and `*.crl`; nothing is fetched."""

import pathlib
import sys

from asn1crypto import crl, ocsp, x509
from pyhanko.keys import load_private_key_from_pemder
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

source, target, folder = sys.argv[1:4]
folder = pathlib.Path(folder)


def certificate(name):
    return x509.Certificate.load((folder / f"{name}.der").read_bytes())


def key(name):
    return load_private_key_from_pemder(folder / f"{name}.key", passphrase=None)


root, ca, signer, tsa = map(certificate, ["root", "ca", "signer", "rsa-tsa"])
store = SimpleCertificateStore()
store.register_multiple([root, ca])
context = ValidationContext(
    trust_roots=[root],
    other_certs=[ca, tsa],
    allow_fetching=False,
    revocation_mode="soft-fail",
    ocsps=[ocsp.OCSPResponse.load(path.read_bytes()) for path in sorted(folder.glob("*.ocsp"))],
    crls=[crl.CertificateList.load(path.read_bytes()) for path in sorted(folder.glob("*.crl"))],
)
with open(source, "rb") as file, open(target, "wb") as out:
    signers.sign_pdf(
        IncrementalPdfFileWriter(file),
        signers.PdfSignatureMetadata(
            field_name="Foreign",
            md_algorithm="sha256",
            subfilter=SigSeedSubFilter.PADES,
            validation_context=context,
            embed_validation_info=True,
            use_pades_lta=True,
        ),
        signer=signers.SimpleSigner(signing_cert=signer, signing_key=key("signer"), cert_registry=store),
        timestamper=DummyTimeStamper(tsa_cert=tsa, tsa_key=key("rsa-tsa"), certs_to_embed=store),
        output=out,
    )
