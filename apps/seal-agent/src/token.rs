//! The organisation's key on its token, over PKCS#11 (OASIS v2.40): found by label, used once, never read.
//!
//! RSA keys sign with `CKM_RSA_PKCS` over the `DigestInfo`, P-256 keys with `CKM_ECDSA` over the digest: both take what
//! was hashed here, so the document never goes to the token. One module is loaded once per process ([`Module::load`] in
//! `main`); "already logged in" is success, because the module counts logins per process and not per session.
//!
//! A key with `CKA_ALWAYS_AUTHENTICATE` wants its PIN for every signature: `C_Login(CKU_CONTEXT_SPECIFIC)` between
//! `C_SignInit` and the signature (PKCS#11 v2.40, 4.9). That needs a signature in parts, which the raw mechanisms have
//! not; such a key signs with `CKM_SHA256_RSA_PKCS` or `CKM_ECDSA_SHA256` over the signed attributes, and the token hashes
//! those few hundred bytes. The PIN is held until that one signature.

use std::path::Path;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error as Pkcs11Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::{Slot, TokenInfo};
use cryptoki::types::AuthPin;
use trinhky_pades::cms::SignedAttributes;
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

impl PinState {
    fn of(info: &TokenInfo) -> Self {
        if info.user_pin_locked() {
            Self::Locked
        } else if info.user_pin_final_try() {
            Self::FinalTry
        } else if info.user_pin_count_low() {
            Self::CountLow
        } else {
            Self::Good
        }
    }
}

/// A key on a token that is logged in; dropped, the login ends with its session.
pub(crate) struct SealKey {
    session: Session,
    token: Token,
    key: ObjectHandle,
    kind: KeyKind,
    login: Login,
}

/// When the key wants the PIN.
enum Login {
    /// Once for the session.
    Once,
    /// For every signature; the PIN of the next one, until it is used.
    EverySignature(Option<AuthPin>),
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
        Ok(Token { module: self.0.clone(), slot: *slot, pin: PinState::of(info) })
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
        self.log_in(&session, UserType::User, &secret)?;
        let wanted = [
            Attribute::Class(ObjectClass::PRIVATE_KEY),
            Attribute::Label(key_label.as_bytes().to_vec()),
            Attribute::Sign(true),
        ];
        let keys = session.find_objects(&wanted).map_err(failed)?;
        let [key] = keys[..] else {
            return Err(Error::KeyMissing(format!("{} signing keys are labelled {key_label:?}", keys.len())));
        };
        let wanted = [AttributeType::KeyType, AttributeType::AlwaysAuthenticate];
        // A token of an older PKCS#11 may know no `CKA_ALWAYS_AUTHENTICATE`: then the attribute is missing in the answer.
        let told = session.get_attributes(key, &wanted).map_err(failed)?;
        let kind = told.iter().find_map(|attribute| match attribute {
            Attribute::KeyType(KeyType::RSA) => Some(KeyKind::Rsa),
            Attribute::KeyType(KeyType::EC) => Some(KeyKind::P256),
            _ => None,
        });
        let kind = kind.ok_or_else(|| Error::KeyMissing(format!("neither RSA nor EC: {told:?}")))?;
        let login = if told.contains(&Attribute::AlwaysAuthenticate(true)) {
            if !self
                .module
                .get_mechanism_list(self.slot)
                .map_err(failed)?
                .contains(&kind.hashing().mechanism_type())
            {
                return Err(Error::TokenFailed(format!(
                    "the key wants its PIN for every signature, and the token lacks {}",
                    kind.hashing().mechanism_type()
                )));
            }
            Login::EverySignature(Some(secret))
        } else {
            Login::Once
        };
        Ok(SealKey { session, token: self, key, kind, login })
    }

    fn log_in(&self, session: &Session, user: UserType, pin: &AuthPin) -> Result<(), Error> {
        match session.login(user, Some(pin)) {
            Ok(()) | Err(Pkcs11Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(()),
            Err(Pkcs11Error::Pkcs11(
                RvError::PinIncorrect | RvError::PinLenRange | RvError::PinInvalid,
                _,
            )) => Err(self.pin_wrong()),
            Err(Pkcs11Error::Pkcs11(RvError::PinLocked, _)) => Err(Error::PinLocked),
            Err(error) => Err(Error::TokenFailed(error.to_string())),
        }
    }

    /// A wrong PIN, with what the token says of the next try: PKCS#11 has flags for that, and no count.
    fn pin_wrong(&self) -> Error {
        match self.module.get_token_info(self.slot).map(|info| PinState::of(&info)) {
            Ok(PinState::Locked) => Error::PinLocked,
            Ok(state) => Error::PinWrong(state),
            Err(_) => Error::PinWrong(PinState::CountLow),
        }
    }
}

impl KeyKind {
    /// The mechanism that hashes on the token.
    const fn hashing(self) -> Mechanism<'static> {
        match self {
            Self::Rsa => Mechanism::Sha256RsaPkcs,
            Self::P256 => Mechanism::EcdsaSha256,
        }
    }
}

impl SealKey {
    /// Whether the next signature needs a PIN that is not here.
    pub(crate) const fn wants_pin(&self) -> bool {
        matches!(self.login, Login::EverySignature(None))
    }

    /// Signs the attributes: PKCS#1 v1.5 with SHA-256, or ECDSA as `r` then `s`.
    ///
    /// # Errors
    /// [`Error::PinMissing`] if the PIN of this signature was used up, [`Error::PinWrong`], [`Error::PinLocked`],
    /// [`Error::TokenFailed`].
    pub(crate) fn sign(&mut self, attributes: &SignedAttributes) -> Result<Vec<u8>, Error> {
        let failed = |error: Pkcs11Error| Error::TokenFailed(error.to_string());
        let digest = attributes.dtbs_digest();
        match (&mut self.login, self.kind) {
            (Login::Once, KeyKind::Rsa) => {
                let info = DtbsDigest(digest.0).digest_info();
                self.session.sign(&Mechanism::RsaPkcs, self.key, &info).map_err(failed)
            }
            (Login::Once, KeyKind::P256) => {
                self.session.sign(&Mechanism::Ecdsa, self.key, digest.as_bytes()).map_err(failed)
            }
            (Login::EverySignature(pin), kind) => {
                let pin = pin.take().ok_or(Error::PinMissing)?;
                self.session.sign_init(&kind.hashing(), self.key).map_err(failed)?;
                self.token.log_in(&self.session, UserType::ContextSpecific, &pin)?;
                self.session.sign_update(attributes.as_der()).map_err(failed)?;
                self.session.sign_final().map_err(failed)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::process::Command;

    use trinhky_pades::cms::{self, ID_DATA, SignatureValue};
    use trinhky_pades::{Digest, crypto};

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
        run("openssl", &["rsa", "-in", "rsa.p8", "-traditional", "-outform", "DER", "-out", "rsa.pkcs1"]);
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
            let raw = open(PIN, name).unwrap().sign(&attributes).unwrap();
            drop(first);
            fits(&raw, &attributes, &content, &certificate);
        }
        sign_with_a_key_that_wants_its_pin_every_time(folder, &module);
    }

    fn fits(raw: &[u8], attributes: &SignedAttributes, content: &Digest, certificate: &[u8]) {
        let value = SignatureValue::from_raw(raw, certificate).unwrap();
        let cms = cms::assemble(attributes, &value, certificate, &[]).unwrap();
        cms::check(&cms, content, certificate, crypto::pure()).unwrap();
        cms::check(&cms, &Digest::of(b"another"), certificate, crypto::pure()).unwrap_err();
    }

    /// The RSA key once more, as one with `CKA_ALWAYS_AUTHENTICATE`, which `softhsm2-util` cannot make.
    fn sign_with_a_key_that_wants_its_pin_every_time(folder: &Path, module: &Module) {
        let token = module.token("con-dau").unwrap();
        let session = token.module.open_rw_session(token.slot).unwrap();
        session.login(UserType::User, Some(&AuthPin::new(PIN.into()))).unwrap();
        // RFC 8017, A.1.2: version, n, e, d, p, q, d mod p-1, d mod q-1, q^-1 mod p.
        let [_, modulus, public, private, prime1, prime2, exponent1, exponent2, coefficient] =
            integers(&std::fs::read(folder.join("rsa.pkcs1")).unwrap());
        let template = [
            Attribute::Class(ObjectClass::PRIVATE_KEY),
            Attribute::KeyType(KeyType::RSA),
            Attribute::Label(b"strict".to_vec()),
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sign(true),
            Attribute::AlwaysAuthenticate(true),
            Attribute::Modulus(modulus),
            Attribute::PublicExponent(public),
            Attribute::PrivateExponent(private),
            Attribute::Prime1(prime1),
            Attribute::Prime2(prime2),
            Attribute::Exponent1(exponent1),
            Attribute::Exponent2(exponent2),
            Attribute::Coefficient(coefficient),
        ];
        session.create_object(&template).unwrap();
        drop(session);

        let certificate = std::fs::read(folder.join("rsa.der")).unwrap();
        let content = Digest::of(b"the document");
        let attributes = cms::signed_attributes(&content, &certificate, ID_DATA).unwrap();
        let open =
            |pin: &str| module.token("con-dau").unwrap().open(Zeroizing::new(pin.to_owned()), "strict");
        let mut key = open(PIN).unwrap();
        assert!(!key.wants_pin());
        fits(&key.sign(&attributes).unwrap(), &attributes, &content, &certificate);
        assert!(key.wants_pin());
        assert_eq!(key.sign(&attributes).unwrap_err().code(), "pin_missing");
        // Logged in already, so that only the signature itself can find the PIN wrong.
        let error = open("654321").unwrap().sign(&attributes).unwrap_err();
        assert_eq!(error.code(), "pin_wrong");
        fits(&open(PIN).unwrap().sign(&attributes).unwrap(), &attributes, &content, &certificate);
    }

    /// The nine numbers of an `RSAPrivateKey`, without leading zeros.
    fn integers(der: &[u8]) -> [Vec<u8>; 9] {
        fn content(der: &[u8]) -> (&[u8], &[u8]) {
            let (length, at) = match der[1] {
                0x82 => (usize::from(der[2]) << 8 | usize::from(der[3]), 4),
                0x81 => (usize::from(der[2]), 3),
                short => (usize::from(short), 2),
            };
            (&der[at..at + length], &der[at + length..])
        }
        let mut rest = content(der).0;
        std::array::from_fn(|_| {
            let (number, after) = content(rest);
            rest = after;
            number.iter().copied().skip_while(|byte| *byte == 0).collect()
        })
    }

    fn module_path() -> PathBuf {
        ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"]
            .into_iter()
            .map(PathBuf::from)
            .find(|path| path.is_file())
            .expect("SoftHSM 2 is installed")
    }
}
