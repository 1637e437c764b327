//! What inflating the object streams of a file takes: whoever reads every object pays at least this besides the hash.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use flate2::{Decompress, FlushDecompress, Status};
use trinhky_pades::Source as _;
use trinhky_pades::pdf::{File, Limits, ObjRef, Object};

use crate::documents::Positional;
use crate::measure::timed;
use crate::row::median;

/// Milliseconds of processor time for inflating every compressed object stream of `file`, one after another, into the same
/// buffer; nothing is done with what comes out. 0 if there is none.
///
/// # Errors
/// The file cannot be read, or an object stream is damaged.
pub(crate) fn floor(file: &Path, runs: u32) -> Result<f64> {
    let source = Positional::open(file)?;
    let raws = object_streams(&source)?;
    if raws.is_empty() {
        return Ok(0.0);
    }
    let mut times = Vec::new();
    for _ in 0..runs {
        times.push(timed(|| inflate(&raws))?.1);
    }
    Ok(median(&times))
}

fn object_streams(source: &Positional) -> Result<Vec<Vec<u8>>> {
    let file = File::open(source, &Limits::default())?;
    let view = file.latest();
    let mut raws = Vec::new();
    for number in view.numbers() {
        let Object::Stream(stream) = view.get(ObjRef::new(number))? else { continue };
        let named = |key: &str, name: &[u8]| stream.dict.get(key).and_then(Object::as_name) == Some(name);
        if named("Type", b"ObjStm") && named("Filter", b"FlateDecode") {
            raws.push(source.slice(stream.at, usize::try_from(stream.len)?)?);
        }
    }
    Ok(raws)
}

fn inflate(raws: &[Vec<u8>]) -> Result<u64> {
    let mut state = Decompress::new(true);
    let mut out = Vec::with_capacity(1 << 18);
    let mut total = 0;
    for raw in raws {
        state.reset(true);
        loop {
            out.clear();
            let rest = raw.get(usize::try_from(state.total_in())?..).context("the data ended early")?;
            match state.decompress_vec(rest, &mut out, FlushDecompress::None)? {
                Status::StreamEnd => break,
                Status::Ok => {}
                Status::BufError => ensure!(!out.is_empty(), "the data ended early"),
            }
        }
        total += state.total_out();
    }
    Ok(total)
}
