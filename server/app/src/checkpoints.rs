//! Signed checkpoints of the journal (C2SP `tlog-checkpoint` in a `signed-note`): its size and root, vouched for with
//! the installation's own P-256 key. Every leader's device keeps the newest one it was shown and names it in its next
//! decision, so a journal that was cut or written anew cannot be shown to them again.
//!
//! The signature is ECDSA over SHA-256 of the text, in DER; the key's hash is the first four bytes of the SHA-256 of its
//! `SubjectPublicKeyInfo`, as the transparency logs do that sign with ECDSA.

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, EcdsaKeyPair, KeyPair as _, UnparsedPublicKey};
use trinhky_domain::Digest;
use trinhky_domain::audit::Checkpoint;
use trinhky_domain::note::{NoteSignature, SignedNote};

use crate::app::App;
use crate::error::{ApiError, ApiResult};

/// Entries that get their places at once.
const LINES: u32 = 1_000;
/// The journal's name where the settings give none.
const UNNAMED: &str = "trinhky/journal";
/// How often a sequencer that was overtaken looks again.
const TRIES: u32 = 5;

/// Gives the newest entries their places in the tree and signs where it stands then.
///
/// # Errors
/// What the store says; a sequencer in another process that was faster is a conflict, and all is well.
pub async fn advance(app: &App) -> ApiResult<()> {
    let mut tx = app.store.begin().await?;
    if tx.sequence_journal(LINES).await? > 0 {
        let tree = tx.tree().await?;
        let origin = app.config.keys.journal.clone().unwrap_or_else(|| UNNAMED.to_owned());
        let checkpoint = Checkpoint { origin, size: tree.size, root: tree.root };
        let note = sign(&app.keys.audit, &checkpoint).map_err(ApiError::internal)?;
        tx.keep_checkpoint(tree.size, &note, app.clock.now()).await?;
    }
    Ok(tx.commit().await?)
}

/// Until every entry has its place: for evidence that is given now.
///
/// # Errors
/// What the store says.
pub async fn settle(app: &App) -> ApiResult<()> {
    for _ in 0..TRIES {
        if app.store.read().await?.journal_is_sequenced().await? {
            break;
        }
        match advance(app).await {
            // Another process is at it.
            Err(error) if error.code() == trinhky_protos::problem::Code::Stale => {}
            other => other?,
        }
    }
    Ok(())
}

/// The key that checkpoints are signed with: `SubjectPublicKeyInfo`, DER.
///
/// # Errors
/// When the key cannot be written.
pub fn public_key(pair: &EcdsaKeyPair) -> anyhow::Result<Vec<u8>> {
    let der: PublicKeyX509Der<'_> =
        pair.public_key().as_der().map_err(|_| anyhow::anyhow!("the audit key has no public half"))?;
    Ok(der.as_ref().to_vec())
}

fn sign(pair: &EcdsaKeyPair, checkpoint: &Checkpoint) -> anyhow::Result<String> {
    let text = checkpoint.text();
    let value = pair
        .sign(&SystemRandom::new(), text.as_bytes())
        .map_err(|_| anyhow::anyhow!("the audit key does not sign"))?;
    let signature = NoteSignature {
        name: checkpoint.origin.clone(),
        key: key_hash(&public_key(pair)?),
        value: value.as_ref().to_vec(),
    };
    Ok(SignedNote { text, signatures: vec![signature] }.to_string())
}

/// The checkpoint of a note that the holder of `public_key` (`SubjectPublicKeyInfo`, DER) signed.
pub fn verify(note: &str, public_key: &[u8]) -> Option<Checkpoint> {
    let note = SignedNote::parse(note)?;
    let checkpoint = Checkpoint::parse(&note.text)?;
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, public_key);
    let ours = |signature: &&NoteSignature| {
        signature.name == checkpoint.origin && signature.key == key_hash(public_key)
    };
    let signed =
        note.signatures.iter().filter(ours).any(|one| key.verify(note.text.as_bytes(), &one.value).is_ok());
    signed.then_some(checkpoint)
}

fn key_hash(public_key: &[u8]) -> [u8; 4] {
    let [a, b, c, d, ..] = Digest::of(public_key).0;
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient;
    use crate::keys::Keys;

    #[test]
    fn a_checkpoint_is_believed_from_its_own_key_and_unchanged() {
        let folder = tempfile::tempdir().expect("a folder");
        let keys =
            |name: &str| Keys::open(&folder.path().join(name), &ambient::SystemRandom).expect("keys").audit;
        let (ours, theirs) = (keys("ours"), keys("theirs"));
        let checkpoint = Checkpoint { origin: "here/journal".to_owned(), size: 12, root: Digest([7; 32]) };
        let note = sign(&ours, &checkpoint).expect("signed");
        assert!(note.starts_with("here/journal\n12\n"), "{note}");
        let key = public_key(&ours).expect("a key");
        assert_eq!(verify(&note, &key), Some(checkpoint));
        assert_eq!(verify(&note, &public_key(&theirs).expect("a key")), None);
        assert_eq!(verify(&note.replacen("12", "13", 1), &key), None);
    }
}
