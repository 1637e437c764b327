//! `TRINHKY_<SECTION>_<KEY>=value` over the settings file, e.g. `TRINHKY_DATABASE_URL=sqlite:/srv/rows.db`.
//!
//! A value is read as TOML where the file's own value or the text itself is no plain string (`7`, `true`, `["a"]`);
//! everything else is a string.

use toml::{Table, Value};

use super::ConfigError;

/// Sections a variable may name.
const SECTIONS: &[&str] = &[
    "server",
    "database",
    "files",
    "trust",
    "tsa",
    "revocation",
    "scanner",
    "limits",
    "jobs",
    "push",
    "mail",
    "seal",
    "gate",
    "policy",
];

/// Variables that other code reads.
const OTHERS: &[&str] = &[
    "TRINHKY_CONFIG",
    "TRINHKY_CLOCK",
    "TRINHKY_STOP_AT",
    "TRINHKY_CORPORA",
    "TRINHKY_LOG",
    "TRINHKY_CACHE",
    "TRINHKY_PYTHON",
    "TRINHKY_FUZZ_SECONDS",
];

/// Lays the variables over the table and tells whether any was for us.
pub(super) fn lay_over(
    table: &mut Table,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<bool, ConfigError> {
    let mut any = false;
    for (name, text) in variables {
        let Some(rest) = name.strip_prefix("TRINHKY_") else { continue };
        if OTHERS.contains(&name.as_str()) {
            continue;
        }
        let lower = rest.to_ascii_lowercase();
        let (section, key) = lower
            .split_once('_')
            .filter(|(section, key)| SECTIONS.contains(section) && !key.is_empty())
            .ok_or_else(|| ConfigError::Variable {
                name: name.clone(),
                message: format!("no such setting; sections are {}", SECTIONS.join(", ")),
            })?;
        let Value::Table(keys) = table.entry(section).or_insert_with(|| Value::Table(Table::new())) else {
            return Err(ConfigError::Variable {
                name,
                message: format!("[{section}] is not a section in the file"),
            });
        };
        keys.insert(key.to_owned(), value(&text));
        any = true;
    }
    Ok(any)
}

fn value(text: &str) -> Value {
    let looks_like_toml =
        text.starts_with(['[', '"']) || text.parse::<f64>().is_ok() || matches!(text, "true" | "false");
    looks_like_toml
        .then(|| toml::from_str::<Table>(&format!("value = {text}")).ok()?.remove("value"))
        .flatten()
        .unwrap_or_else(|| Value::String(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_kind() {
        assert_eq!(value("7"), Value::Integer(7));
        assert_eq!(value("true"), Value::Boolean(true));
        assert_eq!(value("[\"a\", \"b\"]"), Value::Array(vec!["a".into(), "b".into()]));
        assert_eq!(value("127.0.0.1:0"), Value::String("127.0.0.1:0".into()));
        assert_eq!(value("nan is not a path"), Value::String("nan is not a path".into()));
    }
}
