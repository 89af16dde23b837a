#![expect(clippy::unwrap_used, reason = "tests")]

use super::layers::{Kind, Layer, Value};
use super::*;
use crate::testing::{toy_plan, toy_scenario};

/// The toy plan written in a format, into a folder that lives as long as the answer.
fn written(format: Format, lang: Lang) -> (tempfile::TempDir, Vec<PathBuf>, Scenario, Vec<Layer>) {
    let folder = tempfile::tempdir().unwrap();
    let scenario = toy_scenario();
    let plan = toy_plan(&scenario);
    let files = write(&scenario, &plan, format, folder.path(), lang).unwrap();
    let layers = layers::layers(&scenario, &plan, lang);
    (folder, files, scenario, layers)
}

#[test]
fn every_format_has_a_word_of_its_own() {
    for format in Format::ALL {
        assert_eq!(Format::parse(format.as_str()), Some(format));
    }
}

#[test]
fn every_layer_of_the_plan_is_there() {
    let scenario = toy_scenario();
    let plan = toy_plan(&scenario);
    let names: Vec<(&str, usize)> = layers::layers(&scenario, &plan, Lang::Zh)
        .iter()
        .map(|layer| (layer.name, layer.rows.len()))
        .collect();
    // 5 open stations and all of them together, 3 circles each; one village building walks nowhere.
    let expected = [
        ("communities", 3),
        ("compounds", 3),
        ("barriers", 2),
        ("streets", 14),
        ("service_circles", 18),
        ("service_areas", 15),
        ("grids", 9),
        ("buildings", 60),
        ("uncovered", 1),
        ("gates", 3),
        ("premises", 4),
        ("stations", 6),
        ("findings", 8),
    ];
    assert_eq!(names, expected);
}

#[test]
fn column_names_fit_a_shapefile_in_both_languages() {
    let scenario = toy_scenario();
    for layer in layers::layers(&scenario, &toy_plan(&scenario), Lang::Zh) {
        for lang in [Lang::Zh, Lang::En] {
            let mut names: Vec<&str> =
                layer.fields.iter().map(|field| shapefile::column_name(field, lang)).collect();
            for name in &names {
                let bytes = encoding_rs::GBK.encode(name).0.len();
                assert!((1..=10).contains(&bytes), "{} of {} has {bytes} bytes", name, layer.name);
            }
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), layer.fields.len(), "{} has a column twice", layer.name);
        }
    }
}

#[test]
fn geojson_is_read_back_by_the_geojson_crate() {
    let (folder, files, scenario, layers) = written(Format::GeoJson, Lang::Zh);
    assert_eq!(files.len(), layers.len());
    for layer in &layers {
        let text = std::fs::read_to_string(folder.path().join(format!("{}.geojson", layer.name))).unwrap();
        let read: ::geojson::FeatureCollection = text.parse().unwrap();
        assert_eq!(read.features.len(), layer.rows.len(), "{}", layer.name);
        for (feature, row) in read.features.iter().zip(&layer.rows) {
            for (field, value) in layer.fields.iter().zip(&row.values) {
                let expected = match value {
                    Value::Null => None,
                    Value::Text(text) => Some(serde_json::json!(text)),
                    Value::Int(number) => Some(serde_json::json!(number)),
                    Value::Real(number) => Some(serde_json::json!(number)),
                    Value::Bool(yes) => Some(serde_json::json!(yes)),
                };
                assert_eq!(feature.property(&field.name), expected.as_ref(), "{}.{}", layer.name, field.name);
            }
            let geometry: Option<geo::Geometry<f64>> =
                feature.geometry.clone().map(|one| one.try_into().unwrap());
            let on_plane = geometry
                .map(|one| geo::MapCoords::map_coords(&one, |at| scenario.plane.to_plane(at).unwrap()));
            assert_same_place(on_plane.as_ref(), row.geometry.as_ref(), 0.01, layer.name);
        }
    }
}

/// Extents and areas agree: the larger of both differences of the boxes is below `limit_m`.
fn assert_same_place(
    read: Option<&geo::Geometry<f64>>,
    meant: Option<&geo::Geometry<f64>>,
    limit_m: f64,
    what: &str,
) {
    use geo::{Area, BoundingRect};
    let (Some(read), Some(meant)) = (read, meant) else {
        assert_eq!(read.is_some(), meant.is_some(), "{what}: a geometry came or went");
        return;
    };
    let (a, b) = (read.bounding_rect().unwrap(), meant.bounding_rect().unwrap());
    for (one, other) in [(a.min(), b.min()), (a.max(), b.max())] {
        let off = (one.x - other.x).abs().max((one.y - other.y).abs());
        assert!(off < limit_m, "{what} is {off} m off");
    }
    let perimeter = 2.0 * (b.width() + b.height());
    assert!((read.unsigned_area() - meant.unsigned_area()).abs() <= limit_m * perimeter, "{what}: area");
}

#[cfg(feature = "gdal")]
mod through_gdal {
    use std::collections::BTreeMap;

    use gdal::vector::{Feature, LayerAccess};
    use gdal::{Dataset, DatasetOptions};
    use geo::MapCoords;

    use super::super::layers::Row;
    use super::*;

    /// A feature as GDAL reads it: values as text, geometry.
    struct Read {
        values: BTreeMap<String, String>,
        geometry: Option<geo::Geometry<f64>>,
    }

    fn read(feature: &Feature<'_>) -> Read {
        let values = feature.fields().filter_map(|(name, _)| {
            let text = feature.field_as_string(feature.field_index(&name).unwrap()).unwrap()?;
            (!text.is_empty()).then_some((name, text))
        });
        let geometry = feature.geometry().filter(|one| !one.is_empty());
        Read { values: values.collect(), geometry: geometry.map(flat) }
    }

    /// CAD gives every vertex a height of zero.
    fn flat(geometry: &gdal::vector::Geometry) -> geo::Geometry<f64> {
        let mut flat = geometry.clone();
        flat.flatten_to_2d();
        flat.to_geo().unwrap()
    }

    fn read_layer(path: &Path, layer: Option<&str>) -> Vec<Read> {
        let dataset = Dataset::open(path).unwrap();
        let mut found = match layer {
            Some(name) => dataset.layer_by_name(name).unwrap(),
            None => dataset.layer(0).unwrap(),
        };
        found.features().map(|feature| read(&feature)).collect()
    }

    /// Numbers agree to four digits, booleans are 0 and 1, and the rest is the same text.
    fn same_value(value: &Value, read: Option<&String>) -> bool {
        match (value, read) {
            (Value::Null, None) => true,
            (Value::Null, Some(_)) => false,
            // Formats that know no empty text read it back as none.
            (Value::Text(text), None) => text.is_empty(),
            // GBK has no square of metres.
            (Value::Text(text), Some(read)) => text == read || text.replace('²', "2") == *read,
            (Value::Int(number), Some(read)) => number.to_string() == *read,
            (Value::Real(number), Some(read)) => {
                read.parse().is_ok_and(|read: f64| (read - number).abs() < 1e-4)
            }
            (Value::Bool(yes), Some(read)) => [yes.to_string(), i32::from(*yes).to_string()].contains(read),
            (_, None) => false,
        }
    }

    /// Every row is found again with all its values and within a centimetre of its place; none is left over.
    fn assert_read_back(
        mut read: Vec<Read>,
        layer: &Layer,
        rows: &[&Row],
        name_of: impl Fn(&layers::Field) -> String,
        to_plane: impl Fn(geo::Coord<f64>) -> geo::Coord<f64>,
    ) {
        assert_eq!(read.len(), rows.len(), "{}", layer.name);
        for row in rows {
            let is_it = |one: &Read| {
                let mut pairs = layer.fields.iter().zip(&row.values);
                pairs.all(|(field, value)| same_value(value, one.values.get(&name_of(field))))
            };
            let at = read.iter().position(is_it).unwrap_or_else(|| {
                panic!(
                    "{}: {:?} is not among {:?}",
                    layer.name,
                    row.values,
                    read.first().map(|one| &one.values)
                )
            });
            let found = read.remove(at);
            let on_plane = found.geometry.map(|one| one.map_coords(&to_plane));
            assert_same_place(on_plane.as_ref(), row.geometry.as_ref(), 0.01, layer.name);
        }
    }

    #[test]
    fn geojson_comes_back() {
        let (folder, _, scenario, layers) = written(Format::GeoJson, Lang::Zh);
        for layer in &layers {
            let read = read_layer(&folder.path().join(format!("{}.geojson", layer.name)), None);
            let rows: Vec<&Row> = layer.rows.iter().collect();
            assert_read_back(
                read,
                layer,
                &rows,
                |field| field.name.clone(),
                |at| scenario.plane.to_plane(at).unwrap(),
            );
        }
    }

    #[test]
    fn kml_comes_back() {
        let (folder, files, scenario, layers) = written(Format::Kml, Lang::Zh);
        assert_eq!(files, [folder.path().join("plan.kml")]);
        for layer in &layers {
            let read = read_layer(&files[0], Some(layer.zh));
            // What has no name is called by its code on the map; GDAL reads both as one field, `Name`.
            let titles: Vec<String> = layer.rows.iter().map(|row| look::title(layer, row)).collect();
            let mut layer = layer.clone();
            if let Some(column) = layer.column("name") {
                for (row, title) in layer.rows.iter_mut().zip(titles) {
                    if row.values[column] == Value::Null {
                        row.values[column] = title.into();
                    }
                }
            }
            let rows: Vec<&Row> = layer.rows.iter().collect();
            let name = |field: &layers::Field| {
                if field.name == "name" { "Name".to_owned() } else { field.name.clone() }
            };
            assert_read_back(read, &layer, &rows, name, |at| scenario.plane.to_plane(at).unwrap());
        }
    }

    #[test]
    fn flatgeobuf_comes_back() {
        let (folder, files, _, layers) = written(Format::FlatGeobuf, Lang::Zh);
        assert_eq!(files.len(), layers.len());
        for layer in &layers {
            let read = read_layer(&folder.path().join(format!("{}.fgb", layer.name)), None);
            let rows: Vec<&Row> = layer.rows.iter().filter(|row| row.geometry.is_some()).collect();
            assert_read_back(read, layer, &rows, |field| field.name.clone(), |at| at);
        }
    }

    #[test]
    fn shapefiles_come_back_in_gbk() {
        for lang in [Lang::Zh, Lang::En] {
            let (folder, _, scenario, layers) = written(Format::Shapefile, lang);
            for layer in &layers {
                let mut n_found = 0;
                for (suffix, is_kind) in [("", None), ("_point", Some("Point")), ("_area", Some("Area"))] {
                    let path = folder.path().join(format!("{}{suffix}.shp", layer.name));
                    if !path.exists() {
                        continue;
                    }
                    assert_eq!(std::fs::read(path.with_extension("cpg")).unwrap(), b"GBK");
                    let srs = Dataset::open(&path).unwrap().layer(0).unwrap().spatial_ref().unwrap();
                    assert!(srs.is_projected(), "{}", layer.name);
                    assert!(
                        scenario.plane.name().contains("CM 120E") && srs.name().unwrap().contains("120E")
                    );
                    let read = read_layer(&path, None);
                    n_found += read.len();
                    let kind = |row: &&Row| match (&row.geometry, is_kind) {
                        (None, _) => is_kind.is_none(),
                        (Some(geo::Geometry::Point(_)), _) => is_kind == Some("Point") || is_alone(layer),
                        (Some(geo::Geometry::LineString(_)), _) => is_kind.is_none(),
                        (Some(_), _) => {
                            is_kind == Some("Area") || (is_kind.is_none() && layer.name != "barriers")
                        }
                    };
                    let rows: Vec<&Row> = layer.rows.iter().filter(kind).collect();
                    let name = |field: &layers::Field| shapefile::column_name(field, lang).to_owned();
                    assert_read_back(read, layer, &rows, name, |at| at);
                }
                assert_eq!(n_found, layer.rows.len(), "{}", layer.name);
            }
        }
    }

    /// Layers of points only; in `buildings` the points are the smaller part and have a file of their own.
    fn is_alone(layer: &Layer) -> bool {
        layer.name != "buildings"
    }

    #[test]
    fn dxf_comes_back_with_layers_and_chinese_labels() {
        let (_folder, files, _, layers) = written(Format::Dxf, Lang::Zh);
        let read = read_layer(&files[0], None);
        let on = |name: &str| -> Vec<&Read> {
            read.iter().filter(|one| one.values.get("Layer").is_some_and(|layer| layer == name)).collect()
        };
        for layer in &layers {
            let drawn = layer.rows.iter().filter_map(|row| row.geometry.as_ref());
            let parts: usize = drawn
                .map(|geometry| match geometry {
                    geo::Geometry::Polygon(one) => 1 + one.interiors().len(),
                    geo::Geometry::MultiPolygon(all) => {
                        all.0.iter().map(|one| 1 + one.interiors().len()).sum()
                    }
                    _ => 1,
                })
                .sum();
            assert_eq!(on(layer.name).len(), parts, "{}", layer.name);
        }
        let names: Vec<&String> =
            on("communities_label").iter().filter_map(|one| one.values.get("Text")).collect();
        assert_eq!(names, ["河西社区", "河东社区", "北山村"]);
        let grids = layers.iter().find(|layer| layer.name == "grids").unwrap();
        for (row, drawn) in grids.rows.iter().zip(on("grids")) {
            let Some(geo::Geometry::LineString(ring)) = &drawn.geometry else { panic!("no outline") };
            let area = geo::Geometry::Polygon(geo::Polygon::new(ring.clone(), Vec::new()));
            assert_same_place(Some(&area), row.geometry.as_ref(), 0.01, "grids");
        }
    }

    #[test]
    fn tiles_come_back_with_names_and_within_a_tenth_of_a_metre() {
        let scenario = toy_scenario();
        let plan = toy_plan(&scenario);
        let layers = layers::layers(&scenario, &plan, Lang::Zh);
        let communities: Vec<&Layer> = layers.iter().filter(|layer| layer.name == "stations").collect();
        let folder = tempfile::tempdir().unwrap();
        let tiles = tiles::tiles(&communities, &scenario.plane, 16, true).unwrap();
        let mut seen = BTreeMap::new();
        for ((x, y), zipped) in tiles {
            let path = folder.path().join("tile.mvt");
            let mut plain = Vec::new();
            io::Read::read_to_end(&mut flate2::read::GzDecoder::new(zipped.as_slice()), &mut plain).unwrap();
            std::fs::write(&path, plain).unwrap();
            let place = [format!("X={x}"), format!("Y={y}"), "Z=16".to_owned()];
            let options: Vec<&str> = place.iter().map(String::as_str).collect();
            let open = DatasetOptions {
                open_options: Some(&options),
                allowed_drivers: Some(&["MVT"]),
                ..DatasetOptions::default()
            };
            let dataset = Dataset::open_ex(&path, open).unwrap();
            for feature in dataset.layer_by_name("stations").unwrap().features() {
                let one = read(&feature);
                seen.insert(one.values["code"].clone(), one);
            }
        }
        let stations = communities[0];
        assert_eq!(seen.len(), stations.rows.len());
        for row in &stations.rows {
            let one = &seen[&row.values[0].to_string()];
            assert_eq!(one.values["name"], row.values[1].to_string());
            let to_plane = |at: geo::Coord<f64>| {
                let radius = 6_378_137.0;
                let lat = 2.0 * (at.y / radius).exp().atan() - std::f64::consts::FRAC_PI_2;
                let lonlat = geo::Coord { x: (at.x / radius).to_degrees(), y: lat.to_degrees() };
                scenario.plane.to_plane(lonlat).unwrap()
            };
            let geometry = one.geometry.as_ref().map(|one| one.map_coords(to_plane));
            assert_same_place(geometry.as_ref(), row.geometry.as_ref(), 0.1, "stations");
        }
    }
}

#[test]
fn a_shapefile_table_says_that_it_is_gbk_and_cuts_long_text_between_characters() {
    let folder = tempfile::tempdir().unwrap();
    let mut scenario = toy_scenario();
    scenario.communities[0].name = format!("a{}", "网".repeat(200));
    let plan = toy_plan(&scenario);
    write(&scenario, &plan, Format::Shapefile, folder.path(), Lang::Zh).unwrap();
    let table = std::fs::read(folder.path().join("communities.dbf")).unwrap();
    assert_eq!(table[29], 0x4d, "language id");
    // One letter and 126 characters of two bytes are 253 bytes; the 127th would be cut in half at 254.
    let name = format!("a{}", "网".repeat(126));
    let expected = [encoding_rs::GBK.encode(&name).0.into_owned(), b" ".to_vec()].concat();
    assert!(table.windows(expected.len()).any(|part| part == expected), "the name is cut elsewhere");
}

#[test]
fn an_archive_of_tiles_begins_with_its_name_and_says_its_layers() {
    let (_folder, files, _, _) = written(Format::PmTiles, Lang::Zh);
    let bytes = std::fs::read(&files[0]).unwrap();
    assert_eq!(&bytes[..8], b"PMTiles\x03");
    let number = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize;
    let (offset, length) = (number(24), number(32));
    let mut metadata = String::new();
    let mut unzip = flate2::read::GzDecoder::new(&bytes[offset..offset + length]);
    io::Read::read_to_string(&mut unzip, &mut metadata).unwrap();
    let metadata: serde_json::Value = serde_json::from_str(&metadata).unwrap();
    let names: Vec<&str> =
        metadata["vector_layers"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert!(names.contains(&"grids") && names.contains(&"buildings"), "{names:?}");
}

#[test]
fn a_folder_that_cannot_be_made_is_named_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("taken");
    std::fs::write(&file, "not a folder").unwrap();
    let scenario = toy_scenario();
    let plan = toy_plan(&scenario);
    let error = write(&scenario, &plan, Format::GeoJson, &file.join("out"), Lang::Zh).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("taken") && text.contains("choose a folder"), "{text}");
}

#[test]
fn nothing_half_written_stays_when_a_file_cannot_be_replaced() {
    let folder = tempfile::tempdir().unwrap();
    // A folder stands where a file should go: the rename fails.
    std::fs::create_dir(folder.path().join("plan.kml")).unwrap();
    std::fs::write(folder.path().join("plan.kml").join("x"), "").unwrap();
    let scenario = toy_scenario();
    let plan = toy_plan(&scenario);
    write(&scenario, &plan, Format::Kml, folder.path(), Lang::Zh).unwrap_err();
    let left: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|one| one.unwrap().file_name()).collect();
    assert_eq!(left, ["plan.kml"], "only what stood there before");
}

#[test]
fn the_same_plan_gives_the_same_bytes() {
    for format in Format::ALL.into_iter().filter(|&format| format != Format::FlatGeobuf) {
        let (_one, first, _, _) = written(format, Lang::Zh);
        let (_two, second, _, _) = written(format, Lang::Zh);
        for (a, b) in first.iter().zip(&second) {
            assert!(std::fs::read(a).unwrap() == std::fs::read(b).unwrap(), "{}", a.display());
        }
    }
}

#[test]
fn areas_that_touch_have_different_colours() {
    let square = |x: f64, y: f64| {
        geo::MultiPolygon(vec![
            geo::Rect::new(geo::Coord { x, y }, geo::Coord { x: x + 1.0, y: y + 1.0 }).to_polygon(),
        ])
    };
    let board: Vec<geo::MultiPolygon<f64>> =
        (0..64).map(|index| square(f64::from(index % 8), f64::from(index / 8))).collect();
    let colors = coloring::colors(&board.iter().collect::<Vec<_>>(), 8);
    for one in 0..64_i32 {
        for other in 0..one {
            let near = (one % 8 - other % 8).abs() <= 1 && (one / 8 - other / 8).abs() <= 1;
            assert!(!near || colors[one as usize] != colors[other as usize], "{one} and {other}");
        }
    }
    assert!(colors.iter().all(|&color| color < 8));
}

/// What the map page is made of, as the browser tests of `web/test` open it.
/// `GRIDPLAN_BLESS=1` rewrites the fixtures; look at the map afterwards.
#[cfg(feature = "web")]
#[test]
fn the_data_of_the_page_is_the_fixture_of_the_browser_tests() {
    let scenario = toy_scenario();
    let plan = toy_plan(&scenario);
    let (data, no_tiles) = page::page_data(&scenario, &plan, Lang::Zh, page::TILED_ABOVE).unwrap();
    assert!(no_tiles.is_empty(), "60 buildings need no tiles");
    let (_, tiles) = page::page_data(&scenario, &plan, Lang::Zh, 0).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("web/test");
    for (name, new) in [("fixture.json", data), ("fixture.pmtiles", tiles)] {
        let path = folder.join(name);
        if std::env::var("GRIDPLAN_BLESS").is_ok_and(|value| value == "1") {
            std::fs::write(&path, &new).unwrap();
        }
        let old = std::fs::read(&path).unwrap();
        let differs = new.iter().zip(&old).position(|(new, old)| new != old);
        assert!(new == old, "differs from {} at byte {differs:?}", path.display());
    }
}

#[cfg(feature = "web")]
#[test]
fn the_page_has_no_gap_left_and_carries_title_and_data() {
    use base64::Engine;
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
    io::Read::read_to_string(&mut flate2::read::GzDecoder::new(zipped.as_slice()), &mut data).unwrap();
    let read: serde_json::Value = serde_json::from_str(&data).unwrap();
    assert_eq!(read["name"], "<甲&乙>街道 @@DATA@@");
    assert_eq!(read["layers"]["buildings"]["features"].as_array().unwrap().len(), 60);
}

#[test]
fn a_scenario_without_a_plan_is_exported_as_far_as_it_goes() {
    let scenario = toy_scenario();
    let plan = Plan::default();
    for format in Format::ALL {
        let folder = tempfile::tempdir().unwrap();
        match write(&scenario, &plan, format, folder.path(), Lang::En) {
            Ok(files) => assert!(!files.is_empty(), "{format:?}"),
            Err(ExportError::NotBuilt { .. }) if cfg!(not(feature = "gdal")) => {}
            Err(other) => panic!("{other}"),
        }
    }
    #[cfg(feature = "web")]
    assert!(map_page(&scenario, &plan, Lang::En).unwrap().contains("<html lang=\"en\">"));
    let kinds: Vec<Kind> =
        layers::stations(&scenario, &plan, Lang::Zh).fields.iter().map(|field| field.kind).collect();
    assert!(kinds.contains(&Kind::Text));
}
