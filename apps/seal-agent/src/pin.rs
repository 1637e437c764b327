//! The PIN's one way in: typed at a terminal without echo, or one line on standard input when a program drives the agent.
//!
//! Never from an environment variable, an argument, a file or the configuration; never in a log. It is wiped from
//! memory when it is dropped.

use std::io::BufRead as _;

use zeroize::Zeroizing;

use crate::error::Error;

/// Where the PIN comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PinFrom {
    /// `--pin-stdin`.
    Stdin,
    /// The terminal.
    Terminal,
}

impl PinFrom {
    /// The PIN.
    ///
    /// # Errors
    /// [`Error::PinMissing`] if there is none.
    pub(crate) fn read(self) -> Result<Zeroizing<String>, Error> {
        let pin = match self {
            Self::Stdin => {
                let mut line = Zeroizing::new(String::with_capacity(LONGEST_PIN));
                std::io::stdin().lock().read_line(&mut line).map_err(|_| Error::PinMissing)?;
                Zeroizing::new(line.trim_end_matches(['\r', '\n']).to_owned())
            }
            Self::Terminal => Zeroizing::new(
                rpassword::prompt_password("Mã PIN của thiết bị: ").map_err(|_| Error::PinMissing)?,
            ),
        };
        if pin.is_empty() { Err(Error::PinMissing) } else { Ok(pin) }
    }
}

/// Room for any PIN, so that reading one does not leave copies behind by growing.
const LONGEST_PIN: usize = 256;
