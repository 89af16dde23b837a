//! Where households come from, and that none is lost.

use super::*;
use crate::model::HouseholdsSource;

/// Two communities side by side, 200 m × 200 m each.
fn communities(folder: &Folder) -> String {
    folder.write(
        "communities.geojson",
        squares(&[
            (0.0, 0.0, 200.0, "\"code\":\"370611001001\",\"name\":\"东社区\""),
            (200.0, 0.0, 200.0, "\"code\":\"370611001002\",\"name\":\"西社区\""),
        ]),
    )
}

fn counts(scenario: &Scenario) -> Vec<(&str, u32, &'static str)> {
    let row = |atom: &crate::model::Atom| (atom.households.0, atom.households_source.as_str());
    scenario.atoms.iter().map(|atom| (atom.source.0.as_str(), row(atom).0, row(atom).1)).collect()
}

#[test]
fn compounds_spread_over_their_buildings_by_floor_area_and_add_up() {
    let folder = Folder::new();
    let buildings = folder.write(
        "buildings.geojson",
        squares(&[
            (10.0, 10.0, 10.0, "\"id\":\"a\",\"层数\":6,\"所属小区\":\"幸福（里）\""),
            (30.0, 10.0, 10.0, "\"id\":\"b\",\"层数\":3,\"所属小区\":\"幸福\""),
            (50.0, 10.0, 10.0, "\"id\":\"c\",\"层数\":3,\"户数\":7,\"所属小区\":\"幸福\""),
            (70.0, 10.0, 10.0, "\"id\":\"d\",\"层数\":9,\"用途\":\"车库\",\"所属小区\":\"幸福\""),
            (250.0, 10.0, 10.0, "\"id\":\"e\",\"层数\":1,\"户数\":4"),
        ]),
    );
    // The compounds have no coordinates: buildings name them.
    let compounds = folder.write("compounds.csv", "小区名称,总户数\n幸福,107\n");
    let request = one(Role::Buildings, &buildings)
        .with(Role::Compounds, &compounds)
        .with(Role::Communities, &communities(&folder));
    let scenario = run(&request).unwrap();
    // 107 − 7 counted = 100 over 600 and 300 m²: 66.7 and 33.3.
    assert_eq!(
        counts(&scenario),
        [
            ("a", 67, "compound"),
            ("b", 33, "compound"),
            ("c", 7, "column"),
            ("d", 0, "missing"),
            ("e", 4, "column")
        ]
    );
    assert_eq!(scenario.compounds.len(), 1);
    assert_eq!(scenario.atoms[0].compound, scenario.atoms[3].compound);
    assert_eq!(scenario.atoms[4].compound, None);
}

#[test]
fn zones_with_residents_spread_households_and_keep_both_totals() {
    let folder = Folder::new();
    let buildings = folder.write(
        "buildings.geojson",
        squares(&[
            (10.0, 10.0, 10.0, "\"id\":\"a\",\"floors\":2"),
            (30.0, 10.0, 10.0, "\"id\":\"b\",\"floors\":1"),
            (250.0, 10.0, 10.0, "\"id\":\"c\",\"floors\":5"),
        ]),
    );
    let zones = folder.write(
        "zones.geojson",
        squares(&[
            (0.0, 0.0, 100.0, "\"id\":\"z1\",\"population\":60"),
            (200.0, 0.0, 100.0, "\"id\":\"z2\",\"population\":30.2"),
            (0.0, 120.0, 50.0, "\"id\":\"z3\",\"population\":10.6"),
        ]),
    );
    let request = ImportRequest {
        residents_per_household: 2.0,
        ..one(Role::Buildings, &buildings)
            .with(Role::Zones, &zones)
            .with(Role::Communities, &communities(&folder))
    };
    let scenario = run(&request).unwrap();
    // 100.8 residents are 101: 60, 30 and 11 by largest remainder; 51 households are 30, 15 and 6.
    assert_eq!(scenario.residents().0, 101);
    assert_eq!(scenario.households().0, 51);
    // The zone without a building stands as a unit of its own, so that nobody is lost.
    let alone = scenario.atoms.iter().find(|atom| atom.source.0 == "zone:z3").unwrap();
    assert_eq!((alone.households.0, alone.residents.0), (6, 11));
    assert!(alone.community.is_some());
    assert_eq!(scenario.atoms[0].households.0, 20);
    assert_eq!(scenario.atoms[0].households_source, HouseholdsSource::Zone);
}

#[test]
fn a_total_goes_to_what_no_column_counts() {
    let folder = Folder::new();
    let buildings = folder.write(
        "buildings.csv",
        "id,lon,lat,households\na,121.391,37.541,10\nb,121.3912,37.541,\nc,121.3914,37.541,\n",
    );
    let request = ImportRequest { households_total: Some(15), ..one(Role::Buildings, &buildings) };
    let scenario = run(&request).unwrap();
    assert_eq!(counts(&scenario), [("a", 10, "column"), ("b", 3, "zone"), ("c", 2, "zone")]);
    let request = ImportRequest { households_total: Some(5), ..request };
    let scenario = run(&request).unwrap();
    assert_eq!(scenario.households().0, 10);
    assert!(has(&scenario, FindingKind::BadCount).unwrap().message.en.contains("5 households are given"));
}

#[test]
fn floor_area_is_the_last_resort_and_says_so() {
    let folder = Folder::new();
    let buildings =
        folder.write("buildings.geojson", squares(&[(0.0, 0.0, 33.166, "\"id\":\"a\",\"floors\":5")]));
    let scenario = run(&one(Role::Buildings, &buildings)).unwrap();
    assert_eq!(counts(&scenario), [("a", 50, "floor_area")]);
    assert!(has(&scenario, FindingKind::EstimatedCount).is_some());
    let never = ImportRequest { floor_area_per_household: None, ..one(Role::Buildings, &buildings) };
    assert!(matches!(run(&never), Err(IngestError::NoHouseholds { atoms: 1, .. })));
}

#[test]
fn residents_alone_give_households_with_the_rounded_total() {
    let folder = Folder::new();
    let buildings = folder.write(
        "buildings.csv",
        "id,经度,纬度,人口\na,121.391,37.541,5\nb,121.392,37.541,5\nc,121.393,37.541,5\n",
    );
    let scenario = run(&one(Role::Buildings, &buildings)).unwrap();
    // 15 / 2.62 = 5.7.
    assert_eq!(scenario.households().0, 6);
    assert_eq!(scenario.residents().0, 15);
    assert!(has(&scenario, FindingKind::EstimatedCount).unwrap().message.en.contains("residents"));
}

#[test]
fn compounds_without_buildings_are_the_units() {
    let folder = Folder::new();
    let compounds =
        folder.write("小区.csv", "小区名称,经度,纬度,户数\n甲,121.391,37.541,300\n乙,121.392,37.541,200\n");
    let scenario = run(&ImportRequest::of([compounds.as_str()])).unwrap();
    assert_eq!(scenario.households().0, 500);
    assert_eq!(scenario.atoms.len(), 2);
    assert_eq!(scenario.sources[0].role.en.split(' ').next(), Some("compounds"));
}

#[test]
fn the_order_of_rows_and_files_changes_nothing() {
    let folder = Folder::new();
    let rows = ["121.391,37.541,10", "121.392,37.5411,20", "121.393,37.5412,30", "121.394,37.5411,40"];
    let forward = folder.write("b.csv", format!("lon,lat,households\n{}\n", rows.join("\n")));
    let first = run(&one(Role::Buildings, &forward).with(Role::Communities, &communities(&folder))).unwrap();
    let mut backward = rows;
    backward.reverse();
    let forward = folder.write("b.csv", format!("lon,lat,households\n{}\n", backward.join("\n")));
    let second = run(&one(Role::Communities, &communities(&folder)).with(Role::Buildings, &forward)).unwrap();
    assert_eq!(first.atoms, second.atoms);
    assert_eq!(first.communities, second.communities);
    assert_eq!(first.findings.len(), second.findings.len());
}
