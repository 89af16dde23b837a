//! What planners really hand over: each mistake has a message that says what, where, why and what to do.

use super::*;
use crate::testing::shared_dir;

/// The message of a failing import, which names the file and ends without a full stop.
fn message(request: &ImportRequest, parts: &[&str]) -> String {
    let error = run(request).map(|scenario| scenario.atoms.len()).expect_err("it was read");
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "`{part}` is missing in: {text}");
    }
    assert!(!text.ends_with('.'), "{text}");
    text
}

fn buildings(folder: &Folder) -> String {
    folder.write("buildings.geojson", squares(&[(0.0, 0.0, 10.0, "\"id\":\"a\",\"户数\":5")]))
}

#[test]
fn missing_files_name_what_lies_beside() {
    let folder = Folder::new();
    buildings(&folder);
    message(
        &one(Role::Buildings, &folder.path("building.geojson")),
        &["does not exist", "buildings.geojson"],
    );
    message(&ImportRequest::default(), &["nothing to read"]);
}

#[test]
fn wrong_roles_say_what_is_there_and_what_is_needed() {
    let folder = Folder::new();
    let points = folder.write("p.csv", "id,lon,lat,households\na,121.39,37.54,3\n");
    message(&one(Role::Communities, &points), &["p.csv", "communities", "points", "areas"]);
    message(&one(Role::Dem, &points), &["p.csv", "dem", "raster"]);
    message(&one(Role::Streets, &buildings(&folder)), &["streets", "areas", "lines"]);
    let raster = folder.write("dem.tif", b"II*\0");
    message(&one(Role::Buildings, &raster), &["dem.tif", "a raster", "footprints"]);
    let unknown = folder.write("x.csv", "id,lon,lat\na,121.39,37.54\n");
    message(&ImportRequest::of([unknown.as_str()]), &["x.csv", "not clear", "--role", "stations"]);
}

#[test]
fn empty_layers_are_told_from_filtered_ones() {
    let folder = Folder::new();
    let empty = folder.write("e.csv", "id,lon,lat,households\n");
    message(&one(Role::Buildings, &empty), &["e.csv", "no usable buildings", "below the header"]);
    let collection = folder.write("e.geojson", "{\"type\":\"FeatureCollection\",\"features\":[]}");
    message(&one(Role::Communities, &collection), &["e.geojson", "no usable communities"]);
    let filtered = ImportRequest {
        filter: Some("户数 > 100".to_owned()),
        ..one(Role::Buildings, &buildings(&folder))
    };
    message(&filtered, &["no feature is left", "户数 > 100"]);
    let mut wrong = one(Role::Buildings, &buildings(&folder));
    wrong.sources[0].filter = Some("CITY = 3".to_owned());
    message(&wrong, &["CITY", "户数"]);
}

#[test]
fn no_households_says_what_was_looked_at() {
    let folder = Folder::new();
    let zero = folder.write("z.csv", "id,lon,lat,households\na,121.39,37.54,0\n");
    message(&one(Role::Buildings, &zero), &["none of the 1", "every count is zero", "--households-total"]);
    let streets = folder.write("s.csv", "id,wkt\na,\"LINESTRING (121.39 37.54, 121.391 37.54)\"\n");
    message(&one(Role::Streets, &streets), &["nothing to divide", "1 streets", "--role buildings"]);
    let shed = folder.write("shed.geojson", squares(&[(0.0, 0.0, 10.0, "\"id\":\"a\",\"用途\":\"车库\"")]));
    message(&one(Role::Buildings, &shed), &["no building is lived in"]);
}

#[test]
fn sources_far_apart_are_in_different_systems() {
    let folder = Folder::new();
    let far = folder.write("far.csv", "id,lon,lat,households\na,116.39,39.9,3\n");
    let near = folder.write("c.geojson", squares(&[(0.0, 0.0, 100.0, "\"code\":\"1\"")]));
    message(
        &one(Role::Buildings, &far).with(Role::Communities, &near),
        &["far.csv", "c.geojson", "km apart", "--crs"],
    );
    let metres = folder.write("m.csv", "id,x,y,households\na,500000,4100000,3\n");
    message(&one(Role::Buildings, &metres), &["m.csv", "unknown", "--crs EPSG:4549"]);
    let nonsense = ImportRequest { crs: Some("EPSG:abc".to_owned()), ..one(Role::Buildings, &metres) };
    message(&nonsense, &["EPSG:abc"]);
}

#[test]
fn coordinates_that_are_no_places_become_findings() {
    let folder = Folder::new();
    let mut rows = String::from("id,lon,lat,households\n");
    for (id, place) in
        [("nan", "NaN,37.54"), ("blank", ","), ("zero", "0,0"), ("far", "12.5,41.9"), ("range", "999,37")]
    {
        writeln!(rows, "{id},{place},3").unwrap();
    }
    for index in 0..200 {
        writeln!(rows, "b{index},{},37.54,3", 121.39 + f64::from(index) * 1e-5).unwrap();
    }
    let scenario = run(&one(Role::Buildings, &folder.write("b.csv", rows))).unwrap();
    assert_eq!(scenario.households().0, 600);
    let bad: Vec<&str> = scenario
        .findings
        .iter()
        .filter(|finding| finding.kind == FindingKind::BadCoordinates)
        .map(|finding| finding.feature.as_str())
        .collect();
    assert_eq!(bad, ["blank", "far", "nan", "range", "zero"]);
    scenario.check().unwrap();
}

#[test]
fn bad_counts_are_named_by_line() {
    let folder = Folder::new();
    let rows = "id,lon,lat,户数\na,121.39,37.54,10\nb,121.3901,37.54,-3\nc,121.3902,37.54,2.5\nd,121.3903,37.54,many\ne,121.3904,37.54,NaN\nf,121.3905,37.54,0\n";
    let scenario = run(&one(Role::Buildings, &folder.write("b.csv", rows))).unwrap();
    assert_eq!(scenario.households().0, 13);
    let bad: Vec<_> = scenario
        .findings
        .iter()
        .filter(|finding| finding.kind == FindingKind::BadCount)
        .map(|finding| (finding.feature.as_str(), finding.message.en.split(':').next().unwrap()))
        .collect();
    assert_eq!(bad, [("b", "line 3"), ("d", "line 5"), ("e", "line 6"), ("c", "line 4")]);
    assert_eq!(has(&scenario, FindingKind::ZeroCount).unwrap().feature, "f");
    assert!(has(&scenario, FindingKind::MissingCount).is_some());
}

#[test]
fn invalid_outlines_are_repaired_and_said_so() {
    let folder = Folder::new();
    let bow_tie = squares(&[(0.0, 0.0, 10.0, "\"id\":\"a\",\"户数\":5")]);
    // Exchange the second and third corner.
    let start = bow_tie.find("[[[").unwrap() + 2;
    let end = bow_tie.find("]]]").unwrap() + 1;
    let corners: Vec<&str> = bow_tie[start..end].split("],[").collect();
    let crossed = [corners[0], corners[2], corners[1], corners[3], corners[4]].join("],[");
    let file = folder.write("b.geojson", format!("{}{crossed}{}", &bow_tie[..start], &bow_tie[end..]));
    let scenario = run(&one(Role::Buildings, &file)).unwrap();
    let finding = has(&scenario, FindingKind::InvalidGeometry).unwrap();
    assert!(finding.feature == "a" && finding.message.en.contains("repaired"), "{finding:?}");
    assert!((scenario.atoms[0].shape.area() - 50.0).abs() < 0.5);
    assert!(examine(&scenario).iter().all(|finding| finding.kind != FindingKind::InvalidGeometry));
}

#[test]
fn duplicates_stacks_strays_and_overlaps_are_findings() {
    let folder = Folder::new();
    let file = folder.write(
        "b.csv",
        "id,lon,lat,户数\na,121.3905,37.5405,5\na,121.3905,37.5405,5\nb,121.3905,37.5405,6\nc,121.3906,37.5405,7\nc,121.3907,37.5405,8\nout,121.41,37.54,9\nbig,121.3908,37.5405,2000\n",
    );
    let outlines = folder.write(
        "c.geojson",
        squares(&[
            (0.0, 0.0, 200.0, "\"code\":\"1\",\"name\":\"甲\""),
            (190.0, 0.0, 200.0, "\"code\":\"2\",\"name\":\"乙\""),
        ]),
    );
    let scenario = run(&one(Role::Buildings, &file).with(Role::Communities, &outlines)).unwrap();
    let of = |kind| -> Vec<&str> {
        scenario
            .findings
            .iter()
            .filter(|finding| finding.kind == kind)
            .map(|finding| finding.feature.as_str())
            .collect()
    };
    assert_eq!(of(FindingKind::Duplicate), ["a", "c"]);
    assert_eq!(of(FindingKind::Stacked), ["a"]);
    assert_eq!(of(FindingKind::OutsideCommunities), ["out"]);
    assert_eq!(of(FindingKind::LargeAtom), ["big"]);
    assert_eq!(of(FindingKind::Overlap), ["甲"]);
    assert_eq!(of(FindingKind::EmptyCommunity), ["乙"]);
    assert!(scenario.atoms.iter().any(|atom| atom.source.0 == "c#2"));
}

#[test]
fn a_community_without_streets_and_loose_streets_are_found() {
    let folder = Folder::new();
    let outlines = folder.write(
        "c.geojson",
        squares(&[
            (0.0, 0.0, 200.0, "\"code\":\"1\",\"name\":\"甲\""),
            (200.0, 0.0, 200.0, "\"code\":\"2\",\"name\":\"乙\""),
        ]),
    );
    let streets = folder.write(
        "streets.csv",
        "id,wkt\nr1,\"LINESTRING (121.3901 37.5401, 121.391 37.5401)\"\nr2,\"LINESTRING (121.391 37.5401, 121.391 37.541)\"\nr3,\"LINESTRING (121.3901 37.5415, 121.3909 37.5415)\"\n",
    );
    let request = one(Role::Buildings, &buildings(&folder))
        .with(Role::Communities, &outlines)
        .with(Role::Streets, &streets);
    let scenario = run(&request).unwrap();
    assert_eq!(has(&scenario, FindingKind::NoStreets).unwrap().feature, "乙");
    assert_eq!(has(&scenario, FindingKind::DisconnectedStreets).unwrap().feature, "r3");
}

#[test]
fn many_findings_alike_become_one() {
    let folder = Folder::new();
    let mut rows = String::from("id,lon,lat,户数\nfirst,121.39,37.54,5\n");
    for index in 0..300 {
        writeln!(rows, "b{index:03},{},37.54,", 121.39 + f64::from(index + 1) * 1e-5).unwrap();
    }
    let scenario = run(&one(Role::Buildings, &folder.write("b.csv", rows))).unwrap();
    let missing: Vec<_> =
        scenario.findings.iter().filter(|finding| finding.kind == FindingKind::MissingCount).collect();
    assert_eq!(missing.len(), 1);
    assert!(
        missing[0].message.en.starts_with("300 of these; the first (b000, b001"),
        "{}",
        missing[0].message
    );
}

#[test]
fn truncated_files_are_told_from_strange_ones() {
    let folder = Folder::new();
    let json =
        squares(&[(0.0, 0.0, 10.0, "\"id\":\"a\",\"户数\":5"), (20.0, 0.0, 10.0, "\"id\":\"b\",\"户数\":5")]);
    let cut = folder.write("b.geojson", &json[..json.len() - 40]);
    message(&one(Role::Buildings, &cut), &["b.geojson", "cut short", "feature 1"]);
    let xml = folder.write("t.osm", "<osm version=\"0.6\"><node id=\"1\" lat=\"37\" lon=\"121\"/><way id=");
    message(&ImportRequest::of([xml.as_str()]), &["t.osm", "cut short"]);
    let open = folder.write("u.osm", "<osm version=\"0.6\"><node id=\"1\" lat=\"37\" lon=\"121\"/>");
    message(&ImportRequest::of([open.as_str()]), &["u.osm", "cut short", "</osm>"]);
    let nonsense = folder.write("n.osm.pbf", "this is no PBF at all");
    message(&ImportRequest::of([nonsense.as_str()]), &["n.osm.pbf", "no format known here"]);
    let Some(shared) = shared_dir() else { return };
    let whole = std::fs::read(shared.join("data/monaco/monaco.osm.pbf")).unwrap();
    for share in [2, 3, 5] {
        let part = folder.write("m.osm.pbf", &whole[..whole.len() * (share - 1) / share]);
        message(&ImportRequest::of([part.as_str()]), &["m.osm.pbf", "cut short", "byte", "again"]);
    }
}

#[test]
fn text_that_its_encoding_cannot_read_names_the_line() {
    let folder = Folder::new();
    let (gbk, ..) =
        encoding_rs::GBK.encode("id,lon,lat,名称,户数\na,121.39,37.54,x,3\nb,121.39,37.54,小区,3\n");
    let file = folder.write("b.csv", gbk);
    let wrong = ImportRequest { encoding: Some("utf-8".to_owned()), ..one(Role::Buildings, &file) };
    message(&wrong, &["b.csv, line 1", "UTF-8", "gb18030"]);
    let unknown = ImportRequest { encoding: Some("klingon".to_owned()), ..one(Role::Buildings, &file) };
    message(&unknown, &["klingon", "gb18030"]);
    assert_eq!(run(&one(Role::Buildings, &file)).unwrap().atoms[1].name.as_deref(), Some("小区"));
}

#[test]
fn columns_that_are_not_there_are_listed() {
    let folder = Folder::new();
    let request = one(Role::Buildings, &buildings(&folder)).column(Column::Households, "SETAI");
    message(&request, &["SETAI", "households", "id, 户数"]);
    let bare = folder.write("x.csv", "编号,户数\n1,3\n");
    message(&one(Role::Buildings, &bare), &["x.csv", "no coordinate columns", "编号, 户数"]);
    let bad = ImportRequest { residents_per_household: 0.0, ..one(Role::Buildings, &buildings(&folder)) };
    message(&bad, &["residents_per_household", "above 0"]);
}

#[test]
fn personal_columns_are_refused_by_name_and_by_content() {
    let folder = Folder::new();
    // 11010519491231002X is the published specimen of GB 11643.
    let people = ["王建国", "李秀英", "张伟", "刘洋", "陈静", "杨帆", "赵敏", "黄磊", "周涛", "吴刚"];
    type Value = Box<dyn Fn(usize) -> String>;
    let contents: [(&str, Value, &str); 6] = [
        ("户主姓名", Box::new(|_| "甲".to_owned()), "residents' names"),
        ("联系电话", Box::new(|_| "6211234".to_owned()), "phone numbers"),
        ("身份证号", Box::new(|_| "x".to_owned()), "identity numbers"),
        ("备注", Box::new(|_| "11010519491231002X".to_owned()), "identity numbers"),
        ("备注", Box::new(|row| format!("1{}{:08}", 30 + row * 7 % 70, 12_345_678 + row)), "phone numbers"),
        ("备注", Box::new(move |row| people[row % 10].to_owned()), "residents' names"),
    ];
    for (column, value, what) in contents {
        let mut rows = format!("id,lon,lat,户数,{column}\n");
        for row in 0..30 {
            writeln!(rows, "{row},{},37.54,3,{}", 121.39 + row as f64 * 1e-4, value(row)).unwrap();
        }
        let file = folder.write("居民.csv", rows);
        let text = message(&one(Role::Buildings, &file), &["居民.csv", column, what, "delete this column"]);
        for private in ["11010519491231002X", "王建国", "12345678"] {
            assert!(!text.contains(private), "the message quotes a person's data: {text}");
        }
    }
}

#[test]
fn codes_and_place_names_are_no_persons() {
    let folder = Folder::new();
    let villages =
        ["张家庄", "李家村", "王府井", "刘庄", "陈家湾", "杨柳苑", "赵家沟", "黄河路", "周口店", "吴家营"];
    let mut rows = String::from("id,lon,lat,户数,建筑名称,统计代码,KEY_CODE,长编码,建筑面积\n");
    for row in 0..60 {
        writeln!(
            rows,
            "{row},{},37.54,3,{},{},{},{},{}",
            121.39 + f64::from(row) * 1e-4,
            villages[row as usize % 10],
            370_611_001_000_u64 + u64::from(row as u32),
            13_101_001_001_u64 + u64::from(row as u32),
            370_611_001_001_000_100_u64 + u64::from(row as u32),
            13_800_000_000.5 + f64::from(row)
        )
        .unwrap();
    }
    let scenario = run(&one(Role::Buildings, &folder.write("b.csv", rows))).unwrap();
    assert_eq!(scenario.households().0, 180);
}
