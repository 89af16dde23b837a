//! The real inputs beside the project.

use super::*;
use crate::geometry::{Datum, wgs84_to_bd09, wgs84_to_gcj02};
use crate::model::{AtomShape, BarrierKind, BarrierShape, HouseholdsSource, StreetClass, UnitKind, Use};
use crate::testing::shared_dir;
use geo::{Area, BooleanOps, BoundingRect, Coord, MapCoords};

fn data(path: &str) -> Option<String> {
    Some(shared_dir()?.join("data").join(path).to_string_lossy().into_owned())
}

/// Kilometres of ways that people may walk on.
fn walkable_km(scenario: &Scenario) -> f64 {
    let lines = scenario.streets.iter().filter(|street| street.foot).flat_map(|street| street.line.lines());
    lines.map(|line| crate::geometry::straight_distance(line.start, line.end)).sum::<f64>() / 1000.0
}

#[test]
fn monaco_has_six_quarters_the_sea_and_exactly_the_given_households() {
    let Some(osm) = data("monaco/monaco.osm.pbf") else { return };
    let dem = data("monaco/dem_monaco_srtm3.tif").unwrap();
    let request = ImportRequest { households_total: Some(19_000), ..ImportRequest::of([osm.as_str()]) };
    let request = if cfg!(feature = "gdal") { request.with(Role::Dem, &dem) } else { request };
    let scenario = run(&request).unwrap();
    scenario.check().unwrap();
    assert_eq!(scenario.plane.epsg(), 32632);
    let mut names: Vec<&str> = scenario.communities.iter().map(|community| community.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        ["Fontvieille", "La Condamine", "La Rousse", "Larvotto", "Monaco-Ville", "Monte-Carlo"]
    );
    assert_eq!(scenario.households().0, 19_000);
    // Extracts reach beyond the place: 809 of 1,207 buildings lie in the six quarters (counted with GDAL).
    let inside = scenario.atoms.iter().filter(|atom| atom.community.is_some());
    assert!((795..=825).contains(&inside.count()));
    let spread = scenario.atoms.iter().filter(|atom| 0 < atom.households.0);
    assert!(
        spread
            .clone()
            .all(|atom| atom.households_source == HouseholdsSource::Zone && atom.community.is_some())
    );
    // Monaco measures 2.08 km²; the quarters do not overlap.
    let area: f64 = scenario.communities.iter().map(|community| community.outline.unsigned_area()).sum();
    assert!((1.9e6..2.4e6).contains(&area), "{area}");
    assert!(has(&scenario, FindingKind::Overlap).is_none());
    let km = walkable_km(&scenario);
    assert!((100.0..130.0).contains(&km), "{km} km walkable, 115 in the README");
    let stairs = scenario.streets.iter().filter(|street| street.class == StreetClass::Steps).count();
    assert_eq!(stairs, 269);
    let sea = scenario.barriers.iter().find(|barrier| barrier.source.0 == "sea/1").unwrap();
    assert_eq!(sea.kind, BarrierKind::Water);
    let BarrierShape::Area(water) = &sea.shape else { panic!("the sea is a line") };
    // The harbour is water, the casino is land.
    let at = |lon, lat| scenario.plane.to_plane(Coord { x: lon, y: lat }).unwrap();
    assert!(lookup::contains(water, at(7.4260, 43.7354)), "Port Hercule is dry");
    assert!(lookup::contains(water, at(7.45, 43.72)), "the open sea is dry");
    assert!(!lookup::contains(water, at(7.4285, 43.7395)), "the casino is under water");
    if cfg!(feature = "gdal") {
        let terrain = scenario.terrain.as_ref().unwrap();
        let rock = terrain.height(at(7.4205, 43.7315)).unwrap();
        let hill = terrain.height(at(7.405, 43.735)).unwrap();
        assert!((10.0..90.0).contains(&rock) && 80.0 < hill, "rock {rock} m, hill {hill} m");
    }
}

#[cfg(feature = "gdal")]
#[test]
fn tottori_city_has_its_census_households_block_by_block() {
    let Some(blocks) = data("tottori/31-tottori-all.shp") else { return };
    let request = ImportRequest { filter: Some("CITY = 201".to_owned()), ..one(Role::Units, &blocks) };
    let scenario = run(&request).unwrap();
    scenario.check().unwrap();
    assert_eq!(scenario.unit_kind, UnitKind::Areas);
    assert_eq!(scenario.plane.epsg(), 32653);
    // ogrinfo -sql "select sum(SETAI), sum(JINKO) ... where CITY='201'": 677 blocks, one of them water.
    assert_eq!(scenario.households().0, 75_941);
    assert_eq!(scenario.residents().0, 193_717);
    let water: Vec<_> =
        scenario.barriers.iter().filter(|barrier| barrier.kind == BarrierKind::Water).collect();
    assert_eq!((scenario.atoms.len() + water.len(), water.len()), (677, 1));
    assert!(
        scenario
            .atoms
            .iter()
            .any(|atom| atom.name.as_deref() == Some("立川町３丁目") && atom.households.0 == 114)
    );
    assert!(
        scenario.sources[0].encoding.en.starts_with("Shift_JIS (detected"),
        "{}",
        scenario.sources[0].encoding
    );
    assert_eq!(scenario.communities.len(), 1);
    assert!(scenario.atoms.iter().all(|atom| atom.community.is_some()));
}

#[cfg(feature = "gdal")]
#[test]
fn all_of_tottori_groups_into_its_municipalities_and_reports_what_the_readme_knows() {
    let Some(blocks) = data("tottori/31-tottori-all.shp") else { return };
    let request = one(Role::Units, &blocks).column(Column::Community, "CITY");
    let scenario = run(&request).unwrap();
    assert_eq!(scenario.households().0, 216_894);
    assert_eq!(scenario.communities.len(), 19);
    let features = |kind| -> std::collections::BTreeSet<&str> {
        let found = scenario.findings.iter().filter(|finding| finding.kind == kind);
        found.map(|finding| finding.feature.as_str()).collect()
    };
    // 14 KEY_CODEs stand twice or more (ogr2ogr, sort, uniq); in one pair one of the two is water.
    assert_eq!(features(FindingKind::Duplicate).len(), 13);
    assert_eq!(features(FindingKind::InvalidGeometry).len(), 1);
}

#[test]
fn the_beijing_campus_has_chinese_names_compounds_and_public_buildings() {
    let Some(osm) = data("beijing-campus/tsinghua.osm") else { return };
    let scenario = run(&ImportRequest::of([osm.as_str()])).unwrap();
    scenario.check().unwrap();
    assert_eq!(scenario.plane.epsg(), 4548);
    assert!(
        (515..=525).contains(&scenario.atoms.len()),
        "{} buildings, 521 in the README",
        scenario.atoms.len()
    );
    let km = walkable_km(&scenario);
    assert!((115.0..140.0).contains(&km), "{km} km walkable, 124 in the README");
    assert!(scenario.compounds.iter().any(|compound| {
        compound.name.as_deref().is_some_and(|name| name.contains("公寓") || name.contains("园"))
    }));
    assert!(scenario.atoms.iter().any(|atom| atom.usage == Use::Public && atom.name.is_some()));
    assert!(scenario.atoms.iter().filter(|atom| 0 < atom.households.0).all(|atom| atom.usage.is_lived_in()));
    assert_eq!(
        has(&scenario, FindingKind::EstimatedCount).unwrap().severity,
        crate::model::Severity::Warning
    );
}

#[test]
fn porto_alegre_streets_and_population_points_make_a_scenario() {
    let Some(osm) = data("porto-alegre/poa_osm.pbf") else { return };
    let cells = data("porto-alegre/poa_hexgrid.csv").unwrap();
    let scenario = run(&ImportRequest::of([osm.as_str()]).with(Role::Zones, &cells)).unwrap();
    assert_eq!(scenario.plane.epsg(), 32722);
    let km = walkable_km(&scenario);
    assert!((1700.0..2000.0).contains(&km), "{km} km walkable, 1,837 in the README");
    assert_eq!(scenario.residents().0, 812_935);
    assert_eq!(scenario.households().0, (812_935.0_f64 / RESIDENTS_PER_HOUSEHOLD).round() as u32);
}

/// Buildings of the campus as GeoJSON, moved to another datum.
fn campus_buildings(scenario: &Scenario, moved: fn(Coord<f64>) -> Coord<f64>) -> String {
    let features: Vec<String> = scenario
        .atoms
        .iter()
        .filter_map(|atom| {
            let AtomShape::Area(area) = &atom.shape else { return None };
            let area = area.map_coords(|at| moved(scenario.plane.to_lonlat(at)));
            let geometry = ::geojson::Geometry::new(::geojson::GeometryValue::from(&area));
            Some(format!(
                "{{\"type\":\"Feature\",\"properties\":{{\"id\":\"{}\",\"households\":2}},\"geometry\":{geometry}}}",
                atom.source
            ))
        })
        .collect();
    format!("{{\"type\":\"FeatureCollection\",\"features\":[{}]}}", features.join(","))
}

#[test]
fn shifted_datums_are_found_by_overlap_with_the_streets() {
    let Some(osm) = data("beijing-campus/tsinghua.osm") else { return };
    let original = run(&ImportRequest::of([osm.as_str()])).unwrap();
    let folder = Folder::new();
    type Moved = fn(Coord<f64>) -> Coord<f64>;
    let cases: [(&str, Moved, Datum); 3] = [
        ("a", |at| at, Datum::Wgs84),
        ("b", wgs84_to_gcj02, Datum::Gcj02),
        ("c", wgs84_to_bd09, Datum::Bd09),
    ];
    for (name, moved, datum) in cases {
        let file = folder.write(&format!("{name}.geojson"), campus_buildings(&original, moved));
        for asked in [None, Some(datum)] {
            let request = ImportRequest {
                datum: asked,
                ..ImportRequest::of([osm.as_str()]).with(Role::Buildings, &file)
            };
            let scenario = run(&request).unwrap();
            let apart = |(a, b): (&crate::model::Atom, &crate::model::Atom)| {
                assert_eq!(a.source, b.source);
                let middle = |atom: &crate::model::Atom| {
                    let AtomShape::Area(area) = &atom.shape else { panic!("{} is a point", atom.source) };
                    area.bounding_rect().unwrap().center()
                };
                crate::geometry::straight_distance(middle(a), middle(b))
            };
            let worst = original.atoms.iter().zip(&scenario.atoms).map(apart).fold(0.0, f64::max);
            assert!(worst < 0.5, "{datum:?} asked {asked:?}: {worst} m off");
            let warned = has(&scenario, FindingKind::Datum)
                .is_some_and(|finding| finding.message.en.contains("converted"));
            assert_eq!(warned, asked.is_none() && datum != Datum::Wgs84, "{datum:?} asked {asked:?}");
        }
    }
}

#[test]
fn quarters_tile_without_gap_or_overlap() {
    let Some(osm) = data("monaco/monaco.osm.pbf") else { return };
    let scenario = run(&ImportRequest::of([osm.as_str()])).unwrap();
    let outlines: Vec<_> = scenario.communities.iter().map(|community| community.outline.clone()).collect();
    let union = geo::unary_union(&outlines);
    let sum: f64 = outlines.iter().map(Area::unsigned_area).sum();
    assert!((sum - union.unsigned_area()).abs() < 20.0, "{sum} against {}", union.unsigned_area());
    let holes: f64 = union
        .0
        .iter()
        .flat_map(|part| part.interiors().to_vec())
        .map(|ring| geo::Polygon::new(ring, Vec::new()).unsigned_area())
        .sum();
    assert!(holes < 20.0, "{holes} m² of holes");
    assert!(outlines[0].intersection(&outlines[1]).unsigned_area() < 20.0);
}
