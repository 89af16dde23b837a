//! Every format there and back, with its encodings and coordinate systems.

use super::*;
use crate::geometry::Plane;
use crate::model::{AtomShape, BarrierKind, BarrierShape, StationTier, StreetClass, Use};
use encoding_rs::{Encoding, GB18030, SHIFT_JIS, UTF_16LE};
use geo::Coord;

fn plane() -> Plane {
    Plane::around(LON, LAT).unwrap()
}

#[test]
fn csv_reads_in_every_encoding_and_with_every_delimiter() {
    let folder = Folder::new();
    let table = "楼栋编号;楼栋名称;经度;纬度;总户数（户）;楼层\n1;幸福小区１号楼;121.391;37.541;1,236;6\n2;\"二号;楼\";121.392;37.542;36户;十\n";
    for (encoding, shown) in [(encoding_rs::UTF_8, "UTF-8"), (GB18030, "gb18030"), (UTF_16LE, "UTF-16LE")] {
        for delimiter in [";", "\t"] {
            let text = table.replace(';', delimiter).replace(&format!("二号{delimiter}楼"), "二号楼");
            let file = folder.write("b.csv", encoded(&text, encoding));
            let scenario = run(&one(Role::Buildings, &file)).unwrap();
            assert_eq!(scenario.households().0, 1272, "{shown}");
            assert_eq!(scenario.atoms[0].name.as_deref(), Some("幸福小区１号楼"));
            assert_eq!(scenario.atoms[0].floors, 6);
            assert!(scenario.sources[0].encoding.en.starts_with(shown), "{}", scenario.sources[0].encoding);
        }
    }
}

/// UTF-16 carries a byte order mark; encoding_rs does not write it.
fn encoded(text: &str, encoding: &'static Encoding) -> Vec<u8> {
    if encoding == UTF_16LE {
        let mut bytes = vec![0xFF, 0xFE];
        bytes.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
        return bytes;
    }
    encoding.encode(text).0.into_owned()
}

#[test]
fn metres_are_read_with_and_without_zone_number_and_in_either_order() {
    let folder = Folder::new();
    let at = plane().to_plane(Coord { x: LON, y: LAT }).unwrap();
    let outline = folder.write("c.geojson", squares(&[(-500.0, -500.0, 1000.0, "\"code\":\"1\"")]));
    let rows = [
        ("x,y", format!("{:.3},{:.3}", at.x + 40e6, at.y), None, "zone number"),
        // Surveyors write the northing first and call it X.
        ("X,Y", format!("{:.3},{:.3}", at.y, at.x + 40e6), None, "zone number"),
        ("x,y", format!("{:.3},{:.3}", at.x, at.y), None, "meridian"),
        ("x,y", format!("{:.3},{:.3}", at.x, at.y), Some("EPSG:4549"), "declared"),
        ("lat,lon", format!("{LON},{LAT}"), None, "detected"),
    ];
    for (header, place, crs, how) in rows {
        let file = folder.write("b.csv", format!("id,{header},households\na,{place},3\n"));
        let request = ImportRequest {
            crs: crs.map(str::to_owned),
            ..one(Role::Buildings, &file).with(Role::Communities, &outline)
        };
        let scenario = run(&request).unwrap();
        let found = scenario.atoms[0].shape.anchor();
        let off = crate::geometry::straight_distance(found, at);
        assert!(off < 0.002, "{header} {place}: {off} m off");
        assert!(scenario.sources[0].crs.en.contains(how), "{header}: {}", scenario.sources[0].crs);
        assert!(scenario.atoms[0].community.is_some());
    }
}

#[test]
fn six_degree_zones_share_their_meridian_with_a_plane() {
    let folder = Folder::new();
    // Zone 20 of 6°: central meridian 117°E, like Beijing.
    let beijing = Plane::from_epsg(4548).unwrap().to_plane(Coord { x: 116.4, y: 39.9 }).unwrap();
    let file = folder.write("b.csv", format!("id,x,y,households\na,{},{},3\n", beijing.x + 20e6, beijing.y));
    let scenario = run(&one(Role::Buildings, &file)).unwrap();
    let back = scenario.plane.to_lonlat(scenario.atoms[0].shape.anchor());
    assert!((back.x - 116.4).abs() < 1e-8 && (back.y - 39.9).abs() < 1e-8, "{back:?}");
}

#[test]
fn workbooks_read_below_their_title() {
    let folder = Folder::new();
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let sheet = workbook.add_worksheet().set_name("楼栋表").unwrap();
    sheet.write(0, 0, "某街道楼栋情况表").unwrap();
    for (column, name) in ["楼栋编号", "楼栋名称", "经度", "纬度", "户数", "用途"].iter().enumerate()
    {
        sheet.write(1, column as u16, *name).unwrap();
    }
    for (row, (name, households, usage)) in
        [("一号楼", 36, "住宅"), ("二号楼", 24, "商住")].iter().enumerate()
    {
        let row = row as u32 + 2;
        sheet.write(row, 0, f64::from(row)).unwrap();
        sheet.write(row, 1, *name).unwrap();
        sheet.write(row, 2, LON + f64::from(row) * 1e-4).unwrap();
        sheet.write(row, 3, LAT).unwrap();
        sheet.write(row, 4, *households).unwrap();
        sheet.write(row, 5, *usage).unwrap();
    }
    let path = folder.path("楼栋.xlsx");
    workbook.save(&path).unwrap();
    let scenario = run(&ImportRequest::of([path.as_str()])).unwrap();
    assert_eq!(scenario.households().0, 60);
    assert_eq!(scenario.atoms[0].source.0, "2");
    assert_eq!(scenario.atoms[1].usage, Use::Mixed);
}

#[test]
fn old_geojson_states_its_system_and_lines_of_features_read() {
    let folder = Folder::new();
    let at = plane().to_plane(Coord { x: LON, y: LAT }).unwrap();
    let feature = |coordinates: String| {
        format!(
            "{{\"type\":\"Feature\",\"properties\":{{\"id\":\"a\",\"households\":5}},\
             \"geometry\":{{\"type\":\"Point\",\"coordinates\":[{coordinates}]}}}}"
        )
    };
    let metres = feature(format!("{},{}", at.x, at.y));
    let old = format!(
        "{{\"type\":\"FeatureCollection\",\"crs\":{{\"type\":\"name\",\"properties\":{{\"name\":\"urn:ogc:def:crs:EPSG::4549\"}}}},\
         \"features\":[{metres}]}}"
    );
    let degrees = feature(format!("{LON},{LAT}"));
    for (name, text) in
        [("old.geojson", old), ("lines.geojsonl", format!("{degrees}\n")), ("one.json", degrees.clone())]
    {
        let file = folder.write(name, text);
        let scenario = run(&one(Role::Buildings, &file)).unwrap();
        let off = crate::geometry::straight_distance(scenario.atoms[0].shape.anchor(), at);
        assert!(off < 0.002, "{name}: {off} m off");
    }
}

#[test]
fn stations_premises_streets_barriers_and_gates_keep_their_columns() {
    let folder = Folder::new();
    let line = |east: f64| {
        let lon = |metres: f64| LON + metres / (111_320.0 * LAT.to_radians().cos());
        format!("\"LINESTRING ({} {LAT}, {} {})\"", lon(east), lon(east), LAT + 0.002)
    };
    let buildings = folder.write("b.geojson", squares(&[(0.0, 0.0, 10.0, "\"id\":\"a\",\"户数\":5")]));
    let stations = folder.write(
        "驿站.csv",
        format!("驿站编号,驿站名称,级别,面积,经度,纬度\nS1,红旗驿站,小区驿站,120,{LON},{LAT}\n"),
    );
    let premises = folder.write(
        "闲置用房.csv",
        format!("编号,名称,面积,产权,所在楼层,独立出入口,租金,经度,纬度\nP1,老村委,80,村集体,1,是,2万元,{LON},{LAT}\n"),
    );
    let streets = folder.write(
        "道路.csv",
        format!("id,路名,道路等级,wkt\nr1,滨海路,主干路,{}\nr2,石阶,台阶,{}\n", line(0.0), line(20.0)),
    );
    let barriers = folder.write("河流.csv", format!("id,名称,类型,wkt\nw1,逛荡河,河流,{}\n", line(40.0)));
    let request = one(Role::Buildings, &buildings);
    let mut request = request
        .with(Role::Gates, &folder.write("gates.csv", format!("id,lon,lat,open\ng1,{LON},{LAT},no\n")));
    for path in [stations, premises, streets, barriers] {
        request.sources.push(SourceSpec::parse(&path));
    }
    let scenario = run(&request).unwrap();
    let station = &scenario.stations[0];
    assert_eq!(
        (station.code.as_str(), station.name.as_str(), station.tier),
        ("S1", "红旗驿站", StationTier::Compound)
    );
    assert_eq!(station.area.map(crate::units::SquareMetres::value), Some(120.0));
    assert!(station.community.is_some());
    let premise = &scenario.premises[0];
    assert_eq!((premise.floor, premise.own_entrance, premise.cost), (Some(1), Some(true), Some(20_000)));
    assert_eq!(premise.tenure.as_deref(), Some("村集体"));
    let classes: Vec<StreetClass> = scenario.streets.iter().map(|street| street.class).collect();
    assert_eq!(classes, [StreetClass::Arterial, StreetClass::Steps]);
    assert!(scenario.streets[1].no_wheelchair && scenario.streets[0].foot);
    assert_eq!(scenario.barriers[0].kind, BarrierKind::River);
    assert!(matches!(scenario.barriers[0].shape, BarrierShape::Line(_)));
    assert!(!scenario.gates[0].open);
}

#[test]
fn present_grids_reach_their_buildings() {
    let folder = Folder::new();
    let buildings = folder.write(
        "b.geojson",
        squares(&[
            (10.0, 10.0, 10.0, "\"id\":\"a\",\"户数\":5"),
            (110.0, 10.0, 10.0, "\"id\":\"b\",\"户数\":5,\"所属网格\":\"G9\""),
        ]),
    );
    let grids = folder.write(
        "网格.geojson",
        squares(&[
            (0.0, 0.0, 100.0, "\"网格编码\":\"G1\",\"锁定\":\"是\""),
            (100.0, 0.0, 100.0, "\"网格编码\":\"G2\""),
        ]),
    );
    let scenario = run(&one(Role::Buildings, &buildings).with(Role::Grids, &grids)).unwrap();
    assert_eq!(scenario.atoms[0].current_grid.as_deref(), Some("G1"));
    assert!(scenario.atoms[0].locked);
    assert_eq!(scenario.atoms[1].current_grid.as_deref(), Some("G9"));
}

/// A small town in OSM XML around the place in Yantai.
fn town() -> String {
    let mut nodes = String::new();
    let mut node = |id: i64, east: f64, north: f64, tags: &str| {
        let lon = LON + east / (111_320.0 * LAT.to_radians().cos());
        let lat = LAT + north / 111_320.0;
        writeln!(nodes, "<node id=\"{id}\" lat=\"{lat:.7}\" lon=\"{lon:.7}\">{tags}</node>").unwrap();
    };
    for (id, east, north) in [(1, 0.0, 0.0), (2, 20.0, 0.0), (3, 20.0, 10.0), (4, 0.0, 10.0)] {
        node(id, east, north, if id == 2 { "<tag k=\"entrance\" v=\"main\"/>" } else { "" });
    }
    for (id, east, north) in [(11, -50.0, -50.0), (12, 150.0, -50.0), (13, 150.0, 150.0), (14, -50.0, 150.0)]
    {
        node(id, east, north, if id == 12 { "<tag k=\"barrier\" v=\"gate\"/>" } else { "" });
    }
    for (id, east, north) in
        [(21, -200.0, -100.0), (22, 300.0, -100.0), (23, 300.0, 300.0), (24, -200.0, 300.0)]
    {
        node(id, east, north, "");
    }
    for (id, east, north) in [
        (31, 60.0, 60.0),
        (32, 80.0, 60.0),
        (33, 80.0, 80.0),
        (34, 60.0, 80.0),
        (35, 65.0, 65.0),
        (36, 75.0, 65.0),
        (37, 75.0, 75.0),
    ] {
        node(id, east, north, "");
    }
    let tags = |pairs: &[(&str, &str)]| {
        pairs.iter().fold(String::new(), |text, (k, v)| text + &format!("<tag k=\"{k}\" v=\"{v}\"/>"))
    };
    let way = |id: i64, nodes: &[i64], pairs: &[(&str, &str)]| {
        let nodes = nodes.iter().fold(String::new(), |text, node| text + &format!("<nd ref=\"{node}\"/>"));
        format!("<way id=\"{id}\">{nodes}{}</way>\n", tags(pairs))
    };
    let mut ways = way(
        100,
        &[1, 2, 3, 4, 1],
        &[("building", "apartments"), ("building:levels", "5.5"), ("name", "A &amp; B 楼")],
    );
    ways += &way(
        101,
        &[11, 12, 13, 14, 11],
        &[("landuse", "residential"), ("name", "幸福里"), ("barrier", "wall")],
    );
    ways += &way(110, &[11, 22], &[("highway", "steps"), ("incline", "12%")]);
    ways += &way(111, &[12, 22], &[("highway", "residential"), ("bridge", "yes"), ("name", "滨海路")]);
    ways += &way(112, &[13, 23], &[("highway", "footway"), ("tunnel", "yes"), ("footway", "crossing")]);
    ways += &way(113, &[21, 23], &[("highway", "motorway")]);
    ways += &way(114, &[21, 24], &[("railway", "rail")]);
    ways += &way(115, &[22, 24], &[("railway", "rail"), ("bridge", "viaduct")]);
    ways += &way(116, &[23, 24], &[("waterway", "river"), ("name", "逛荡河")]);
    ways += &way(117, &[14, 24], &[("highway", "service"), ("access", "no")]);
    ways += &way(120, &[21, 22, 23], &[]);
    ways += &way(121, &[21, 24, 23], &[]);
    ways += &way(130, &[31, 32, 33, 34, 31], &[]);
    ways += &way(131, &[35, 36, 37, 35], &[]);
    let relation = |id: i64, members: &[(i64, &str)], pairs: &[(&str, &str)]| {
        let members = members.iter().fold(String::new(), |text, (way, role)| {
            text + &format!("<member type=\"way\" ref=\"{way}\" role=\"{role}\"/>")
        });
        format!("<relation id=\"{id}\">{members}{}</relation>\n", tags(pairs))
    };
    let admin = [
        ("type", "boundary"),
        ("boundary", "administrative"),
        ("admin_level", "10"),
        ("name", "东社区"),
        ("ref", "370611001001"),
    ];
    let mut relations = relation(200, &[(120, "outer"), (121, "outer")], &admin);
    relations += &relation(
        201,
        &[(130, "outer"), (131, "inner")],
        &[("type", "multipolygon"), ("building", "school")],
    );
    relations += &relation(
        202,
        &[(120, "outer"), (999, "outer")],
        &[("type", "boundary"), ("boundary", "administrative"), ("admin_level", "8")],
    );
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<osm version=\"0.6\">\n{nodes}{ways}{relations}</osm>\n"
    )
}

#[test]
fn osm_tags_become_nouns() {
    let folder = Folder::new();
    let plain = folder.write("town.osm", town());
    let packed = folder.path("town.osm.gz");
    let mut gz =
        flate2::write::GzEncoder::new(std::fs::File::create(&packed).unwrap(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gz, town().as_bytes()).unwrap();
    gz.finish().unwrap();
    for path in [plain, packed] {
        let scenario = run(&ImportRequest::of([path.as_str()])).unwrap();
        let community = &scenario.communities[0];
        assert_eq!((community.name.as_str(), community.code.as_str()), ("东社区", "370611001001"));
        let house = scenario.atoms.iter().find(|atom| atom.source.0 == "way/100").unwrap();
        assert_eq!(
            (house.name.as_deref(), house.floors, house.usage),
            (Some("A & B 楼"), 6, Use::Residential)
        );
        assert!(house.door.is_some() && house.compound.is_some() && house.community.is_some());
        let school = scenario.atoms.iter().find(|atom| atom.source.0 == "relation/201").unwrap();
        assert_eq!(school.usage, Use::Public);
        assert!(
            (school.shape.area() - 350.0).abs() < 3.0,
            "{} m² with its yard cut out",
            school.shape.area()
        );
        assert!(scenario.compounds[0].walled);
        assert_eq!(scenario.gates[0].compound, house.compound);
        let street = |id: &str| scenario.streets.iter().find(|street| street.source.0 == id).unwrap();
        assert_eq!(street("way/110").incline, Some(0.12));
        assert!(street("way/110").class == StreetClass::Steps && street("way/110").no_wheelchair);
        assert!(street("way/111").bridge && street("way/112").tunnel && street("way/112").crossing);
        assert!(!street("way/113").foot && !street("way/117").foot);
        let kinds: Vec<_> =
            scenario.barriers.iter().map(|barrier| (barrier.source.0.as_str(), barrier.kind)).collect();
        assert_eq!(
            kinds,
            [
                ("way/101", BarrierKind::Wall),
                ("way/113", BarrierKind::Motorway),
                ("way/114", BarrierKind::Railway),
                ("way/116", BarrierKind::River)
            ]
        );
        // The half boundary is reported, not drawn.
        assert!(scenario.findings.iter().any(|finding| finding.feature == "relation/202"));
    }
}

#[cfg(feature = "gdal")]
mod with_gdal {
    use super::*;
    use crate::model::{Community, Terrain};
    use ::gdal::spatial_ref::{AxisMappingStrategy, SpatialRef};
    use ::gdal::vector::{LayerAccess, LayerOptions, OGRFieldType, OGRwkbGeometryType};
    use ::gdal::{Dataset, DatasetOptions, DriverManager, GdalOpenFlags, raster::Buffer};

    /// Three footprints with Chinese or Japanese columns, written by a driver of GDAL.
    fn write(path: &str, driver: &str, epsg: u32, options: &[&str], columns: [&str; 2], names: [&str; 3]) {
        let driver = DriverManager::get_driver_by_name(driver).unwrap();
        let dataset = driver.create_vector_only(path).unwrap();
        fill(dataset, "layer1", epsg, options, columns, names);
    }

    fn fill(
        mut dataset: Dataset,
        layer: &str,
        epsg: u32,
        options: &[&str],
        columns: [&str; 2],
        names: [&str; 3],
    ) {
        let mut system = SpatialRef::from_epsg(epsg).unwrap();
        system.set_axis_mapping_strategy(AxisMappingStrategy::TraditionalGisOrder);
        let layer = dataset
            .create_layer(LayerOptions {
                name: layer,
                srs: Some(&system),
                ty: OGRwkbGeometryType::wkbPolygon,
                options: Some(options),
            })
            .unwrap();
        layer
            .create_defn_fields(&[
                (columns[0], OGRFieldType::OFTString),
                (columns[1], OGRFieldType::OFTInteger),
            ])
            .unwrap();
        let crs = crs::Crs::from_epsg(epsg).unwrap();
        for (index, name) in names.iter().enumerate() {
            let corners = [(0.0, 0.0), (1e-4, 0.0), (1e-4, 1e-4), (0.0, 1e-4), (0.0, 0.0)];
            let ring: Vec<String> = corners
                .iter()
                .map(|(x, y)| {
                    let degrees = Coord { x: LON + 5e-4 * index as f64 + x, y: LAT + y };
                    let at = match &crs {
                        crs::Crs::Degrees(_) => degrees,
                        crs::Crs::Metres { plane, .. } => plane.to_plane(degrees).unwrap(),
                    };
                    format!("{} {}", at.x, at.y)
                })
                .collect();
            let shape =
                ::gdal::vector::Geometry::from_wkt(&format!("POLYGON (({}))", ring.join(", "))).unwrap();
            let mut feature = ::gdal::vector::Feature::new(layer.defn()).unwrap();
            feature.set_geometry(shape).unwrap();
            let field = |name: &str| feature.field_index(name).unwrap();
            let (text, number) = (field(columns[0]), field(columns[1]));
            feature.set_field_string(text, name).unwrap();
            feature.set_field_integer(number, 10 * (index as i32 + 1)).unwrap();
            feature.create(&layer).unwrap();
        }
    }

    fn check(path: &str, layer: Option<&str>, label: &str) -> Scenario {
        let mut request = one(Role::Buildings, path);
        request.sources[0].layer = layer.map(str::to_owned);
        let scenario = run(&request).unwrap_or_else(|error| panic!("{label}: {error}"));
        assert_eq!(scenario.households().0, 60, "{label}");
        assert_eq!(scenario.atoms.len(), 3, "{label}");
        assert!(
            (scenario.atoms[0].shape.area() - 98.0).abs() < 1.0,
            "{label}: {} m²",
            scenario.atoms[0].shape.area()
        );
        scenario
    }

    #[test]
    fn shapefiles_read_in_gbk_and_shift_jis_without_code_page() {
        let folder = Folder::new();
        let chinese = ["幸福小区一号楼", "滨海路街道", "逛荡河畔小区"];
        let japanese = ["鳥取市立川町", "わかばだい", "湯所町一丁目"];
        for (encoding, columns, names, shown) in [
            ("CP936", ["楼名", "总户数"], chinese, "gb18030"),
            ("CP932", ["MOJI", "SETAI"], japanese, "Shift_JIS"),
            ("UTF-8", ["楼名", "户数"], chinese, "UTF-8"),
        ] {
            for code_page in ["none", "empty", "wrong"] {
                let path = folder.path(&format!("{encoding}-{code_page}.shp"));
                write(&path, "ESRI Shapefile", 4490, &[&format!("ENCODING={encoding}")], columns, names);
                let cpg = path.replace(".shp", ".cpg");
                match code_page {
                    "none" => {
                        let _ = std::fs::remove_file(&cpg);
                    }
                    "empty" => std::fs::write(&cpg, "").unwrap(),
                    _ if encoding == "UTF-8" => continue,
                    _ => std::fs::write(&cpg, "UTF-8").unwrap(),
                }
                let scenario = check(&path, None, &format!("{encoding} {code_page}"));
                assert_eq!(scenario.atoms[0].name.as_deref(), Some(names[0]));
                assert!(
                    scenario.sources[0].encoding.en.starts_with(shown),
                    "{}",
                    scenario.sources[0].encoding
                );
            }
        }
    }

    #[test]
    fn every_vector_format_is_read() {
        let folder = Folder::new();
        for (driver, ending, epsg) in [
            ("GPKG", "gpkg", 4549),
            ("FlatGeobuf", "fgb", 4549),
            ("KML", "kml", 4326),
            ("OpenFileGDB", "gdb", 4490),
            ("MapInfo File", "tab", 4326),
            ("GML", "gml", 4549),
            ("ESRI Shapefile", "shp", 32651),
        ] {
            let path = folder.path(&format!("b-{}.{ending}", driver.replace(' ', "-")));
            write(&path, driver, epsg, &[], ["Name", "households"], ["一", "二", "三"]);
            let scenario = check(&path, None, driver);
            let back = scenario.plane.to_lonlat(scenario.atoms[0].shape.anchor());
            assert!((back.x - LON).abs() < 2e-4 && (back.y - LAT).abs() < 2e-4, "{driver}: {back:?}");
        }
    }

    /// Needs a server: `GRIDPLAN_TEST_POSTGIS="PG:host=127.0.0.1 dbname=city user=planner password=…"`, where the user
    /// may make a table. Without it the test says so and checks nothing.
    #[test]
    fn postgis_is_read_where_a_server_is_given() {
        let Ok(server) = std::env::var("GRIDPLAN_TEST_POSTGIS") else {
            eprintln!(
                "no PostGIS server: set GRIDPLAN_TEST_POSTGIS to a connection PG:host=… to test with one"
            );
            return;
        };
        let flags = GdalOpenFlags::GDAL_OF_VECTOR | GdalOpenFlags::GDAL_OF_UPDATE;
        let options = DatasetOptions { open_flags: flags, ..DatasetOptions::default() };
        let dataset = Dataset::open_ex(&server, options).unwrap();
        let names = ["一号楼", "二号楼", "三号楼"];
        fill(dataset, "gridplan_test", 4549, &["OVERWRITE=YES"], ["名称", "户数"], names);
        let scenario = check(&server, Some("gridplan_test"), "PostGIS");
        assert_eq!(scenario.atoms[0].name.as_deref(), Some("一号楼"));
        assert!(!scenario.sources[0].name.contains("password"), "{}", scenario.sources[0].name);
        let missing = run(&ImportRequest::of([format!("{server}|layer=nowhere").as_str()])).unwrap_err();
        assert!(matches!(missing, IngestError::NoSuchLayer { .. }), "{missing}");
    }

    #[test]
    fn a_database_that_does_not_answer_is_named_without_its_password() {
        use crate::model::Tell;
        let request =
            ImportRequest::of(["PG:host=127.0.0.1 port=1 dbname=city user=planner password=secret"]);
        let error = run(&request).unwrap_err();
        assert!(matches!(error, IngestError::Database { .. }), "{error}");
        for text in [error.to_string(), error.chinese()] {
            assert!(text.contains("dbname=city") && text.contains("127.0.0.1"), "{text}");
            assert!(!text.contains("secret"), "{text}");
        }
        assert!(error.to_string().contains("check that the server runs"), "{error}");
    }

    #[test]
    fn a_foreign_projection_goes_through_gdal_and_a_layer_can_be_named() {
        let folder = Folder::new();
        let path = folder.path("b.gpkg");
        write(&path, "GPKG", 4549, &[], ["Name", "households"], ["一", "二", "三"]);
        check(&path, Some("layer1"), "layer");
        let spec = SourceSpec::parse(&format!("{path}:layer1"));
        assert_eq!(spec.layer.as_deref(), Some("layer1"));
        let wrong = ImportRequest::of([format!("{path}:none").as_str()]);
        let message = run(&wrong).unwrap_err().to_string();
        assert!(message.contains("no layer `none`") && message.contains("layer1"), "{message}");
        let file = folder.write("b.csv", "id,x,y,households\na,13513072.8,4516432.4,3\n");
        let request = ImportRequest { crs: Some("EPSG:3857".to_owned()), ..one(Role::Buildings, &file) };
        let back =
            run(&request).map(|scenario| scenario.plane.to_lonlat(scenario.atoms[0].shape.anchor())).unwrap();
        // The spherical formulas of web maps.
        let (east, north) = (13_513_072.8_f64 / 6_378_137.0, 4_516_432.4_f64 / 6_378_137.0);
        let latitude = 2.0 * north.exp().atan() - std::f64::consts::FRAC_PI_2;
        let apart = (back.x - east.to_degrees()).abs() + (back.y - latitude.to_degrees()).abs();
        assert!(apart < 1e-8, "{back:?}");
    }

    #[test]
    fn closed_lines_of_drawings_are_outlines() {
        let folder = Folder::new();
        let at = plane().to_plane(Coord { x: LON, y: LAT }).unwrap();
        let path = folder.path("c.dxf");
        let driver = DriverManager::get_driver_by_name("DXF").unwrap();
        let mut dataset = driver.create_vector_only(&path).unwrap();
        {
            let layer =
                dataset.create_layer(LayerOptions { name: "entities", ..LayerOptions::default() }).unwrap();
            let ring: Vec<String> = [(0.0, 0.0), (200.0, 0.0), (200.0, 200.0), (0.0, 200.0), (0.0, 0.0)]
                .iter()
                .map(|(x, y)| format!("{} {}", at.x + 40e6 - 100.0 + x, at.y - 100.0 + y))
                .collect();
            let shape =
                ::gdal::vector::Geometry::from_wkt(&format!("LINESTRING ({})", ring.join(", "))).unwrap();
            let mut feature = ::gdal::vector::Feature::new(layer.defn()).unwrap();
            feature.set_geometry(shape).unwrap();
            feature.create(&layer).unwrap();
        }
        drop(dataset);
        let buildings = folder.write("b.geojson", squares(&[(0.0, 0.0, 10.0, "\"id\":\"a\",\"户数\":5")]));
        let scenario = run(&one(Role::Communities, &path).with(Role::Buildings, &buildings)).unwrap();
        let area: f64 = scenario
            .communities
            .iter()
            .map(|Community { outline, .. }| geo::Area::unsigned_area(outline))
            .sum();
        assert!((area - 40_000.0).abs() < 1.0, "{area}");
        assert!(scenario.atoms[0].community.is_some());
    }

    #[test]
    fn terrain_comes_onto_the_plane_at_the_right_heights() {
        let folder = Folder::new();
        let at = plane().to_plane(Coord { x: LON, y: LAT }).unwrap();
        let path = folder.path("hill.tif");
        let driver = DriverManager::get_driver_by_name("GTiff").unwrap();
        let size = 200;
        let mut dataset = driver.create_with_band_type::<f32, _>(&path, size, size, 1).unwrap();
        dataset.set_spatial_ref(&SpatialRef::from_epsg(4549).unwrap()).unwrap();
        // 25 m pixels, a plane that rises 1 in 10 to the east and 1 in 20 to the north.
        let (west, north) = (at.x - 2500.0, at.y + 2500.0);
        dataset.set_geo_transform(&[west, 25.0, 0.0, north, 0.0, -25.0]).unwrap();
        let height = |x: f64, y: f64| 300.0 + (x - at.x) / 10.0 + (y - at.y) / 20.0;
        let pixels = (0..size * size).map(|index| {
            let (column, row) = ((index % size) as f64, (index / size) as f64);
            height(west + (column + 0.5) * 25.0, north - (row + 0.5) * 25.0) as f32
        });
        let mut buffer = Buffer::new((size, size), pixels.collect());
        dataset.rasterband(1).unwrap().write((0, 0), (size, size), &mut buffer).unwrap();
        drop(dataset);
        let buildings = folder.write("b.geojson", squares(&[(0.0, 0.0, 10.0, "\"id\":\"a\",\"户数\":5")]));
        let scenario = run(&one(Role::Buildings, &buildings).with(Role::Dem, &path)).unwrap();
        let terrain: &Terrain = scenario.terrain.as_ref().unwrap();
        assert_eq!(terrain.cell(), 25.0);
        let AtomShape::Area(_) = scenario.atoms[0].shape else { panic!("a point") };
        for (east, north) in [(0.0, 0.0), (333.0, -712.0), (-900.0, 55.0)] {
            let place = Coord { x: at.x + east, y: at.y + north };
            let found = terrain.height(place).unwrap();
            assert!(
                (found - height(place.x, place.y)).abs() < 0.01,
                "{found} against {}",
                height(place.x, place.y)
            );
        }
    }

    #[test]
    fn shift_jis_names_survive_a_declared_encoding() {
        let folder = Folder::new();
        let path = folder.path("j.shp");
        write(
            &path,
            "ESRI Shapefile",
            4612,
            &["ENCODING=CP932"],
            ["MOJI", "SETAI"],
            ["立川町", "湯所", "東町"],
        );
        let request =
            ImportRequest { encoding: Some(SHIFT_JIS.name().to_owned()), ..one(Role::Buildings, &path) };
        let scenario = run(&request).unwrap();
        assert_eq!(scenario.atoms[0].name.as_deref(), Some("立川町"));
        assert!(scenario.sources[0].encoding.en.contains("declared"));
    }
}
