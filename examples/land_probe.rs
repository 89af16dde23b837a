//! Divides the land of a scene and times it: `land_probe scene.json out.json [households per grid]`.
//!
//! The scene is JSON: `communities` and `atoms` as lists of polygons (each a list of rings of `[x, y]` in metres), `streets` with `line`,
//! `cls`, `tunnel`, `nofoot`, `name`, `barriers` with `lines` or `area`, `kind`, `name`, and `names`. Written back: outline, plots and grids
//! of every community, the grids from [`gridplan::partition`] with one household per atom.

use std::error::Error;
use std::time::Instant;

use geo::{LineString, MultiPolygon, Polygon};
use gridplan::land::{
    Ground, LandAtom, LandBarrier, LandInput, LandParams, LandStreet, StreetLevel, Subdivision, divide,
};
use gridplan::model::{AtomShape, BarrierKind, BarrierShape, Lang, StreetClass};
use gridplan::partition::{Effort, GridSize, PartitionParams, PartitionProblem, partition};
use serde_json::{Value, json};

fn line(value: &Value) -> LineString<f64> {
    let pairs = value.as_array().into_iter().flatten();
    pairs.map(|p| (p[0].as_f64().unwrap_or(f64::NAN), p[1].as_f64().unwrap_or(f64::NAN))).collect()
}

fn area(value: &Value) -> MultiPolygon<f64> {
    let polygons = value.as_array().into_iter().flatten().map(|rings| {
        let mut rings = rings.as_array().into_iter().flatten().map(line);
        Polygon::new(rings.next().unwrap_or(LineString(Vec::new())), rings.collect())
    });
    polygons.collect()
}

fn list<'a>(scene: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    scene[key].as_array().into_iter().flatten()
}

fn name(value: &Value) -> Option<u32> {
    value["name"].as_u64().and_then(|id| u32::try_from(id).ok())
}

fn read(scene: &Value) -> LandInput {
    let streets = list(scene, "streets").map(|street| LandStreet {
        line: line(&street["line"]),
        class: match street["cls"].as_str() {
            Some("arterial") => StreetClass::Arterial,
            Some("secondary") => StreetClass::Secondary,
            Some("lane") => StreetClass::Lane,
            Some("steps") => StreetClass::Steps,
            _ => StreetClass::Path,
        },
        level: match (street["tunnel"].as_bool(), street["nofoot"].as_bool()) {
            (Some(true), _) => StreetLevel::Tunnel,
            (_, Some(true)) => StreetLevel::NotOnFoot,
            _ => StreetLevel::Open,
        },
        name: name(street),
    });
    let mut input = LandInput {
        communities: list(scene, "communities").map(area).collect(),
        atoms: list(scene, "atoms")
            .map(|shape| LandAtom { shape: AtomShape::Area(area(shape)), home: None })
            .collect(),
        streets: streets.collect(),
        names: list(scene, "names").filter_map(|name| name.as_str().map(str::to_owned)).collect(),
        ..LandInput::default()
    };
    for barrier in list(scene, "barriers") {
        let kind = match barrier["kind"].as_str() {
            Some("rail") => BarrierKind::Railway,
            Some("water") => BarrierKind::Water,
            Some("compound") => {
                let rings = list(barrier, "lines").map(|ring| Polygon::new(line(ring), Vec::new()));
                input.compounds.push(rings.collect());
                continue;
            }
            _ => BarrierKind::Wall,
        };
        let name = name(barrier);
        let lines = list(barrier, "lines").map(|l| BarrierShape::Line(line(l)));
        let areas = barrier.get("area").map(|shape| BarrierShape::Area(area(shape)));
        input.barriers.extend(lines.chain(areas).map(|shape| LandBarrier { shape, kind, name }));
    }
    input
}

fn write(areas: &[MultiPolygon<f64>]) -> Value {
    let ring = |line: &LineString<f64>| -> Vec<[f64; 2]> { line.coords().map(|c| [c.x, c.y]).collect() };
    let polygon = |p: &Polygon<f64>| -> Vec<Vec<[f64; 2]>> {
        std::iter::once(p.exterior()).chain(p.interiors()).map(ring).collect()
    };
    json!(areas.iter().map(|shape| shape.iter().map(polygon).collect::<Vec<_>>()).collect::<Vec<_>>())
}

/// Grid per unit, from the partition engine.
fn grids(subdivision: &Subdivision, target: u32) -> Result<Vec<u32>, Box<dyn Error>> {
    const FACTORS: [f64; 5] = [1.0, 0.5, 0.2, 0.1, 0.1];
    let households: Vec<u32> =
        subdivision.units.iter().map(|unit| u32::from(matches!(unit.ground, Ground::Plot(_)))).collect();
    let passable: Vec<_> = subdivision.borders.iter().filter(|border| border.passable).collect();
    let from: Vec<u32> = passable.iter().map(|border| border.u).collect();
    let to: Vec<u32> = passable.iter().map(|border| border.v).collect();
    let metres = |mm: u64| mm as f64 / 1000.0;
    let length: Vec<f64> = passable.iter().map(|b| b.length_mm.iter().map(|&mm| metres(mm)).sum()).collect();
    let weighed = |b: &&gridplan::land::SharedBorder| {
        b.length_mm.iter().zip(FACTORS).map(|(&mm, f)| metres(mm) * f).sum()
    };
    let cost: Vec<f64> = passable.iter().map(weighed).collect();
    let problem = PartitionProblem {
        households: &households,
        edge_from: &from,
        edge_to: &to,
        edge_length: &length,
        edge_cost: Some(&cost),
        ..PartitionProblem::default()
    };
    let params =
        PartitionParams { effort: Effort::Draft, ..PartitionParams::new(GridSize::around(target, 0.1), 1) };
    let answer = partition(&problem, &params, &|_| std::ops::ControlFlow::Continue(()))?;
    Ok(answer.grid)
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, scene, out, rest @ ..] = args.as_slice() else {
        return Err("usage: land_probe scene.json out.json [target]".into());
    };
    let target: u32 = rest.first().map_or(Ok(30), |text| text.parse())?;
    let input = read(&serde_json::from_str(&std::fs::read_to_string(scene)?)?);
    let params = LandParams::default();
    let clock = Instant::now();
    let land = divide(&input, &params)?;
    let divided = clock.elapsed();
    let mut communities = Vec::new();
    let (mut n_vertices, mut dissolving) = (0, 0.0);
    for subdivision in &land.subdivisions {
        let labels = grids(subdivision, target)?;
        if let Some(first) = subdivision.describe(&labels)?.first() {
            println!("{}", first.sentence(&input.names, Lang::Zh));
        }
        let clock = Instant::now();
        let grids = subdivision.dissolve(&labels)?;
        dissolving += clock.elapsed().as_secs_f64();
        n_vertices += grids.iter().flatten().map(|p| p.exterior().0.len()).sum::<usize>();
        communities.push(json!({
            "outline": write(&[subdivision.outline()]), "plots": write(&subdivision.plots()), "grids": write(&grids),
            "voids": subdivision.units.iter().map(|unit| matches!(unit.ground, Ground::Void(_))).collect::<Vec<_>>(),
        }));
    }
    std::fs::write(out, serde_json::to_string(&communities)?)?;
    println!(
        "{} atoms ({} outside, {} hidden), {} units: divided in {divided:.3?}, grids dissolved in {:.1} ms, {n_vertices} grid vertices",
        input.atoms.len(),
        land.outside.len(),
        land.hidden.len(),
        land.subdivisions.iter().map(|s| s.units.len()).sum::<usize>(),
        dissolving * 1000.0,
    );
    Ok(())
}
