//! Readers on real and made files.
#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::testing::shared_dir;

fn data(path: &str) -> Option<String> {
    Some(shared_dir()?.join("data").join(path).to_string_lossy().into_owned())
}

fn quiet() -> impl FnMut(&str, f64) {
    |_: &str, _: f64| {}
}

#[test]
fn monaco_has_six_quarters_and_exactly_the_given_households() {
    let (Some(osm), Some(dem)) = (data("monaco/monaco.osm.pbf"), data("monaco/dem_monaco_srtm3.tif")) else {
        return;
    };
    let request = ImportRequest { households_total: Some(19_000), ..ImportRequest::of([osm.as_str()]) };
    let scenario = read(&request.with(Role::Dem, &dem), &mut quiet()).unwrap();
    assert_eq!(scenario.households().0, 19_000);
    assert_eq!(scenario.communities.len(), 6);
    for finding in &scenario.findings {
        println!(
            "{} {} {} {}: {} -> {}",
            finding.severity.as_str(),
            finding.kind.as_str(),
            finding.layer,
            finding.feature,
            finding.message,
            finding.remedy
        );
    }
    println!("{:#?}", scenario.sources);
    println!(
        "atoms {} streets {} barriers {} gates {} compounds {}",
        scenario.atoms.len(),
        scenario.streets.len(),
        scenario.barriers.len(),
        scenario.gates.len(),
        scenario.compounds.len()
    );
}
