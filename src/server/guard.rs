//! Who may come in: requests addressed to this server by this server's own page.

use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, HeaderName, HeaderValue, ORIGIN, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// What a request must name to come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Door {
    /// Port that the server listens on.
    pub port: u16,
    /// First part of every path.
    pub token: String,
}

impl Door {
    /// Whether a request's headers are those of somebody on this computer who asks this server.
    ///
    /// - `Host` must be 127.0.0.1 or localhost with our port: a foreign name that was made to point here is refused.
    /// - `Origin`, where a browser sends one, must be ours: no other page may post.
    /// - `Sec-Fetch-Site` must not say that another site asks.
    fn lets_in(&self, headers: &HeaderMap) -> bool {
        let hosts = [format!("127.0.0.1:{}", self.port), format!("localhost:{}", self.port)];
        let mut named = headers.get_all(HOST).iter();
        let host = named.next().and_then(|value| value.to_str().ok());
        let is_host = host.is_some_and(|host| hosts.iter().any(|own| own == host)) && named.next().is_none();
        let is_origin = headers
            .get_all(ORIGIN)
            .iter()
            .all(|origin| hosts.iter().any(|own| origin.as_bytes() == format!("http://{own}").as_bytes()));
        let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
        let is_site = matches!(site, None | Some(b"same-origin" | b"none"));
        is_host && is_origin && is_site
    }
}

/// Nothing from outside, nobody else's frame.
const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline' blob: data:; style-src 'unsafe-inline'; \
    worker-src blob: data:; img-src data: blob:; connect-src 'self' data: blob:; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

/// Refuses strangers, and tells the browser to keep what it gets to this page.
pub(super) async fn guard(State(door): State<Door>, request: Request, next: Next) -> Response {
    let mut response = if door.lets_in(request.headers()) {
        next.run(request).await
    } else {
        let why = "refused: open the address that `gridplan serve` printed, on this computer";
        (StatusCode::FORBIDDEN, why).into_response()
    };
    let headers = response.headers_mut();
    let resource_policy = HeaderName::from_static("cross-origin-resource-policy");
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (resource_policy, "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
