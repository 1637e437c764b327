//! What the store says, as the wire says it.

use trinhky_protos::problem::Code;
use trinhky_store::Error;

use super::ApiError;

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound(_) => Code::NotFound.into(),
            Error::Conflict(_) => Code::Stale.into(),
            other => Self::internal(other),
        }
    }
}
