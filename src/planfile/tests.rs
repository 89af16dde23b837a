#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::testing::{toy_plan, toy_scenario};

fn toy() -> PlanFile {
    let scenario = toy_scenario();
    let plan = toy_plan(&scenario);
    PlanFile { scenario, plan: Some(plan), rules: Vec::new(), lang: Lang::Zh }
}

#[test]
fn what_is_written_is_read_back_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.gpkg");
    let content = toy();
    write(&path, &content).unwrap();
    let back = read(&path).unwrap();
    let (a, b) = (&back.scenario, &content.scenario);
    assert_eq!(a.communities, b.communities);
    assert_eq!(a.atoms, b.atoms);
    assert_eq!(a.compounds, b.compounds);
    assert_eq!(a.streets, b.streets);
    assert_eq!(a.barriers, b.barriers);
    assert_eq!(a.stations, b.stations);
    assert_eq!(a.findings, b.findings);
    assert_eq!(back, content);
}

#[test]
fn a_scenario_without_a_plan_stays_without_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("city.gpkg");
    let content = PlanFile { plan: None, ..toy() };
    write(&path, &content).unwrap();
    assert_eq!(read(&path).unwrap(), content);
}

#[test]
fn a_missing_or_foreign_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("none.gpkg");
    let message = read(&missing).unwrap_err().to_string();
    assert!(message.contains("none.gpkg") && message.contains("gridplan import"), "{message}");
    let foreign = folder.path().join("foreign.gpkg");
    std::fs::write(&foreign, "not a database").unwrap();
    assert!(matches!(read(&foreign), Err(PlanFileError::NotAPlanFile { .. })));
}

#[test]
fn a_failed_write_leaves_the_old_file_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let missing_folder = folder.path().join("none").join("plan.gpkg");
    let error = write(&missing_folder, &toy()).unwrap_err();
    assert!(matches!(error, PlanFileError::Write { .. }), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_bad_row_is_named_with_layer_and_number() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.gpkg");
    write(&path, &toy()).unwrap();
    let connection = Connection::open(&path).unwrap();
    // QGIS has the functions that these triggers call; plain SQLite does not.
    for trigger in ["update3", "update4"] {
        connection.execute_batch(&format!("DROP TRIGGER rtree_streets_geom_{trigger}")).unwrap();
    }
    connection.execute("UPDATE streets SET class = 'canal' WHERE fid = 2", []).unwrap();
    drop(connection);
    let message = read(&path).unwrap_err().to_string();
    assert!(message.contains("`streets`, row 2") && message.contains("canal"), "{message}");
}

#[cfg(feature = "gdal")]
#[test]
fn gdal_opens_every_layer_without_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.gpkg");
    write(&path, &toy()).unwrap();
    let dataset = gdal::Dataset::open(&path).unwrap();
    use gdal::vector::LayerAccess;
    let names: Vec<String> = dataset.layers().map(|layer| layer.name()).collect();
    for layer in ["communities", "buildings", "grids", "stations", "uncovered", "service_circles", "findings"]
    {
        assert!(names.iter().any(|name| name == layer), "{layer} is missing in {names:?}");
    }
    let grids = dataset.layer_by_name("grids").unwrap();
    assert_eq!(grids.feature_count(), toy().plan.unwrap().partition.grids.len() as u64);
    assert_eq!(grids.spatial_ref().unwrap().auth_code().unwrap(), toy().scenario.plane.epsg() as i32);
}

#[test]
fn the_packed_index_is_one_that_sqlite_would_have_grown() {
    let connection = Connection::open_in_memory().unwrap();
    // A leaf as root, one level, two levels: 51 cells a node.
    for n in [0_i64, 1, 51, 52, 2601, 2602, 9000] {
        let boxes: Vec<geo::Rect<f64>> = (0..n)
            .map(|i| {
                let (x, y) =
                    ((i * 7919 % 1000) as f64 * 0.37 + 40_000_000.1, (i * 104_729 % 997) as f64 * 0.73);
                geo::Rect::new(geo::Coord { x, y }, geo::Coord { x: x + (i % 13) as f64, y: y + 0.3 })
            })
            .collect();
        connection
            .execute_batch(
                "DROP TABLE IF EXISTS packed; DROP TABLE IF EXISTS grown;
                 CREATE VIRTUAL TABLE packed USING rtree(id, minx, maxx, miny, maxy);
                 CREATE VIRTUAL TABLE grown USING rtree(id, minx, maxx, miny, maxy);",
            )
            .unwrap();
        let entries = boxes.iter().zip(1..).map(|(rect, id)| rtree::Entry::new(id, *rect)).collect();
        rtree::fill(&connection, "packed", entries).unwrap();
        for (rect, id) in boxes.iter().zip(1_i64..) {
            let (low, high) = (rect.min(), rect.max());
            connection
                .execute("INSERT INTO grown VALUES (?1, ?2, ?3, ?4, ?5)", (id, low.x, high.x, low.y, high.y))
                .unwrap();
        }
        let check: String =
            connection.query_row("SELECT rtreecheck('packed')", [], |row| row.get(0)).unwrap();
        assert_eq!(check, "ok", "{n} boxes");
        for window in [
            (40_000_000.0, 40_000_050.0, 0.0, 90.0),
            (40_000_100.0, 40_000_101.0, 300.0, 301.0),
            (0.0, 5e7, 0.0, 1e6),
        ] {
            let found = |table: &str| -> Vec<(i64, f64, f64, f64, f64)> {
                let sql = format!(
                    "SELECT * FROM {table} WHERE maxx >= ?1 AND minx <= ?2 AND maxy >= ?3 AND miny <= ?4 ORDER BY id"
                );
                let mut statement = connection.prepare(&sql).unwrap();
                let rows = statement.query_map(window, |row| row.try_into()).unwrap();
                rows.map(Result::unwrap).collect()
            };
            assert_eq!(found("packed"), found("grown"), "{n} boxes, {window:?}");
        }
        // Rows can be added to and taken from a packed index.
        connection.execute("INSERT INTO packed VALUES (100000, 1, 2, 1, 2)", []).unwrap();
        connection.execute("DELETE FROM packed WHERE id = 1", []).unwrap();
        let check: String =
            connection.query_row("SELECT rtreecheck('packed')", [], |row| row.get(0)).unwrap();
        assert_eq!(check, "ok", "{n} boxes, changed");
    }
}
