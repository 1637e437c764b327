//! The OCSP responder (RFC 6960, nonce by RFC 9654): reads a request, answers with a delegated signer per authority.

use anyhow::Result;
use time::{Duration, OffsetDateTime};

use super::{
    Pki, Status, Tier,
    certificate::{self, Authority},
};
use crate::{
    der::{self, Malformed, Reader, tag},
    faults::Fault,
    keys,
};

const NONCE: &str = "1.3.6.1.5.5.7.48.1.2";
const BASIC: &str = "1.3.6.1.5.5.7.48.1.1";

/// `OCSPResponseStatus` values used here.
const MALFORMED_REQUEST: u8 = 1;
const TRY_LATER: u8 = 3;
const UNAUTHORIZED: u8 = 6;

struct Asked {
    /// The `CertID` exactly as sent; it is echoed.
    id: Vec<u8>,
    name_hash: Vec<u8>,
    key_hash: Vec<u8>,
    serial: Vec<u8>,
    sha256: bool,
}

/// Answers one request; never fails towards the client, since every trouble has its response status.
pub(crate) fn answer(
    pki: &Pki,
    request: &[u8],
    now: OffsetDateTime,
    fault: Option<Fault>,
) -> Result<Vec<u8>> {
    if fault == Some(Fault::Refuse) {
        return Ok(error(TRY_LATER));
    }
    let Ok((asked, nonce)) = read(request) else { return Ok(error(MALFORMED_REQUEST)) };
    let Some((tier, _)) =
        asked.first().and_then(|first| pki.authorities().find(|(_, authority)| first.is_of(authority)))
    else {
        return Ok(error(UNAUTHORIZED));
    };
    let responder = pki.responder(tier);
    let singles: Vec<Vec<u8>> = asked.iter().map(|one| single(pki, tier, one, now, fault)).collect();
    let mut data = vec![
        der::context(2, &[der::octets(&responder.key.identifier())]),
        der::generalized_time(now),
        der::seq(&singles),
    ];
    if let Some(mut nonce) = nonce.filter(|_| fault != Some(Fault::NoNonce)) {
        if fault == Some(Fault::WrongNonce) {
            nonce = der::octets(&keys::random::<16>()?);
        }
        data.push(der::context(1, &[der::seq(&[certificate::extension(NONCE, false, &nonce)])]));
    }
    let data = der::seq(&data);
    // A signer without the purpose: the seal's own certificate, which the same authority issued or not, is never entitled.
    let (key, signer) = if fault == Some(Fault::WrongSigner) {
        (&pki.seal.key, &pki.seal.certificate)
    } else {
        (&responder.key, &responder.certificate)
    };
    let mut signature = key.sign(&data)?;
    if fault == Some(Fault::BadSignature) {
        spoil(&mut signature);
    }
    let basic = der::seq(&[
        data,
        key.signature_algorithm(),
        der::bits(&signature),
        der::context(0, &[der::seq(std::slice::from_ref(signer))]),
    ]);
    let bytes = der::context(0, &[der::seq(&[der::oid(BASIC), der::octets(&basic)])]);
    Ok(der::seq(&[der::tlv(tag::ENUMERATED, &[0]), bytes]))
}

fn error(status: u8) -> Vec<u8> {
    der::seq(&[der::tlv(tag::ENUMERATED, &[status])])
}

/// Changes one bit in the middle of a signature.
pub(crate) fn spoil(signature: &mut [u8]) {
    let middle = signature.len() / 2;
    if let Some(byte) = signature.get_mut(middle) {
        *byte ^= 1;
    }
}

fn single(pki: &Pki, tier: Tier, asked: &Asked, now: OffsetDateTime, fault: Option<Fault>) -> Vec<u8> {
    let status = if asked.is_of(pki.authority(tier)) && fault != Some(Fault::Unknown) {
        pki.status(tier, &asked.serial, now)
    } else {
        Status::Unknown
    };
    let status = match status {
        Status::Good => der::context_primitive(0, &[]),
        Status::Revoked(entry) => der::context(
            1,
            &[
                der::generalized_time(entry.at),
                der::context(0, &[der::tlv(tag::ENUMERATED, &[entry.reason])]),
            ],
        ),
        Status::Unknown => der::context_primitive(2, &[]),
    };
    let (this, next) = if fault == Some(Fault::Expired) {
        (now - Duration::days(3), now - Duration::days(2))
    } else {
        (now, now + Duration::hours(1))
    };
    der::seq(&[
        asked.id.clone(),
        status,
        der::generalized_time(this),
        der::context(0, &[der::generalized_time(next)]),
    ])
}

impl Asked {
    fn is_of(&self, authority: &Authority) -> bool {
        let (name, key) = if self.sha256 {
            (keys::sha256(&authority.name).to_vec(), keys::sha256(authority.key.public_key()).to_vec())
        } else {
            (keys::sha1(&authority.name), keys::sha1(authority.key.public_key()))
        };
        self.name_hash == name && self.key_hash == key
    }
}

/// The certificates asked for, and the nonce's inner encoding.
fn read(request: &[u8]) -> Result<(Vec<Asked>, Option<Vec<u8>>), Malformed> {
    let mut body = Reader::new(request).sequence()?.sequence()?;
    body.optional(0xa0)?;
    body.optional(0xa1)?;
    let mut list = body.sequence()?;
    let mut asked = Vec::new();
    while !list.is_empty() {
        let mut entry = list.sequence()?;
        let id = entry.expect(tag::SEQUENCE)?;
        let mut fields = Reader::new(id.body);
        let algorithm = fields.sequence()?.expect(tag::OID)?.whole.to_vec();
        asked.push(Asked {
            id: id.whole.to_vec(),
            name_hash: fields.expect(tag::OCTET_STRING)?.body.to_vec(),
            key_hash: fields.expect(tag::OCTET_STRING)?.body.to_vec(),
            serial: fields.expect(tag::INTEGER)?.body.to_vec(),
            sha256: algorithm == der::oid("2.16.840.1.101.3.4.2.1"),
        });
    }
    let mut nonce = None;
    if let Some(extensions) = body.optional(0xa2)? {
        let mut list = Reader::new(extensions.body).sequence()?;
        while !list.is_empty() {
            let mut one = list.sequence()?;
            let oid = one.expect(tag::OID)?;
            one.optional(tag::BOOLEAN)?;
            let value = one.expect(tag::OCTET_STRING)?;
            if oid.whole == der::oid(NONCE) {
                nonce = Some(value.body.to_vec());
            }
        }
    }
    Ok((asked, nonce))
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
