//! One operation, one file; here they come together, so that what is served and what `openapi.json` says are one list.

mod healthz;
mod openapi;

pub use openapi::text as openapi_text;

use utoipa::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

/// Every route, with its description.
pub fn all() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(healthz::healthz))
        .routes(routes!(openapi::openapi))
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
