//! A subscriber's keys and the opening of a message: RFC 8291 over RFC 8188 (`aes128gcm`, one record).

use anyhow::{Result, anyhow, bail, ensure};
use aws_lc_rs::{
    aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree},
    encoding::{AsBigEndian, EcPublicKeyUncompressedBin},
    hkdf::{HKDF_SHA256, KeyType, Prk, Salt},
};
use base64::Engine as _;

use crate::keys;

/// Salt, record size, length of the key id.
const FIXED_HEADER: usize = 16 + 4 + 1;
const POINT: usize = 65;

/// The phone's half of a subscription.
pub(crate) struct Subscriber {
    private: PrivateKey,
    public: Vec<u8>,
    auth: [u8; 16],
}

impl Subscriber {
    pub(crate) fn generate() -> Result<Self> {
        let private = PrivateKey::generate(&ECDH_P256).map_err(|_| anyhow!("P-256 key generation failed"))?;
        Self::new(private, keys::random()?)
    }

    fn new(private: PrivateKey, auth: [u8; 16]) -> Result<Self> {
        let public = private.compute_public_key().map_err(|_| anyhow!("no public key"))?;
        let point: EcPublicKeyUncompressedBin<'_> =
            public.as_be_bytes().map_err(|_| anyhow!("no public point"))?;
        Ok(Self { public: point.as_ref().to_vec(), private, auth })
    }

    pub(crate) fn public_key(&self) -> &[u8] {
        &self.public
    }

    pub(crate) fn auth(&self) -> &[u8] {
        &self.auth
    }

    /// The text of a message; `None` for an empty body, which is a push without content.
    pub(crate) fn decrypt(&self, body: &[u8]) -> Result<Option<String>> {
        if body.is_empty() {
            return Ok(None);
        }
        let (Some((salt, rest)), true) = (body.split_first_chunk::<16>(), body.len() > FIXED_HEADER + POINT)
        else {
            bail!("shorter than its header");
        };
        let (size, rest) = rest.split_first_chunk::<4>().ok_or_else(|| anyhow!("no record size"))?;
        ensure!(rest.first() == Some(&65), "the key id is not an uncompressed P-256 point");
        let (sender, record) = rest[1..].split_at(POINT);
        ensure!(record.len() <= u32::from_be_bytes(*size) as usize, "more than one record");

        let mut input = [0; 32];
        let info = [b"WebPush: info\0".as_slice(), &self.public, sender].concat();
        agree(
            &self.private,
            UnparsedPublicKey::new(&ECDH_P256, sender),
            anyhow!("bad sender key"),
            |secret| expand(&Salt::new(HKDF_SHA256, &self.auth).extract(secret), &info, &mut input),
        )?;
        let secret = Salt::new(HKDF_SHA256, salt).extract(&input);
        let (mut key, mut nonce) = ([0; 16], [0; 12]);
        expand(&secret, b"Content-Encoding: aes128gcm\0", &mut key)?;
        expand(&secret, b"Content-Encoding: nonce\0", &mut nonce)?;

        let cipher = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).map_err(|_| anyhow!("key"))?);
        let mut record = record.to_vec();
        let plain = cipher
            .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut record)
            .map_err(|_| anyhow!("does not decrypt"))?;
        // The last record ends with 2 and padding zeros (RFC 8188 section 2).
        let end = plain.iter().rposition(|byte| *byte != 0).ok_or_else(|| anyhow!("nothing but padding"))?;
        ensure!(plain.get(end) == Some(&2), "no delimiter of a last record");
        Ok(Some(String::from_utf8(plain[..end].to_vec())?))
    }
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn expand(secret: &Prk, info: &[u8], out: &mut [u8]) -> Result<()> {
    secret
        .expand(&[info], Length(out.len()))
        .and_then(|material| material.fill(out))
        .map_err(|_| anyhow!("HKDF"))
}

/// Base64url without padding.
pub(crate) fn base64url(bytes: &[u8]) -> String {
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads base64url, padded or not.
pub(crate) fn from_base64url(text: &str) -> Result<Vec<u8>> {
    Ok(base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text.trim_end_matches('='))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_the_example_of_rfc_8291() {
        let private = from_base64url("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94").unwrap();
        let private = PrivateKey::from_private_key(&ECDH_P256, &private).unwrap();
        let auth = from_base64url("BTBZMqHH6r4Tts7J_aSIgg").unwrap().try_into().unwrap();
        let subscriber = Subscriber::new(private, auth).unwrap();
        let public =
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
        assert_eq!(base64url(subscriber.public_key()), public);
        let body = from_base64url(
            "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6Tlz\
             AC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN",
        )
        .unwrap();
        let text = subscriber.decrypt(&body).unwrap();
        assert_eq!(text.as_deref(), Some("When I grow up, I want to be a watermelon"));

        let mut broken = body.clone();
        if let Some(last) = broken.last_mut() {
            *last ^= 1;
        }
        assert!(subscriber.decrypt(&broken).is_err());
        for cut in 1..body.len() {
            assert!(subscriber.decrypt(&body[..cut]).is_err());
        }
    }
}
