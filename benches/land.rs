//! How long the land of a community takes: rows of houses on a street grid.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use geo::{LineString, MultiPolygon, Polygon};
use gridplan::land::{LandAtom, LandInput, LandParams, LandStreet, StreetLevel, divide};
use gridplan::model::{AtomShape, StreetClass};

fn rectangle(x0: f64, y0: f64, x1: f64, y1: f64) -> Polygon<f64> {
    Polygon::new(LineString::from(vec![(x0, y0), (x1, y0), (x1, y1), (x0, y1)]), Vec::new())
}

/// `side` × `side` houses in blocks of four, in one community.
fn town(side: u32) -> LandInput {
    let size = 30.0 * f64::from(side);
    let place = |i: u32| 30.0 * f64::from(i) + 8.0 + f64::from(i % 3);
    let houses = (0..side).flat_map(|x| (0..side).map(move |y| (place(x), place(y))));
    let shape = |(x, y)| AtomShape::Area(MultiPolygon(vec![rectangle(x, y, x + 14.0, y + 10.0)]));
    let street = |points: Vec<(f64, f64)>| LandStreet {
        line: LineString::from(points),
        class: StreetClass::Lane,
        level: StreetLevel::Open,
        name: None,
    };
    let at = |i: u32| 60.0 * f64::from(i);
    let streets = (1..side / 2)
        .flat_map(|i| [vec![(at(i), -9.0), (at(i), size + 9.0)], vec![(-9.0, at(i)), (size + 9.0, at(i))]]);
    LandInput {
        communities: vec![MultiPolygon(vec![rectangle(0.0, 0.0, size, size)])],
        atoms: houses.map(|house| LandAtom { shape: shape(house), home: None }).collect(),
        streets: streets.map(street).collect(),
        ..LandInput::default()
    }
}

fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("land");
    group.sample_size(10);
    for side in [10, 30, 60] {
        let input = town(side);
        group.throughput(Throughput::Elements(u64::from(side * side)));
        group.bench_with_input(BenchmarkId::new("divide", side * side), &input, |bencher, input| {
            bencher.iter(|| divide(input, &LandParams::default()).map(|land| land.subdivisions.len()));
        });
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
