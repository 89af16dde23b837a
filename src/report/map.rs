//! The report's maps: grids, circles with who is left out, and one small map per community.

use std::fmt::Write;

use geo::{BoundingRect, Coord, Rect};

use super::canvas::{Canvas, Label, Offset, around, meets};
use super::facts::{CommunityFacts, Facts, is_within};
use super::markup::Key;
use super::text;
use crate::geometry::interior_point;
use crate::model::{
    AtomId, AtomShape, BarrierKind, BarrierShape, Grid, Lang, Station, StationStatus, StationTier,
    StreetClass,
};

/// Above this many grids the overview paints communities instead.
const MAX_GRIDS_DRAWN: usize = 4_000;
/// Above this many atoms buildings are not drawn one by one; those left out are gathered into cells.
const MAX_ATOMS_DRAWN: usize = 5_000;
/// Above this many streets only arterials are drawn on maps of the whole place.
const MAX_STREETS_DRAWN: usize = 4_000;

/// Soft fills that tell neighbouring grids apart, also when printed in grey.
const FILLS: [&str; 7] = ["#cfe3f1", "#f6dfc4", "#d5ead2", "#f3d3d6", "#e3dbf0", "#f4efc2", "#cfe9e6"];
const RED: &str = "#c62828";
const ORANGE: &str = "#ef8a17";
const OLD: &str = "#14507d";
const NEW: &str = "#d9480f";
const SHUT: &str = "#7a828a";

/// A map with its legend.
pub(super) struct Map {
    pub svg: String,
    pub legend: Vec<Key>,
}

/// Fill of a circle, the narrowest the darkest.
pub(super) fn band_colour(index: usize, bands: usize) -> &'static str {
    const SHADES: [&str; 4] = ["#57b48f", "#9fd5bb", "#d5ede1", "#ecf7f1"];
    match bands {
        0 | 1 => SHADES[1],
        _ => SHADES[index.min(SHADES.len() - 1)],
    }
}

/// All grids, or all communities where there are too many grids.
pub(super) fn overview(facts: &Facts<'_>, lang: Lang) -> Option<Map> {
    let mut canvas = whole_place(facts)?;
    draw_water(&mut canvas, facts);
    let grids = &facts.plan.partition.grids;
    let mut legend = Vec::new();
    if grids.is_empty() || MAX_GRIDS_DRAWN < grids.len() {
        paint_communities(&mut canvas, facts);
    } else {
        let all: Vec<&Grid> = grids.iter().collect();
        paint_grids(&mut canvas, &all);
        legend.push(Key::fill(
            FILLS[0],
            lang.pick("网格（颜色仅作区分）", "grids (colours only tell them apart)"),
        ));
        legend.push(Key::drawn(
            &format!("<rect x=\"1\" y=\"2\" width=\"14\" height=\"10\" fill=\"none\" stroke=\"{RED}\" stroke-width=\"2\"/>"),
            lang.pick("规模超限的网格", "grid out of range"),
        ));
    }
    draw_streets(&mut canvas, facts, 1.0);
    draw_barriers(&mut canvas, facts);
    outline_communities(&mut canvas, facts);
    if grids.len() <= MAX_GRIDS_DRAWN {
        let all: Vec<&Grid> = grids.iter().collect();
        mark_out_of_range(&mut canvas, &all);
    }
    label_communities(&mut canvas, facts);
    if grids.len() <= MAX_GRIDS_DRAWN {
        for grid in grids {
            label_grid(&mut canvas, grid, short_code(&grid.code), 22.0);
        }
    }
    legend.push(Key::line("#3c4650", 2.0, "", lang.pick("社区界", "community boundary")));
    legend.extend(ground_legend(facts, lang));
    let title = lang.pick("网格划分总图", "Overview of grids");
    Some(Map { svg: canvas.finish("m-overview", title, lang), legend })
}

/// The circles of all stations together, the stations, and who is left out.
pub(super) fn circles(facts: &Facts<'_>, lang: Lang) -> Option<Map> {
    let mut canvas = whole_place(facts)?;
    let bands = &facts.plan.coverage.bands;
    let mut legend = Vec::new();
    for (index, band) in bands.iter().enumerate().rev() {
        let data = merged_circle(&canvas, facts, band.minutes);
        let colour = band_colour(index, bands.len());
        canvas.add_path(&data, &format!("fill=\"{colour}\" fill-rule=\"nonzero\""));
        if !data.is_empty() {
            let word = match lang {
                Lang::Zh => format!("{} 分钟步行圈（路网时间）", band.minutes),
                Lang::En => format!("{}-minute circle (network time)", band.minutes),
            };
            legend.insert(0, Key::fill(colour, word));
        }
    }
    draw_water(&mut canvas, facts);
    draw_streets(&mut canvas, facts, 0.8);
    draw_barriers(&mut canvas, facts);
    if facts.scenario.atoms.len() <= MAX_ATOMS_DRAWN {
        let atoms: Vec<AtomId> = (0..facts.scenario.atoms.len()).map(AtomId::from_index).collect();
        draw_buildings(&mut canvas, facts, &atoms);
    }
    outline_communities(&mut canvas, facts);
    draw_left_out(&mut canvas, facts);
    let stations: Vec<&Station> = facts.plan.stations.iter().collect();
    draw_stations(&mut canvas, &stations, if 120 < stations.len() { 0.6 } else { 1.0 });
    label_communities(&mut canvas, facts);
    if stations.len() <= 40 {
        label_stations(&mut canvas, &stations);
    }
    if facts.left_out.iter().any(|left| !left.within_straight) {
        legend.push(Key::drawn(
            &dot(8.0, 7.0, 4.0, RED),
            lang.pick("圈外住户", "households beyond every circle"),
        ));
    }
    if facts.left_out.iter().any(|left| left.within_straight) {
        let word = lang.pick("直线半径内、步行却到不了", "within the radius, yet too far on foot");
        legend.push(Key::drawn(&dot(8.0, 7.0, 4.0, ORANGE), word));
    }
    legend.extend(station_legend(&stations, lang));
    legend.extend(ground_legend(facts, lang));
    let title = lang.pick("步行圈与未覆盖住户", "Walking circles and households left out");
    Some(Map { svg: canvas.finish("m-circles", title, lang), legend })
}

/// One community with its grids, buildings, stations and households left out.
pub(super) fn community(facts: &Facts<'_>, community: &CommunityFacts, lang: Lang) -> Option<String> {
    let outline = &facts.scenario.communities[community.id.index()].outline;
    let mut canvas = Canvas::sized(outline.bounding_rect()?, 880.0, 640.0);
    draw_water(&mut canvas, facts);
    let grids: Vec<&Grid> =
        community.grids.iter().map(|id| &facts.plan.partition.grids[id.index()]).collect();
    paint_grids(&mut canvas, &grids);
    draw_streets(&mut canvas, facts, 1.0);
    draw_barriers(&mut canvas, facts);
    draw_buildings(&mut canvas, facts, &facts.atoms_of[community.id.index()]);
    let data = canvas.area(outline);
    canvas.add_path(&data, "fill=\"none\" stroke=\"#3c4650\" stroke-width=\"4\"");
    mark_out_of_range(&mut canvas, &grids);
    draw_left_out_of(&mut canvas, facts, community);
    let inside = canvas.visible();
    let stations: Vec<&Station> =
        facts.plan.stations.iter().filter(|station| holds(&inside, station.at)).collect();
    draw_stations(&mut canvas, &stations, 0.85);
    for grid in &grids {
        let both = format!("{}\n{}{}", short_code(&grid.code), grid.households, lang.pick("户", " hh"));
        if !label_grid(&mut canvas, grid, &both, 26.0) {
            label_grid(&mut canvas, grid, short_code(&grid.code), 22.0);
        }
    }
    let name = &facts.scenario.communities[community.id.index()].name;
    Some(canvas.finish(&format!("m-c{}", community.id), name, lang))
}

/// The legend shared by the community maps.
pub(super) fn community_legend(facts: &Facts<'_>, lang: Lang) -> Vec<Key> {
    let stations: Vec<&Station> = facts.plan.stations.iter().collect();
    let mut legend = vec![
        Key::fill(
            FILLS[0],
            lang.pick("网格（后三位编码、户数）", "grids (last digits of the code, households)"),
        ),
        Key::fill("#8f99a3", lang.pick("建筑", "buildings")),
    ];
    if !facts.left_out.is_empty() {
        legend.push(Key::drawn(
            &dot(8.0, 7.0, 4.0, RED),
            lang.pick("圈外住户", "households beyond every circle"),
        ));
    }
    legend.extend(station_legend(&stations, lang));
    legend.extend(ground_legend(facts, lang));
    legend
}

/// The last three digits of a code, or all of a short one.
pub(super) fn short_code(code: &str) -> &str {
    let is_long = 6 < code.len() && code.is_ascii();
    if is_long { &code[code.len() - 3..] } else { code }
}

fn whole_place(facts: &Facts<'_>) -> Option<Canvas> {
    let communities = &facts.scenario.communities;
    let extent = around(communities.iter().filter_map(|community| community.outline.bounding_rect()))?;
    Some(Canvas::fitted(extent, 1800.0, 2050.0))
}

fn holds(rect: &Rect<f64>, at: Coord<f64>) -> bool {
    rect.min().x <= at.x && at.x <= rect.max().x && rect.min().y <= at.y && at.y <= rect.max().y
}

fn dot(x: f64, y: f64, radius: f64, colour: &str) -> String {
    format!(
        "<circle cx=\"{x:.0}\" cy=\"{y:.0}\" r=\"{radius:.1}\" fill=\"{colour}\" stroke=\"#fff\" stroke-width=\"1\"/>"
    )
}

/// Neighbours get different fills: greedy over boxes that touch.
fn fills(grids: &[&Grid]) -> Vec<usize> {
    let boxes: Vec<Option<Rect<f64>>> = grids.iter().map(|grid| grid.outline.bounding_rect()).collect();
    let entries: Vec<_> = boxes
        .iter()
        .enumerate()
        .filter_map(|(index, rect)| {
            let rect = (*rect)?;
            let envelope =
                rstar::AABB::from_corners([rect.min().x, rect.min().y], [rect.max().x, rect.max().y]);
            Some(rstar::primitives::GeomWithData::new(
                rstar::primitives::Rectangle::from_aabb(envelope),
                index,
            ))
        })
        .collect();
    let tree = rstar::RTree::bulk_load(entries);
    let mut fill = vec![usize::MAX; grids.len()];
    for (index, rect) in boxes.iter().enumerate() {
        let mut used = [0_u32; FILLS.len()];
        if let Some(rect) = rect {
            let envelope =
                rstar::AABB::from_corners([rect.min().x, rect.min().y], [rect.max().x, rect.max().y]);
            for near in tree.locate_in_envelope_intersecting(&envelope) {
                if let Some(used) = used.get_mut(fill[near.data]) {
                    *used += 1;
                }
            }
        }
        let start = index % FILLS.len();
        let order = (0..FILLS.len()).map(|step| (start + step) % FILLS.len());
        fill[index] = order.min_by_key(|colour| used[*colour]).unwrap_or(0);
    }
    fill
}

fn paint_grids(canvas: &mut Canvas, grids: &[&Grid]) {
    let mut by_colour = vec![String::new(); FILLS.len()];
    let mut all = String::new();
    for (grid, colour) in grids.iter().zip(fills(grids)) {
        let data = canvas.area(&grid.outline);
        by_colour[colour].push_str(&data);
        all.push_str(&data);
    }
    for (data, colour) in by_colour.iter().zip(FILLS) {
        canvas.add_path(data, &format!("fill=\"{colour}\" fill-rule=\"evenodd\""));
    }
    let width = if 800 < grids.len() { 1 } else { 3 };
    canvas.add_path(&all, &format!("fill=\"none\" stroke=\"#8a96a1\" stroke-width=\"{width}\""));
}

/// Grids out of range, on top of the community outlines.
fn mark_out_of_range(canvas: &mut Canvas, grids: &[&Grid]) {
    let mut data = String::new();
    for grid in grids.iter().filter(|grid| !grid.is_in_range()) {
        data.push_str(&canvas.area(&grid.outline));
    }
    let width = if 800 < grids.len() { 2 } else { 6 };
    let style = format!("fill=\"{RED}\" fill-opacity=\".1\" stroke=\"{RED}\" stroke-width=\"{width}\"");
    canvas.add_path(&data, &style);
}

fn paint_communities(canvas: &mut Canvas, facts: &Facts<'_>) {
    for (index, community) in facts.scenario.communities.iter().enumerate() {
        let data = canvas.area(&community.outline);
        let colour = FILLS[index % FILLS.len()];
        canvas.add_path(&data, &format!("fill=\"{colour}\" fill-rule=\"evenodd\""));
    }
}

fn outline_communities(canvas: &mut Canvas, facts: &Facts<'_>) {
    let mut data = String::new();
    for community in &facts.scenario.communities {
        data.push_str(&canvas.area(&community.outline));
    }
    let width = if 200 < facts.communities.len() { 2 } else { 5 };
    let style =
        format!("fill=\"none\" stroke=\"#3c4650\" stroke-width=\"{width}\" stroke-linejoin=\"round\"");
    canvas.add_path(&data, &style);
}

/// Water is wider than it looks from its centre-line; areas are filled, rivers drawn as broad lines.
fn draw_water(canvas: &mut Canvas, facts: &Facts<'_>) {
    let visible = canvas.visible();
    let mut areas = String::new();
    for barrier in &facts.scenario.barriers {
        let wet = matches!(barrier.kind, BarrierKind::River | BarrierKind::Water);
        if let (true, BarrierShape::Area(area)) = (wet, &barrier.shape)
            && area.bounding_rect().is_some_and(|rect| meets(&rect, &visible))
        {
            areas.push_str(&canvas.area(area));
        }
    }
    canvas.add_path(&areas, "fill=\"#b9d7ea\" fill-rule=\"evenodd\"");
}

fn draw_barriers(canvas: &mut Canvas, facts: &Facts<'_>) {
    let mut lines = [String::new(), String::new(), String::new()];
    for barrier in &facts.scenario.barriers {
        let group = match barrier.kind {
            BarrierKind::River | BarrierKind::Water => 0,
            BarrierKind::Railway => 1,
            BarrierKind::Wall | BarrierKind::Motorway | BarrierKind::Cliff => 2,
        };
        if let BarrierShape::Line(line) = &barrier.shape {
            lines[group].push_str(&canvas.line(line));
        }
    }
    let [water, rail, other] = lines;
    canvas.add_path(&water, "fill=\"none\" stroke=\"#6fa8d0\" stroke-width=\"9\" stroke-linejoin=\"round\"");
    canvas.add_path(&rail, "fill=\"none\" stroke=\"#333\" stroke-width=\"4\"");
    canvas.add_path(&rail, "fill=\"none\" stroke=\"#fff\" stroke-width=\"2\" stroke-dasharray=\"14 14\"");
    canvas.add_path(&other, "fill=\"none\" stroke=\"#9a6b3f\" stroke-width=\"2\"");
}

fn draw_streets(canvas: &mut Canvas, facts: &Facts<'_>, strength: f64) {
    let visible = canvas.visible();
    let streets: Vec<_> = facts
        .scenario
        .streets
        .iter()
        .filter(|street| street.line.bounding_rect().is_some_and(|rect| meets(&rect, &visible)))
        .collect();
    let crowded = MAX_STREETS_DRAWN < streets.len();
    let least = if crowded { StreetClass::Secondary } else { StreetClass::Steps };
    let least = if MAX_STREETS_DRAWN * 8 < streets.len() { StreetClass::Arterial } else { least };
    let mut lines = vec![String::new(); StreetClass::ALL.len()];
    for street in streets.into_iter().filter(|street| least <= street.class) {
        let data = canvas.line(&street.line);
        lines[StreetClass::ALL.iter().position(|class| *class == street.class).unwrap_or(0)].push_str(&data);
    }
    for (data, class) in lines.iter().zip(StreetClass::ALL) {
        let (width, dash) = match class {
            StreetClass::Steps => (2.0, " stroke-dasharray=\"3 5\""),
            StreetClass::Path => (1.2, " stroke-dasharray=\"6 4\""),
            StreetClass::Lane => (2.0, ""),
            StreetClass::Secondary => (4.0, ""),
            StreetClass::Arterial => (6.5, ""),
        };
        let colour = if class < StreetClass::Secondary { "#a9b0b6" } else { "#98a0a8" };
        let width = width * strength;
        canvas.add_path(
            data,
            &format!(
                "fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width:.1}\" stroke-opacity=\".8\"{dash}"
            ),
        );
    }
}

/// Footprints, or small squares where only a position is known or nothing more would be seen.
fn draw_buildings(canvas: &mut Canvas, facts: &Facts<'_>, atoms: &[AtomId]) {
    let mut data = String::new();
    let square = if 2_000 < atoms.len() { 2 } else { 5 };
    let mut last = (i64::MIN, i64::MIN);
    for id in atoms {
        let atom = &facts.scenario.atoms[id.index()];
        let shape = match &atom.shape {
            AtomShape::Area(area) if facts.scenario.unit_kind == crate::model::UnitKind::Buildings => {
                canvas.area(area)
            }
            _ => String::new(),
        };
        if !shape.is_empty() {
            data.push_str(&shape);
            continue;
        }
        let at = canvas.place(atom.shape.anchor());
        let at = (at.x.round() as i64 - square / 2, at.y.round() as i64 - square / 2);
        if at != last {
            let _ = write!(data, "M{} {}h{square}v{square}h-{square}z", at.0, at.1);
            last = at;
        }
    }
    canvas.add_path(&data, "fill=\"#8f99a3\" fill-opacity=\".75\"");
}

fn draw_left_out(canvas: &mut Canvas, facts: &Facts<'_>) {
    let places: Vec<(Coord<f64>, u32, bool)> = facts
        .left_out
        .iter()
        .map(|left| {
            let atom = &facts.scenario.atoms[left.atom.index()];
            (atom.shape.anchor(), atom.households.0, left.within_straight)
        })
        .collect();
    // Cells of 2 mm keep the picture readable and the file small.
    let cell = if 1_500 < places.len() { 20.0 } else { 1.0 };
    draw_dots(canvas, &places, cell);
}

fn draw_left_out_of(canvas: &mut Canvas, facts: &Facts<'_>, community: &CommunityFacts) {
    let Some(widest) = facts.widest_band() else { return };
    let mut places = Vec::new();
    for id in &facts.atoms_of[community.id.index()] {
        let atom = &facts.scenario.atoms[id.index()];
        let reach = facts.plan.coverage.atoms.get(id.index());
        if 0 < atom.households.0 && reach.is_some_and(|reach| !is_within(reach, widest)) {
            places.push((atom.shape.anchor(), atom.households.0, false));
        }
    }
    draw_dots(canvas, &places, if 400 < places.len() { 14.0 } else { 1.0 });
}

/// Dots whose area grows with the households; those that fall into one cell of `cell` units are gathered.
fn draw_dots(canvas: &mut Canvas, places: &[(Coord<f64>, u32, bool)], cell: f64) {
    let mut cells: std::collections::BTreeMap<(i64, i64, bool), (f64, f64, f64)> = Default::default();
    for &(at, households, within_straight) in places {
        let (at, weight) = (canvas.place(at), f64::from(households));
        let key = ((at.x / cell).floor() as i64, (at.y / cell).floor() as i64, within_straight);
        let sum = cells.entry(key).or_default();
        *sum = (sum.0 + at.x * weight, sum.1 + at.y * weight, sum.2 + weight);
    }
    let mut markup = String::new();
    for ((_, _, within_straight), (x, y, weight)) in cells {
        let colour = if within_straight { ORANGE } else { RED };
        let radius = (4.0 + weight.sqrt() * 0.8).min(22.0);
        markup.push_str(&dot(x / weight, y / weight, radius, colour));
    }
    canvas.add(&markup);
}

fn merged_circle(canvas: &Canvas, facts: &Facts<'_>, minutes: u32) -> String {
    let of_band = || facts.plan.circles.iter().filter(move |circle| circle.minutes == minutes);
    let merged: String =
        of_band().filter(|circle| circle.station.is_none()).map(|circle| canvas.area(&circle.area)).collect();
    if merged.is_empty() {
        return of_band().map(|circle| canvas.area(&circle.area)).collect();
    }
    merged
}

fn tier_radius(tier: StationTier) -> f64 {
    match tier {
        StationTier::City => 22.0,
        StationTier::Regional => 19.0,
        StationTier::Community => 16.0,
        StationTier::Compound => 12.0,
        StationTier::Corner => 9.0,
    }
}

fn status_colour(status: StationStatus) -> &'static str {
    match status {
        StationStatus::Existing => OLD,
        StationStatus::Chosen => NEW,
        StationStatus::Closed => SHUT,
    }
}

/// A marker: its shape tells the tier, its colour how the station came about.
fn marker(x: f64, y: f64, r: f64, tier: StationTier, status: StationStatus) -> String {
    let style =
        format!("fill=\"{}\" stroke=\"#fff\" stroke-width=\"{:.1}\"", status_colour(status), r * 0.16);
    let (w, h) = (r * 0.95, r * 0.85);
    let shape = match tier {
        StationTier::City => {
            let spike = |index: usize| {
                let radius = if index.is_multiple_of(2) { r } else { r * 0.45 };
                let angle = std::f64::consts::PI * (index as f64 / 5.0 - 0.5);
                format!("{:.1} {:.1}", x + radius * angle.cos(), y + radius * angle.sin())
            };
            let points: Vec<String> = (0..10).map(spike).collect();
            format!("<path d=\"M{}z\" {style}/>", points.join("L"))
        }
        StationTier::Regional => {
            format!(
                "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" {style}/>",
                x - h,
                y - h,
                2.0 * h,
                2.0 * h
            )
        }
        StationTier::Community => format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{h:.1}\" {style}/>"),
        StationTier::Compound => {
            format!("<path d=\"M{x:.1} {:.1}l{w:.1} {:.1}h{:.1}z\" {style}/>", y - r, 1.8 * r, -2.0 * w)
        }
        StationTier::Corner => {
            format!(
                "<path d=\"M{x:.1} {:.1}l{r:.1} {r:.1}l-{r:.1} {r:.1}l-{r:.1} -{r:.1}z\" {style}/>",
                y - r
            )
        }
    };
    if status == StationStatus::Closed {
        let d = r * 0.5;
        let cross = format!(
            "<path d=\"M{:.1} {:.1}l{t:.1} {t:.1}m0 -{t:.1}l-{t:.1} {t:.1}\" stroke=\"#fff\" stroke-width=\"{:.1}\"/>",
            x - d,
            y - d,
            r * 0.25,
            t = 2.0 * d
        );
        return shape + &cross;
    }
    shape
}

fn draw_stations(canvas: &mut Canvas, stations: &[&Station], scale: f64) {
    let mut order: Vec<&&Station> = stations.iter().collect();
    // The widest tier is drawn last, on top.
    order.sort_by(|a, b| b.tier.cmp(&a.tier).then(a.code.cmp(&b.code)));
    for station in order {
        let at = canvas.place(station.at);
        let radius = tier_radius(station.tier) * scale;
        canvas.add(&marker(at.x, at.y, radius, station.tier, station.status));
        canvas.occupy(station.at, radius);
    }
}

fn label_stations(canvas: &mut Canvas, stations: &[&Station]) {
    for station in stations.iter().filter(|station| station.status != StationStatus::Closed) {
        let label = Label {
            text: &station.name,
            size: 21.0,
            colour: status_colour(station.status),
            weight: 500,
            room: None,
            offset: Offset::Around(tier_radius(station.tier)),
        };
        canvas.label(station.at, &label);
    }
}

fn label_communities(canvas: &mut Canvas, facts: &Facts<'_>) {
    let mut order: Vec<&CommunityFacts> = facts.communities.iter().collect();
    order.sort_by(|a, b| b.area_m2.total_cmp(&a.area_m2).then(a.id.cmp(&b.id)));
    for community in order {
        let of = &facts.scenario.communities[community.id.index()];
        let Some(rect) = of.outline.bounding_rect() else { continue };
        let room = (rect.width() * canvas.scale() * 1.1, rect.height() * canvas.scale());
        let size = if 60 < facts.communities.len() { 22.0 } else { 30.0 };
        let label = Label {
            text: &of.name,
            size,
            colour: "#1d2733",
            weight: 700,
            room: Some(room),
            offset: Offset::Centred,
        };
        canvas.label(interior_point(&of.outline), &label);
    }
}

fn label_grid(canvas: &mut Canvas, grid: &Grid, text: &str, size: f64) -> bool {
    let Some(rect) = grid.outline.bounding_rect() else { return false };
    let room = (rect.width() * canvas.scale() * 0.95, rect.height() * canvas.scale() * 0.95);
    let colour = if grid.is_in_range() { "#37424d" } else { RED };
    let label = Label { text, size, colour, weight: 500, room: Some(room), offset: Offset::Centred };
    canvas.label(interior_point(&grid.outline), &label)
}

fn station_legend(stations: &[&Station], lang: Lang) -> Vec<Key> {
    let mut legend = Vec::new();
    for tier in StationTier::ALL {
        if stations.iter().any(|station| station.tier == tier) {
            legend.push(Key::drawn(
                &marker(8.0, 7.0, 6.5, tier, StationStatus::Existing),
                text::tier(tier, lang),
            ));
        }
    }
    for status in [StationStatus::Existing, StationStatus::Chosen, StationStatus::Closed] {
        if stations.iter().any(|station| station.status == status) {
            let word = match lang {
                Lang::Zh => format!("{}站点", text::station_status(status, lang)),
                Lang::En => format!("{} station", text::station_status(status, lang)),
            };
            legend.push(Key::fill(status_colour(status), word));
        }
    }
    legend
}

fn ground_legend(facts: &Facts<'_>, lang: Lang) -> Vec<Key> {
    let mut legend = Vec::new();
    let has =
        |kinds: &[BarrierKind]| facts.scenario.barriers.iter().any(|barrier| kinds.contains(&barrier.kind));
    if has(&[BarrierKind::River, BarrierKind::Water]) {
        legend.push(Key::line("#6fa8d0", 4.0, "", lang.pick("河流、水面", "river, water")));
    }
    if has(&[BarrierKind::Railway]) {
        legend.push(Key::line("#333", 2.0, "4 2", lang.pick("铁路", "railway")));
    }
    if has(&[BarrierKind::Wall, BarrierKind::Motorway, BarrierKind::Cliff]) {
        legend.push(Key::line("#9a6b3f", 1.5, "", lang.pick("围墙、快速路、陡坎", "wall, motorway, cliff")));
    }
    if !facts.scenario.streets.is_empty() {
        legend.push(Key::line("#98a0a8", 2.0, "", lang.pick("道路", "streets")));
    }
    legend
}
