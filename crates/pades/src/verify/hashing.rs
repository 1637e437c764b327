//! All digests of a file in one reading: its own SHA-256 and one per signature.
//!
//! The bytes before a signature's gap are shared by everything that covers them, so each hash function runs over the
//! file once and a signature takes a copy of its state at its gap. What follows a gap is usually a few hundred bytes.

use crate::{
    crypto::{HashAlgorithm, Hasher},
    digest::Digest,
    source::{Source, SourceError},
};

/// Bytes read at once.
const CHUNK: usize = 256 * 1024;

/// A byte range to be digested: `[0, first)` and `[resume, end)`, with `first ≤ resume ≤ end ≤ len`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Job {
    /// End of the first part.
    pub(crate) first: u64,
    /// Start of the second.
    pub(crate) resume: u64,
    /// End of the second.
    pub(crate) end: u64,
    /// With which function.
    pub(crate) algorithm: HashAlgorithm,
}

/// The digest of the whole file, and one per job.
pub(crate) type Digests = (Digest, Vec<Option<Vec<u8>>>);

/// The digest of the whole file, and one per job; `None` where the ranges are nonsense or where digesting them all
/// would read the file more than sixteen times over.
///
/// # Errors
/// [`SourceError`] if the medium fails.
pub(crate) fn digests(source: &dyn Source, jobs: &[Job]) -> Result<Digests, SourceError> {
    let len = source.len();
    let mut left = len.saturating_mul(16).saturating_add(64 << 20);
    let mut pending = Vec::new();
    let mut cuts = vec![len];
    for (index, job) in jobs.iter().enumerate() {
        let sane = job.first <= job.resume && job.resume <= job.end && job.end <= len;
        let cost = job.end.saturating_sub(job.resume);
        if sane && cost <= left {
            left -= cost;
            cuts.extend([job.first, job.resume, job.end]);
            pending.push((index, *job, None::<Hasher>));
        }
    }
    cuts.sort_unstable();
    cuts.dedup();
    let mut shared: Vec<(HashAlgorithm, Hasher)> = Vec::new();
    for algorithm in pending.iter().map(|(_, job, _)| job.algorithm).chain([HashAlgorithm::Sha256]) {
        if !shared.iter().any(|(known, _)| *known == algorithm) {
            shared.push((algorithm, Hasher::new(algorithm)));
        }
    }
    let mut results: Vec<Option<Vec<u8>>> = vec![None; jobs.len()];
    let mut buffer = vec![0; CHUNK.min(usize::try_from(len).unwrap_or(CHUNK)).max(1)];
    let mut at = 0;
    for cut in cuts {
        while at < cut {
            let take = usize::try_from(cut - at).unwrap_or(CHUNK).min(buffer.len());
            let Some(chunk) = buffer.get_mut(..take) else { break };
            source.read_at(at, chunk)?;
            for (_, hasher) in &mut shared {
                hasher.update(chunk);
            }
            for (_, job, hasher) in &mut pending {
                if let Some(hasher) = hasher
                    && at >= job.resume
                    && at < job.end
                {
                    hasher.update(chunk);
                }
            }
            at += take as u64;
        }
        for (index, job, hasher) in &mut pending {
            if cut == job.first && hasher.is_none() {
                *hasher =
                    shared.iter().find(|(known, _)| *known == job.algorithm).map(|(_, state)| state.clone());
            }
            if cut == job.end
                && let Some(done) = hasher.take()
                && let Some(result) = results.get_mut(*index)
            {
                *result = Some(done.finish());
            }
        }
    }
    let whole = shared
        .into_iter()
        .find(|(known, _)| *known == HashAlgorithm::Sha256)
        .map(|(_, hasher)| hasher.finish());
    let whole = whole.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()).map_or(Digest([0; 32]), Digest);
    Ok((whole, results))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn equal_to_digesting_one_by_one(
            bytes in proptest::collection::vec(any::<u8>(), 0..2000),
            cuts in proptest::collection::vec((0_u64..2100, 0_u64..2100, 0_u64..2100, 0_usize..3), 0..6),
        ) {
            let algorithms = [HashAlgorithm::Sha1, HashAlgorithm::Sha256, HashAlgorithm::Sha512];
            let jobs: Vec<Job> = cuts
                .iter()
                .map(|&(first, resume, end, which)| Job { first, resume, end, algorithm: algorithms[which] })
                .collect();
            let (whole, results) = digests(&bytes, &jobs).unwrap();
            prop_assert_eq!(whole, Digest::of(&bytes));
            for (job, result) in jobs.iter().zip(results) {
                let sane = job.first <= job.resume && job.resume <= job.end && job.end <= bytes.len() as u64;
                let expected = sane.then(|| {
                    let mut hasher = Hasher::new(job.algorithm);
                    hasher.update(&bytes[..usize::try_from(job.first).unwrap()]);
                    hasher.update(&bytes[usize::try_from(job.resume).unwrap()..usize::try_from(job.end).unwrap()]);
                    hasher.finish()
                });
                prop_assert_eq!(result, expected);
            }
        }
    }
}
