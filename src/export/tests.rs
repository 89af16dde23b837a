#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::testing::{toy_plan, toy_scenario};

#[test]
fn every_format_has_a_word_of_its_own() {
    for format in Format::ALL {
        assert_eq!(Format::parse(format.as_str()), Some(format));
    }
}

/// What the map page is made of, as the browser tests of `web/test` open it.
/// `GRIDPLAN_BLESS=1` rewrites the fixture; look at the map afterwards.
#[cfg(feature = "web")]
#[test]
fn the_data_of_the_page_is_the_fixture_of_the_browser_tests() {
    let scenario = toy_scenario();
    let plan = toy_plan(&scenario);
    let data = String::from_utf8(page::page_data(&scenario, &plan, Lang::Zh).unwrap()).unwrap();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("web/test/fixture.json");
    if std::env::var("GRIDPLAN_BLESS").is_ok_and(|value| value == "1") {
        std::fs::write(&fixture, &data).unwrap();
    }
    let expected = std::fs::read_to_string(&fixture).unwrap();
    let first = data.lines().zip(expected.lines()).position(|(new, old)| new != old);
    assert!(data == expected, "differs from {} at line {first:?}", fixture.display());
}

#[cfg(feature = "web")]
#[test]
fn the_page_has_no_gap_left_and_carries_title_and_data() {
    use base64::Engine;
    use std::io::Read;
    let mut scenario = toy_scenario();
    scenario.name = "<甲&乙>街道 @@DATA@@".into();
    let plan = toy_plan(&scenario);
    let page = map_page(&scenario, &plan, Lang::Zh).unwrap();
    assert!(
        page.contains("<title>&lt;甲&amp;乙&gt;街道 @@DATA@@ · "),
        "the title is escaped and not filled again"
    );
    let packed = page.split("id=\"data\">").nth(1).unwrap().split('<').next().unwrap();
    let zipped = base64::engine::general_purpose::STANDARD.decode(packed).unwrap();
    let mut data = String::new();
    flate2::read::GzDecoder::new(zipped.as_slice()).read_to_string(&mut data).unwrap();
    let read: serde_json::Value = serde_json::from_str(&data).unwrap();
    assert_eq!(read["name"], "<甲&乙>街道 @@DATA@@");
    assert_eq!(read["layers"]["buildings"]["features"].as_array().unwrap().len(), 60);
}
