//! Drafts → one scenario: one plane, valid shapes; linking and counting follow in [`super::link`].

use geo::{BoundingRect, Coord, MultiPoint, MultiPolygon, Point, Rect};
use rayon::prelude::*;

use super::crs::Crs;
use super::draft::Draft;
use super::error::IngestError;
use super::roles::Role;
use super::{ImportRequest, Progress, datum_fit, link, shapes, tell};
use crate::geometry::Plane;
use crate::model::{AtomShape, BarrierShape, Finding, FindingKind, Scenario, Severity, SourceFile, Text};

/// Sources further apart than this are in different coordinate systems, in kilometres. Our choice.
const MIXED_KM: f64 = 50.0;

/// A feature further than this from the middle of the data has wrong coordinates, in metres. Our choice.
const STRAY_METRES: f64 = 300_000.0;

/// Kilometres of one degree of latitude.
const KM_PER_DEGREE: f64 = 111.32;

/// Links all drafts into one scenario.
pub(super) fn assemble(
    request: &ImportRequest,
    mut drafts: Vec<Draft>,
    progress: Progress<'_>,
) -> Result<Scenario, IngestError> {
    check_parameters(request)?;
    settle_zones(request, &mut drafts)?;
    let mut findings = datum_fit::settle(&mut drafts);
    let plane = choose_plane(request, &drafts)?;
    check_distances(&drafts)?;
    tell(progress, ("投影", "projecting"), 0.72)?;
    drafts.iter_mut().for_each(|draft| draft.project(&plane));
    drop_strays(&mut drafts, &mut findings);
    tell(progress, ("检查图形", "checking shapes"), 0.78)?;
    mend_shapes(&mut drafts, &mut findings);
    give_way(&mut drafts, &mut findings);
    let mut scenario = Scenario::new(name_of(request, &drafts), plane);
    scenario.sources = drafts.iter().map(source_file).collect();
    for draft in &mut drafts {
        findings.extend(about_source(draft));
        findings.append(&mut draft.findings);
    }
    scenario.findings = findings;
    tell(progress, ("关联", "linking"), 0.84)?;
    let rasters: Vec<String> = drafts.iter().filter_map(|draft| draft.raster.clone()).collect();
    link::fill(request, &mut scenario, drafts)?;
    for path in rasters {
        tell(progress, ("读取地形", "reading terrain"), 0.94)?;
        add_terrain(&mut scenario, &path)?;
    }
    Ok(scenario)
}

#[cfg(feature = "gdal")]
fn add_terrain(scenario: &mut Scenario, path: &str) -> Result<(), IngestError> {
    super::terrain::add(scenario, path)
}

#[cfg(not(feature = "gdal"))]
fn add_terrain(_scenario: &mut Scenario, path: &str) -> Result<(), IngestError> {
    Err(IngestError::NeedsGdal { file: path.to_owned() })
}

fn check_parameters(request: &ImportRequest) -> Result<(), IngestError> {
    let positive = |name, value: f64| {
        let fine = value.is_finite() && 0.0 < value;
        let needed = || Text::from(("大于 0 的数", "a number above 0"));
        if fine {
            Ok(())
        } else {
            Err(IngestError::BadParameter { name, value: value.to_string(), needed: needed() })
        }
    };
    positive("residents_per_household", request.residents_per_household)?;
    positive("floor_area_per_household", request.floor_area_per_household.unwrap_or(1.0))
}

/// The first coordinate of every feature, as the draft has them.
fn places(draft: &Draft) -> Vec<Coord<f64>> {
    let area = |area: &MultiPolygon<f64>| area.0.first().and_then(|part| part.exterior().0.first().copied());
    let shape = |shape: &AtomShape| match shape {
        AtomShape::Point(point) => Some(point.0),
        AtomShape::Area(outline) => area(outline),
    };
    let mut places: Vec<Coord<f64>> = Vec::new();
    places.extend(draft.communities.iter().filter_map(|community| area(&community.outline)));
    places.extend(draft.admins.iter().filter_map(|admin| area(&admin.community.outline)));
    places.extend(draft.atoms.iter().chain(&draft.compound_places).filter_map(|atom| shape(&atom.shape)));
    places.extend(draft.compounds.iter().filter_map(|compound| area(&compound.outline)));
    places.extend(draft.streets.iter().filter_map(|street| street.line.0.first().copied()));
    places.extend(draft.barriers.iter().filter_map(|barrier| match &barrier.shape {
        BarrierShape::Line(line) => line.0.first().copied(),
        BarrierShape::Area(outline) => area(outline),
    }));
    places.extend(draft.gates.iter().map(|gate| gate.at));
    places.extend(draft.grids.iter().chain(&draft.zones).filter_map(|zone| shape(&zone.shape)));
    places.extend(draft.stations.iter().map(|station| station.at));
    places.extend(draft.premises.iter().map(|premise| premise.at));
    places
}

/// The middle nine tenths of some places; a few strays do not move it.
fn core_of(places: &[Coord<f64>]) -> Option<Rect<f64>> {
    let range = |mut values: Vec<f64>| {
        values.retain(|value| value.is_finite());
        values.sort_unstable_by(f64::total_cmp);
        let cut = values.len() / 20;
        Some((*values.get(cut)?, *values.get(values.len().checked_sub(1 + cut)?)?))
    };
    let x = range(places.iter().map(|at| at.x).collect())?;
    let y = range(places.iter().map(|at| at.y).collect())?;
    Some(Rect::new(Coord { x: x.0, y: y.0 }, Coord { x: x.1, y: y.1 }))
}

/// The middle nine tenths of a draft in degrees.
pub(super) fn core_in_degrees(draft: &Draft) -> Option<Rect<f64>> {
    core_under(draft, &draft.crs)
}

/// The same if its coordinates were meant in another system.
fn core_under(draft: &Draft, crs: &Crs) -> Option<Rect<f64>> {
    let places: Vec<_> = places(draft).into_iter().map(|at| crs.to_lonlat(at)).collect();
    core_of(&places)
}

/// What the plan is about comes first: areas and buildings, then the rest.
fn rank(draft: &Draft) -> usize {
    match draft.role {
        Role::Communities => 0,
        Role::Units | Role::Buildings => 1,
        Role::Osm => 2,
        Role::Compounds | Role::Grids | Role::Zones => 3,
        _ => 4,
    }
}

/// Cores of drafts in degrees, what the plan is about first.
fn cores<'a>(drafts: impl Iterator<Item = &'a Draft>) -> Vec<(String, Rect<f64>)> {
    let mut ranked: Vec<_> =
        drafts.filter_map(|draft| Some((rank(draft), draft.label(), core_in_degrees(draft)?))).collect();
    ranked.sort_by_key(|(rank, ..)| *rank);
    ranked.into_iter().map(|(_, label, core)| (label, core)).collect()
}

/// Eastings without a zone number: the meridian that brings the source to the others.
fn settle_zones(request: &ImportRequest, drafts: &mut [Draft]) -> Result<(), IngestError> {
    if drafts.iter().all(|draft| !draft.zone_open) {
        return Ok(());
    }
    let reference =
        cores(drafts.iter().filter(|draft| !draft.zone_open && draft.raster.is_none())).into_iter().next();
    for draft in drafts.iter_mut().filter(|draft| draft.zone_open) {
        let file = draft.label();
        let unknown = |reason: Text| IngestError::UnknownCrs { file, reason };
        if let Some(epsg) = request.plane {
            draft.crs = Crs::Metres { plane: Plane::from_epsg(epsg)?, prefix: 0 };
            draft.crs_how = Text::from(("按指定的平面", "taken as the plane asked for"));
        } else if let Some((label, core)) = &reference {
            let centre = core.center();
            let candidates = (4534..=4554).chain(std::iter::once(Plane::around(centre.x, centre.y)?.epsg()));
            let best = candidates
                .filter_map(|epsg| {
                    let plane = Plane::from_epsg(epsg).ok()?;
                    let crs = Crs::Metres { plane: plane.clone(), prefix: 0 };
                    let here = core_under(draft, &crs)?.center();
                    Some((kilometres(here, centre), plane))
                })
                .min_by(|a, b| a.0.total_cmp(&b.0));
            match best {
                Some((distance, plane)) if distance <= MIXED_KM => {
                    draft.crs = Crs::Metres { plane, prefix: 0 };
                    draft.crs_how = Text::from((
                        format!("检测：按此中央经线与 {label} 相合"),
                        format!("detected: this meridian brings it to {label}"),
                    ));
                    draft.crs_detected = true;
                }
                _ => {
                    let seen = &draft.crs_how;
                    return Err(unknown(Text::from((
                        format!("坐标是米（{}），但没有常用的中央经线能与 {label} 相合", seen.zh),
                        format!("metres ({}), and no usual meridian brings them to {label}", seen.en),
                    ))));
                }
            }
        } else {
            let seen = &draft.crs_how;
            return Err(unknown(Text::from((
                format!("坐标是米且不带带号（{}），也没有其他数据能说明中央经线", seen.zh),
                format!("metres without zone number ({}), and no other source tells the meridian", seen.en),
            ))));
        }
        draft.zone_open = false;
    }
    Ok(())
}

fn kilometres(a: Coord<f64>, b: Coord<f64>) -> f64 {
    let across = (a.x - b.x) * a.y.to_radians().cos();
    across.hypot(a.y - b.y) * KM_PER_DEGREE
}

/// The plane asked for, or the usual one around what the plan is about.
fn choose_plane(request: &ImportRequest, drafts: &[Draft]) -> Result<Plane, IngestError> {
    if let Some(epsg) = request.plane {
        return Ok(Plane::from_epsg(epsg)?);
    }
    let Some((_, core)) = cores(drafts.iter()).into_iter().next() else {
        let zh: Vec<&str> = drafts.iter().map(|draft| draft.role.chinese()).collect();
        let en: Vec<&str> = drafts.iter().map(|draft| draft.role.as_str()).collect();
        let reason = (format!("只读到{}", zh.join("、")), format!("only {} was read", en.join(", ")));
        return Err(IngestError::NothingToPlan { reason: reason.into() });
    };
    Ok(Plane::around(core.center().x, core.center().y)?)
}

/// Sources that lie far apart are in different systems.
fn check_distances(drafts: &[Draft]) -> Result<(), IngestError> {
    let cores = cores(drafts.iter());
    let Some((first, main)) = cores.first() else { return Ok(()) };
    for (second, core) in &cores[1..] {
        let gap = |low: f64, high: f64, other_low: f64, other_high: f64| {
            (other_low - high).max(low - other_high).max(0.0)
        };
        let across = gap(main.min().x, main.max().x, core.min().x, core.max().x);
        let along = gap(main.min().y, main.max().y, core.min().y, core.max().y);
        let distance = (across * main.center().y.to_radians().cos()).hypot(along) * KM_PER_DEGREE;
        if MIXED_KM < distance {
            return Err(IngestError::MixedCrs {
                first: first.clone(),
                second: second.clone(),
                kilometres: distance,
            });
        }
    }
    Ok(())
}

/// Leaves out features without a place on the plane, or absurdly far from all others.
fn drop_strays(drafts: &mut [Draft], findings: &mut Vec<Finding>) {
    let all: Vec<Coord<f64>> = drafts.iter().flat_map(places).collect();
    let Some(core) = core_of(&all) else { return };
    let (low, high) = (core.min(), core.max());
    let fits = |bounds: Option<Rect<f64>>| {
        bounds.is_some_and(|bounds| {
            [bounds.min(), bounds.max()].iter().all(|at| {
                (low.x - STRAY_METRES..=high.x + STRAY_METRES).contains(&at.x)
                    && (low.y - STRAY_METRES..=high.y + STRAY_METRES).contains(&at.y)
            })
        })
    };
    let area_fits = |area: &MultiPolygon<f64>| fits(area.bounding_rect());
    let place_fits = |at: Coord<f64>| fits(Some(Rect::new(at, at)));
    let shape_fits = |shape: &AtomShape| match shape {
        AtomShape::Point(point) => place_fits(point.0),
        AtomShape::Area(area) => area_fits(area),
    };
    for draft in drafts {
        let mut lost: Vec<(&'static str, String)> = Vec::new();
        let mut keep = |layer: &'static str, name: &str, fits: bool| {
            if !fits {
                lost.push((layer, name.to_owned()));
            }
            fits
        };
        draft.communities.retain(|it| keep("communities", &it.code, area_fits(&it.outline)));
        draft.admins.retain(|it| keep("communities", &it.community.code, area_fits(&it.community.outline)));
        draft.atoms.retain(|it| keep("buildings", &it.source, shape_fits(&it.shape)));
        draft.compound_places.retain(|it| keep("compounds", &it.source, shape_fits(&it.shape)));
        draft
            .compounds
            .retain(|it| it.outline.0.is_empty() || keep("compounds", &it.source.0, area_fits(&it.outline)));
        draft.streets.retain(|it| keep("streets", &it.source.0, fits(it.line.bounding_rect())));
        draft.barriers.retain(|it| {
            let bounds = match &it.shape {
                BarrierShape::Line(line) => line.bounding_rect(),
                BarrierShape::Area(area) => area.bounding_rect(),
            };
            keep("barriers", &it.source.0, fits(bounds))
        });
        draft.gates.retain(|it| keep("gates", &it.source.0, place_fits(it.at)));
        draft.grids.retain(|it| keep("grids", &it.source, shape_fits(&it.shape)));
        draft.zones.retain(|it| keep("buildings", &it.source, shape_fits(&it.shape)));
        draft.stations.retain(|it| keep("stations", &it.code, place_fits(it.at)));
        draft.premises.retain(|it| keep("premises", &it.source.0, place_fits(it.at)));
        findings.extend(lost.into_iter().map(|(layer, name)| {
            let message = (
                "坐标超出范围或远离其他所有数据，已舍去",
                "its coordinates are out of range or far from everything else; it was left out",
            );
            let remedy =
                ("在文件中改正坐标后重新导入", "correct the coordinates in the file and import again");
            Finding::new(Severity::Error, FindingKind::BadCoordinates, layer, message, remedy).about(name)
        }));
    }
}

/// Repairs invalid areas and drops what cannot be repaired; rings are turned the usual way round.
fn mend_shapes(drafts: &mut [Draft], findings: &mut Vec<Finding>) {
    for draft in drafts {
        let label = draft.label();
        let mut found: Vec<Finding> = draft
            .atoms
            .par_iter_mut()
            .filter_map(|atom| match &mut atom.shape {
                AtomShape::Area(area) => mend(area, "buildings", &atom.source),
                AtomShape::Point(_) => None,
            })
            .collect();
        for community in
            draft.communities.iter_mut().chain(draft.admins.iter_mut().map(|admin| &mut admin.community))
        {
            found.extend(mend(&mut community.outline, "communities", &community.name));
        }
        for compound in draft.compounds.iter_mut().filter(|compound| !compound.outline.0.is_empty()) {
            found.extend(mend(&mut compound.outline, "compounds", &compound.source.0));
        }
        for zone in draft.grids.iter_mut().chain(&mut draft.zones) {
            if let AtomShape::Area(area) = &mut zone.shape {
                found.extend(mend(area, "grids", &zone.source));
            }
        }
        for barrier in &mut draft.barriers {
            if let BarrierShape::Area(area) = &mut barrier.shape {
                found.extend(mend(area, "barriers", &barrier.source.0));
            }
        }
        for finding in &mut found {
            let message = &finding.message;
            finding.message =
                Text::from((format!("{label}：{}", message.zh), format!("{label}: {}", message.en)));
        }
        findings.append(&mut found);
        let holds = |area: &MultiPolygon<f64>| !area.0.is_empty();
        draft.atoms.retain(|atom| !matches!(&atom.shape, AtomShape::Area(area) if !holds(area)));
        draft.communities.retain(|community| holds(&community.outline));
        draft.admins.retain(|admin| holds(&admin.community.outline));
        draft.barriers.retain(|barrier| !matches!(&barrier.shape, BarrierShape::Area(area) if !holds(area)));
        draft.grids.retain(|zone| !matches!(&zone.shape, AtomShape::Area(area) if !holds(area)));
        draft.zones.retain(|zone| !matches!(&zone.shape, AtomShape::Area(area) if !holds(area)));
        draft.streets.retain_mut(|street| match shapes::line(&street.line) {
            Some(line) => {
                street.line = line;
                true
            }
            None => false,
        });
    }
}

/// Repairs one area in place; an area that is beyond repair becomes empty.
fn mend(area: &mut MultiPolygon<f64>, layer: &str, name: &str) -> Option<Finding> {
    let first = area.0.first().and_then(|part| part.exterior().0.first().copied());
    let (finding, mended) = match shapes::look(area) {
        shapes::Looked::Valid => {
            *area = shapes::oriented(area);
            return None;
        }
        shapes::Looked::Repaired(mended, why) => {
            let message = (
                format!("边界无效（{}），已修复", why.zh),
                format!("the outline is invalid ({}); it was repaired", why.en),
            );
            let remedy = (
                "在地图上查看；若修复结果不符合本意，请重新绘制",
                "look at it on the map and draw it again if the repair is not what is meant",
            );
            (Finding::new(Severity::Warning, FindingKind::InvalidGeometry, layer, message, remedy), mended)
        }
        shapes::Looked::Hopeless(why) => {
            let message = (
                format!("边界无法修复（{}），该要素已舍去", why.zh),
                format!("the outline cannot be repaired ({}); the feature was left out", why.en),
            );
            let remedy = ("重新绘制", "draw it again");
            let finding = Finding::new(Severity::Error, FindingKind::NoGeometry, layer, message, remedy);
            (finding, MultiPolygon::new(Vec::new()))
        }
    };
    *area = shapes::oriented(&mended);
    let finding = finding.about(name);
    Some(match first {
        Some(at) => finding.at(at),
        None => finding,
    })
}

/// A source given for one role replaces what OpenStreetMap says about it; barriers and gates add up.
fn give_way(drafts: &mut [Draft], findings: &mut Vec<Finding>) {
    let given = |role: Role| drafts.iter().find(|draft| draft.role == role).map(Draft::label);
    let atoms = given(Role::Buildings).or_else(|| given(Role::Units));
    let (streets, compounds) = (given(Role::Streets), given(Role::Compounds));
    for draft in drafts.iter_mut().filter(|draft| draft.role == Role::Osm) {
        let mut replace = |what: Role, by: &Option<String>, count: usize| {
            if let (Some(by), true) = (by, 0 < count) {
                findings.push(Finding::new(
                    Severity::Info,
                    FindingKind::Duplicate,
                    what.as_str(),
                    (
                        format!("{} 中的 {count} 个{}未采用：以 {by} 为准", draft.file, what.chinese()),
                        format!("{count} {what} of {} were left out: {by} gives them", draft.file),
                    ),
                    (
                        "若要用 OpenStreetMap 的数据，去掉另一个文件",
                        "leave the other source out to use those of OpenStreetMap",
                    ),
                ));
            }
            by.is_some()
        };
        if replace(Role::Buildings, &atoms, draft.atoms.len()) {
            draft.atoms.clear();
        }
        if replace(Role::Streets, &streets, draft.streets.len()) {
            draft.streets.clear();
        }
        if replace(Role::Compounds, &compounds, draft.compounds.len()) {
            draft.compounds.clear();
        }
    }
}

fn name_of(request: &ImportRequest, drafts: &[Draft]) -> String {
    if !request.name.is_empty() {
        return request.name.clone();
    }
    let main = drafts.iter().min_by_key(|draft| rank(draft));
    let database = |file: &str| {
        let name = file.split_whitespace().find_map(|word| word.strip_prefix("dbname="));
        name.map(|name| name.trim_matches('\'').to_owned())
    };
    main.map_or_else(String::new, |draft| {
        let stem = || draft.file.split('.').next().unwrap_or_default().to_owned();
        database(&draft.file).unwrap_or_else(stem)
    })
}

fn source_file(draft: &Draft) -> SourceFile {
    let mut role = Text::from((draft.role.chinese(), draft.role.as_str()));
    if let Some(why) = &draft.role_guessed {
        role.zh.push_str(&format!("（推断：{}）", why.zh));
        role.en.push_str(&format!(" (guessed: {})", why.en));
    }
    if !draft.recognised.is_empty() {
        role.zh.push_str(&format!("；{}", draft.recognised));
        role.en.push_str(&format!("; {}", draft.recognised));
    }
    let mut crs = draft.crs.describe();
    if !draft.crs_how.is_empty() {
        crs.zh.push_str(&format!("（{}）", draft.crs_how.zh));
        crs.en.push_str(&format!(" ({})", draft.crs_how.en));
    }
    SourceFile {
        name: draft.label(),
        role,
        sha256: draft.sha256.clone(),
        encoding: draft.encoding.words.clone(),
        crs,
        features: draft.features,
    }
}

/// What was guessed about a source.
fn about_source(draft: &Draft) -> Vec<Finding> {
    let mut findings = Vec::new();
    let label = draft.label();
    let role = draft.role;
    let mut tell = |kind, message: (String, String), remedy: (String, String)| {
        findings.push(Finding::new(Severity::Info, kind, role.as_str(), message, remedy));
    };
    if let Some(why) = draft.role_guessed.as_ref().filter(|_| !matches!(role, Role::Osm | Role::Dem)) {
        tell(
            FindingKind::BadValue,
            (
                format!("{label} 按“{}”读取：{}", role.chinese(), why.zh),
                format!("{label} was taken as {role}: {}", why.en),
            ),
            (
                format!("若不对，用 --role 用途={label} 指明"),
                format!("say what it is with --role NAME={label} if that is wrong"),
            ),
        );
    }
    if draft.encoding.guessed {
        tell(
            FindingKind::Encoding,
            (
                format!("{label} 按 {} 读取", draft.encoding.words.zh),
                format!("{label} is read as {}", draft.encoding.words.en),
            ),
            (
                "若名称显示为乱码，用 --encoding 指明编码".to_owned(),
                "say the encoding with --encoding if the names look wrong".to_owned(),
            ),
        );
    }
    if draft.crs_detected {
        let (crs, how) = (draft.crs.describe(), &draft.crs_how);
        tell(
            FindingKind::Datum,
            (
                format!("{label} 的坐标按 {} 处理：{}", crs.zh, how.zh),
                format!("coordinates of {label} are taken as {}: {}", crs.en, how.en),
            ),
            (
                "若偏离道路，用 --crs 指明坐标系，或用 --datum 指明基准".to_owned(),
                "say the system with --crs or the datum with --datum if it lies off the streets".to_owned(),
            ),
        );
    }
    findings
}

/// All vertices of some shapes, for hulls.
pub(super) fn vertices<'a>(shapes: impl Iterator<Item = &'a AtomShape>) -> MultiPoint<f64> {
    let mut points = Vec::new();
    for shape in shapes {
        match shape {
            AtomShape::Point(point) => points.push(*point),
            AtomShape::Area(area) => {
                points.extend(area.0.iter().flat_map(|part| part.exterior().0.iter().copied().map(Point)));
            }
        }
    }
    MultiPoint::new(points)
}
