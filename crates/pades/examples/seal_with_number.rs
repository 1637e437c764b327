//! Add a second signature that fills number and date in the same revision, over a file whose first signature exists.
//!
//! ```sh
//! cargo run -p trinhky-pades --example seal_with_number -- signed.pdf seal.png cert.der 29/2026/QĐ-UBND "ngày 24 tháng 11 năm 2026"
//! ```
//!
//! Prints what has to be signed; the second half is that of `sign_in_two_halves`.

use std::{error::Error, fs};

use time::OffsetDateTime;
use trinhky_pades::{
    Fill, PreparedImage, SignRequest,
    cms::{ID_DATA, signed_attributes},
    ingest,
    pdf::Limits,
    prepare,
};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, picture, certificate, number, date] = arguments.as_slice() else {
        return Err("SIGNED.pdf SEAL.png CERT.der NUMBER DATE".into());
    };
    let (file, certificate) = (fs::read(file)?, fs::read(certificate)?);
    // A server keeps index and midstate beside the file; here they are taken from the file itself.
    let taken = ingest(&file, &Limits::default())?;
    #[expect(clippy::disallowed_methods, reason = "an example is its own main program")]
    let mut request = SignRequest::new("OrgSeal", &certificate, OffsetDateTime::now_utc(), [2; 16]);
    request.image = Some(PreparedImage::from_png(&fs::read(picture)?)?);
    request.fills = vec![
        Fill { field: "DocNumber".to_owned(), text: number.clone() },
        Fill { field: "DocDate".to_owned(), text: date.clone() },
    ];
    let prepared = prepare(&file, &taken.index, &taken.midstate, &request)?;
    let attributes = signed_attributes(&prepared.digest, &certificate, ID_DATA)?;
    println!("appends {} bytes; sign the SHA-256 {}", prepared.tail.len(), attributes.dtbs_digest());
    fs::write("half.json", serde_json::to_vec(&prepared)?)?;
    fs::write("to-be-signed.der", attributes.as_der())?;
    Ok(())
}
