//! Draws an invented city to SVG, to look at:
//! `cargo run --release --example synth_svg -- HOUSEHOLDS SEED OUT.svg [EAST NORTH WIDTH]`, metres from the centre.

use std::fmt::Write as _;
use std::time::Instant;

use geo::{BoundingRect, Coord, LineString, MultiPolygon, Rect};
use gridplan::model::{AtomShape, BarrierKind, BarrierShape, Scenario, StreetClass, Use};
use gridplan::synth::{SynthParams, city};
use gridplan::units::Households;

/// Width of the picture in pixels; its height is three quarters of that.
const WIDTH: f64 = 1600.0;

struct View {
    low: Coord<f64>,
    scale: f64,
}

impl View {
    fn points(&self, line: &LineString<f64>) -> String {
        let at = |c: &Coord<f64>| {
            let (x, y) = ((c.x - self.low.x) * self.scale, (c.y - self.low.y) * self.scale);
            format!("{x:.1},{:.1}", WIDTH * 0.75 - y)
        };
        line.0.iter().map(at).collect::<Vec<_>>().join(" ")
    }

    fn shows(&self, rect: Option<Rect<f64>>) -> bool {
        rect.is_some_and(|rect| {
            let (right, top) = (self.low.x + WIDTH / self.scale, self.low.y + WIDTH * 0.75 / self.scale);
            rect.min().x < right
                && self.low.x < rect.max().x
                && rect.min().y < top
                && self.low.y < rect.max().y
        })
    }

    fn area(&self, svg: &mut String, area: &MultiPolygon<f64>, style: &str) {
        for polygon in area.0.iter().filter(|polygon| self.shows(polygon.bounding_rect())) {
            let _ =
                writeln!(svg, "<polygon points=\"{}\" style=\"{style}\"/>", self.points(polygon.exterior()));
        }
    }

    fn line(&self, svg: &mut String, line: &LineString<f64>, style: &str) {
        if self.shows(line.bounding_rect()) {
            let _ = writeln!(svg, "<polyline points=\"{}\" style=\"fill:none;{style}\"/>", self.points(line));
        }
    }

    fn dot(&self, svg: &mut String, at: Coord<f64>, metres: f64, style: &str) {
        let (x, y) = ((at.x - self.low.x) * self.scale, WIDTH * 0.75 - (at.y - self.low.y) * self.scale);
        let _ = writeln!(
            svg,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{:.1}\" style=\"{style}\"/>",
            metres * self.scale
        );
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize| words.get(index).and_then(|word| word.parse::<f64>().ok());
    let (households, seed) = (number(0).unwrap_or(12_000.0) as u32, number(1).unwrap_or(1.0) as u64);
    let start = Instant::now();
    let scenario = city(&SynthParams { households: Households(households), seed }, &mut |_share| ());
    eprintln!(
        "{} in {:.2} s: {} communities, {} buildings, {} compounds, {} streets, {} gates, {} premises, {} stations",
        scenario.name,
        start.elapsed().as_secs_f64(),
        scenario.communities.len(),
        scenario.atoms.len(),
        scenario.compounds.len(),
        scenario.streets.len(),
        scenario.gates.len(),
        scenario.premises.len(),
        scenario.stations.len(),
    );
    let Some(out) = words.get(2) else { return };
    let svg = draw(&scenario, number(3).zip(number(4)), number(5));
    if let Err(error) = std::fs::write(out, svg) {
        eprintln!("cannot write {out}: {error}");
    }
}

fn draw(scenario: &Scenario, at: Option<(f64, f64)>, width: Option<f64>) -> String {
    let outlines: Vec<_> =
        scenario.communities.iter().flat_map(|community| &community.outline.0).cloned().collect();
    let Some(all) = MultiPolygon::new(outlines).bounding_rect() else { return String::new() };
    let wide = width.unwrap_or((all.width() * 1.05).max(all.height() * 1.05 / 0.75));
    let middle = match at {
        Some((east, north)) => all.center() + Coord { x: east, y: north },
        None => all.center(),
    };
    let low = middle - Coord { x: wide / 2.0, y: wide * 0.375 };
    let view = View { low, scale: WIDTH / wide };
    let mut svg =
        format!("<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{}'>", WIDTH * 0.75);
    svg.push_str("<rect width='100%' height='100%' fill='#f2efe9'/>\n");
    for community in &scenario.communities {
        view.area(&mut svg, &community.outline, "fill:#faf8f3;stroke:none");
    }
    for compound in &scenario.compounds {
        let wall = if compound.walled { "stroke:#8a6d3b;stroke-width:1" } else { "stroke:none" };
        view.area(&mut svg, &compound.outline, &format!("fill:#eef3e2;{wall}"));
    }
    for barrier in &scenario.barriers {
        match &barrier.shape {
            BarrierShape::Area(area) => view.area(&mut svg, area, "fill:#a9d3e8;stroke:#7fb5d1"),
            BarrierShape::Line(line) => {
                let dash = if barrier.kind == BarrierKind::Railway { "stroke-dasharray:8 5;" } else { "" };
                view.line(&mut svg, line, &format!("stroke:#444;stroke-width:2.5;{dash}"));
            }
        }
    }
    let mut streets: Vec<_> = scenario.streets.iter().collect();
    streets.sort_by_key(|street| (street.bridge, street.class));
    for street in streets {
        let (color, metres) = match street.class {
            StreetClass::Arterial => ("#f4b95f", 26.0),
            StreetClass::Secondary => ("#f8dc96", 15.0),
            StreetClass::Lane => ("#d9d4ca", 6.0),
            StreetClass::Path => ("#c9b7a0", 2.0),
            StreetClass::Steps => ("#d04a3a", 3.0),
        };
        let dash = if street.tunnel { "stroke-dasharray:5 3;" } else { "" };
        let wide = (metres * view.scale).max(0.4);
        view.line(
            &mut svg,
            &street.line,
            &format!("stroke:{color};stroke-width:{wide:.1};stroke-linecap:round;{dash}"),
        );
    }
    for atom in &scenario.atoms {
        let color = match atom.usage {
            _ if atom.households.0 == 700 => "#ff00ff",
            Use::Residential if 18 <= atom.floors => "#b5482f",
            Use::Residential if 7 < atom.floors => "#cf7a52",
            Use::Residential | Use::Mixed => "#dfa683",
            Use::Commercial => "#8f84c4",
            Use::Public | Use::Other => "#5fa18a",
        };
        if let AtomShape::Area(area) = &atom.shape {
            view.area(&mut svg, area, &format!("fill:{color};stroke:#6b4b3a;stroke-width:0.3"));
        }
    }
    for community in &scenario.communities {
        view.area(&mut svg, &community.outline, "fill:none;stroke:#c22;stroke-width:1.2;stroke-opacity:0.8");
    }
    for gate in &scenario.gates {
        view.dot(&mut svg, gate.at, 3.0, if gate.open { "fill:#0a0" } else { "fill:#000" });
    }
    for premise in &scenario.premises {
        view.dot(&mut svg, premise.at, 3.0, "fill:#06c");
    }
    for station in &scenario.stations {
        view.dot(&mut svg, station.at, 7.0, "fill:#e00;stroke:#fff");
    }
    svg.push_str("</svg>\n");
    svg
}
