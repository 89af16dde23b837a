#![expect(clippy::unwrap_used, reason = "tests")]

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::*;
use crate::model::Lang;
use crate::params::{Effort, Params};
use crate::planfile::{self, PlanFile};
use crate::synth::{SynthParams, city};
use crate::units::Households;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const HOST: &str = "127.0.0.1:4711";

static CITY: LazyLock<PlanFile> = LazyLock::new(|| {
    let scenario = city(&SynthParams { households: Households(1_500), seed: 2 }, &mut |_| ());
    let mut params = Params::default();
    params.grid.effort = Effort::Draft;
    let plan = crate::pipeline::plan(&scenario, &params, &|_, _| ControlFlow::Continue(())).unwrap();
    // As a file has it: what is read back is compared with this.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.gpkg");
    planfile::write(
        &path,
        &PlanFile { scenario, plan: Some(plan), rules: Vec::new(), lang: crate::model::Lang::Zh },
    )
    .unwrap();
    planfile::read(&path).unwrap()
});

/// Headers of a request: name, value.
type Headers<'h> = &'h [(&'h str, &'h str)];

struct Bench {
    folder: tempfile::TempDir,
    routes: Router,
}

fn bench() -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.gpkg");
    planfile::write(&path, &CITY).unwrap();
    let clock = || "2026-03-02T09:30:00Z".to_owned();
    let session = Session::open(&path, Lang::Zh, "规划员甲".to_owned(), clock).unwrap();
    let door = Door { port: 4711, token: TOKEN.to_owned() };
    Bench { routes: router(Arc::new(Mutex::new(session)), &door), folder }
}

impl Bench {
    fn path(&self) -> PathBuf {
        self.folder.path().join("plan.gpkg")
    }

    fn send(&self, request: Request<Body>) -> (StatusCode, Vec<u8>, axum::http::HeaderMap) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let response = self.routes.clone().oneshot(request).await.unwrap();
            let (status, headers) = (response.status(), response.headers().clone());
            (status, to_bytes(response.into_body(), 1 << 26).await.unwrap().to_vec(), headers)
        })
    }

    fn get(&self, path: &str, headers: Headers<'_>) -> StatusCode {
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::empty()).unwrap()).0
    }

    fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        let request = Request::post(format!("/{TOKEN}/{path}"))
            .header("host", HOST)
            .header("origin", format!("http://{HOST}"))
            .header("content-type", "application/json")
            .body(Body::from(body.to_string()))
            .unwrap();
        let (status, body, _) = self.send(request);
        (status, serde_json::from_slice(&body).unwrap())
    }
}

/// A unit and a grid of its community that it is not in.
fn a_move() -> (String, String, String) {
    let plan = CITY.plan.as_ref().unwrap();
    let grids = &plan.partition.grids;
    let is_free = |row: usize| {
        let atom = &CITY.scenario.atoms[row];
        let grid = plan.partition.grid_of[row].map(|id| &grids[id.index()]);
        !atom.locked && 0 < atom.households.0 && grid.is_some_and(|grid| !grid.locked && 3 < grid.n_atoms)
    };
    for row in (0..CITY.scenario.atoms.len()).filter(|&row| is_free(row)) {
        let from = &grids[plan.partition.grid_of[row].unwrap().index()];
        let has_lock = |code: &str| {
            let id = grids.iter().position(|grid| grid.code == code).map(crate::model::GridId::from_index);
            let atoms = CITY.scenario.atoms.iter().zip(&plan.partition.grid_of);
            atoms.filter(|(_, grid)| **grid == id).any(|(atom, _)| atom.locked)
        };
        let to = grids.iter().find(|grid| {
            grid.community == from.community
                && grid.code != from.code
                && !grid.locked
                && !has_lock(&grid.code)
        });
        if let (Some(to), false) = (to, has_lock(&from.code)) {
            return (CITY.scenario.atoms[row].source.0.clone(), from.code.clone(), to.code.clone());
        }
    }
    panic!("no unit can be moved");
}

fn households(grids: &Value, code: &str) -> u64 {
    let all = grids["features"].as_array().unwrap();
    let grid = all.iter().find(|grid| grid["properties"]["code"] == code).unwrap();
    grid["properties"]["households"].as_u64().unwrap()
}

#[test]
fn only_this_computer_and_this_page_come_in() {
    let bench = bench();
    let page = format!("/{TOKEN}/");
    let own = format!("http://{HOST}");
    let rows: [(&str, Headers<'_>, StatusCode); 12] = [
        (&page, &[("host", HOST)], StatusCode::OK),
        (&page, &[("host", "localhost:4711"), ("sec-fetch-site", "none")], StatusCode::OK),
        (&page, &[("host", HOST), ("origin", &own), ("sec-fetch-site", "same-origin")], StatusCode::OK),
        // A name elsewhere that points to this computer.
        (&page, &[("host", "evil.example:4711")], StatusCode::FORBIDDEN),
        (&page, &[("host", "127.0.0.1:4711.evil.example")], StatusCode::FORBIDDEN),
        (&page, &[("host", "127.0.0.1")], StatusCode::FORBIDDEN),
        (&page, &[], StatusCode::FORBIDDEN),
        (&page, &[("host", HOST), ("origin", "http://evil.example")], StatusCode::FORBIDDEN),
        (&page, &[("host", HOST), ("origin", "null")], StatusCode::FORBIDDEN),
        (&page, &[("host", HOST), ("sec-fetch-site", "cross-site")], StatusCode::FORBIDDEN),
        // No token, or a wrong one.
        ("/", &[("host", HOST)], StatusCode::NOT_FOUND),
        ("/0123456789abcdef0123456789abcdee/", &[("host", HOST)], StatusCode::NOT_FOUND),
    ];
    for (path, headers, expected) in rows {
        assert_eq!(bench.get(path, headers), expected, "{path} {headers:?}");
    }
    for path in ["data", "state"] {
        assert_eq!(bench.get(&format!("/{TOKEN}/{path}"), &[("host", HOST)]), StatusCode::OK, "{path}");
        let stranger = [("host", "evil.example")];
        assert_eq!(bench.get(&format!("/{TOKEN}/{path}"), &stranger), StatusCode::FORBIDDEN, "{path}");
    }
}

#[test]
fn a_stranger_can_post_nothing() {
    let bench = bench();
    let (unit, _, to) = a_move();
    let body = json!({ "op": "move", "buildings": [unit], "to": to }).to_string();
    let rows: [(Headers<'_>, StatusCode); 4] = [
        (
            &[("host", HOST), ("origin", "http://evil.example"), ("content-type", "application/json")],
            StatusCode::FORBIDDEN,
        ),
        (&[("host", "evil.example"), ("content-type", "application/json")], StatusCode::FORBIDDEN),
        // What a form of another page could send.
        (&[("host", HOST), ("content-type", "text/plain")], StatusCode::UNPROCESSABLE_ENTITY),
        (&[("host", HOST)], StatusCode::UNPROCESSABLE_ENTITY),
    ];
    for (headers, expected) in rows {
        for path in ["edit", "undo", "redo", "save"] {
            let mut request = Request::post(format!("/{TOKEN}/{path}"));
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let (status, _, _) = bench.send(request.body(Body::from(body.clone())).unwrap());
            assert_eq!(status, expected, "{path} {headers:?}");
        }
    }
    assert_eq!(planfile::read(&bench.path()).unwrap(), *CITY);
}

#[test]
fn no_answer_may_be_read_or_framed_elsewhere() {
    let bench = bench();
    for path in [format!("/{TOKEN}/"), format!("/{TOKEN}/data"), "/".to_owned()] {
        let (_, body, headers) =
            bench.send(Request::get(&path).header("host", HOST).body(Body::empty()).unwrap());
        assert!(headers.keys().all(|name| !name.as_str().starts_with("access-control")), "{headers:?}");
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("http"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'") && headers["cache-control"] == "no-store");
        assert!(headers["referrer-policy"] == "no-referrer", "the token leaves in a referrer");
        let text = String::from_utf8_lossy(&body);
        assert!(!text.contains("@@EDITOR@@") && !text.contains("@@CONNECT@@"));
    }
}

#[test]
fn an_edit_goes_into_the_file_when_it_is_saved_and_not_before() {
    let bench = bench();
    let (unit, from, to) = a_move();
    let before = CITY.plan.as_ref().unwrap();
    let count = |code: &str| {
        u64::from(before.partition.grids.iter().find(|grid| grid.code == code).unwrap().households.0)
    };
    let moved = CITY.scenario.atoms.iter().find(|atom| atom.source.0 == unit).unwrap().households.0;
    let (status, answer) =
        bench.post("edit", &json!({ "op": "move", "buildings": [unit], "to": to, "why": "按路" }));
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(households(&answer["grids"], &from), count(&from) - u64::from(moved));
    assert_eq!(households(&answer["grids"], &to), count(&to) + u64::from(moved));
    assert_eq!((&answer["moved"][&unit], &answer["unsaved"]), (&json!(to), &json!(1)));
    assert_eq!(planfile::read(&bench.path()).unwrap(), *CITY, "written before it was saved");
    let (status, saved) = bench.post("save", &json!({}));
    assert_eq!((status, &saved["unsaved"]), (StatusCode::OK, &json!(0)), "{saved}");
    let file = planfile::read(&bench.path()).unwrap();
    let plan = file.plan.as_ref().unwrap();
    plan.partition.check(&file.scenario).unwrap();
    assert_ne!(plan.provenance.plan_hash, before.provenance.plan_hash);
    assert_eq!(
        (plan.ledger.len(), plan.ledger.last().unwrap().why.as_str()),
        (before.ledger.len() + 1, "按路")
    );
    // The command line comes to the same plan.
    let mut other = CITY.clone();
    let line = json!({ "op": "move", "buildings": [unit], "to": to, "why": "按路" }).to_string();
    let entries = crate::edit::read_lines(&line, &crate::edit::Stamp::default()).unwrap();
    let plan = other.plan.as_mut().unwrap();
    crate::pipeline::edit(&mut other.scenario, plan, &mut None, &entries, &|_, _| ControlFlow::Continue(()))
        .unwrap();
    assert_eq!(file.plan.unwrap().provenance, plan.provenance);
}

#[test]
fn what_was_never_saved_is_taken_back_without_a_trace() {
    let bench = bench();
    let (unit, _, to) = a_move();
    let edit = json!({ "op": "move", "buildings": [unit], "to": to });
    let (_, first) = bench.post("edit", &edit);
    let (status, back) = bench.post("undo", &json!({}));
    assert_eq!((status, &back["unsaved"], &back["redo"]), (StatusCode::OK, &json!(0), &json!(1)), "{back}");
    let (status, again) = bench.post("redo", &json!({}));
    assert_eq!((status, &again["grids"]), (StatusCode::OK, &first["grids"]));
    assert_eq!((&again["redo"], &again["unsaved"]), (&json!(0), &json!(1)));
    bench.post("undo", &json!({}));
    let (status, saved) = bench.post("save", &json!({}));
    assert_eq!(status, StatusCode::OK, "{saved}");
    assert_eq!(planfile::read(&bench.path()).unwrap(), *CITY);
    let (status, nothing) = bench.post("redo", &json!({}));
    assert_eq!(status, StatusCode::OK, "a save keeps what may be done again: {nothing}");
}

#[test]
fn a_saved_edit_is_taken_back_on_record() {
    let bench = bench();
    let (unit, _, to) = a_move();
    bench.post("edit", &json!({ "op": "move", "buildings": [unit], "to": to }));
    bench.post("save", &json!({}));
    bench.post("undo", &json!({}));
    bench.post("save", &json!({}));
    let file = planfile::read(&bench.path()).unwrap();
    let (plan, before) = (file.plan.unwrap(), CITY.plan.as_ref().unwrap());
    assert_eq!(plan.ledger.len(), before.ledger.len() + 2);
    assert_eq!(plan.provenance.plan_hash, before.provenance.plan_hash);
    assert_eq!(plan.partition, before.partition);
}

#[test]
fn a_file_that_somebody_else_wrote_is_not_overwritten() {
    let bench = bench();
    let (unit, _, to) = a_move();
    bench.post("edit", &json!({ "op": "move", "buildings": [unit], "to": to }));
    let mut other = CITY.clone();
    other.scenario.name.push_str("（改）");
    planfile::write(&bench.path(), &other).unwrap();
    let (status, answer) = bench.post("save", &json!({}));
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(answer["error"].as_str().unwrap().contains("被其他程序改动"), "{answer}");
    assert_eq!(planfile::read(&bench.path()).unwrap(), other);
}

#[test]
fn a_refused_edit_says_why_and_changes_nothing() {
    let bench = bench();
    for (body, expected) in [
        (json!({ "op": "lock", "grid": "77" }), "没有网格 `77`"),
        (json!({ "op": "fly" }), "unknown variant `fly`"),
        (json!({ "op": "restore", "steps": [] }), "请用撤销"),
        (json!([]), "请按 docs/formats.md"),
    ] {
        let (status, answer) = bench.post("edit", &body);
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        assert!(answer["error"].as_str().unwrap().contains(expected), "{answer}");
    }
    let (status, answer) = bench.post("undo", &json!({}));
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{answer}");
    bench.post("save", &json!({}));
    assert_eq!(planfile::read(&bench.path()).unwrap(), *CITY);
}

#[test]
fn stations_are_measured_at_once() {
    let bench = bench();
    let code = CITY.plan.as_ref().unwrap().stations[0].code.clone();
    let (status, answer) = bench.post("edit", &json!({ "op": "close_station", "station": code }));
    assert_eq!(status, StatusCode::OK, "{answer}");
    let (status, body, _) =
        bench.send(Request::get(format!("/{TOKEN}/data")).header("host", HOST).body(Body::empty()).unwrap());
    assert_eq!(status, StatusCode::OK);
    let data: Value = serde_json::from_slice(&body).unwrap();
    let nearest = data["layers"]["buildings"]["features"].as_array().unwrap().iter();
    assert!(nearest.clone().all(|building| building["properties"]["nearest_station"] != code.as_str()));
}

#[test]
fn the_server_takes_a_port_on_this_computer_only() {
    let bench = bench();
    let session = Session::open(&bench.path(), Lang::En, String::new(), String::new).unwrap();
    let server = Server::bind(session, None).unwrap();
    assert!(server.listener.local_addr().unwrap().ip().is_loopback());
    let address = server.address();
    assert!(
        address.starts_with("http://127.0.0.1:")
            && address.len() == "http://127.0.0.1:".len() + 39 - usize::from(server.door.port < 10_000),
        "{address}"
    );
    let session = Session::open(&bench.path(), Lang::En, String::new(), String::new).unwrap();
    let error = Server::bind(session, Some(server.door.port)).unwrap_err().to_string();
    assert!(error.contains("--port"), "{error}");
}
