//! SOAP faults, 1.2 (`Code/Subcode/Value`, `Reason/Text`, `Detail`) and 1.1 (`faultcode`, `faultstring`).

use super::{code::code, remark, tree::Element};
use crate::reply::{Fault, WhyUnreadable};

/// Reads a fault; one without any digits has no code, which is not an error.
pub(super) fn read(fault: &Element) -> Result<Fault, WhyUnreadable> {
    let mut values = Vec::new();
    let mut here = fault.one("Code")?;
    while let Some(level) = here {
        values.extend(level.one("Value")?.map(|value| value.text.as_str()));
        here = level.one("Subcode")?;
    }
    values.extend(fault.one("faultcode")?.map(|value| value.text.as_str()));
    // A reason may stand once per language; the first is enough for a log.
    let reason = fault.one("Reason")?.and_then(|reason| reason.all("Text").next());
    let reason = reason.or(fault.one("faultstring")?);
    let detail = fault.one("Detail")?.or(fault.one("detail")?);
    let text: Vec<&str> = [reason, detail].into_iter().flatten().map(|part| part.text.trim()).collect();
    Ok(Fault { code: code(values), text: remark(&text.join(" ")) })
}
