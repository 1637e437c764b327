//! The second factor's secret in its row: sealed, bound to its person.

use trinhky_domain::ids::PersonId;
use trinhky_store::Store;

use crate::ambient::Random;
use crate::keys::{AtRest, DoesNotOpen};

/// Seals a secret for its row.
///
/// # Errors
/// When it cannot be sealed.
pub fn seal(key: &AtRest, person: PersonId, secret: &[u8], random: &dyn Random) -> anyhow::Result<Vec<u8>> {
    key.seal(&bound(person), secret, random)
}

/// The secret of a row.
///
/// # Errors
/// [`DoesNotOpen`]; a secret from before sealing does not open either: `trinhky migrate` seals it.
pub fn open(key: &AtRest, person: PersonId, sealed: &[u8]) -> Result<Vec<u8>, DoesNotOpen> {
    key.open(&bound(person), sealed)
}

/// Seals every secret that stands plain in its row; says how many.
///
/// # Errors
/// What the store says; nothing is changed then.
pub async fn seal_plain_ones(store: &Store, key: &AtRest, random: &dyn Random) -> anyhow::Result<usize> {
    let mut tx = store.begin().await?;
    let mut sealed = 0;
    for mut account in tx.accounts().await? {
        let Some(plain) = account.totp_secret.take_if(|secret| !AtRest::is_sealed(secret)) else { continue };
        account.totp_secret = Some(seal(key, account.person, &plain, random)?);
        tx.put_account(&account).await?;
        sealed += 1;
    }
    tx.commit().await?;
    Ok(sealed)
}

fn bound(person: PersonId) -> String {
    format!("second factor of {person}")
}
