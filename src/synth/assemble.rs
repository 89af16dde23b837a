//! Cells into the tables of a scenario: exact households, communities, buildings, streets, barriers.

use geo::{Coord, LineString, MultiPolygon, Polygon};
use rayon::prelude::*;

use super::SynthParams;
use super::block::{CellPlan, House};
use super::communities::{Made, make};
use super::crossings::{Level, Road, node_borders, roads};
use super::dice::{Dice, Stream};
use super::lattice::Lattice;
use super::services;
use super::shape::{Ring, left, unit};
use crate::model::{
    Atom, AtomShape, Barrier, BarrierKind, BarrierShape, CommunityId, Compound, CompoundId, Gate,
    HouseholdsSource, Premise, Scenario, SourceId, Station, Street, StreetClass, Use,
};
use crate::units::{Households, Residents};

/// Households of the one oversized tower in a city that has room for it.
const GIANT: u32 = 700;
/// Smallest city with the oversized tower, households.
const GIANT_FROM: u32 = 8000;

/// Rows of one community, with compounds counted from zero.
pub(super) struct Rows {
    pub(super) atoms: Vec<Atom>,
    pub(super) compounds: Vec<Compound>,
    pub(super) gates: Vec<Gate>,
    pub(super) stations: Vec<Station>,
    pub(super) premises: Vec<Premise>,
}

/// Fills the tables.
pub(super) fn assemble(
    scenario: &mut Scenario,
    params: &SynthParams,
    lattice: &Lattice,
    mut plans: Vec<CellPlan>,
) {
    if GIANT_FROM <= params.households.0 {
        raise_giant(&mut plans);
    }
    let counts = spread(params.households, &plans);
    let halves: Vec<[u32; 2]> = plans
        .iter()
        .zip(&counts)
        .map(|(plan, counts)| {
            let mut sums = [0; 2];
            for (house, count) in plan.houses.iter().zip(counts) {
                sums[house.half] += count;
            }
            sums
        })
        .collect();
    let ports =
        plans.iter().flat_map(|plan| plan.ports.iter().chain(plan.division.iter().flat_map(|cut| &cut.ends)));
    let noded = node_borders(lattice, ports);
    let made = make(params.seed, lattice, &plans, &noded, &halves);
    let rows: Vec<Rows> = made
        .par_iter()
        .enumerate()
        .map(|(index, made)| rows_of(params.seed, index, made, &plans, &counts))
        .collect();
    for (index, rows) in rows.into_iter().enumerate() {
        append(scenario, rows, CommunityId::from_index(index));
    }
    scenario.communities = made.into_iter().map(|made| made.community).collect();
    add_streets(scenario, roads(params.seed, lattice, &noded), &plans);
    add_barriers(scenario, lattice, &plans);
}

/// One tower far above any grid, in the cell with the most dwellings.
fn raise_giant(plans: &mut [CellPlan]) {
    let dwellings = |plan: &CellPlan| plan.houses.iter().map(|house| house.raw).sum::<u32>();
    let Some(plan) = plans.iter_mut().max_by_key(|plan| dwellings(plan)) else { return };
    let tallest =
        plan.houses.iter_mut().filter(|house| 0 < house.raw).max_by_key(|house| (house.floors, house.raw));
    if let Some(tower) = tallest {
        tower.raw = GIANT;
        tower.floors = tower.floors.max(33);
        tower.fixed = true;
    }
}

/// Households of every building, by cell: in proportion to dwellings, the total exact (largest remainder, twice).
fn spread(total: Households, plans: &[CellPlan]) -> Vec<Vec<u32>> {
    let fixed: u64 = plans
        .iter()
        .flat_map(|plan| &plan.houses)
        .filter(|house| house.fixed)
        .map(|house| u64::from(house.raw))
        .sum();
    let rest = u64::from(total.0) - fixed;
    let weights = |plan: &CellPlan| -> Vec<u64> {
        plan.houses.iter().map(|house| if house.fixed { 0 } else { u64::from(house.raw) }).collect()
    };
    let of_cells: Vec<u64> = plans.iter().map(|plan| weights(plan).iter().sum()).collect();
    tracing::debug!(dwellings = of_cells.iter().sum::<u64>(), households = rest, "spreading households");
    let quotas = largest_remainder(rest, &of_cells);
    plans
        .par_iter()
        .zip(&quotas)
        .map(|(plan, &quota)| {
            let shares = largest_remainder(quota, &weights(plan));
            let counts = plan.houses.iter().zip(shares);
            counts.map(|(house, share)| if house.fixed { house.raw } else { share as u32 }).collect()
        })
        .collect()
}

/// `total` in proportion to the weights, exact; ties go to the earlier.
fn largest_remainder(total: u64, weights: &[u64]) -> Vec<u64> {
    let sum: u64 = weights.iter().sum();
    if sum == 0 {
        return vec![0; weights.len()];
    }
    let wide = |weight: u64| u128::from(total) * u128::from(weight);
    let mut shares: Vec<u64> =
        weights.iter().map(|&weight| (wide(weight) / u128::from(sum)) as u64).collect();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by_key(|&index| (std::cmp::Reverse(wide(weights[index]) % u128::from(sum)), index));
    let missing = total - shares.iter().sum::<u64>();
    for &index in order.iter().take(missing as usize) {
        shares[index] += 1;
    }
    shares
}

fn rows_of(seed: u64, index: usize, made: &Made, plans: &[CellPlan], counts: &[Vec<u32>]) -> Rows {
    let mut dice = Dice::new(seed, Stream::Services, index);
    let code = &made.community.code;
    let mut rows = Rows {
        atoms: Vec::new(),
        compounds: Vec::new(),
        gates: Vec::new(),
        stations: Vec::new(),
        premises: Vec::new(),
    };
    let mut blocks = Vec::new();
    for part in &made.parts {
        let plan = &plans[part.cell];
        let belongs = |half: usize| part.half.is_none_or(|own| own == half);
        let mut compound_of = vec![None; plan.courts.len()];
        for (court, drawn) in plan.courts.iter().enumerate().filter(|(_, court)| belongs(court.half)) {
            compound_of[court] = Some(CompoundId::from_index(rows.compounds.len()));
            rows.compounds.push(Compound {
                source: SourceId(format!("{code}-C{:03}", rows.compounds.len() + 1)),
                name: Some(drawn.name.clone()),
                outline: MultiPolygon::new(vec![polygon(&drawn.ring)]),
                walled: drawn.walled,
                households: None,
            });
        }
        for gate in &plan.gates {
            let Some(compound) = gate.court.and_then(|court| compound_of[court]) else { continue };
            let source = SourceId(format!("{code}-G{:04}", rows.gates.len() + 1));
            rows.gates.push(Gate { source, compound: Some(compound), at: gate.at, open: gate.open });
        }
        for (house, &count) in plan.houses.iter().zip(&counts[part.cell]) {
            if belongs(house.half) {
                let compound = house.court.and_then(|court| compound_of[court]);
                let name =
                    building_name(house, compound.and_then(|id| rows.compounds[id.index()].name.as_deref()));
                let source = SourceId(format!("{code}-B{:05}", rows.atoms.len() + 1));
                rows.atoms.push(atom(&mut dice, house, (source, name), count, compound));
                blocks.push((part.cell, house.block));
            }
        }
    }
    services::mark_current_grids(&mut dice, code, &mut rows, &blocks);
    services::add_stations(&mut dice, made, &mut rows);
    services::add_premises(&mut dice, code, &mut rows);
    rows
}

fn building_name(house: &House, compound: Option<&str>) -> Option<String> {
    match (compound, house.usage) {
        (Some(compound), Use::Residential | Use::Mixed) => Some(format!("{compound}{}号楼", house.number)),
        (Some(compound), _) => Some(format!("{compound}{}号", house.number)),
        (None, _) => None,
    }
}

fn atom(
    dice: &mut Dice,
    house: &House,
    (source, name): (SourceId, Option<String>),
    count: u32,
    compound: Option<CompoundId>,
) -> Atom {
    // The national average is 2.62 persons a household; large flats and villages hold more, single rooms fewer.
    let persons = dice.between(2.2, 3.0);
    Atom {
        source,
        name,
        shape: AtomShape::Area(MultiPolygon::new(vec![polygon(&house.ring)])),
        households: Households(count),
        residents: Residents((f64::from(count) * persons).round() as u32),
        households_source: HouseholdsSource::Column,
        other_loads: house.loads,
        community: None,
        compound,
        floors: house.floors,
        usage: house.usage,
        exclusive: house.exclusive,
        door: Some(house.door),
        current_grid: None,
        locked: false,
    }
}

fn polygon(ring: &Ring) -> Polygon<f64> {
    Polygon::new(LineString::new(ring.clone()), Vec::new())
}

/// Appends a community's rows; its compounds get their place in the whole table.
fn append(scenario: &mut Scenario, rows: Rows, community: CommunityId) {
    let before = scenario.compounds.len();
    let moved = |id: CompoundId| CompoundId::from_index(before + id.index());
    scenario.atoms.extend(rows.atoms.into_iter().map(|mut atom| {
        atom.community = Some(community);
        atom.compound = atom.compound.map(moved);
        atom
    }));
    scenario.gates.extend(rows.gates.into_iter().map(|mut gate| {
        gate.compound = gate.compound.map(moved);
        gate
    }));
    scenario.compounds.extend(rows.compounds);
    scenario
        .stations
        .extend(rows.stations.into_iter().map(|station| Station { community: Some(community), ..station }));
    scenario
        .premises
        .extend(rows.premises.into_iter().map(|premise| Premise { community: Some(community), ..premise }));
}

fn add_streets(scenario: &mut Scenario, roads: Vec<Road>, plans: &[CellPlan]) {
    let walks = plans.iter().flat_map(|plan| &plan.walks);
    let inner = walks.map(|walk| (walk.class, walk.name.clone(), walk.line.clone(), Level::Ground));
    let outer = roads.into_iter().map(|road| (road.class, road.name, road.line, road.level));
    for (class, name, mut line, level) in outer.chain(inner) {
        line.dedup();
        if line.len() < 2 {
            continue;
        }
        scenario.streets.push(Street {
            source: SourceId(format!("S{:08}", scenario.streets.len() + 1)),
            name,
            class,
            line: LineString::new(line),
            foot: true,
            bridge: level == Level::Bridge,
            tunnel: level == Level::Tunnel,
            incline: None,
            crossing: false,
            no_wheelchair: class == StreetClass::Steps,
        });
    }
}

fn add_barriers(scenario: &mut Scenario, lattice: &Lattice, plans: &[CellPlan]) {
    let mut add = |name: &str, kind, shape| {
        let source = SourceId(format!("W{:06}", scenario.barriers.len() + 1));
        scenario.barriers.push(Barrier { source, name: Some(name.to_owned()), kind, shape });
    };
    for (name, line) in &lattice.waters {
        let banks = banks(line, lattice.river_half_width);
        add(name, BarrierKind::River, BarrierShape::Area(MultiPolygon::new(vec![polygon(&banks)])));
    }
    for (name, line) in &lattice.rails {
        add(name, BarrierKind::Railway, BarrierShape::Line(LineString::new(line.clone())));
    }
    for (name, ring) in plans.iter().flat_map(|plan| &plan.lakes) {
        add(name, BarrierKind::Water, BarrierShape::Area(MultiPolygon::new(vec![polygon(ring)])));
    }
}

/// Both banks of a river, a little uneven, as one ring.
fn banks(line: &Ring, half_width: f64) -> Ring {
    let bank = |index: usize, side: f64| {
        let before = line[index.saturating_sub(1)];
        let after = line[(index + 1).min(line.len() - 1)];
        let uneven = 0.9 + 0.1 * (index as f64 * 1.9 + side).sin();
        super::shape::mm(line[index] + left(unit(after - before)) * (side * half_width * uneven))
    };
    let right = (0..line.len()).map(|index| bank(index, -1.0));
    let back = (0..line.len()).rev().map(|index| bank(index, 1.0));
    right.chain(back).collect::<Vec<Coord<f64>>>()
}
