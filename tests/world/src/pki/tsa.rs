//! The time-stamping authority (RFC 3161, `ESSCertIDv2` by RFC 5816): SHA-256 imprints, nonce, certReq, accuracy of one second.

use anyhow::Result;
use time::{Duration, OffsetDateTime};

use super::{Pki, certificate, ocsp::spoil};
use crate::{
    der::{self, Malformed, Reader, tag},
    faults::Fault,
    keys,
};

const SHA256: &str = "2.16.840.1.101.3.4.2.1";
const TST_INFO: &str = "1.2.840.113549.1.9.16.1.4";
const SIGNED_DATA: &str = "1.2.840.113549.1.7.2";
const CONTENT_TYPE: &str = "1.2.840.113549.1.9.3";
const MESSAGE_DIGEST: &str = "1.2.840.113549.1.9.4";
const SIGNING_TIME: &str = "1.2.840.113549.1.9.5";
const SIGNING_CERTIFICATE_V2: &str = "1.2.840.113549.1.9.16.2.47";
/// The policy that tokens are issued under (2.999: examples).
const POLICY: &str = "2.999.30.2";

/// `PKIFailureInfo` bits.
#[derive(Debug, Clone, Copy)]
enum Failure {
    BadAlg = 0,
    BadDataFormat = 5,
    TimeNotAvailable = 14,
    UnacceptedPolicy = 15,
}

struct Asked {
    /// The `MessageImprint` as sent.
    imprint: Vec<u8>,
    nonce: Option<Vec<u8>>,
    certificates: bool,
}

/// Answers one request.
pub(crate) fn answer(
    pki: &Pki,
    request: &[u8],
    now: OffsetDateTime,
    fault: Option<Fault>,
) -> Result<Vec<u8>> {
    if fault == Some(Fault::Refuse) {
        return Ok(refusal(Failure::TimeNotAvailable, "Dịch vụ cấp dấu thời gian tạm ngừng"));
    }
    match read(request) {
        Ok(asked) => {
            let token = token(pki, &asked, now, fault)?;
            Ok(der::seq(&[der::seq(&[der::int(0)]), token]))
        }
        Err(failure) => Ok(refusal(failure, "Yêu cầu dấu thời gian không hợp lệ")),
    }
}

fn refusal(failure: Failure, text: &str) -> Vec<u8> {
    let bit = failure as usize;
    let mut bits = vec![0u8; bit / 8 + 1];
    bits[bit / 8] = 0x80 >> (bit % 8);
    let unused = u8::try_from(7 - bit % 8).unwrap_or(0);
    let info = der::tlv(tag::BIT_STRING, &[&[unused], bits.as_slice()].concat());
    der::seq(&[der::seq(&[der::int(2), der::seq(&[der::utf8(text)]), info])])
}

fn read(request: &[u8]) -> Result<Asked, Failure> {
    let malformed = |Malformed| Failure::BadDataFormat;
    let mut body = Reader::new(request).sequence().map_err(malformed)?;
    if body.expect(tag::INTEGER).map_err(malformed)?.body != [1] {
        return Err(Failure::BadDataFormat);
    }
    let imprint = body.expect(tag::SEQUENCE).map_err(malformed)?;
    let mut inner = Reader::new(imprint.body);
    let algorithm = inner.sequence().map_err(malformed)?.expect(tag::OID).map_err(malformed)?;
    let digest = inner.expect(tag::OCTET_STRING).map_err(malformed)?;
    if algorithm.whole != der::oid(SHA256) {
        return Err(Failure::BadAlg);
    }
    if digest.body.len() != 32 {
        return Err(Failure::BadDataFormat);
    }
    if let Some(policy) = body.optional(tag::OID).map_err(malformed)?
        && policy.whole != der::oid(POLICY)
    {
        return Err(Failure::UnacceptedPolicy);
    }
    let nonce = body.optional(tag::INTEGER).map_err(malformed)?.map(|nonce| nonce.whole.to_vec());
    let certificates =
        body.optional(tag::BOOLEAN).map_err(malformed)?.is_some_and(|flag| flag.body == [0xff]);
    Ok(Asked { imprint: imprint.whole.to_vec(), nonce, certificates })
}

fn token(pki: &Pki, asked: &Asked, now: OffsetDateTime, fault: Option<Fault>) -> Result<Vec<u8>> {
    let signer = if fault == Some(Fault::Expired) { &pki.expired_tsa } else { &pki.tsa };
    let at = if fault == Some(Fault::WrongTime) { now + Duration::days(1) } else { now };
    let content = tst_info(asked, at, fault)?;
    let attributes = signed_attributes(&content, &signer.certificate, at)?;
    let mut signature = signer.key.sign(&der::set_of(attributes.clone()))?;
    if fault == Some(Fault::BadSignature) {
        spoil(&mut signature);
    }
    let identity = certificate::identity(&signer.certificate)?;
    let info = der::seq(&[
        der::int(1),
        der::seq(&[identity.issuer, der::uint(&identity.serial)]),
        sha256_algorithm(),
        der::retag(0xa0, &der::set_of(attributes)),
        signer.key.signature_algorithm(),
        der::octets(&signature),
    ]);
    let mut content_parts = vec![
        der::int(3),
        der::set_of(vec![sha256_algorithm()]),
        der::seq(&[der::oid(TST_INFO), der::context(0, &[der::octets(&content)])]),
    ];
    if asked.certificates {
        let chain = vec![signer.certificate.clone(), pki.org.certificate.clone()];
        content_parts.push(der::retag(0xa0, &der::set_of(chain)));
    }
    content_parts.push(der::set_of(vec![info]));
    Ok(der::seq(&[der::oid(SIGNED_DATA), der::context(0, &[der::seq(&content_parts)])]))
}

fn sha256_algorithm() -> Vec<u8> {
    der::seq(&[der::oid(SHA256), der::null()])
}

fn tst_info(asked: &Asked, at: OffsetDateTime, fault: Option<Fault>) -> Result<Vec<u8>> {
    let imprint = if fault == Some(Fault::WrongImprint) {
        der::seq(&[sha256_algorithm(), der::octets(&keys::random::<32>()?)])
    } else {
        asked.imprint.clone()
    };
    let mut parts = vec![
        der::int(1),
        der::oid(POLICY),
        imprint,
        der::uint(&keys::random::<12>()?),
        der::generalized_time(at),
        der::seq(&[der::int(1)]),
    ];
    if let Some(nonce) = asked.nonce.clone().filter(|_| fault != Some(Fault::NoNonce)) {
        parts.push(if fault == Some(Fault::WrongNonce) { der::uint(&keys::random::<8>()?) } else { nonce });
    }
    Ok(der::seq(&parts))
}

fn signed_attributes(content: &[u8], certificate: &[u8], at: OffsetDateTime) -> Result<Vec<Vec<u8>>> {
    let attribute = |oid: &str, value: Vec<u8>| der::seq(&[der::oid(oid), der::set_of(vec![value])]);
    let identity = certificate::identity(certificate)?;
    let issuer = der::seq(&[der::context(4, &[identity.issuer])]);
    // ESSCertIDv2 with the default algorithm (SHA-256), which DER leaves out.
    let ess = der::seq(&[
        der::octets(&keys::sha256(certificate)),
        der::seq(&[issuer, der::uint(&identity.serial)]),
    ]);
    Ok(vec![
        attribute(CONTENT_TYPE, der::oid(TST_INFO)),
        attribute(SIGNING_TIME, der::time(at)),
        attribute(MESSAGE_DIGEST, der::octets(&keys::sha256(content))),
        attribute(SIGNING_CERTIFICATE_V2, der::seq(&[der::seq(&[ess])])),
    ])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
        }

        #[test]
        fn a_sequence_of_anything_is_read_or_refused(inner in proptest::collection::vec(any::<u8>(), 0..100)) {
            let bytes = der::seq(&[der::seq(&[inner])]);
            let _ = read(&bytes);
        }
    }
}
