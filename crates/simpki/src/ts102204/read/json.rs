//! The JSON form of a fault, `{"Fault":{"Code":{"Value":…,"SubCode":{"Value":"_101"}},"Reason":…,"Detail":…}}`.
//!
//! Some gateways answer a SOAP request that they could not route in the form of their REST side.

use serde_json::Value;

use super::{code::code, remark};
use crate::reply::{Fault, WhyUnreadable};

/// Reads a fault from JSON.
pub(super) fn fault(text: &str) -> Result<Fault, WhyUnreadable> {
    let json: Value = serde_json::from_str(text).map_err(|_| WhyUnreadable::Malformed)?;
    let fault = json.get("Fault").ok_or(WhyUnreadable::NotAMessage)?;
    let mut values = Vec::new();
    let mut here = fault.get("Code");
    while let Some(level) = here {
        values.extend(level.get("Value").and_then(Value::as_str));
        here = level.get("SubCode").or_else(|| level.get("Subcode"));
    }
    let text: Vec<&str> = ["Reason", "Detail"].iter().filter_map(|key| fault.get(key)?.as_str()).collect();
    Ok(Fault { code: code(values), text: remark(&text.join(" ")) })
}
