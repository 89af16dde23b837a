//! What stands already and what could open: present grids, stations, vacant premises.

use std::collections::BTreeMap;

use geo::Coord;

use super::assemble::Rows;
use super::communities::Made;
use super::dice::Dice;
use super::names;
use super::shape::length;
use crate::model::{Atom, Premise, SourceId, Station, StationStatus, StationTier, Use};
use crate::units::{Households, SquareMetres};

/// Area that a hundred households need, square metres.
const AREA_PER_HUNDRED: f64 = 30.0;

/// Present grids: compounds and blocks given to the nearest of a few seats, so connected mostly and unbalanced.
pub(super) fn mark_current_grids(dice: &mut Dice, code: &str, rows: &mut Rows, blocks: &[(usize, usize)]) {
    if dice.chance(0.06) {
        return; // a community that was never divided
    }
    let units = units(&rows.atoms, blocks);
    let ordinary: Vec<&Unit> = units.iter().filter(|unit| !unit.exclusive).collect();
    let households: u32 = ordinary.iter().map(|unit| unit.households).sum();
    let wanted = (f64::from(households) / dice.between(230.0, 520.0)).round().max(1.0) as usize;
    let seats = seats(dice, &ordinary, wanted);
    let mut grids: BTreeMap<usize, Vec<&Unit>> = BTreeMap::new();
    for (index, unit) in units.iter().enumerate() {
        let nearest = (0..seats.len())
            .min_by(|&a, &b| length(seats[a] - unit.centre).total_cmp(&length(seats[b] - unit.centre)));
        let grid = if unit.exclusive { seats.len() + index } else { nearest.unwrap_or(0) };
        grids.entry(grid).or_default().push(unit);
    }
    let mut ordered: Vec<Vec<&Unit>> = grids.into_values().collect();
    let west = |units: &Vec<&Unit>| units.iter().map(|unit| unit.centre.x).sum::<f64>() / units.len() as f64;
    ordered.sort_by(|a, b| west(a).total_cmp(&west(b)));
    for (number, units) in ordered.into_iter().enumerate() {
        let locked = dice.chance(0.04);
        for &atom in units.iter().flat_map(|unit| &unit.atoms) {
            rows.atoms[atom].current_grid = Some(format!("{code}{:03}", number + 1));
            rows.atoms[atom].locked = locked;
        }
    }
}

/// Buildings that are in one present grid: a compound, or what stands free on a block.
struct Unit {
    atoms: Vec<usize>,
    centre: Coord<f64>,
    households: u32,
    exclusive: bool,
}

fn units(atoms: &[Atom], blocks: &[(usize, usize)]) -> Vec<Unit> {
    let mut groups: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (index, (atom, block)) in atoms.iter().zip(blocks).enumerate() {
        groups.entry((*block, atom.compound, atom.exclusive)).or_default().push(index);
    }
    let unit = |((_, _, exclusive), members): ((_, _, bool), Vec<usize>)| {
        let sum = members.iter().fold(Coord::default(), |sum: Coord<f64>, &atom| sum + place(&atoms[atom]));
        let households = members.iter().map(|&atom| atoms[atom].households.0).sum();
        Unit { centre: sum / members.len() as f64, atoms: members, households, exclusive }
    };
    groups.into_iter().map(unit).collect()
}

fn place(atom: &Atom) -> Coord<f64> {
    atom.door.unwrap_or_default()
}

/// Centres far from one another, the first by chance.
fn seats(dice: &mut Dice, units: &[&Unit], wanted: usize) -> Vec<Coord<f64>> {
    let homes: Vec<Coord<f64>> =
        units.iter().filter(|unit| 0 < unit.households).map(|unit| unit.centre).collect();
    if homes.is_empty() {
        return units.first().map(|unit| unit.centre).into_iter().collect();
    }
    let mut seats = vec![dice.pick(&homes)];
    while seats.len() < wanted.min(homes.len()) {
        let gap = |at: &Coord<f64>| seats.iter().map(|&seat| length(seat - *at)).fold(f64::MAX, f64::min);
        let farthest = homes.iter().copied().max_by(|a, b| gap(a).total_cmp(&gap(b)));
        seats.extend(farthest);
    }
    seats
}

/// Stations of every tier; where a community has none, the plan has something to do.
pub(super) fn add_stations(dice: &mut Dice, made: &Made, rows: &mut Rows) {
    let Some(middle) = middle(&rows.atoms) else { return };
    let name = made.community.name.trim_end_matches("社区").to_owned();
    let mut wanted: Vec<(StationTier, Coord<f64>, String)> = Vec::new();
    let near = |dice: &mut Dice, share: f64| near_middle(dice, &rows.atoms, middle, share);
    if made.heads_district {
        wanted.push((StationTier::City, near(dice, 0.3), "市党群服务中心".to_owned()));
    }
    if made.heads_office {
        wanted.push((StationTier::Regional, near(dice, 0.3), format!("{name}片区党群服务中心")));
    }
    if dice.chance(0.72) {
        wanted.push((StationTier::Community, near(dice, 0.5), format!("{name}社区党群服务中心")));
    }
    for compound in &rows.compounds {
        let chance = if compound.walled { 0.09 } else { 0.02 };
        let label = compound.name.clone().unwrap_or_default();
        if dice.chance(chance)
            && let Some(exterior) = compound.outline.0.first().map(geo::Polygon::exterior)
        {
            let door = rows
                .atoms
                .iter()
                .map(place)
                .min_by(|a, b| length(*a - exterior.0[0]).total_cmp(&length(*b - exterior.0[0])));
            wanted.extend(door.map(|door| (StationTier::Compound, door, format!("{label}驿站"))));
        }
    }
    let large: Vec<&Atom> = rows.atoms.iter().filter(|atom| 80 <= atom.households.0).collect();
    for atom in large.into_iter().filter(|_| dice.chance(0.025)) {
        let label = atom.name.clone().unwrap_or_default();
        wanted.push((StationTier::Corner, place(atom), format!("{label}服务角")));
    }
    for (number, (tier, at, name)) in wanted.into_iter().enumerate() {
        let area = station_area(dice, tier);
        let capacity =
            (tier <= StationTier::Compound).then(|| Households((area / AREA_PER_HUNDRED * 100.0) as u32));
        rows.stations.push(Station {
            code: format!("{}-Z{:03}", made.community.code, number + 1),
            name,
            tier,
            status: StationStatus::Existing,
            at,
            community: None,
            area: SquareMetres::new(area).ok(),
            capacity,
            premise: None,
            reason: crate::model::Text::default(),
        });
    }
}

fn station_area(dice: &mut Dice, tier: StationTier) -> f64 {
    let (low, high) = match tier {
        StationTier::City => (3000.0, 6000.0),
        StationTier::Regional => (1200.0, 2400.0),
        StationTier::Community => (420.0, 1100.0),
        StationTier::Compound => (60.0, 240.0),
        StationTier::Corner => (8.0, 25.0),
    };
    dice.between(low, high).round()
}

fn middle(atoms: &[Atom]) -> Option<Coord<f64>> {
    let sum = atoms.iter().fold(Coord::default(), |sum: Coord<f64>, atom| sum + place(atom));
    (!atoms.is_empty()).then(|| sum / atoms.len() as f64)
}

/// The door of a building not far from the middle.
fn near_middle(dice: &mut Dice, atoms: &[Atom], middle: Coord<f64>, share: f64) -> Coord<f64> {
    let mut by_distance: Vec<(f64, Coord<f64>)> =
        atoms.iter().map(|atom| (length(place(atom) - middle), place(atom))).collect();
    by_distance.sort_by(|a, b| a.0.total_cmp(&b.0));
    let n = ((by_distance.len() as f64 * share) as u32).max(1);
    by_distance[dice.whole(0, n - 1) as usize].1
}

/// The register of vacant premises: about one for 350 households.
pub(super) fn add_premises(dice: &mut Dice, code: &str, rows: &mut Rows) {
    let households: u32 = rows.atoms.iter().map(|atom| atom.households.0).sum();
    let open: Vec<usize> = (0..rows.atoms.len()).filter(|&atom| !rows.atoms[atom].exclusive).collect();
    if open.is_empty() {
        return;
    }
    let n = (f64::from(households) / dice.between(260.0, 450.0)).ceil() as usize;
    let mut taken = std::collections::BTreeSet::new();
    for _ in 0..n {
        let index = dice.pick(&open);
        if !taken.insert(index) {
            continue;
        }
        let atom = &rows.atoms[index];
        let (tenure, kind) = match atom.usage {
            Use::Commercial | Use::Public => {
                dice.pick(&[("国有企业", "闲置厂房"), ("集体", "沿街门面"), ("私有", "闲置商铺")])
            }
            Use::Mixed => dice.pick(&[("私有", "底商"), ("街道办事处", "底商"), ("国有企业", "底商")]),
            _ if atom.compound.is_some() => {
                dice.pick(&[("物业公司", "物业用房"), ("社区集体", "社区用房"), ("业主共有", "架空层")])
            }
            _ => dice.pick(&[
                ("社区集体", "老年活动室"),
                ("村集体", "旧村委"),
                ("私有", "闲置民房"),
                ("街道办事处", "旧办公室"),
            ]),
        };
        let small = atom.compound.is_some() && atom.usage == Use::Residential;
        let area = if small { dice.between(30.0, 260.0) } else { dice.between(60.0, 950.0) }.round();
        let ground = dice.chance(0.72);
        let floor =
            if ground { 1 } else { dice.pick(&[-1, 2, 2, 3]) }.min(i16::try_from(atom.floors).unwrap_or(1));
        let base = atom.name.clone().unwrap_or_else(|| names::pair(dice) + "里");
        rows.premises.push(Premise {
            source: SourceId(format!("{code}-P{:03}", rows.premises.len() + 1)),
            name: Some(format!("{base}{kind}")),
            at: place(atom),
            community: None,
            area: SquareMetres::new(area).ok(),
            tenure: Some(tenure.to_owned()),
            floor: Some(floor),
            own_entrance: Some(dice.chance(if ground { 0.75 } else { 0.2 })),
            cost: Some((area * dice.between(90.0, 420.0) / 100.0).round() as u32 * 100),
            capacity: Some(Households((area / AREA_PER_HUNDRED * 100.0) as u32)),
        });
    }
}
