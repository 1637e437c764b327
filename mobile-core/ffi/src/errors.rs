//! The one error enum apps see: its cases are next steps, its codes are stable, its sentence is for people (not called
//! `message`, which Kotlin's exceptions already have).

use trinhky_mobile_core as core;

/// What the app does next.
#[derive(Debug, thiserror::Error, uniffi::Error)]
pub enum CoreError {
    /// Show the sign-in screen.
    #[error("sign in: {code}: {what}")]
    SignIn {
        /// Stable code.
        code: String,
        /// Vietnamese sentence for the reader.
        sentence: String,
        /// What exactly, in English, for support.
        what: String,
    },
    /// Offer "try again".
    #[error("retry: {code}: {what}")]
    Retry {
        /// Stable code.
        code: String,
        /// Vietnamese sentence for the reader.
        sentence: String,
        /// What exactly, in English, for support.
        what: String,
    },
    /// Fetch the document and read it again.
    #[error("read again: {code}: {what}")]
    ReadAgain {
        /// Stable code.
        code: String,
        /// Vietnamese sentence for the reader.
        sentence: String,
        /// What exactly, in English, for support.
        what: String,
    },
    /// What was prepared is not what was shown: do not sign, tell security.
    #[error("do not sign: {code}: {what}")]
    DoNotSign {
        /// Stable code.
        code: String,
        /// Vietnamese sentence for the reader.
        sentence: String,
        /// What exactly, in English, for support.
        what: String,
    },
    /// Enrol this device first.
    #[error("enrol: {code}: {what}")]
    Enrol {
        /// Stable code.
        code: String,
        /// Vietnamese sentence for the reader.
        sentence: String,
        /// What exactly, in English, for support.
        what: String,
    },
    /// Call the administrator.
    #[error("administrator: {code}: {what}")]
    Administrator {
        /// Stable code.
        code: String,
        /// Vietnamese sentence for the reader.
        sentence: String,
        /// What exactly, in English, for support.
        what: String,
    },
    /// The app used something twice that can be used once; a mistake in the app.
    #[error("{what}")]
    AlreadyUsed {
        /// What was used up.
        what: String,
    },
}

impl From<core::CoreError> for CoreError {
    fn from(error: core::CoreError) -> Self {
        let core::Told { code, message: sentence, what } = error.told().clone();
        match error {
            core::CoreError::SignIn(_) => Self::SignIn { code, sentence, what },
            core::CoreError::Retry(_) => Self::Retry { code, sentence, what },
            core::CoreError::ReadAgain(_) => Self::ReadAgain { code, sentence, what },
            core::CoreError::DoNotSign(_) => Self::DoNotSign { code, sentence, what },
            core::CoreError::Enrol(_) => Self::Enrol { code, sentence, what },
            core::CoreError::Administrator(_) => Self::Administrator { code, sentence, what },
        }
    }
}

impl From<core::Error> for CoreError {
    fn from(error: core::Error) -> Self {
        core::CoreError::from(error).into()
    }
}
