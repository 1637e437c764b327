//! One operation, one file; here they come together, so that what is served and what `openapi.json` says are one list.

mod acting;
mod adopt;
mod audit;
mod begin_enrolment;
mod confirm_enrolment;
mod copy_acts;
mod create_document;
mod create_session;
mod decide;
mod deciding;
mod delete_session;
mod drafting;
mod evidence;
mod get_attempt;
mod get_devices;
mod get_document;
mod get_file;
mod give_back;
mod give_opinion;
mod hand_in_cms;
mod healthz;
mod held;
pub(crate) mod intake;
mod list_copies;
mod list_documents;
mod me;
mod office_forms;
mod openapi;
mod page;
mod prepare;
mod push_subscription;
mod read_receipt;
mod recall;
mod receive;
mod registers;
mod release;
mod renumber;
mod revise;
mod seal;
mod show;
mod submit;
mod take_number;
mod upload_file;
mod verify_file;
mod void;

pub use openapi::text as openapi_text;
pub(crate) use take_number::leaders_messages;

use axum::extract::DefaultBodyLimit;
use utoipa::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

/// Every route, with its description.
pub fn all() -> OpenApiRouter<App> {
    // Files count their own bytes while they come in; the limit of JSON bodies is not theirs.
    let files = OpenApiRouter::new()
        .routes(routes!(upload_file::upload_file))
        .routes(routes!(verify_file::verify_file))
        .layer(DefaultBodyLimit::disable());
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(page::page))
        .routes(routes!(healthz::healthz))
        .routes(routes!(openapi::openapi))
        .routes(routes!(create_session::create_session))
        .routes(routes!(delete_session::delete_session))
        .routes(routes!(me::me))
        .routes(routes!(office_forms::office_forms))
        .routes(routes!(get_devices::list_devices, begin_enrolment::begin_enrolment))
        .routes(routes!(get_devices::get_device))
        .routes(routes!(confirm_enrolment::confirm_enrolment))
        .routes(routes!(push_subscription::set_push, push_subscription::clear_push))
        .routes(routes!(push_subscription::push_key))
        .routes(routes!(get_file::get_file))
        .routes(routes!(list_documents::list_documents, create_document::create_document))
        .routes(routes!(list_documents::inbox))
        .routes(routes!(get_document::get_document))
        .routes(routes!(submit::submit))
        .routes(routes!(revise::revise))
        .routes(routes!(renumber::renumber))
        .routes(routes!(give_opinion::give_opinion))
        .routes(routes!(read_receipt::read_receipt))
        .routes(routes!(give_back::return_document))
        .routes(routes!(give_back::reject))
        .routes(routes!(give_back::withdraw))
        .routes(routes!(prepare::prepare))
        .routes(routes!(decide::decide))
        .routes(routes!(get_attempt::get_attempt))
        .routes(routes!(hand_in_cms::hand_in_cms))
        .routes(routes!(held::list_held))
        .routes(routes!(held::get_held))
        .routes(routes!(adopt::adopt))
        .routes(routes!(void::void))
        .routes(routes!(take_number::take_number))
        .routes(routes!(take_number::get_seal_task))
        .routes(routes!(seal::seal))
        .routes(routes!(release::release))
        .routes(routes!(list_copies::list_copies))
        .routes(routes!(copy_acts::hand_over))
        .routes(routes!(copy_acts::send_again))
        .routes(routes!(copy_acts::note_receipt))
        .routes(routes!(recall::recall))
        .routes(routes!(evidence::evidence))
        .routes(routes!(audit::consistency))
        .routes(routes!(registers::list_registers))
        .routes(routes!(registers::list_numbers))
        .merge(files)
}

/// The OpenAPI document, as served and as committed in `protos/openapi.json`.
pub fn description() -> utoipa::openapi::OpenApi {
    all().split_for_parts().1
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Trình Ký",
        description = "Mobile-backed signing with SIM PKI for Vietnamese agencies. Refusals are RFC 9457 problem details with a stable `code`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    modifiers(&BearerToken),
    security(("bearer" = []))
)]
struct Description;

struct BearerToken;

impl utoipa::Modify for BearerToken {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        openapi
            .components
            .get_or_insert_default()
            .add_security_scheme("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    }
}
