//! What the product may never write into a log: numbers, names, secrets, and what documents are about.
//!
//! Asked of the logs of a whole flow, of every process, because no reading of the code finds the error text of a library
//! that quotes what it was given.

use anyhow::{Result, ensure};
use trinhky_simpki::display::fold_vi;

use crate::rig::{Part, Rig};

/// More than is logged by default, so that a line for developers is looked at, too.
pub const TALKATIVE: (&str, &str) =
    ("TRINHKY_LOG", "info,trinhky_server=trace,trinhky_store=trace,trinhky=trace");

/// Starts every process again, talkative.
///
/// # Errors
/// One does not stop or start.
pub async fn talk(rig: &mut Rig) -> Result<()> {
    for part in [Part::Serve, Part::Work, Part::Gate] {
        rig.stop(part).await?;
        rig.up(part, &[TALKATIVE]).await?;
    }
    Ok(())
}

/// Reads every log and refuses the first thing in it that is nobody's business. `said` are the words of the documents:
/// subjects, recipients, file names, reasons.
///
/// # Errors
/// Something was logged; the text says what and by whom.
pub fn told_nothing(rig: &Rig, said: &[&str]) -> Result<()> {
    let mut secrets: Vec<String> = said.iter().flat_map(|text| [(*text).to_owned(), fold_vi(text)]).collect();
    secrets.push(rig.world.push_base.clone());
    secrets.push(std::fs::read_to_string(&rig.world.ap_password_file)?.trim().to_owned());
    for account in &rig.world.accounts {
        secrets.extend([account.password.clone(), account.totp_secret.clone()]);
        secrets.extend([account.full_name.clone(), fold_vi(&account.full_name)]);
        // As it is written at home, abroad and on the wire.
        secrets.extend(account.msisdn.as_ref().map(|number| number.trim_start_matches("84").to_owned()));
    }
    // A header that carries a session, and a prompt's text.
    secrets.extend(["Bearer ".to_owned(), "Ky so VB".to_owned(), "Dang ky thiet bi".to_owned()]);
    for part in [Part::Serve, Part::Work, Part::Gate] {
        let log = std::fs::read_to_string(rig.log(part))?;
        ensure!(!log.is_empty(), "{part:?} logged nothing at all");
        for secret in &secrets {
            ensure!(!secret.is_empty(), "an empty secret is in every log");
            ensure!(!log.contains(secret.as_str()), "{part:?} logged {secret:?}");
        }
    }
    Ok(())
}
