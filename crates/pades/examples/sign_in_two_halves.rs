//! Sign remotely in two halves: prepare and store, ask the signer elsewhere, complete from what was stored.
//!
//! ```sh
//! openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -subj "/CN=Nguyễn Văn Ân" -utf8
//! openssl x509 -in cert.pem -outform DER -out cert.der
//! cargo run -p trinhky-pades --example sign_in_two_halves -- prepare in.pdf cert.der base.pdf half.json to-be-signed.der
//! openssl dgst -sha256 -sign key.pem -out value.bin to-be-signed.der     # the phone, the token, the SIM
//! cargo run -p trinhky-pades --example sign_in_two_halves -- complete base.pdf half.json cert.der value.bin signed.pdf
//! ```

use std::{error::Error, fs};

use time::OffsetDateTime;
use trinhky_pades::{
    Prepared, ProvisionPlan, SignRequest,
    cms::{ID_DATA, SignatureValue, assemble, check, signed_attributes},
    crypto, ingest,
    pdf::Limits,
    prepare, provision,
};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["prepare", input, certificate, base, half, to_be_signed] => {
            first_half(input, certificate, base, half, to_be_signed)
        }
        ["complete", base, half, certificate, value, output] => {
            second_half(base, half, certificate, value, output)
        }
        _ => Err(
            "prepare IN CERT.der BASE HALF.json TO-BE-SIGNED | complete BASE HALF.json CERT.der VALUE OUT"
                .into(),
        ),
    }
}

fn first_half(
    input: &str,
    certificate: &str,
    base: &str,
    half: &str,
    to_be_signed: &str,
) -> Result<(), Box<dyn Error>> {
    let (input, certificate) = (fs::read(input)?, fs::read(certificate)?);
    let taken = ingest(&input, &Limits::default())?;
    let mut provisioned = Vec::new();
    let made = provision(&input, &taken, &ProvisionPlan::standard(1), &mut provisioned)?;
    // An example may look at the clock; the engine takes the time it is given.
    #[expect(clippy::disallowed_methods, reason = "an example is its own main program")]
    let now = OffsetDateTime::now_utc();
    let request = SignRequest::new("Signer1", &certificate, now, [1; 16]);
    let prepared = prepare(&provisioned, &made.index, &made.midstate, &request)?;
    let attributes = signed_attributes(&prepared.digest, &certificate, ID_DATA)?;
    fs::write(base, &provisioned)?;
    fs::write(half, serde_json::to_vec(&prepared)?)?;
    fs::write(to_be_signed, attributes.as_der())?;
    println!("sign the SHA-256 {}", attributes.dtbs_digest());
    Ok(())
}

fn second_half(
    base: &str,
    half: &str,
    certificate: &str,
    value: &str,
    output: &str,
) -> Result<(), Box<dyn Error>> {
    let prepared: Prepared = serde_json::from_slice(&fs::read(half)?)?;
    let certificate = fs::read(certificate)?;
    let attributes = signed_attributes(&prepared.digest, &certificate, ID_DATA)?;
    let value = SignatureValue::from_raw(&fs::read(value)?, &certificate)?;
    let cms = assemble(&attributes, &value, &certificate, &[])?;
    // Nothing is embedded that was not verified: `complete` takes only what `check` made.
    let checked = check(&cms, &prepared.digest, &certificate, crypto::pure())?;
    let signed = prepared.complete(&checked)?;
    fs::write(output, [fs::read(base)?, signed.tail].concat())?;
    println!("{output}: {} bytes, SHA-256 {}", signed.len, signed.sha256);
    Ok(())
}
