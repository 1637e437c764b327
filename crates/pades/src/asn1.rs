//! The few ASN.1 helpers that CMS, X.509, OCSP and RFC 3161 share here, on top of the `der` crate (X.690).
//!
//! Three things `der` does not give and signatures need: the *raw* bytes of a part (`Raw`, `RawSet`), because a
//! signature covers the bytes that were sent and not our re-encoding of them; object identifiers with arcs of any
//! size ([`Oid`]), because UUID arcs (2.25.…) exceed 32 bits; and BER reduced to definite lengths (`ber`).
//! Every reader here is bounded: total size, nesting and element count are limits, never the input's choice.

pub(crate) mod ber;
mod oid;
mod time;

pub use oid::Oid;
pub(crate) use time::{generalized_time, rfc5280_time};

use der::asn1::AnyRef;
use der::{
    Decode, DecodeValue, Encode, EncodeValue, FixedTag, Header, Length, Reader, Sequence, SliceReader, Tag,
    Writer,
};

/// Most elements that one SET OF or SEQUENCE OF may hold, unless a caller asks for less.
pub(crate) const MAX_ITEMS: usize = 512;

/// One complete TLV, kept as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Raw<'a>(pub(crate) &'a [u8]);

impl<'a> Raw<'a> {
    /// The TLV at the start of `bytes`, which must end with it.
    pub(crate) fn only(bytes: &'a [u8]) -> der::Result<Self> {
        Self::from_der(bytes)
    }

    /// The TLV at the start of `bytes` by its length header, and what follows it.
    pub(crate) fn first(bytes: &'a [u8]) -> der::Result<(Self, &'a [u8])> {
        Self::from_der_partial(bytes)
    }

    pub(crate) fn any(self) -> der::Result<AnyRef<'a>> {
        AnyRef::from_der(self.0)
    }

    pub(crate) fn parse<T: Decode<'a, Error = der::Error>>(self) -> der::Result<T> {
        T::from_der(self.0)
    }
}

impl<'a> Decode<'a> for Raw<'a> {
    type Error = der::Error;

    fn decode<R: Reader<'a>>(reader: &mut R) -> der::Result<Self> {
        reader.tlv_bytes().map(Raw)
    }
}

impl Encode for Raw<'_> {
    fn encoded_len(&self) -> der::Result<Length> {
        Length::try_from(self.0.len())
    }

    fn encode(&self, writer: &mut impl Writer) -> der::Result<()> {
        writer.write(self.0)
    }
}

/// The content of a SET OF, in the order it came. `der`'s own `SetOfVec` sorts when it decodes, and then a signature
/// over unsorted attributes would be checked against bytes nobody signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RawSet<'a>(pub(crate) &'a [u8]);

/// The content of a SEQUENCE (OF), as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RawSeq<'a>(pub(crate) &'a [u8]);

macro_rules! raw_content {
    ($name:ident, $tag:expr) => {
        impl<'a> $name<'a> {
            /// The elements in their order.
            pub(crate) fn items(self) -> der::Result<Vec<Raw<'a>>> {
                items(self.0, MAX_ITEMS)
            }
        }

        impl FixedTag for $name<'_> {
            const TAG: Tag = $tag;
        }

        impl<'a> DecodeValue<'a> for $name<'a> {
            type Error = der::Error;

            fn decode_value<R: Reader<'a>>(reader: &mut R, header: Header) -> der::Result<Self> {
                reader.read_slice(header.length()).map($name)
            }
        }

        impl EncodeValue for $name<'_> {
            fn value_len(&self) -> der::Result<Length> {
                Length::try_from(self.0.len())
            }

            fn encode_value(&self, writer: &mut impl Writer) -> der::Result<()> {
                writer.write(self.0)
            }
        }
    };
}
raw_content!(RawSet, Tag::Set);
raw_content!(RawSeq, Tag::Sequence);

/// Splits `content` into its TLVs; more than `limit` is refused.
pub(crate) fn items(content: &[u8], limit: usize) -> der::Result<Vec<Raw<'_>>> {
    let mut out = Vec::new();
    for item in Items::new(content)? {
        if out.len() == limit {
            return Err(der::ErrorKind::Overlength.into());
        }
        out.push(item?);
    }
    Ok(out)
}

/// The TLVs of `content`, one by one, without a list: a CRL may hold a million entries.
pub(crate) struct Items<'a> {
    reader: Option<SliceReader<'a>>,
}

impl<'a> Items<'a> {
    pub(crate) fn new(content: &'a [u8]) -> der::Result<Self> {
        Ok(Self { reader: if content.is_empty() { None } else { Some(SliceReader::new(content)?) } })
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = der::Result<Raw<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        let reader = self.reader.as_mut()?;
        let item = reader.tlv_bytes().map(Raw);
        if item.is_err() || reader.is_finished() {
            self.reader = None;
        }
        Some(item)
    }
}

/// `AlgorithmIdentifier ::= SEQUENCE { algorithm OBJECT IDENTIFIER, parameters ANY DEFINED BY algorithm OPTIONAL }`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Sequence)]
pub(crate) struct Algorithm<'a> {
    pub(crate) oid: Oid,
    pub(crate) parameters: Option<AnyRef<'a>>,
}

impl Algorithm<'_> {
    /// Parameters absent, or the NULL that older producers write.
    pub(crate) fn parameters_empty(&self) -> bool {
        self.parameters.is_none_or(AnyRef::is_null)
    }
}

/// Wraps `content` in one header with the tag byte `tag`.
pub(crate) fn wrap(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len() + 6);
    out.push(tag);
    push_length(&mut out, content.len());
    out.extend_from_slice(content);
    out
}

/// A DER SEQUENCE of the given complete elements.
pub(crate) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    wrap(0x30, &parts.concat())
}

/// A DER SET OF the given complete elements, sorted as X.690 11.6 wants it.
pub(crate) fn set_of(mut parts: Vec<Vec<u8>>) -> Vec<u8> {
    parts.sort();
    wrap(0x31, &parts.concat())
}

pub(crate) fn push_length(out: &mut Vec<u8>, length: usize) {
    if length < 0x80 {
        out.push(u8::try_from(length).unwrap_or(0x7f));
        return;
    }
    let bytes = length.to_be_bytes();
    let used: Vec<u8> = bytes.iter().copied().skip_while(|b| *b == 0).collect();
    out.push(0x80 | u8::try_from(used.len()).unwrap_or(8));
    out.extend_from_slice(&used);
}

/// How many bytes the DER element at the start of `bytes` takes, by its length header; `None` if it does not fit.
///
/// A signature's `/Contents` is zero padded, and a CMS may itself end in zeros: only the header knows where it ends.
pub fn der_length(bytes: &[u8]) -> Option<usize> {
    Raw::first(bytes).ok().map(|(raw, _)| raw.0.len())
}
