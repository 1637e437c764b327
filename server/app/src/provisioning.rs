//! Making the base: an uploaded file with its declared fields put in, written and named before any row says so.
//!
//! Done once when the draft is made, and once more under `before_sign` when the number is to stand in the base. The plan
//! is kept beside the base, so that the second time every field lands where it was.

use serde::{Deserialize, Serialize};
use time::{Date, OffsetDateTime};
use trinhky_domain::Digest;
use trinhky_domain::document::{Bundle, Chain, Head};
use trinhky_domain::paper::FileRole;
use trinhky_domain::people::{Actor, Office, Person};
use trinhky_pades::changes::{TailRefused, check_places};
use trinhky_pades::pdf::Rect;
use trinhky_pades::provision::{
    PagePlace, ProvisionPlan, Provisioned, SealPlan, SignerPlan, TextPlan, provision as write_base,
};
use trinhky_pades::source::Source;
use trinhky_protos::document::PlaceRequest;
use trinhky_protos::problem::Code;
use trinhky_store::{Layout, StoredFile, Tx};

use crate::app::App;
use crate::blocking;
use crate::error::{ApiError, ApiResult};
use crate::pdfs::Site;
use crate::routes::intake;

/// Where everything goes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Plan(ProvisionPlan);

/// Number and date as the base draws them (`before_sign`).
#[derive(Debug, Clone)]
pub struct Drawn {
    /// The number, in full.
    pub number: String,
    /// The date, as written on the page.
    pub date: String,
}

/// A base that is on disk and not yet in a row.
#[derive(Debug)]
pub struct Base {
    /// Digest and length.
    pub head: Head,
    /// SHA-256 of the manifest's bytes.
    pub manifest: Digest,
    /// Pages.
    pub pages: u32,
    site: Vec<u8>,
    remarks: String,
}

/// What the row of a base remembers.
#[derive(Debug, Serialize, Deserialize)]
struct Remarks {
    /// The file it was made from.
    original: Digest,
    /// With this plan.
    plan: Plan,
    /// Whether it was written anew, and why.
    normalised: bool,
    why: Vec<String>,
}

impl Plan {
    /// Number, date, a place per signer and the seal; where the request names a place, there. A page that has another symbol
    /// than `notation` printed, or an earlier month or year than `today`'s, will be refused.
    ///
    /// # Errors
    /// [`Code::BadPlace`] for a place of an unknown field or without an area.
    pub fn new(
        chain: &Chain,
        people: &[Person],
        office: &Office,
        places: &[PlaceRequest],
        notation: &str,
        today: Date,
    ) -> ApiResult<Self> {
        let fields: Vec<&str> = chain.signers.iter().map(|signer| signer.field.as_str()).collect();
        for place in places {
            let known = ["DocNumber", "DocDate", "OrgSeal"].contains(&place.field.as_str());
            let [x, y, width, height] = place.rect;
            let area =
                [x, y, width, height].iter().all(|side| side.is_finite()) && width > 0.0 && height > 0.0;
            if !area || (!known && !fields.contains(&place.field.as_str())) {
                return Err(ApiError::new(Code::BadPlace).with(place.field.clone()));
            }
        }
        let place = |field: &str| {
            places.iter().find(|place| place.field == field).map(|place| {
                let [x, y, width, height] = place.rect;
                PagePlace { page: place.page, rect: Rect { x0: x, y0: y, x1: x + width, y1: y + height } }
            })
        };
        let signers = chain.signers.iter().map(|signer| {
            let person = people.iter().find(|person| person.id == signer.person);
            SignerPlan {
                field: None,
                place: place(&signer.field),
                title: person.map(|person| person.title.to_uppercase()),
                name: person.map(|person| person.name.clone()),
                locks: false,
            }
        });
        Ok(Self(ProvisionPlan {
            number: Some(TextPlan {
                place: place("DocNumber"),
                notation: Some(notation.to_owned()),
                ..TextPlan::default()
            }),
            date: Some(TextPlan { place: place("DocDate"), earliest: Some(today), ..TextPlan::default() }),
            signers: signers.collect(),
            seal: Some(SealPlan {
                place: place("OrgSeal"),
                organisation: Some(office.name.clone()),
                ..SealPlan::default()
            }),
            urgency: None,
        }))
    }
}

/// Writes the base of the uploaded file `original`, with number and date already drawn where `drawn` says so.
///
/// # Errors
/// What the engine refuses; [`Code::Internal`] for the disk's errors. Nothing is left behind then.
pub async fn provision(
    app: &App,
    tx: &mut Tx,
    original: &StoredFile,
    plan: &Plan,
    drawn: Option<&Drawn>,
) -> ApiResult<Base> {
    let ingested = intake::ingested(original)?;
    let source = crate::pdfs::source(app, tx, original.sha256).await?;
    let mut filled = plan.0.clone();
    if let Some(drawn) = drawn {
        for (text, value) in [(&mut filled.number, &drawn.number), (&mut filled.date, &drawn.date)] {
            if let Some(text) = text {
                text.text = Some(value.clone());
            }
        }
    }
    let redrawn = drawn.is_some();
    let blobs = app.blobs.clone();
    let most = app.config.limits.upload_bytes;
    let (made, manifest) = blocking(move || {
        let mut writer = blobs.create().map_err(ApiError::internal)?;
        let made = write_base(&source, &ingested, &filled, &mut writer)
            .map_err(|refusal| intake::refused(&refusal, most))?;
        if !redrawn {
            in_place(&writer.source().map_err(ApiError::internal)?, &made)?;
        }
        writer.finish().map_err(ApiError::internal)?;
        let manifest = serde_json::to_vec(&made.manifest).map_err(ApiError::internal)?;
        let manifest = blobs.keep(&manifest).map_err(ApiError::internal)?;
        Ok::<_, ApiError>((made, manifest))
    })
    .await??;
    let remarks = Remarks {
        original: original.sha256,
        plan: plan.clone(),
        normalised: made.normalised,
        why: made.why.iter().copied().map(intake::word).collect(),
    };
    Ok(Base {
        head: Head { sha256: crate::pdfs::domain(made.sha256), length: made.len },
        manifest: manifest.sha256,
        pages: made.index.pages,
        site: Site::from(&made).to_row()?,
        remarks: serde_json::to_string(&remarks).map_err(ApiError::internal)?,
    })
}

/// Number and date lie where every signer's device will want them, or nobody is asked.
fn in_place(base: &dyn Source, made: &Provisioned) -> ApiResult<()> {
    match check_places(base, &made.index) {
        Ok(_) => Ok(()),
        Err(TailRefused::FieldOutsidePlace(field)) => Err(ApiError::new(Code::FieldOutsidePlace).with(field)),
        Err(other) => Err(ApiError::internal(other)),
    }
}

/// The file that a base was made from, and the plan.
///
/// # Errors
/// When the row is not a base's.
pub async fn origin(tx: &mut Tx, base: Digest) -> ApiResult<(StoredFile, Plan)> {
    let file = tx.file(base).await?;
    let remarks: Remarks = serde_json::from_str(&file.remarks).map_err(ApiError::internal)?;
    Ok((tx.file(remarks.original).await?, remarks.plan))
}

impl Base {
    /// Stores the base's row.
    ///
    /// # Errors
    /// What the store says.
    pub async fn keep(&self, tx: &mut Tx, by: Option<&Actor>, now: OffsetDateTime) -> ApiResult<()> {
        let file = StoredFile {
            sha256: self.head.sha256,
            length: self.head.length,
            layout: Layout::Whole,
            pages: Some(self.pages),
            remarks: self.remarks.clone(),
            midstate: Some(self.site.clone()),
            index: None,
            manifest: Some(self.manifest),
            by: by.map(|actor| actor.person),
            at: now,
        };
        Ok(tx.add_file(&file).await?)
    }

    /// The bundle with this base as its main file.
    #[must_use]
    pub fn as_main_of(&self, mut bundle: Bundle) -> Bundle {
        for file in bundle.0.iter_mut().filter(|file| file.role == FileRole::Main) {
            file.sha256 = self.head.sha256;
            file.length = self.head.length;
        }
        bundle
    }
}
