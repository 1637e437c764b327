//! The primitives that `ece` (RFC 8188, RFC 8291) asks for, by aws-lc-rs instead of OpenSSL.

use std::any::Any;

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree};
use aws_lc_rs::encoding::{AsBigEndian, EcPrivateKeyBin};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use ece::Error;
use ece::crypto::{Cryptographer, EcKeyComponents, LocalKeyPair, RemotePublicKey, set_cryptographer};

/// Makes `ece` use this. Harmless to repeat.
pub(super) fn install() {
    // An error means that it is installed already.
    let _ = set_cryptographer(&AwsLc);
}

struct AwsLc;

impl Cryptographer for AwsLc {
    fn generate_ephemeral_keypair(&self) -> Result<Box<dyn LocalKeyPair>, Error> {
        PrivateKey::generate(&ECDH_P256).map(boxed).map_err(failed)
    }

    fn import_key_pair(&self, components: &EcKeyComponents) -> Result<Box<dyn LocalKeyPair>, Error> {
        PrivateKey::from_private_key(&ECDH_P256, components.private_key()).map(boxed).map_err(failed)
    }

    fn import_public_key(&self, raw: &[u8]) -> Result<Box<dyn RemotePublicKey>, Error> {
        Ok(Box::new(Remote(raw.to_vec())))
    }

    fn compute_ecdh_secret(
        &self,
        remote: &dyn RemotePublicKey,
        local: &dyn LocalKeyPair,
    ) -> Result<Vec<u8>, Error> {
        let local = local.as_any().downcast_ref::<Local>().ok_or(Error::CryptoError)?;
        // `agree` refuses points that are not on the curve.
        let remote = UnparsedPublicKey::new(&ECDH_P256, remote.as_raw()?);
        agree(&local.0, &remote, Error::CryptoError, |secret| Ok(secret.to_vec()))
    }

    fn hkdf_sha256(&self, salt: &[u8], secret: &[u8], info: &[u8], len: usize) -> Result<Vec<u8>, Error> {
        let mut out = vec![0; len];
        Salt::new(HKDF_SHA256, salt)
            .extract(secret)
            .expand(&[info], Length(len))
            .and_then(|okm| okm.fill(&mut out))
            .map_err(failed)?;
        Ok(out)
    }

    fn aes_gcm_128_encrypt(&self, key: &[u8], iv: &[u8], data: &[u8]) -> Result<Vec<u8>, Error> {
        let mut sealed = data.to_vec();
        let nonce = Nonce::try_assume_unique_for_key(iv).map_err(failed)?;
        aes_128(key)?.seal_in_place_append_tag(nonce, Aad::empty(), &mut sealed).map_err(failed)?;
        Ok(sealed)
    }

    fn aes_gcm_128_decrypt(&self, key: &[u8], iv: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Error> {
        let mut opened = sealed.to_vec();
        let nonce = Nonce::try_assume_unique_for_key(iv).map_err(failed)?;
        let data = aes_128(key)?.open_in_place(nonce, Aad::empty(), &mut opened).map_err(failed)?;
        Ok(data.to_vec())
    }

    fn random_bytes(&self, dest: &mut [u8]) -> Result<(), Error> {
        aws_lc_rs::rand::fill(dest).map_err(failed)
    }
}

fn aes_128(key: &[u8]) -> Result<LessSafeKey, Error> {
    UnboundKey::new(&AES_128_GCM, key).map(LessSafeKey::new).map_err(failed)
}

fn failed<E>(_: E) -> Error {
    Error::CryptoError
}

fn boxed(key: PrivateKey) -> Box<dyn LocalKeyPair> {
    Box::new(Local(key))
}

struct Local(PrivateKey);

impl LocalKeyPair for Local {
    fn pub_as_raw(&self) -> Result<Vec<u8>, Error> {
        self.0.compute_public_key().map(|key| key.as_ref().to_vec()).map_err(failed)
    }

    fn raw_components(&self) -> Result<EcKeyComponents, Error> {
        let private: EcPrivateKeyBin<'_> = self.0.as_be_bytes().map_err(failed)?;
        Ok(EcKeyComponents::new(private.as_ref().to_vec(), self.pub_as_raw()?))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

struct Remote(Vec<u8>);

impl RemotePublicKey for Remote {
    fn as_raw(&self) -> Result<Vec<u8>, Error> {
        Ok(self.0.clone())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}
