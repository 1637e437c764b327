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
            Err(Pkcs11Error::Pkcs11(
                RvError::PinIncorrect | RvError::PinLenRange | RvError::PinInvalid,
                _,
            )) => {
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

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::process::Command;

    use trinhky_pades::cms::{self, ID_DATA, SignatureValue};
    use trinhky_pades::crypto;

    use super::*;

    const PIN: &str = "123456";
    const FOLDER: &str = "TRINHKY_TEST_TOKEN_FOLDER";

    /// `SoftHSM` finds its tokens by an environment variable, which a process must not change while it runs; so the
    /// token is made here, and this very test is started again as a child that uses it.
    #[test]
    fn a_real_token_signs_what_verifies_under_its_certificate() {
        match std::env::var_os(FOLDER) {
            Some(folder) => sign_with_both_keys(&PathBuf::from(folder)),
            None => make_token_and_run_again(),
        }
    }

    fn make_token_and_run_again() {
        let folder = tempfile::tempdir().unwrap();
        let conf = folder.path().join("softhsm2.conf");
        std::fs::create_dir(folder.path().join("tokens")).unwrap();
        let text = format!(
            "directories.tokendir = {}\nobjectstore.backend = file\n",
            folder.path().join("tokens").display()
        );
        std::fs::write(&conf, text).unwrap();
        let run = |program: &str, arguments: &[&str]| {
            let output = Command::new(program)
                .args(arguments)
                .current_dir(&folder)
                .env("SOFTHSM2_CONF", &conf)
                .output();
            let output = output.unwrap_or_else(|error| panic!("{program} is needed for this test: {error}"));
            assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
        };
        run(
            "softhsm2-util",
            &["--init-token", "--free", "--label", "con-dau", "--so-pin", "0000", "--pin", PIN],
        );
        for (name, algorithm, id) in [("rsa", "RSA:2048", "01"), ("ec", "EC", "02")] {
            let (key, cert) = (format!("{name}.p8"), format!("{name}.der"));
            let algorithm: &[&str] = match algorithm {
                "EC" => &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
                _ => &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
            };
            run("openssl", &[&["genpkey", "-out", &key], algorithm].concat());
            run(
                "openssl",
                &["req", "-x509", "-key", &key, "-subj", "/CN=UBND", "-outform", "DER", "-out", &cert],
            );
            run(
                "softhsm2-util",
                &["--import", &key, "--token", "con-dau", "--label", name, "--id", id, "--pin", PIN],
            );
        }
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "token::tests::a_real_token_signs_what_verifies_under_its_certificate"])
            .env("SOFTHSM2_CONF", &conf)
            .env(FOLDER, folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&child.stdout);
        assert!(
            child.status.success() && said.contains("1 passed"),
            "{said}{}",
            String::from_utf8_lossy(&child.stderr)
        );
    }

    fn sign_with_both_keys(folder: &Path) {
        let module = Module::load(&module_path()).unwrap();
        let pin = |pin: &str| Zeroizing::new(pin.to_owned());
        let open = |pin_text: &str, label: &str| module.token("con-dau").unwrap().open(pin(pin_text), label);

        assert_eq!(module.token("another").err().unwrap().code(), "token_missing");
        assert_eq!(module.token("con-dau").unwrap().pin, PinState::Good);
        assert_eq!(open("654321", "rsa").err().unwrap().code(), "pin_wrong");
        assert_eq!(module.token("con-dau").unwrap().pin, PinState::CountLow);
        assert_eq!(open(PIN, "nothing").err().unwrap().code(), "key_missing");

        for name in ["rsa", "ec"] {
            let certificate = std::fs::read(folder.join(format!("{name}.der"))).unwrap();
            let content = Digest::of(b"the document");
            let attributes = cms::signed_attributes(&content, &certificate, ID_DATA).unwrap();
            // The key before is still logged in: that is no error.
            let first = open(PIN, name).unwrap();
            let raw = open(PIN, name).unwrap().sign(&attributes.dtbs_digest()).unwrap();
            drop(first);
            let value = SignatureValue::from_raw(&raw, &certificate).unwrap();
            let cms = cms::assemble(&attributes, &value, &certificate, &[]).unwrap();
            cms::check(&cms, &content, &certificate, crypto::pure()).unwrap();
            cms::check(&cms, &Digest::of(b"another"), &certificate, crypto::pure()).unwrap_err();
        }
    }

    fn module_path() -> PathBuf {
        ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"]
            .into_iter()
            .map(PathBuf::from)
            .find(|path| path.is_file())
            .expect("SoftHSM 2 is installed")
    }
}
