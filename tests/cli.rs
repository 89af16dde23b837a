//! The built program as a user meets it: exit code, stdout, stderr, and what lies in the folder afterwards.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// Degrees of a metre at the test place, 37.5°N.
const LAT: f64 = 1.0 / 111_000.0;
const LON: f64 = 1.0 / 88_300.0;

/// A folder with files of a small invented place near 121.4°E, 37.5°N; x and y in metres from its corner.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// Communities side by side, `width` × 400 m each, named A, B, ….
    fn communities(&self, n: usize, width: f64) -> PathBuf {
        let features = (0..n).map(|index| {
            let x = index as f64 * width;
            let ring = [(x, 0.0), (x + width, 0.0), (x + width, 400.0), (x, 400.0), (x, 0.0)];
            let code = format!("370602001{:03}", index + 1);
            let name = char::from(b'A' + index as u8);
            format!(
                r#"{{"type":"Feature","properties":{{"code":"{code}","name":"{name}社区"}},"geometry":{{"type":"Polygon","coordinates":[{}]}}}}"#,
                positions(&ring)
            )
        });
        self.write("communities.geojson", collection(features))
    }

    /// A lattice of lanes, 100 m apart, over `width` × 400 m.
    fn streets(&self, width: f64) -> PathBuf {
        let columns = (width / 100.0) as usize;
        let along = (0..=4).map(|row| {
            let line: Vec<_> =
                (0..=columns).map(|column| (column as f64 * 100.0, row as f64 * 100.0)).collect();
            street(&format!("横{row}路"), &line)
        });
        let across = (0..=columns).map(|column| {
            let line: Vec<_> = (0..=4).map(|row| (column as f64 * 100.0, row as f64 * 100.0)).collect();
            street(&format!("纵{column}路"), &line)
        });
        self.write("streets.geojson", collection(along.chain(across)))
    }

    /// One building a row: x, y, households.
    fn buildings(&self, rows: &[(f64, f64, u32)]) -> PathBuf {
        let mut text = "编号,经度,纬度,户数\n".to_owned();
        for (index, (x, y, households)) in rows.iter().enumerate() {
            text += &format!("b{index:04},{:.8},{:.8},{households}\n", lon(*x), lat(*y));
        }
        self.write("buildings.csv", text)
    }

    /// Buildings of 30 households every 50 m in a community of 400 × 400 m whose corner is at `x`.
    fn ordinary(x: f64) -> Vec<(f64, f64, u32)> {
        (0..64).map(|i| (x + 25.0 + f64::from(i % 8) * 50.0, 25.0 + f64::from(i / 8) * 50.0, 30)).collect()
    }

    fn import(&self, extra: &[&str]) -> Output {
        let role = |role: &str, file: &str| format!("{role}={}", self.path(file).display());
        let mut arguments = vec!["import".to_owned(), "--role".to_owned()];
        for (word, file) in [
            ("communities", "communities.geojson"),
            ("streets", "streets.geojson"),
            ("buildings", "buildings.csv"),
        ] {
            if self.path(file).exists() {
                arguments.push(role(word, file));
            }
        }
        arguments.extend(["-o".to_owned(), self.path("city.gpkg").display().to_string()]);
        arguments.extend(extra.iter().map(|&word| word.to_owned()));
        gridplan(&arguments)
    }

    fn plan(&self) -> Output {
        let (city, out) =
            (self.path("city.gpkg").display().to_string(), self.path("out").display().to_string());
        gridplan(&["plan".to_owned(), city, "-o".to_owned(), out, "--effort".to_owned(), "draft".to_owned()])
    }
}

fn lon(x: f64) -> f64 {
    121.4 + x * LON
}

fn lat(y: f64) -> f64 {
    37.5 + y * LAT
}

fn positions(ring: &[(f64, f64)]) -> String {
    let places: Vec<String> = ring.iter().map(|(x, y)| format!("[{:.8},{:.8}]", lon(*x), lat(*y))).collect();
    format!("[{}]", places.join(","))
}

fn street(name: &str, line: &[(f64, f64)]) -> String {
    format!(
        r#"{{"type":"Feature","properties":{{"name":"{name}","highway":"residential"}},"geometry":{{"type":"LineString","coordinates":{}}}}}"#,
        positions(line)
    )
}

fn collection(features: impl Iterator<Item = String>) -> String {
    format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, features.collect::<Vec<_>>().join(","))
}

fn gridplan<S: AsRef<std::ffi::OsStr>>(arguments: &[S]) -> Output {
    command().args(arguments).output().unwrap()
}

fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gridplan"));
    command.args(["--lang", "en", "--quiet"]).stdin(Stdio::null());
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn succeeds(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    text(&output.stdout)
}

/// Exit code 1, nothing on stdout, and every word on stderr.
fn refuses(output: &Output, words: &[&str]) {
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "stdout {}\nstderr {message}", text(&output.stdout));
    assert!(output.stdout.is_empty(), "a failure prints no result");
    for word in words {
        assert!(message.contains(word), "`{word}` is missing in: {message}");
    }
}

fn json(output: &Output) -> serde_json::Value {
    serde_json::from_str(&succeeds(output)).unwrap()
}

fn is_empty_or_missing(folder: &Path) -> bool {
    !folder.exists() || fs::read_dir(folder).unwrap().next().is_none()
}

#[test]
fn an_ordinary_place_is_planned_from_files_to_report() {
    let place = Place::new();
    place.communities(2, 400.0);
    place.streets(800.0);
    place.buildings(&[Place::ordinary(0.0), Place::ordinary(400.0)].concat());
    let said = json(&place.import(&["--json"]));
    assert_eq!((said["households"].as_u64(), said["communities"].as_u64()), (Some(3840), Some(2)));
    // A source may also stand behind the last role.
    let role = format!("buildings={}", place.path("buildings.csv").display());
    let others =
        ["communities.geojson", "streets.geojson"].map(|name| place.path(name).display().to_string());
    let city = place.path("again.gpkg").display().to_string();
    let again = gridplan(&["import", "--role", &role, &others[0], &others[1], "-o", &city, "--json"]);
    assert_eq!(json(&again)["communities"].as_u64(), Some(2));
    succeeds(&place.plan());
    for file in ["plan.gpkg", "report.html", "tables.xlsx"] {
        assert!(place.path("out").join(file).is_file(), "{file}");
    }
    assert!(!cfg!(feature = "web") || place.path("out").join("map.html").is_file());
    let plan = gridplan::planfile::read(&place.path("out/plan.gpkg")).unwrap().plan.unwrap();
    assert_eq!(plan.partition.grids.len(), 12, "1,920 households twice are 6 grids twice");
    assert!(plan.partition.grids.iter().all(|grid| grid.is_in_range()));
    assert!(plan.partition.grids.iter().all(|grid| grid.code.len() == 15));
}

#[test]
fn one_and_two_threads_give_the_same_plan() {
    let place = Place::new();
    place.communities(2, 400.0);
    place.streets(800.0);
    place.buildings(&[Place::ordinary(0.0), Place::ordinary(400.0)].concat());
    succeeds(&place.import(&[]));
    let hash = |threads: &str| {
        let (city, out) = (place.path("city.gpkg"), place.path(threads));
        let arguments =
            ["plan", city.to_str().unwrap(), "-o", out.to_str().unwrap(), "--threads", threads, "--json"];
        json(&gridplan(&arguments))["plan_hash"].as_str().unwrap().to_owned()
    };
    assert_eq!(hash("1"), hash("2"));
}

#[test]
fn stages_alone_come_to_the_same_plan() {
    let place = Place::new();
    place.communities(1, 400.0);
    place.streets(400.0);
    place.buildings(&Place::ordinary(0.0));
    succeeds(&place.import(&[]));
    succeeds(&place.plan());
    let file = place.path("city.gpkg").display().to_string();
    for stage in ["grids", "stations", "coverage"] {
        succeeds(&gridplan(&[stage, &file, "--effort", "draft"]));
    }
    let hash = |path: &Path| gridplan::planfile::read(path).unwrap().plan.unwrap().provenance.plan_hash;
    assert_eq!(hash(&place.path("city.gpkg")), hash(&place.path("out/plan.gpkg")));
}

#[test]
fn a_question_about_stations_is_answered_and_nothing_is_written() {
    let place = Place::new();
    place.communities(1, 400.0);
    place.streets(400.0);
    place.buildings(&Place::ordinary(0.0));
    succeeds(&place.import(&[]));
    succeeds(&place.plan());
    let path = place.path("out/plan.gpkg");
    let (file, bytes) = (path.display().to_string(), fs::read(&path).unwrap());
    let plan = gridplan::planfile::read(&path).unwrap().plan.unwrap();
    let closed: Vec<String> =
        plan.stations.iter().map(|station| format!("--close={}", station.code)).collect();
    let ask = |more: &[String]| {
        let mut arguments = vec!["coverage".to_owned(), file.clone(), "--json".to_owned()];
        arguments.extend_from_slice(more);
        gridplan(&arguments)
    };
    // Every station closes: all 64 buildings of 30 households lose every circle that they were in.
    let answer = json(&ask(&closed));
    let band = &answer["bands"][2];
    assert_eq!((band["minutes"].as_u64(), band["households_after"].as_u64()), (Some(15), Some(0)));
    assert_eq!(band["households_lost"], band["households_before"]);
    assert_eq!(answer["buildings"].as_array().unwrap().len(), 64);
    assert_eq!(answer["with_terrain"].as_bool(), Some(false));
    // One opens in the middle instead, named by longitude and latitude: 15 minutes reach the whole place.
    let open = format!("--open={:.7},{:.7}", lon(200.0), lat(200.0));
    let answer = json(&ask(&[closed, vec![open]].concat()));
    assert_eq!(answer["bands"][2]["households_after"].as_u64(), Some(1920));
    assert_eq!(fs::read(&path).unwrap(), bytes, "nothing is written");
    refuses(&ask(&["--close=X".to_owned()]), &["no station `X`", "stations"]);
    refuses(&ask(&["--open=here".to_owned()]), &["`here` is no place", "premise"]);
    refuses(&ask(&["--open=1,2".to_owned(), "--tier=moon".to_owned()]), &["moon", "community"]);
    let code = &plan.stations[0].code;
    let twice = [format!("--close={code}"), format!("--close={code}")];
    refuses(&ask(&twice), &[&format!("station `{code}`"), "twice"]);
    let arguments = [&["coverage".to_owned(), file.clone()], &twice[..]].concat();
    refuses(&chinese(&arguments), &["错误", &format!("站点 `{code}` 被改动两次"), "建议"]);
}

#[test]
fn a_missing_file_is_named_with_what_to_do() {
    refuses(&gridplan(&["plan", "/nowhere/city.gpkg"]), &["/nowhere/city.gpkg", "gridplan import"]);
    refuses(&gridplan(&["import", "/nowhere/town.shp", "-o", "city.gpkg"]), &["town.shp"]);
}

#[test]
fn unknown_words_are_named_with_those_that_exist() {
    refuses(&gridplan(&["import", "--role", "houses=x.csv", "-o", "city.gpkg"]), &["houses", "buildings"]);
    refuses(
        &gridplan(&["import", "x.csv", "--column", "zebras=N", "-o", "city.gpkg"]),
        &["zebras", "households"],
    );
    refuses(&gridplan(&["flans"]), &["flans"]);
}

#[test]
fn a_wrong_role_is_refused() {
    let place = Place::new();
    let streets = place.streets(400.0);
    let role = format!("communities={}", streets.display());
    refuses(
        &gridplan(&["import", "--role", &role, "-o", place.path("city.gpkg").to_str().unwrap()]),
        &["streets.geojson", "communities"],
    );
    assert!(!place.path("city.gpkg").exists());
}

#[test]
fn an_empty_layer_is_refused_or_found() {
    let place = Place::new();
    place.write("buildings.csv", "编号,经度,纬度,户数\n");
    place.communities(1, 400.0);
    refuses(&place.import(&[]), &["buildings.csv"]);
}

#[test]
fn a_place_without_households_is_not_planned() {
    let place = Place::new();
    place.communities(1, 400.0);
    place.streets(400.0);
    place.buildings(&Place::ordinary(0.0).into_iter().map(|(x, y, _)| (x, y, 0)).collect::<Vec<_>>());
    let imported = place.import(&[]);
    if imported.status.code() == Some(0) {
        refuses(&place.plan(), &["household"]);
        assert!(is_empty_or_missing(&place.path("out")));
    } else {
        refuses(&imported, &["household"]);
    }
}

#[test]
fn coordinates_that_are_none_become_findings() {
    let place = Place::new();
    place.communities(1, 400.0);
    place.streets(400.0);
    let path = place.buildings(&Place::ordinary(0.0));
    let rows = fs::read_to_string(&path).unwrap() + "bad1,NaN,37.5,10\nbad2,999,37.5,10\nbad3,,,10\n";
    fs::write(&path, rows).unwrap();
    succeeds(&place.import(&[]));
    let found = json(&gridplan(&["check", place.path("city.gpkg").to_str().unwrap(), "--json"]));
    let kinds: Vec<&str> =
        found["list"].as_array().unwrap().iter().filter_map(|f| f["kind"].as_str()).collect();
    assert!(kinds.contains(&"bad_coordinates") || kinds.contains(&"no_geometry"), "{kinds:?}");
    succeeds(&place.plan());
}

#[test]
fn a_self_crossing_outline_is_repaired_and_said_so() {
    let place = Place::new();
    let bow = [(0.0, 0.0), (400.0, 400.0), (400.0, 0.0), (0.0, 400.0), (0.0, 0.0)];
    let feature = format!(
        r#"{{"type":"Feature","properties":{{"code":"370602001001","name":"A"}},"geometry":{{"type":"Polygon","coordinates":[{}]}}}}"#,
        positions(&bow)
    );
    place.write("communities.geojson", collection(std::iter::once(feature)));
    place.streets(400.0);
    place.buildings(&Place::ordinary(0.0));
    succeeds(&place.import(&[]));
    let found = json(&gridplan(&["check", place.path("city.gpkg").to_str().unwrap(), "--json"]));
    assert!(found["list"].as_array().unwrap().iter().any(|f| f["kind"] == "invalid_geometry"), "{found}");
    succeeds(&place.plan());
}

#[test]
fn odd_places_are_planned_with_findings() {
    // Stacked buildings, a tower of 2,000, a community of one building, one of no household, one without a street.
    let place = Place::new();
    place.communities(5, 400.0);
    place.streets(1600.0);
    let mut rows = Place::ordinary(0.0);
    rows.extend((0..8).map(|_| (510.0, 110.0, 40)));
    rows.push((610.0, 210.0, 2000));
    rows.push((910.0, 110.0, 120));
    rows.extend(Place::ordinary(1200.0).into_iter().map(|(x, y, _)| (x, y, 0)));
    rows.extend(Place::ordinary(1600.0));
    place.buildings(&rows);
    succeeds(&place.import(&[]));
    succeeds(&place.plan());
    let content = gridplan::planfile::read(&place.path("out/plan.gpkg")).unwrap();
    let plan = content.plan.unwrap();
    let tower = content.scenario.atoms.iter().position(|atom| atom.households.0 == 2000).unwrap();
    let grid = &plan.partition.grids[plan.partition.grid_of[tower].unwrap().index()];
    assert!(!grid.is_in_range() && grid.reason.is_some(), "the tower's grid says why it is too large");
    assert!(
        content
            .scenario
            .communities
            .iter()
            .enumerate()
            .all(|(index, _)| { plan.partition.grids.iter().any(|grid| grid.community.index() == index) })
    );
    plan.partition.check(&content.scenario).unwrap();
}

#[test]
fn a_truncated_pbf_is_refused() {
    let place = Place::new();
    let path = place.write("town.osm.pbf", [0, 0, 0, 14, 10, 9, b'O', b'S', b'M', b'H', b'e']);
    refuses(&gridplan(&["import", path.to_str().unwrap(), "-o", "city.gpkg"]), &["town.osm.pbf"]);
}

#[test]
fn a_gbk_table_is_read_as_such() {
    let place = Place::new();
    place.communities(1, 400.0);
    place.streets(400.0);
    let path = place.buildings(&Place::ordinary(0.0));
    let rows = fs::read_to_string(&path).unwrap();
    let (bytes, _, _) = encoding_rs::GBK.encode(&rows);
    fs::write(&path, &bytes).unwrap();
    let said = json(&place.import(&["--json"]));
    assert_eq!(said["households"].as_u64(), Some(1920));
}

#[test]
fn columns_with_names_and_numbers_of_people_are_refused() {
    for column in ["户主姓名", "身份证号", "联系电话"] {
        let place = Place::new();
        place.communities(1, 400.0);
        let path = place.buildings(&Place::ordinary(0.0));
        let mut rows = fs::read_to_string(&path).unwrap().replacen("户数", &format!("户数,{column}"), 1);
        rows = rows
            .lines()
            .enumerate()
            .map(|(n, line)| if n == 0 { line.to_owned() } else { format!("{line},x") })
            .collect::<Vec<_>>()
            .join("\n");
        fs::write(&path, rows).unwrap();
        refuses(&place.import(&[]), &["buildings.csv", column]);
        assert!(!place.path("city.gpkg").exists());
    }
}

#[test]
fn an_output_folder_that_cannot_be_is_named() {
    let place = Place::new();
    let file = place.write("file", "in the way");
    let inside = file.join("city.gpkg");
    refuses(
        &gridplan(&["synth", "--households", "800", "-o", inside.to_str().unwrap()]),
        &["city.gpkg", "folder"],
    );
}

#[cfg(unix)]
#[test]
fn a_full_disk_leaves_the_folder_as_it_was() {
    let place = Place::new();
    let city = place.path("city.gpkg");
    // Files may grow to 64 blocks of 512 bytes; the signal is ignored so that writing fails as on a full disk.
    let script = format!(
        "trap '' XFSZ; ulimit -f 64; exec {} --lang en --quiet synth --households 2000 -o {}",
        env!("CARGO_BIN_EXE_gridplan"),
        city.display()
    );
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    refuses(&output, &["city.gpkg", "room"]);
    assert!(is_empty_or_missing(place.folder.path()), "nothing is half-written");
}

#[cfg(unix)]
#[test]
fn ctrl_c_halfway_writes_nothing() {
    let place = Place::new();
    let (city, out) = (place.path("city.gpkg"), place.path("out"));
    succeeds(&gridplan(&["synth", "--households", "120000", "-o", city.to_str().unwrap()]));
    let arguments = ["plan", city.to_str().unwrap(), "-o", out.to_str().unwrap()];
    let child = command().args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success(), "the program was still at work");
    let output = child.wait_with_output().unwrap();
    refuses(&output, &["stopped"]);
    assert!(is_empty_or_missing(&out), "nothing is half-written");
}

/// As a user in China runs it: without `--lang`.
fn chinese<S: AsRef<std::ffi::OsStr>>(arguments: &[S]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gridplan"))
        .args(arguments)
        .arg("--quiet")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn has_chinese(text: &str) -> bool {
    text.chars().any(|c| ('\u{4E00}'..='\u{9FFF}').contains(&c))
}

#[test]
fn findings_stand_in_the_language_asked_for_and_in_the_other_beside_it() {
    let place = Place::new();
    place.communities(2, 400.0);
    place.streets(400.0);
    place.buildings(&[Place::ordinary(0.0), vec![(610.0, 210.0, 2000)]].concat());
    succeeds(&place.import(&[]));
    let city = place.path("city.gpkg").display().to_string();
    let findings = |output: &Output| json(output)["list"].as_array().unwrap().clone();
    let (zh, en) =
        (findings(&chinese(&["check", &city, "--json"])), findings(&gridplan(&["check", &city, "--json"])));
    assert_eq!(zh.len(), en.len());
    assert!(!zh.is_empty());
    for (zh, en) in zh.iter().zip(&en) {
        for key in ["message", "remedy"] {
            let (zh, en) = (zh[key].as_str().unwrap(), en[key].as_str().unwrap());
            assert!(has_chinese(zh) && zh != en, "{zh} / {en}");
        }
    }
    for lang in ["zh", "en"] {
        let out = place.path(lang).display().to_string();
        let arguments = ["plan", &city, "-o", &out, "--effort", "draft"];
        succeeds(&if lang == "zh" { chinese(&arguments) } else { gridplan(&arguments) });
        let database = rusqlite::Connection::open(place.path(lang).join("plan.gpkg")).unwrap();
        let count = |condition: &str| -> i64 {
            let sql = format!("SELECT count(*) FROM findings WHERE {condition}");
            database.query_row(&sql, [], |row| row.get(0)).unwrap()
        };
        assert!(0 < count("stage = 'plan'") && 0 < count("stage = 'data'"));
        assert_eq!(
            count(&format!("message IS NOT message_{lang} OR remedy IS NOT remedy_{lang}")),
            0,
            "{lang}"
        );
        assert_eq!(count("message_zh = '' OR message_en = '' OR remedy_zh = '' OR remedy_en = ''"), 0);
        assert_eq!(count("message_zh = message_en OR remedy_zh = remedy_en"), 0);
        let reasons =
            "SELECT count(*) FROM grids WHERE in_range = 0 AND (reason IS NULL OR reason_zh = reason_en)";
        assert_eq!(database.query_row(reasons, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
    }
}

#[test]
fn errors_stand_in_the_language_asked_for() {
    let place = Place::new();
    let buildings = place.buildings(&Place::ordinary(0.0)).display().to_string();
    let city = place.path("city.gpkg").display().to_string();
    let dem = format!("dem={buildings}");
    let cases: [(&[&str], &str, &str); 5] = [
        (&["plan", "/nowhere/city.gpkg"], "没有规划文件", "there is no plan file"),
        (&["import", "/nowhere/town.shp", "-o", &city], "不存在", "does not exist"),
        (&["import", "--role", &dem, "-o", &city], "不能作为地形模型", "cannot be read as dem"),
        (
            &["import", &buildings, "--column", "households=没有这列", "-o", &city],
            "没有一个数据有列",
            "no source has a column",
        ),
        (&["synth", "--households", "5", "-o", &city], "请给出 600", "give a number from 600"),
    ];
    for (arguments, zh, en) in cases {
        let said = text(&chinese(arguments).stderr);
        assert!(said.starts_with("错误：") && said.contains(zh) && said.contains("建议："), "{said}");
        let said = text(&gridplan(arguments).stderr);
        assert!(said.starts_with("error: ") && said.contains(en) && said.contains("hint: "), "{said}");
        assert!(
            !has_chinese(
                &said
                    .replace("没有这列", "")
                    .replace("户数", "")
                    .replace("编号", "")
                    .replace("经度", "")
                    .replace("纬度", "")
            ),
            "{said}"
        );
    }
}

#[test]
fn grids_are_coded_by_the_scheme_asked_for() {
    let place = Place::new();
    place.communities(2, 400.0);
    place.streets(800.0);
    // 1,920 households are six grids, 300 are one.
    place.buildings(&[Place::ordinary(0.0), Place::ordinary(400.0).into_iter().take(10).collect()].concat());
    succeeds(&place.import(&[]));
    let (city, out) =
        (place.path("city.gpkg").display().to_string(), place.path("out").display().to_string());
    let codes = |more: &[&str]| -> Vec<String> {
        let arguments = [&["plan", &city, "-o", &out, "--effort", "draft"], more].concat();
        succeeds(&gridplan(&arguments));
        let plan = gridplan::planfile::read(&place.path("out/plan.gpkg")).unwrap().plan.unwrap();
        plan.partition.grids.iter().map(|grid| grid.code.clone()).collect()
    };
    assert_eq!(codes(&[])[0], "370602001001001");
    assert_eq!(codes(&["--code-scheme", "unitgrid-15"])[6], "370602001002001");
    let codes = codes(&["--code-scheme", "cjt349-20", "--object-class", "010101"]);
    assert_eq!((codes[0].as_str(), codes[5].as_str()), ("01010137060200100101", "01010137060200100106"));
    assert_eq!(codes[6], "01010137060200100200", "the second community is not divided");
    refuses(&gridplan(&["plan", &city, "--code-scheme", "cjt349-20"]), &["object_class", "six digits"]);
    refuses(&gridplan(&["plan", &city, "--code-scheme", "mine"]), &["mine", "unitgrid-15"]);
}

#[test]
fn a_place_without_communities_is_called_as_the_place() {
    let place = Place::new();
    place.streets(400.0);
    place.buildings(&Place::ordinary(0.0));
    succeeds(&place.import(&["--name", "幸福里"]));
    let scenario = gridplan::planfile::read(&place.path("city.gpkg")).unwrap().scenario;
    assert_eq!(scenario.communities.len(), 1);
    assert_eq!(
        (scenario.communities[0].name.as_str(), scenario.communities[0].code.as_str()),
        ("幸福里", "1")
    );
    let told = scenario.findings.iter().find(|finding| finding.feature == "幸福里").unwrap();
    assert!(told.message.en.contains("no community outlines"), "{told:?}");
    succeeds(&place.plan());
}

#[test]
fn sources_of_different_systems_are_named() {
    let place = Place::new();
    place.communities(1, 400.0);
    place.write("buildings.csv", "编号,经度,纬度,户数\na,12.5,41.9,3\nb,12.51,41.9,3\n");
    refuses(&place.import(&[]), &["buildings.csv", "communities.geojson", "km apart", "--crs"]);
    assert!(!place.path("city.gpkg").exists());
}

/// A command that has no right to write into the place: run by another user where root runs the tests.
#[cfg(unix)]
fn without_rights(folder: &Path) -> Command {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o555)).unwrap();
    let mut command = command();
    let is_root = fs::write(folder.join(".probe"), "").is_ok();
    if is_root {
        fs::remove_file(folder.join(".probe")).unwrap();
        command.uid(65534);
    }
    command
}

#[cfg(unix)]
#[test]
fn a_read_only_folder_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let folder = place.folder.path();
    let city = place.path("city.gpkg");
    let mut command = without_rights(folder);
    let output = command.args(["synth", "--households", "800", "-o", city.to_str().unwrap()]).output();
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    refuses(&output.unwrap(), &["city.gpkg", "may be written to"]);
    assert!(is_empty_or_missing(folder));
}

/// Opens a pipe for writing without waiting: an error while nobody reads it.
#[cfg(target_os = "linux")]
fn open_for_reader(pipe: &Path) -> std::io::Result<fs::File> {
    const O_NONBLOCK: i32 = 0o4000;
    std::os::unix::fs::OpenOptionsExt::custom_flags(fs::OpenOptions::new().write(true), O_NONBLOCK).open(pipe)
}

#[cfg(target_os = "linux")]
#[test]
fn ctrl_c_while_reading_writes_nothing() {
    let place = Place::new();
    place.buildings(&Place::ordinary(0.0));
    let rows = fs::read(place.path("buildings.csv")).unwrap();
    // A pipe holds the reader at work until Ctrl-C has been sent.
    let pipe = place.path("pipe.csv");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let role = format!("buildings={}", pipe.display());
    let city = place.path("city.gpkg");
    let arguments = ["import", "--role", &role, "-o", city.to_str().unwrap()];
    let mut child = command().args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = loop {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it read the pipe");
        match open_for_reader(&pipe) {
            Ok(file) => break file,
            Err(_) => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    std::thread::sleep(Duration::from_millis(200));
    std::io::Write::write_all(&mut first, &rows).unwrap();
    drop(first);
    // The file may be read twice, for its hash and for its rows: whoever opens it again is served again.
    while child.try_wait().unwrap().is_none() {
        if let Ok(mut again) = open_for_reader(&pipe) {
            let _ = std::io::Write::write_all(&mut again, &rows);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    refuses(&child.wait_with_output().unwrap(), &["stopped", "nothing was written"]);
    let left: Vec<_> =
        fs::read_dir(place.folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "the two tables and nothing else: {left:?}");
}

#[test]
fn a_redraw_keeps_the_stations_and_measures_them() {
    let place = Place::new();
    place.buildings(&Place::ordinary(0.0));
    let (city, drawn, again) = (place.path("city.gpkg"), place.path("out"), place.path("again.gpkg"));
    let (city, drawn, again) = (city.to_str().unwrap(), drawn.to_str().unwrap(), again.to_str().unwrap());
    let table = place.path("buildings.csv");
    succeeds(&gridplan(&["import", "--role", &format!("buildings={}", table.display()), "-o", city]));
    succeeds(&gridplan(&["plan", city, "-o", drawn]));
    let before = place.path("out/plan.gpkg");
    let said = json(&gridplan(&["redraw", before.to_str().unwrap(), "-o", again, "--json"]));
    assert_eq!((&said["moved_households"], &said["least_moved"]), (&0.into(), &0.into()), "{said}");
    let read = |file: &Path| gridplan::planfile::read(file).unwrap().plan.unwrap();
    let (before, after) = (read(&before), read(Path::new(again)));
    assert!(!before.stations.is_empty());
    let codes = |plan: &gridplan::model::Plan| -> Vec<String> {
        plan.stations.iter().map(|station| station.code.clone()).collect()
    };
    assert_eq!(codes(&before), codes(&after));
    assert_eq!(before.coverage.rows.len(), after.coverage.rows.len());
}

#[test]
fn help_teaches_every_verb() {
    let help = succeeds(&gridplan(&["--help"]));
    for verb in [
        "import", "check", "plan", "grids", "stations", "coverage", "redraw", "compare", "edit", "serve",
        "report", "export", "synth", "demo",
    ] {
        assert!(help.contains(verb), "{verb}");
        assert!(succeeds(&gridplan(&[verb, "--help"])).len() > 200, "{verb} --help");
    }
}
