"""Files that others sign, for our verifier: pyHanko, EU DSS and PDFBox, with the keys and data of the test PKI.

Every algorithm at every level that the tool makes, then the other kinds of input; and each file once more with one byte
changed that its signature covers.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from . import jvm

ALGORITHMS = ("rsa-2048", "rsa-3072", "rsa-4096", "pss", "p-256", "p-384")
LEVELS = ("B-B", "B-T", "B-LT", "B-LTA")
KINDS = ("stream", "hybrid", "linearised", "rotated", "acroform", "tagged-pdfa-2a", "500-pages")
"""Besides `classic`, which is signed in every way."""
NO_LEVEL = "none"
"""Of a signature that is no PAdES baseline signature."""


@dataclass(frozen=True)
class Made:
    """A file that another tool signed."""

    name: str
    file: Path
    level: str
    tampered: bool = False


def made(inputs: Path, pki: Path, out: Path) -> list[Made]:
    """All of them, written to `out`. Without a JVM only those of pyHanko."""
    out.mkdir(exist_ok=True)
    files = [*by_pyhanko(inputs, pki, out), *(by_jvm(inputs, pki, out) if jvm.trouble() is None else [])]
    return files + [tampered(one) for one in files]


def by_pyhanko(inputs: Path, pki: Path, out: Path) -> Iterator[Made]:
    cases = [("classic", algorithm, level) for algorithm in ALGORITHMS for level in LEVELS]
    # pyHanko refuses to sign hybrid files.
    cases += [(kind, "p-256", "B-LT") for kind in KINDS if kind != "hybrid"]
    for kind, algorithm, level in cases:
        name = f"pyhanko.{kind}.{algorithm}.{level}"
        file = out / f"{name}.pdf"
        file.write_bytes(signed((inputs / f"{kind}.pdf").read_bytes(), pki, algorithm, level))
        yield Made(name, file, level)


def by_jvm(inputs: Path, pki: Path, out: Path) -> list[Made]:
    """EU DSS at every level; PDFBox, which makes no more than B-B, and the form that came before PAdES."""
    cases = [("dss", "classic", algorithm, level) for algorithm in ALGORITHMS for level in LEVELS]
    cases += [("dss", kind, "p-256", "B-LT") for kind in KINDS]
    cases += [("pdfbox", "classic", algorithm, "B-B") for algorithm in ALGORITHMS]
    cases += [("pdfbox", kind, "p-256", "B-B") for kind in KINDS]
    cases += [("pdfbox", "classic", algorithm, NO_LEVEL) for algorithm in ("rsa-2048", "p-256")]
    files, requests = [], []
    for tool, kind, algorithm, level in cases:
        name = f"{tool}.{kind}.{algorithm}.{level}"
        files.append(Made(name, out / f"{name}.pdf", level))
        requests.append({
            "id": name,
            "file": inputs / f"{kind}.pdf",
            "out": files[-1].file,
            "ask": [f"sign:{tool}"],
            "level": f"PAdES-BASELINE-{level.removeprefix('B-')}",
            "form": "pkcs7" if level == NO_LEVEL else "pades",
            "pss": algorithm == "pss",
            "signer": {"key": pki / f"{algorithm}.key", "chain": [pki / f"{algorithm}.pem", pki / "ca.pem"]},
            "stamper": {"key": pki / "tsa.key", "chain": [pki / "tsa.pem", pki / "ca.pem"]},
            **data(pki, algorithm),
        })
    answers = jvm.ask(requests)
    refused = [f"{name}: {said['error']}" for name, one in answers.items() for said in one.values()
               if isinstance(said, dict) and "error" in said]
    if refused:
        raise RuntimeError("not signed: " + "; ".join(refused))
    return files


def data(pki: Path, algorithm: str) -> dict:
    """The anchor and all revocation data, for the judges on a JVM."""
    return {
        "trust": [pki / "root.pem"],
        "crls": [pki / "root.crl", pki / "ca.crl"],
        "ocsps": [pki / f"{name}.ocsp" for name in (algorithm, "tsa")],
    }


def tampered(one: Made) -> Made:
    """The same with one bit turned in the comment of the second line: covered, and nothing that a reader stumbles over."""
    content = bytearray(one.file.read_bytes())
    content[content.index(b"\n%") + 2] ^= 1
    file = one.file.with_suffix(".tampered.pdf")
    file.write_bytes(content)
    return Made(f"{one.name}.tampered", file, one.level, tampered=True)


def signed(pdf: bytes, pki: Path, algorithm: str, level: str) -> bytes:
    from pyhanko.keys import load_cert_from_pemder, load_private_key_from_pemder
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import PdfSignatureMetadata, PdfSigner, SimpleSigner
    from pyhanko.sign.fields import SigSeedSubFilter
    from pyhanko.sign.timestamps import DummyTimeStamper
    from pyhanko_certvalidator import ValidationContext
    from pyhanko_certvalidator.registry import SimpleCertificateStore

    def certificate(name: str):
        return load_cert_from_pemder(str(pki / f"{name}.pem"))

    signer = SimpleSigner.load(
        pki / f"{algorithm}.key", pki / f"{algorithm}.pem", ca_chain_files=(pki / "ca.pem",), prefer_pss=algorithm == "pss"
    )
    stamper = None
    if level != "B-B":
        chain = SimpleCertificateStore()
        chain.register(certificate("ca"))
        key = load_private_key_from_pemder(str(pki / "tsa.key"), passphrase=None)
        stamper = DummyTimeStamper(certificate("tsa"), key, certs_to_embed=chain)
    long_term = level in ("B-LT", "B-LTA")
    context = ValidationContext(
        trust_roots=[certificate("root")],
        other_certs=[certificate("ca"), certificate("ocsp")],
        ocsps=[(pki / f"{name}.ocsp").read_bytes() for name in (algorithm, "tsa")],
        crls=[(pki / f"{name}.crl").read_bytes() for name in ("root", "ca")],
        allow_fetching=False,
        revocation_mode="hard-fail",
    )
    metadata = PdfSignatureMetadata(
        field_name="Signature",
        md_algorithm="sha256",
        subfilter=SigSeedSubFilter.PADES,
        validation_context=context if long_term else None,
        embed_validation_info=long_term,
        use_pades_lta=level == "B-LTA",
    )
    out = PdfSigner(metadata, signer=signer, timestamper=stamper).sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf)))
    return out.getvalue()
