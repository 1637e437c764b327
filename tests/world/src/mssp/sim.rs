//! One virtual SIM: key, certificate, behaviour, and the code that its applet computes for itself.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;

use super::behaviour::{Behaviour, Quirk};
use crate::pki::Holder;

/// A SIM in a phone.
pub(crate) struct Sim {
    pub(crate) msisdn: String,
    pub(crate) name: String,
    inner: Mutex<Inner>,
}

struct Inner {
    holder: Arc<Holder>,
    usual: Behaviour,
    /// How often the SIM was replaced.
    replaced: u32,
    /// A behaviour for the next so many requests.
    scripted: Option<(Behaviour, u64)>,
}

impl Sim {
    pub(crate) fn new(msisdn: &str, name: &str, holder: Holder, behaviour: Behaviour) -> Self {
        let inner = Inner { holder: Arc::new(holder), usual: behaviour, replaced: 0, scripted: None };
        Self { msisdn: msisdn.into(), name: name.into(), inner: Mutex::new(inner) }
    }

    /// Key and certificate as they are now.
    pub(crate) fn holder(&self) -> Arc<Holder> {
        self.lock().holder.clone()
    }

    /// The SIM is replaced by what `make` makes of the old one and the number of the replacement.
    pub(crate) fn replace(&self, make: impl FnOnce(&Holder, u32) -> Result<Holder>) -> Result<()> {
        let mut inner = self.lock();
        let holder = make(&inner.holder, inner.replaced + 1)?;
        inner.holder = Arc::new(holder);
        inner.replaced += 1;
        Ok(())
    }

    /// What the next request will meet.
    pub(crate) fn behaviour(&self) -> Behaviour {
        let inner = self.lock();
        inner.scripted.map_or(inner.usual, |(behaviour, _)| behaviour)
    }

    /// The behaviour for this request; counts it.
    pub(crate) fn take_behaviour(&self) -> Behaviour {
        let mut inner = self.lock();
        match inner.scripted.take() {
            Some((behaviour, left)) => {
                if left > 1 {
                    inner.scripted = Some((behaviour, left - 1));
                }
                behaviour
            }
            None => inner.usual,
        }
    }

    /// The quirk of this request if it is one of these, which act before any prompt; counts it.
    pub(crate) fn take_quirk(&self, of: &[Quirk]) -> Option<Quirk> {
        let quirk = self.behaviour().quirk.filter(|quirk| of.contains(quirk))?;
        self.take_behaviour();
        Some(quirk)
    }

    /// Sets the usual behaviour, or one for the next `times` requests.
    pub(crate) fn set_behaviour(&self, behaviour: Behaviour, times: Option<u64>) {
        let mut inner = self.lock();
        if let Some(times) = times {
            inner.scripted = (times > 0).then_some((behaviour, times));
        } else {
            inner.usual = behaviour;
            inner.scripted = None;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Holder {
    /// What the applet does: RSA pads the `DigestInfo` it was given, ECDSA signs the digest and answers `r || s`.
    pub(crate) fn sim_sign(&self, digest: &[u8; 32]) -> Result<Vec<u8>> {
        self.key.sign_digest(digest)
    }
}

/// The code over a digest as Mobile-ID defines it: six leading and seven trailing bits, four decimal digits.
pub(crate) fn verification_code(digest: &[u8; 32]) -> String {
    let bits = (u16::from(digest[0] & 0xfc) << 5) | u16::from(digest[31] & 0x7f);
    format!("{bits:04}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::sha256;

    #[test]
    fn codes_match_the_published_vectors() {
        assert_eq!(verification_code(&sha256(b"")), "7253");
        assert_eq!(verification_code(&sha256(b"abc")), "5933");
        assert_eq!(verification_code(&sha256(b"1234567890")), "6342");
    }
}
