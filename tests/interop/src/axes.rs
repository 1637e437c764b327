//! What the matrix varies, and a selection of cases in which every pair of values occurs.

use serde::Serialize;

/// How the input is built. Each is a file of that name among the inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Input {
    Classic,
    Stream,
    Hybrid,
    Linearised,
    TaggedPdfa2a,
    OnePage,
    FiveHundredPages,
    Rotated,
    Acroform,
    SignedElsewhere,
    #[serde(rename = "pdfa-1a")]
    Pdfa1a,
    #[serde(rename = "pdfa-1b")]
    Pdfa1b,
    #[serde(rename = "pdfa-2b")]
    Pdfa2b,
    #[serde(rename = "pdfa-2u")]
    Pdfa2u,
    #[serde(rename = "pdfa-3b")]
    Pdfa3b,
    #[serde(rename = "pdfua-1")]
    Pdfua1,
}

impl Input {
    /// The axis of the matrix.
    const MATRIX: [Self; 10] = [
        Self::Classic,
        Self::Stream,
        Self::Hybrid,
        Self::Linearised,
        Self::TaggedPdfa2a,
        Self::OnePage,
        Self::FiveHundredPages,
        Self::Rotated,
        Self::Acroform,
        Self::SignedElsewhere,
    ];
    /// Beside the matrix, for the judges of PDF/A and PDF/UA alone.
    const CONFORMING: [Self; 6] =
        [Self::Pdfa1a, Self::Pdfa1b, Self::Pdfa2b, Self::Pdfa2u, Self::Pdfa3b, Self::Pdfua1];

    /// Whether PDF/A or PDF/UA is asked of its signed form, beside the matrix. These show what our own documents have at
    /// times: a stamp of urgency in the base.
    pub(crate) fn conforms(self) -> bool {
        Self::CONFORMING.contains(&self)
    }

    /// Whether the first of its signatures certifies it.
    pub(crate) fn is_certified(self) -> bool {
        matches!(self, Self::Pdfa2u | Self::Pdfua1)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Classic => "classic",
            Self::Stream => "stream",
            Self::Hybrid => "hybrid",
            Self::Linearised => "linearised",
            Self::TaggedPdfa2a => "tagged-pdfa-2a",
            Self::OnePage => "one-page",
            Self::FiveHundredPages => "500-pages",
            Self::Rotated => "rotated",
            Self::Acroform => "acroform",
            Self::SignedElsewhere => "signed-elsewhere",
            Self::Pdfa1a => "pdfa-1a",
            Self::Pdfa1b => "pdfa-1b",
            Self::Pdfa2b => "pdfa-2b",
            Self::Pdfa2u => "pdfa-2u",
            Self::Pdfa3b => "pdfa-3b",
            Self::Pdfua1 => "pdfua-1",
        }
    }
}

/// The level of EN 319 142-1 that the file is brought to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) enum Level {
    #[serde(rename = "B-B")]
    B,
    #[serde(rename = "B-T")]
    T,
    #[serde(rename = "B-LT")]
    Lt,
    #[serde(rename = "B-LTA")]
    Lta,
}

impl Level {
    pub(crate) const ALL: [Self; 4] = [Self::B, Self::T, Self::Lt, Self::Lta];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::B => "b",
            Self::T => "t",
            Self::Lt => "lt",
            Self::Lta => "lta",
        }
    }
}

/// How the signers sign; the seal that ends a file of several signatures is always ECDSA.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Algorithm {
    Rsa2048,
    Rsa3072,
    Rsa4096,
    /// RSASSA-PSS with a key of 2048 bits.
    Pss,
    P256,
    P384,
}

impl Algorithm {
    pub(crate) const ALL: [Self; 6] =
        [Self::Rsa2048, Self::Rsa3072, Self::Rsa4096, Self::Pss, Self::P256, Self::P384];

    /// Also the name of the signer in the test PKI.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rsa2048 => "rsa-2048",
            Self::Rsa3072 => "rsa-3072",
            Self::Rsa4096 => "rsa-4096",
            Self::Pss => "pss",
            Self::P256 => "p-256",
            Self::P384 => "p-384",
        }
    }
}

/// How many signatures our engine makes.
pub(crate) const SIGNATURES: [u16; 3] = [1, 2, 5];

/// One file to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) input: Input,
    pub(crate) level: Level,
    pub(crate) algorithm: Algorithm,
    pub(crate) signatures: u16,
}

impl Case {
    pub(crate) fn name(self) -> String {
        let Self { input, level, algorithm, signatures } = self;
        format!("{}.{}.{}.{signatures}", input.name(), level.name(), algorithm.name())
    }

    /// The places of its values on the four axes.
    fn values(self) -> [usize; 4] {
        [self.input as usize, self.level as usize, self.algorithm as usize, usize::from(self.signatures)]
    }
}

/// Every case.
pub(crate) fn whole() -> Vec<Case> {
    let mut cases = Vec::new();
    for input in Input::MATRIX {
        for level in Level::ALL {
            for algorithm in Algorithm::ALL {
                cases.extend(SIGNATURES.map(|signatures| Case { input, level, algorithm, signatures }));
            }
        }
    }
    cases
}

/// One file of each conforming kind: a leader, then number, date and seal.
pub(crate) fn conforming() -> Vec<Case> {
    let case = |input| Case { input, level: Level::Lta, algorithm: Algorithm::Rsa2048, signatures: 2 };
    Input::CONFORMING.map(case).to_vec()
}

/// A small selection in which every two values of two axes meet: greedily, the case that brings most new pairs first.
pub(crate) fn pairwise() -> Vec<Case> {
    let all = whole();
    let mut open: Vec<_> = all.iter().copied().flat_map(pairs).collect();
    open.sort_unstable();
    open.dedup();
    let mut chosen = Vec::new();
    while !open.is_empty() {
        let news = |case: &Case| pairs(*case).filter(|pair| open.binary_search(pair).is_ok()).count();
        let Some(best) = all.iter().max_by_key(|case| news(case)) else { break };
        open.retain(|pair| !pairs(*best).any(|one| one == *pair));
        chosen.push(*best);
    }
    chosen
}

/// Axis, value, axis, value.
type Pair = (usize, usize, usize, usize);

fn pairs(case: Case) -> impl Iterator<Item = Pair> + use<> {
    let values = case.values();
    (0..values.len()).flat_map(move |a| (a + 1..values.len()).map(move |b| (a, values[a], b, values[b])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_of_values_is_selected() {
        let chosen = pairwise();
        for pair in whole().into_iter().flat_map(pairs) {
            assert!(chosen.iter().copied().flat_map(pairs).any(|one| one == pair), "{pair:?}");
        }
        assert!(chosen.len() * 4 < whole().len(), "{} of {}", chosen.len(), whole().len());
    }
}
