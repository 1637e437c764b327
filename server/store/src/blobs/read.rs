//! Reading: a served file is a list of segments, read by position, for the PDF engine and for HTTP ranges alike.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use bytes::Bytes;
use futures::{Stream, stream};
use trinhky_domain::Digest;
use trinhky_pades::{Source, SourceError};

use super::{BlobError, Blobs, FileLayer, Writer};
use crate::files::Segment;

/// A file as its segments, open for positional reads. Cheap to clone; its bytes never change.
#[derive(Debug, Clone)]
pub struct Segments {
    parts: Arc<[Part]>,
    length: u64,
}

#[derive(Debug)]
struct Part {
    file: File,
    start: u64,
    length: u64,
}

impl<L: FileLayer> Blobs<L> {
    /// Opens the segments of a file. Synchronous, and quick: nothing is read.
    ///
    /// # Errors
    /// [`BlobError::Missing`] when a segment is not on disk with the length its row gives.
    pub fn source(&self, segments: &[Segment]) -> Result<Segments, BlobError> {
        let mut parts = Vec::with_capacity(segments.len());
        let mut length = 0u64;
        for segment in segments {
            let missing = || BlobError::Missing(segment.sha256);
            let file = File::open(self.path(segment.sha256)).map_err(|_| missing())?;
            if file.metadata()?.len() != segment.length {
                return Err(missing());
            }
            parts.push(Part { file, start: length, length: segment.length });
            length = length.checked_add(segment.length).ok_or_else(missing)?;
        }
        Ok(Segments { parts: parts.into(), length })
    }

    /// Opens one blob by its name alone: an index, a manifest, an image. Synchronous.
    ///
    /// # Errors
    /// [`BlobError::Missing`].
    pub fn blob(&self, sha256: Digest) -> Result<Segments, BlobError> {
        let metadata = std::fs::metadata(self.path(sha256)).map_err(|_| BlobError::Missing(sha256))?;
        self.source(&[Segment { sha256, length: metadata.len() }])
    }

    /// The bytes of one blob that is known to be small, and that are checked against their name. Synchronous.
    ///
    /// # Errors
    /// [`BlobError::Missing`] also when the bytes are not the ones of this name; [`BlobError::TooLong`].
    pub fn small(&self, sha256: Digest, limit: u64) -> Result<Vec<u8>, BlobError> {
        let blob = self.blob(sha256)?;
        if blob.length > limit {
            return Err(BlobError::TooLong { limit });
        }
        let mut bytes = vec![0; usize::try_from(blob.length).unwrap_or(usize::MAX)];
        blob.read_at(0, &mut bytes).map_err(io::Error::other)?;
        if Digest::of(&bytes) == sha256 { Ok(bytes) } else { Err(BlobError::Missing(sha256)) }
    }

    /// The bytes of a range, in chunks, for HTTP: reads happen on blocking tasks, one chunk ahead of the receiver.
    ///
    /// # Errors
    /// [`BlobError::Missing`] as [`source`](Self::source); a range that reaches past the end is cut there.
    pub fn stream(
        &self,
        segments: &[Segment],
        range: Range<u64>,
    ) -> Result<impl Stream<Item = io::Result<Bytes>> + Send + use<L>, BlobError> {
        let source = self.source(segments)?;
        let end = range.end.min(source.length);
        Ok(stream::try_unfold((source, range.start), move |(source, at)| async move {
            if at >= end {
                return Ok(None);
            }
            let reading = tokio::task::spawn_blocking(move || {
                let size = usize::try_from(end - at).unwrap_or(usize::MAX).min(CHUNK);
                let mut chunk = vec![0; size];
                source.read_at(at, &mut chunk).map_err(io::Error::other)?;
                Ok::<_, io::Error>((source, chunk))
            });
            let (source, chunk) = reading.await.map_err(io::Error::other)??;
            let next = at + chunk.len() as u64;
            Ok(Some((Bytes::from(chunk), (source, next))))
        }))
    }
}

impl<L: FileLayer> Writer<L> {
    /// What was written so far, to be looked at before it gets a name. Synchronous.
    ///
    /// # Errors
    /// [`BlobError::Io`] when it cannot be opened again.
    pub fn source(&self) -> Result<Segments, BlobError> {
        let part = Part { file: File::open(self.path())?, start: 0, length: self.length() };
        Ok(Segments { length: part.length, parts: [part].into() })
    }
}

impl Source for Segments {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, at: u64, buf: &mut [u8]) -> Result<(), SourceError> {
        let len = buf.len() as u64;
        let out = SourceError::OutOfRange { at, len, total: self.length };
        let end = at.checked_add(len).filter(|end| *end <= self.length);
        if end.is_none() {
            return Err(out);
        }
        let mut at = at;
        let mut rest = buf;
        // The part that holds `at` is the last one that starts at or before it.
        let first = self.parts.partition_point(|part| part.start <= at).saturating_sub(1);
        for part in self.parts.iter().skip(first) {
            if rest.is_empty() {
                break;
            }
            let within = at - part.start;
            let here =
                usize::try_from(part.length.saturating_sub(within)).unwrap_or(usize::MAX).min(rest.len());
            let (now, later) = rest.split_at_mut(here);
            part.file.read_exact_at(now, within).map_err(|error| SourceError::Medium(error.to_string()))?;
            at += here as u64;
            rest = later;
        }
        if rest.is_empty() { Ok(()) } else { Err(out) }
    }
}

const CHUNK: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use futures::TryStreamExt as _;
    use proptest::prelude::*;

    fn kept(parts: &[Vec<u8>]) -> (tempfile::TempDir, Blobs, Vec<Segment>) {
        let folder = tempfile::tempdir().expect("a folder");
        let blobs = Blobs::open(folder.path()).expect("opens");
        let segments = parts.iter().map(|part| {
            let written = blobs.keep(part).expect("kept");
            Segment { sha256: written.sha256, length: written.length }
        });
        let segments = segments.collect();
        (folder, blobs, segments)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn segments_read_as_one_file(
            parts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 1..6),
            at in 0u64..220, len in 0usize..220,
        ) {
            let whole = parts.concat();
            let (_folder, blobs, segments) = kept(&parts);
            let source = blobs.source(&segments).expect("opens");
            prop_assert_eq!(source.len(), whole.len() as u64);
            let mut buf = vec![0; len];
            let from = usize::try_from(at).expect("small");
            match whole.get(from..from + len) {
                Some(expected) => {
                    prop_assert!(source.read_at(at, &mut buf).is_ok());
                    prop_assert_eq!(buf.as_slice(), expected);
                }
                None => prop_assert!(source.read_at(at, &mut buf).is_err()),
            }
        }
    }

    #[tokio::test]
    async fn a_range_streams_in_chunks_across_segments() {
        let parts = [vec![1; 100_000], vec![2; 100_000]];
        let (_folder, blobs, segments) = kept(&parts);
        let chunks: Vec<_> =
            blobs.stream(&segments, 50_000..150_000).expect("opens").try_collect().await.expect("reads");
        assert!(chunks.len() > 1 && chunks.iter().all(|chunk| chunk.len() <= CHUNK));
        assert_eq!(chunks.concat(), [vec![1; 50_000], vec![2; 50_000]].concat());
    }

    #[test]
    fn a_small_blob_is_checked_against_its_name() {
        let (_folder, blobs, segments) = kept(&[b"manifest".to_vec()]);
        let name = segments[0].sha256;
        assert_eq!(blobs.small(name, 8).expect("there"), b"manifest");
        assert!(matches!(blobs.small(name, 7), Err(BlobError::TooLong { limit: 7 })));
        std::fs::write(blobs.path(name), b"manifesT").expect("spoilt");
        assert!(matches!(blobs.small(name, 8), Err(BlobError::Missing(_))));
        assert!(matches!(blobs.blob(Digest::of(b"never kept")), Err(BlobError::Missing(_))));
    }

    #[test]
    fn a_segment_that_is_cut_short_is_missing() {
        let (_folder, blobs, mut segments) = kept(&[vec![1; 10]]);
        segments[0].length = 11;
        assert!(matches!(blobs.source(&segments), Err(BlobError::Missing(_))));
    }
}
