//! The editor's requests: page, data, state; edit, undo, redo, save.

use std::sync::{MutexGuard, PoisonError};

use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use serde_json::{Value, json};

use super::guard::guard;
use super::{Door, Refused, Session, Shared};

/// Largest request: a selection of some ten thousand buildings.
const LARGEST_BODY: usize = 4 << 20;

/// The routes, behind the door: `GET /TOKEN/` with nothing, `data` or `state`; `POST /TOKEN/` with `edit`, `undo`, `redo` or `save`.
/// Every other path, so also a wrong token, is not found.
pub fn router(session: Shared, door: &Door) -> Router {
    let inside = Router::new()
        .route("/", get(page))
        .route("/data", get(data))
        .route("/state", get(state))
        .route("/edit", post(edit))
        .route("/undo", post(undo))
        .route("/redo", post(redo))
        .route("/save", post(save))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(session);
    Router::new()
        .nest(&format!("/{}/", door.token), inside)
        .layer(middleware::from_fn_with_state(door.clone(), guard))
}

type Answer = Result<Json<Value>, Refused>;

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Edit(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Changed(_) => StatusCode::CONFLICT,
            Self::Fault(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (status, Json(json!({ "error": self.to_string() }))).into_response()
    }
}

/// A fault while an edit was under way leaves the session in doubt: nothing more is taken, nothing is written.
fn open(session: &Shared) -> Result<MutexGuard<'_, Session>, Refused> {
    session.lock().map_err(|_: PoisonError<_>| {
        Refused::Fault(
            "the editor met a fault before; the file is as it was last saved, start it again".to_owned(),
        )
    })
}

async fn page(State(session): State<Shared>) -> Result<Html<String>, Refused> {
    open(&session)?.page().map(Html)
}

async fn data(State(session): State<Shared>) -> Result<Response, Refused> {
    let json = open(&session)?.data()?;
    Ok(([(CONTENT_TYPE, "application/json")], json).into_response())
}

async fn state(State(session): State<Shared>) -> Answer {
    Ok(Json(open(&session)?.state()))
}

async fn edit(State(session): State<Shared>, headers: HeaderMap, body: String) -> Answer {
    only_json(&headers)?;
    open(&session)?.edit(&body).map(Json)
}

async fn undo(State(session): State<Shared>, headers: HeaderMap) -> Answer {
    only_json(&headers)?;
    open(&session)?.undo().map(Json)
}

async fn redo(State(session): State<Shared>, headers: HeaderMap) -> Answer {
    only_json(&headers)?;
    open(&session)?.redo().map(Json)
}

async fn save(State(session): State<Shared>, headers: HeaderMap) -> Answer {
    only_json(&headers)?;
    open(&session)?.save().map(Json)
}

/// A form of another page cannot say that it sends JSON.
fn only_json(headers: &HeaderMap) -> Result<(), Refused> {
    let is_json =
        headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    if is_json {
        return Ok(());
    }
    Err(Refused::Edit("the request is not of type application/json; send JSON".to_owned()))
}
