//! Memory of the command line does not grow with the file: 200 MB are provisioned, prepared, completed, raised and verified
//! with little more than a small file takes.

use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use trinhky_flows::judges::python;
use trinhky_flows::process::{binary, command, output};

use crate::bench::{Bench, text};

const LARGE: u64 = 200_000_000;
/// Above what the same command takes on a small file.
const CEILING_KB: u64 = 64 << 10;

#[tokio::test]
async fn memory_does_not_grow_with_the_file() -> Result<()> {
    let bench = Bench::set_up().await?;
    let (small, large) = (run_all(&bench, "small", 1_000).await?, run_all(&bench, "large", LARGE).await?);
    for ((name, small), (_, large)) in small.iter().zip(&large) {
        println!("{name}: {small} kB on 1 kB, {large} kB on {LARGE} bytes");
        ensure!(*large < small + CEILING_KB, "{name} takes {large} kB, {small} kB on a small file");
    }
    // pyHanko reads files whole; pdfsig and qpdf are asked.
    bench.verified("large-signed.pdf", "if-available").await.map(drop)
}

/// Every command on a document with a stream of zeros that long; what each took at most.
async fn run_all(bench: &Bench, name: &str, zeros: u64) -> Result<Vec<(&'static str, u64)>> {
    let input = bench.file(&format!("{name}.pdf"));
    document(&input, zeros)?;
    let signer = bench.organisation();
    let (cert, chain, trust) = (text(&signer.certificate)?, text(&signer.chain)?, bench.trust()?);
    let [base, prepared, whole, raised] =
        ["base", "prepared", "signed", "raised"].map(|step| bench.file(&format!("{name}-{step}.pdf")));
    let [base, prepared, whole, raised] = [text(&base)?, text(&prepared)?, text(&whole)?, text(&raised)?];
    let mut peaks = Vec::new();
    let provision = ["pdf", "provision", text(&input)?, "--out", base, "--anchors", "auto"];
    peaks.push(("provision", peak(&provision).await?.1));
    std::fs::remove_file(&input)?;
    let prepare = ["pdf", "prepare", base, "--out", prepared, "--cert", cert, "--field", "Signer1"];
    let (answer, taken) = peak(&prepare).await?;
    peaks.push(("prepare", taken));
    std::fs::remove_file(base)?;
    let (_, value) = bench.sign(&signer, &serde_json::from_str(&answer)?).await?;
    let complete = ["pdf", "complete", prepared, "--out", whole, "--signature", text(&value)?];
    let rest = ["--cert", cert, "--chain", chain, "--trust", trust];
    peaks.push(("complete", peak(&[&complete[..], &rest].concat()).await?.1));
    std::fs::remove_file(prepared)?;
    let tsa = bench.world.tsa_url.as_str();
    let upgrade = ["pdf", "upgrade", whole, "--out", raised, "--level", "LT", "--tsa", tsa, "--trust", trust];
    peaks.push(("upgrade", peak(&upgrade).await?.1));
    peaks.push(("verify", peak(&["verify", raised, "--trust", trust]).await?.1));
    std::fs::remove_file(raised)?;
    peaks.push(("inspect", peak(&["pdf", "inspect", whole]).await?.1));
    Ok(peaks)
}

/// Runs `trinhky`; its answer and the most memory it had, in kB. A parent of its own asks the system for the maximum of its
/// children, of which there is one.
async fn peak(arguments: &[&str]) -> Result<(String, u64)> {
    const ASK: &str = "import resource, subprocess, sys\n\
        ended = subprocess.run(sys.argv[1:])\n\
        print('\\n', resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stdout)\n\
        sys.exit(ended.returncode)";
    let mut parent = command(python());
    parent.args(["-c", ASK]).arg(binary("trinhky")?).args(arguments);
    let said = output(parent).await?;
    let (answer, peak) = said.trim_end().rsplit_once('\n').context("an answer and a figure")?;
    Ok((answer.trim().to_owned(), peak.trim().parse()?))
}

/// One page, and a stream of zeros that the catalog refers to; the file is sparse.
fn document(path: &Path, zeros: u64) -> Result<()> {
    let mut file = std::fs::File::create(path)?;
    let mut offsets = Vec::new();
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R /PieceInfo 4 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << >> >>".to_owned(),
        format!("<< /Length {zeros} >>\nstream\n"),
    ];
    file.write_all(b"%PDF-1.7\n%\xe9\xe9\xe9\xe9\n")?;
    for (number, body) in (1..).zip(&objects) {
        offsets.push(file.stream_position()?);
        write!(file, "{number} 0 obj\n{body}")?;
        if number == 4 {
            file.seek(SeekFrom::Current(i64::try_from(zeros)?))?;
            file.write_all(b"\nendstream")?;
        }
        file.write_all(b"\nendobj\n")?;
    }
    let xref = file.stream_position()?;
    file.write_all(b"xref\n0 5\n0000000000 65535 f \n")?;
    for offset in offsets {
        writeln!(file, "{offset:010} 00000 n ")?;
    }
    write!(file, "trailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n{xref}\n%%EOF\n")?;
    Ok(())
}
