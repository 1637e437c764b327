//! The organisation's key on its token, over PKCS#11 (OASIS v2.40): found by label, used once, never read.
//!
//! RSA keys sign with `CKM_RSA_PKCS` over the `DigestInfo`, P-256 keys with `CKM_ECDSA` over the digest: both take what
//! was hashed here, so the document never goes to the token. One module is loaded once per process ([`Module::load`] in
//! `main`); "already logged in" is success, because the module counts logins per process and not per session.

use std::path::Path;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error as Pkcs11Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;
use trinhky_pades::Digest;
use trinhky_simpki::digest::DtbsDigest;
use zeroize::Zeroizing;

use crate::error::Error;

/// A loaded PKCS#11 module.
pub(crate) struct Module(Pkcs11);

/// A token that was found, not yet opened.
pub(crate) struct Token {
    module: Pkcs11,
    slot: Slot,
    /// How many wrong PINs are left, as far as the token says.
    pub(crate) pin: PinState,
}

/// What the token tells about its PIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PinState {
    Good,
    /// At least one wrong PIN since the last right one.
    CountLow,
    /// One more wrong PIN locks it.
    FinalTry,
    Locked,
}

/// A key ready to sign once.
pub(crate) struct SealKey {
    session: Session,
    key: ObjectHandle,
    kind: KeyKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeyKind {
    Rsa,
    P256,
}

impl Module {
    /// Loads and initialises the module. Once per process.
    ///
    /// # Errors
    /// [`Error::TokenMissing`] if it cannot be loaded.
    pub(crate) fn load(path: &Path) -> Result<Self, Error> {
        let missing = |error: Pkcs11Error| Error::TokenMissing(format!("{}: {error}", path.display()));
        let context = Pkcs11::new(path).map_err(missing)?;
        match context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            Ok(()) | Err(Pkcs11Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(Self(context)),
            Err(error) => Err(missing(error)),
        }
    }

    /// The one token of that label.
    ///
    /// # Errors
    /// [`Error::TokenMissing`] if there is none or more than one.
    pub(crate) fn token(&self, label: &str) -> Result<Token, Error> {
        let failed = |error: Pkcs11Error| Error::TokenFailed(error.to_string());
        let mut found = Vec::new();
        for slot in self.0.get_slots_with_initialized_token().map_err(failed)? {
            let info = self.0.get_token_info(slot).map_err(failed)?;
            if info.label() == label {
                found.push((slot, info));
            }
        }
        let [(slot, info)] = found.as_slice() else {
            return Err(Error::TokenMissing(format!("{} tokens are labelled {label:?}", found.len())));
        };
        let pin = if info.user_pin_locked() {
            PinState::Locked
        } else if info.user_pin_final_try() {
            PinState::FinalTry
        } else if info.user_pin_count_low() {
            PinState::CountLow
        } else {
            PinState::Good
        };
        Ok(Token { module: self.0.clone(), slot: *slot, pin })
    }
}

impl Token {
    /// Logs in and finds the key.
    ///
    /// # Errors
    /// [`Error::PinWrong`], [`Error::PinLocked`], [`Error::KeyMissing`], [`Error::TokenFailed`].
    pub(crate) fn open(self, pin: Zeroizing<String>, key_label: &str) -> Result<SealKey, Error> {
        let failed = |error: Pkcs11Error| Error::TokenFailed(error.to_string());
        let session = self.module.open_ro_session(self.slot).map_err(failed)?;
        let secret = AuthPin::new(pin.as_str().into());
        drop(pin);
        match session.login(UserType::User, Some(&secret)) {
            Ok(()) | Err(Pkcs11Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {}
            Err(Pkcs11Error::Pkcs11(RvError::PinIncorrect | RvError::PinLenRange | RvError::PinInvalid, _)) => {
                return Err(Error::PinWrong);
            }
            Err(Pkcs11Error::Pkcs11(RvError::PinLocked, _)) => return Err(Error::PinLocked),
            Err(error) => return Err(failed(error)),
        }
        let wanted = [
            Attribute::Class(ObjectClass::PRIVATE_KEY),
            Attribute::Label(key_label.as_bytes().to_vec()),
            Attribute::Sign(true),
        ];
        let keys = session.find_objects(&wanted).map_err(failed)?;
        let [key] = keys[..] else {
            return Err(Error::KeyMissing(format!("{} signing keys are labelled {key_label:?}", keys.len())));
        };
        let kind = match session.get_attributes(key, &[AttributeType::KeyType]).map_err(failed)?.first() {
            Some(Attribute::KeyType(KeyType::RSA)) => KeyKind::Rsa,
            Some(Attribute::KeyType(KeyType::EC)) => KeyKind::P256,
            other => return Err(Error::KeyMissing(format!("neither RSA nor EC: {other:?}"))),
        };
        Ok(SealKey { session, key, kind })
    }
}

impl SealKey {
    /// Signs a SHA-256 digest: PKCS#1 v1.5, or ECDSA as `r` then `s`. The session ends with it.
    ///
    /// # Errors
    /// [`Error::TokenFailed`].
    pub(crate) fn sign(self, digest: &Digest) -> Result<Vec<u8>, Error> {
        let signed = match self.kind {
            KeyKind::Rsa => {
                let info = DtbsDigest(digest.0).digest_info();
                self.session.sign(&Mechanism::RsaPkcs, self.key, &info)
            }
            KeyKind::P256 => self.session.sign(&Mechanism::Ecdsa, self.key, digest.as_bytes()),
        };
        signed.map_err(|error| Error::TokenFailed(error.to_string()))
    }
}
