//! What the platform brings, as traits that Kotlin, Swift and Python implement, and how the core reaches them.
//!
//! Whatever goes wrong on the other side, exceptions nobody declared included, arrives as an error value: the core never
//! unwinds into an app.

use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use time::OffsetDateTime;
use trinhky_mobile_core as core;

use crate::records::{PublicJwk, Request, Response};

/// The device's P-256 key, in the platform's key store; the private half never leaves it.
#[uniffi::export(foreign)]
#[async_trait]
pub trait DeviceKey: Send + Sync {
    /// The public half; the key is made on first use.
    async fn public_jwk(&self) -> Result<PublicJwk, DeviceKeyError>;
    /// ECDSA over SHA-256 of `message`: 64 bytes, `r` then `s`.
    async fn sign(&self, message: Vec<u8>) -> Result<Vec<u8>, DeviceKeyError>;
}

/// The device key could not be used.
#[derive(Debug, thiserror::Error, uniffi::Error)]
pub enum DeviceKeyError {
    /// The person turned the prompt away.
    #[error("not allowed")]
    NotAllowed,
    /// The key store failed, or the key is gone.
    #[error("{why}")]
    Failed {
        /// In the platform's words.
        why: String,
    },
}

/// A small private text that survives a restart, replaced whole or not at all.
#[uniffi::export(foreign)]
pub trait Keep: Send + Sync {
    /// What was saved last; nothing on a first start.
    fn load(&self) -> Result<Option<String>, KeepError>;
    /// Replaces it.
    fn save(&self, text: String) -> Result<(), KeepError>;
}

/// The device's storage failed.
#[derive(Debug, thiserror::Error, uniffi::Error)]
pub enum KeepError {
    /// It failed.
    #[error("{why}")]
    Failed {
        /// In the platform's words.
        why: String,
    },
}

/// The time, where it is not the system's.
#[uniffi::export(foreign)]
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> SystemTime;
}

/// The way to the server, where it is not the core's own.
#[uniffi::export(foreign)]
#[async_trait]
pub trait Transport: Send + Sync {
    /// One HTTP exchange; redirects are not followed.
    async fn send(&self, request: Request) -> Result<Response, TransportError>;
}

/// No complete answer.
#[derive(Debug, thiserror::Error, uniffi::Error)]
pub enum TransportError {
    /// Not reached, or broken off.
    #[error("{why}")]
    Unreached {
        /// In the platform's words.
        why: String,
    },
    /// Took too long.
    #[error("timed out")]
    TimedOut,
    /// Longer than allowed.
    #[error("longer than {limit} bytes")]
    TooLong {
        /// The limit.
        limit: u64,
    },
}

impl From<uniffi::UnexpectedUniFFICallbackError> for DeviceKeyError {
    fn from(error: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Failed { why: error.reason }
    }
}

impl From<uniffi::UnexpectedUniFFICallbackError> for KeepError {
    fn from(error: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Failed { why: error.reason }
    }
}

impl From<uniffi::UnexpectedUniFFICallbackError> for TransportError {
    fn from(error: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Unreached { why: error.reason }
    }
}

impl From<DeviceKeyError> for core::DeviceKeyError {
    fn from(error: DeviceKeyError) -> Self {
        match error {
            DeviceKeyError::NotAllowed => Self::NotAllowed,
            DeviceKeyError::Failed { why } => Self::Failed(why),
        }
    }
}

impl From<TransportError> for core::TransportError {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::Unreached { why } => Self::Unreached(why),
            TransportError::TimedOut => Self::TimedOut,
            TransportError::TooLong { limit } => Self::TooLong { limit },
        }
    }
}

/// A foreign implementation as the core sees it.
pub(crate) struct Foreign<T: ?Sized>(pub(crate) Arc<T>);

#[async_trait]
impl core::DeviceKey for Foreign<dyn DeviceKey> {
    async fn public_jwk(&self) -> Result<trinhky_protos::device::PublicJwk, core::DeviceKeyError> {
        Ok(self.0.public_jwk().await?.into())
    }

    async fn sign(&self, message: Vec<u8>) -> Result<Vec<u8>, core::DeviceKeyError> {
        Ok(self.0.sign(message).await?)
    }
}

impl core::Keep for Foreign<dyn Keep> {
    fn load(&self) -> Result<Option<String>, core::KeepError> {
        self.0.load().map_err(|error| core::KeepError(error.to_string()))
    }

    fn save(&self, text: String) -> Result<(), core::KeepError> {
        self.0.save(text).map_err(|error| core::KeepError(error.to_string()))
    }
}

impl core::Clock for Foreign<dyn Clock> {
    fn now(&self) -> OffsetDateTime {
        self.0.now().into()
    }
}

#[async_trait]
impl core::Transport for Foreign<dyn Transport> {
    async fn send(&self, request: core::Request) -> Result<core::Response, core::TransportError> {
        Ok(self.0.send(request.into()).await?.into())
    }
}
