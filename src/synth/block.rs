//! What stands on a block: estates, old quarters, villages, schools, parks, a lake, a hill with stairs.

use geo::Coord;

use super::dice::{Dice, Stream};
use super::draft::{Division, Draft, Face, Port, Walk};
use super::lattice::Lattice;
use super::names;
use super::plot::{Form, Style, halve, plot_of};
use super::relief::Relief;
use super::shape::{Ring, area, centroid, contains, edges, length, lerp, mm, segments_cross, unit};
use crate::model::{OtherLoads, StreetClass, Use};

/// A building before its households are fixed.
#[derive(Clone, Debug)]
pub(super) struct House {
    pub(super) ring: Ring,
    pub(super) door: Coord<f64>,
    pub(super) floors: u16,
    /// Dwellings; the city's total is spread in proportion.
    pub(super) raw: u32,
    /// The count stands as it is.
    pub(super) fixed: bool,
    pub(super) usage: Use,
    pub(super) exclusive: bool,
    pub(super) court: Option<usize>,
    pub(super) half: usize,
    pub(super) block: usize,
    pub(super) number: u32,
    pub(super) loads: OtherLoads,
}

/// A compound or campus.
#[derive(Clone, Debug)]
pub(super) struct Court {
    pub(super) ring: Ring,
    pub(super) name: String,
    pub(super) walled: bool,
    pub(super) half: usize,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct GatePlan {
    pub(super) court: Option<usize>,
    pub(super) at: Coord<f64>,
    pub(super) open: bool,
}

/// Everything inside one cell.
#[derive(Clone, Debug, Default)]
pub(super) struct CellPlan {
    pub(super) walks: Vec<Walk>,
    pub(super) ports: Vec<Port>,
    pub(super) division: Option<Division>,
    pub(super) houses: Vec<House>,
    pub(super) courts: Vec<Court>,
    pub(super) gates: Vec<GatePlan>,
    pub(super) lakes: Vec<(String, Ring)>,
    /// Centre of each block.
    pub(super) blocks: Ring,
    pub(super) rural: bool,
    /// Households of resettlement housing, before the total is spread.
    pub(super) resettled: [u32; 2],
}

/// What a block is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Land {
    Towers,
    MidRise,
    Slabs,
    OldSix,
    Courtyards,
    Resettlement,
    Village,
    Office,
    Market,
    School,
    Hospital,
    Factory,
    Park,
    Hill,
    Fields,
}

/// A block being built on.
pub(super) struct Site<'s, 'l> {
    pub(super) draft: &'s mut Draft<'l>,
    pub(super) relief: &'s Relief,
    pub(super) dice: &'s mut Dice,
    pub(super) plan: &'s mut CellPlan,
    pub(super) block: usize,
    /// Longest way from a plot to the street, metres.
    pub(super) reach: f64,
    /// First walk of the block among those of the cell.
    pub(super) first_walk: usize,
    /// The other half of a block that a wall divides.
    pub(super) next_door: Option<Ring>,
}

/// Builds one cell.
pub(super) fn build_cell(seed: u64, lattice: &Lattice, relief: &Relief, cell: usize) -> CellPlan {
    let mut dice = Dice::new(seed, Stream::Cell, cell);
    let place = &lattice.cells[cell];
    let rural = 6 <= lattice.cells.len() && 0.86 < place.remoteness && dice.chance(0.8);
    let mut plan = CellPlan { rural, ..CellPlan::default() };
    let (mut draft, face) = Draft::new(lattice, cell);
    let largest = if rural { 95_000.0 } else { 36_000.0 * dice.between(0.8, 1.25) };
    let mut blocks = Vec::new();
    for part in draft.divide(&mut dice, face) {
        blocks.extend(draft.cut_into_blocks(&mut dice, part, largest));
    }
    let mut once = Vec::new();
    let sizes: Vec<f64> = blocks.iter().map(|face| area(&draft.ring(face))).collect();
    let largest = (0..sizes.len()).max_by(|&a, &b| sizes[a].total_cmp(&sizes[b]));
    for (index, face) in blocks.into_iter().enumerate() {
        let ring = draft.ring(&face);
        let rise = if lattice.cells.len() < 4 { 0.0 } else { relief.rise(centroid(&ring)) };
        let mut land = choose(&mut dice, place.remoteness, rural, rise, &mut once);
        if lattice.cells.len() < 4
            && matches!(land, Land::Office | Land::Factory | Land::Village | Land::Hospital)
        {
            land = Land::Slabs; // a quarter, not a town
        }
        if largest == Some(index) && !rural && !land_is_home(land) && land != Land::Hill {
            // People live in every cell of the town.
            land = Land::Slabs;
        }
        let block = plan.blocks.len();
        plan.blocks.push(centroid(&ring));
        let shops = land_is_home(land) && dice.chance(0.5);
        let Some(plot) = plot_of(&ring, &draft.classes(&face), shops) else { continue };
        let first_walk = plan.walks.len();
        let (dice, plan, draft) = (&mut dice, &mut plan, &mut draft);
        Site { draft, relief, dice, plan, block, reach: 0.0, first_walk, next_door: None }
            .build(&face, &plot, land);
    }
    let (walks, ports, division) = draft.finish();
    plan.walks.extend(walks);
    plan.ports = ports;
    plan.division = division;
    plan
}

/// Chooses the land use by place: dense in the centre, villages and fields at the edge.
fn choose(dice: &mut Dice, remoteness: f64, rural: bool, rise: f64, once: &mut Vec<Land>) -> Land {
    use Land::{
        Courtyards, Factory, Fields, Hill, Hospital, Market, MidRise, Office, OldSix, Park, Resettlement,
        School, Slabs, Towers, Village,
    };
    if 26.0 < rise {
        return Hill;
    }
    let near = |centre: f64, edge: f64| centre + (edge - centre) * remoteness;
    let weights = if rural {
        vec![(Village, 5.0), (Fields, 4.5), (Factory, 0.4), (School, 0.25)]
    } else {
        vec![
            (Towers, near(2.0, 1.4)),
            (MidRise, near(1.6, 1.5)),
            (Slabs, near(1.8, 2.4)),
            (OldSix, near(2.6, 0.6)),
            (Courtyards, near(0.9, 0.1)),
            (Resettlement, near(0.1, 2.0)),
            (Village, if 0.6 < remoteness { 0.7 } else { 0.0 }),
            (Office, near(0.9, 0.1)),
            (Market, near(0.35, 0.2)),
            (School, 0.55),
            (Hospital, near(0.2, 0.05)),
            (Factory, near(0.0, 0.7)),
            (Park, 0.5),
        ]
    };
    loop {
        let land = dice.weighted(&weights);
        let single = matches!(land, School | Hospital | Market | Park);
        if !single || !once.contains(&land) {
            once.push(land);
            return land;
        }
    }
}

impl Site<'_, '_> {
    fn build(&mut self, face: &Face, plot: &Ring, land: Land) {
        let angle = self.facing(plot);
        match land {
            Land::Park => self.park(face, plot),
            Land::Hill => self.hill(face, plot),
            Land::Fields => {}
            Land::Village => self.village(face, plot, angle),
            _ => self.estate(face, plot, land, angle),
        }
    }

    /// The direction of the building rows: along the edge that runs most nearly east–west, or true east.
    fn facing(&mut self, plot: &Ring) -> f64 {
        let flat = |edge: &(Coord<f64>, Coord<f64>)| {
            let along = edge.1 - edge.0;
            along.x.abs() - along.y.abs()
        };
        let longest = edges(plot).max_by(|a, b| flat(a).total_cmp(&flat(b)));
        let along = longest.map_or(Coord { x: 1.0, y: 0.0 }, |edge| edge.1 - edge.0);
        let along = if along.x < 0.0 { -along } else { along };
        let angle = along.y.atan2(along.x).clamp(-0.5, 0.5);
        if self.dice.chance(0.15) { self.dice.between(-0.05, 0.05) } else { angle }
    }

    fn estate(&mut self, face: &Face, plot: &Ring, land: Land, angle: f64) {
        let may_halve = 17_000.0 < area(plot) && !matches!(land, Land::Courtyards | Land::Factory);
        let halves = if may_halve && self.dice.chance(0.4) { halve(self.dice, plot, angle) } else { None };
        match halves {
            Some(halves) => {
                for (index, half) in halves.iter().enumerate() {
                    // The second half is often something else.
                    let other = index == 1 && land_is_home(land) && self.dice.chance(0.5);
                    let land = if other {
                        self.dice.pick(&[Land::Slabs, Land::OldSix, Land::MidRise])
                    } else {
                        land
                    };
                    self.next_door = Some(halves[1 - index].clone());
                    self.estate_on(face, half, land, angle);
                }
                self.next_door = None;
            }
            None => self.estate_on(face, plot, land, angle),
        }
    }

    fn estate_on(&mut self, face: &Face, plot: &Ring, land: Land, angle: f64) {
        let mut style = style_of(land);
        if land == Land::OldSix && self.dice.chance(0.45) {
            style.gates = (0, 0);
        }
        let name = match land {
            Land::Courtyards | Land::Office => None,
            Land::School => {
                Some(format!("{}{}", names::pair(self.dice), self.dice.pick(&["小学", "中学", "幼儿园"])))
            }
            Land::Hospital => Some(format!("{}医院", names::pair(self.dice))),
            Land::Market => Some(format!("{}市场", names::pair(self.dice))),
            Land::Factory => Some(format!("{}厂", names::pair(self.dice))),
            _ => Some(names::estate(self.dice)),
        };
        let first = self.plan.houses.len();
        self.fill_plot(face, plot, &style, angle, name.clone());
        if self.plan.houses.len() == first && land_is_home(land) {
            // Too small for that: a few old houses.
            self.fill_plot(face, plot, &style_of(Land::OldSix), angle, name);
        }
        if self.plan.houses.len() == first {
            self.fill_plot(face, plot, &style_of(Land::Courtyards), angle, None);
        }
        if land == Land::Resettlement {
            let built: u32 = self.plan.houses[first..].iter().map(|house| house.raw).sum();
            self.plan.resettled[face.half] += built;
        }
    }

    /// Houses in the middle of the block, fields around them.
    fn village(&mut self, face: &Face, plot: &Ring, angle: f64) {
        let centre = centroid(plot);
        let share = if self.plan.rural { self.dice.between(0.62, 0.88) } else { 0.95 };
        let core: Ring = plot.iter().map(|&at| mm(lerp(centre, at, share))).collect();
        self.reach = 150.0;
        self.fill_plot(face, &core, &style_of(Land::Village), angle, None);
        self.reach = 0.0;
    }

    /// A round walk with ways in, and a lake where there is room.
    fn park(&mut self, face: &Face, plot: &Ring) {
        let centre = centroid(plot);
        let phase = self.dice.between(0.0, 6.0);
        let around = |share: f64, wobble: f64| -> Ring {
            let n = 20;
            let at = |index: usize| {
                let angle = index as f64 / f64::from(n) * std::f64::consts::TAU;
                let toward = Coord { x: angle.cos(), y: angle.sin() };
                let edge = edges(plot).filter_map(|(a, b)| super::shape::ray_hit(centre, toward, a, b));
                let far = edge.map(|hit| hit.0).filter(|&hit| 0.0 < hit).fold(400.0, f64::min);
                mm(centre + toward * (far * share * (1.0 + wobble * (3.0 * angle + phase).sin())))
            };
            (0..n as usize).map(at).collect()
        };
        let walk = around(0.74, 0.04);
        if 9_000.0 < area(plot) {
            self.plan.lakes.push((format!("{}湖", names::pair(self.dice)), around(0.5, 0.13)));
        }
        let mut closed = walk.clone();
        closed.push(walk[0]);
        self.path(StreetClass::Path, closed);
        for index in [1, 6, 11, 16] {
            let toward = unit(walk[index] - centre);
            if let Some(street) = self.draft.reach_street(face, walk[index], toward, 120.0) {
                self.path(StreetClass::Path, vec![walk[index], street]);
            }
        }
    }

    /// Stairs from the streets around to the highest place.
    fn hill(&mut self, face: &Face, plot: &Ring) {
        let centre = centroid(plot);
        let mut top = centre;
        for at in plot.iter().flat_map(|&corner| [0.2, 0.4, 0.6].map(|share| mm(lerp(centre, corner, share))))
        {
            if self.relief.height(top) < self.relief.height(at) && contains(plot, at) {
                top = at;
            }
        }
        let mut placed: Vec<Ring> = Vec::new();
        for turn in 0..4 {
            let angle = f64::from(turn) * 1.57 + self.dice.between(-0.4, 0.4);
            let toward = Coord { x: angle.cos(), y: angle.sin() };
            let Some(street) = self.draft.reach_street(face, top, toward, 500.0) else { continue };
            let winding = winding(top, street);
            let clear = |line: &Ring| {
                let inside = line[1..line.len() - 1].iter().all(|&at| contains(plot, at));
                let legs = || line.windows(2);
                let meets = |a: &[Coord<f64>], b: &[Coord<f64>]| segments_cross(a[0], a[1], b[0], b[1]);
                inside
                    && !placed
                        .iter()
                        .flat_map(|other| other.windows(2))
                        .any(|other| legs().any(|leg| meets(leg, other)))
            };
            let Some(line) = [winding, vec![top, street]].into_iter().find(clear) else { continue };
            // Leg by leg: stairs only where it is steep.
            for leg in line.windows(2) {
                self.path(StreetClass::Path, leg.to_vec());
            }
            placed.push(line);
        }
    }
}

/// A way that sways to both sides of the straight one.
fn winding(from: Coord<f64>, to: Coord<f64>) -> Ring {
    let side = super::shape::left(unit(to - from));
    let bends = (length(to - from) / 35.0) as usize;
    let mut line = vec![from];
    for bend in 1..=bends {
        let share = bend as f64 / (bends + 1) as f64;
        let sway = if bend % 2 == 0 { 7.0 } else { -7.0 };
        line.push(mm(lerp(from, to, share) + side * sway));
    }
    line.push(to);
    line
}

fn land_is_home(land: Land) -> bool {
    matches!(land, Land::Towers | Land::MidRise | Land::Slabs | Land::OldSix | Land::Resettlement)
}

/// How each kind of land is built on. Sizes in metres, from ordinary practice; our choice. One table, so longer
/// than a function should be.
fn style_of(land: Land) -> Style {
    let slabs = Style {
        form: Form::Slab,
        width: (42.0, 72.0),
        depth: (11.5, 13.5),
        gap: (8.0, 14.0),
        yard: (13.0, 17.0),
        apron: 4.0,
        floors: (5, 7),
        per_floor: 2.0,
        empty: 0.05,
        usage: Use::Residential,
        exclusive: 0.0,
        most: usize::MAX,
        gates: (1, 4),
        paths: StreetClass::Path,
    };
    let works = Style { usage: Use::Commercial, per_floor: 0.0, empty: 0.0, gates: (1, 2), ..slabs };
    match land {
        Land::Towers => Style {
            form: Form::Tower,
            width: (28.0, 38.0),
            depth: (17.0, 21.0),
            gap: (18.0, 34.0),
            yard: (24.0, 34.0),
            apron: 6.0,
            floors: (18, 33),
            per_floor: 1.7,
            empty: 0.14,
            gates: (2, 4),
            ..slabs
        },
        Land::MidRise => Style {
            width: (34.0, 56.0),
            depth: (13.0, 15.0),
            gap: (12.0, 20.0),
            yard: (18.0, 24.0),
            apron: 5.0,
            floors: (9, 17),
            per_floor: 1.5,
            empty: 0.08,
            gates: (2, 4),
            ..slabs
        },
        Land::OldSix => Style {
            width: (28.0, 58.0),
            depth: (9.5, 11.5),
            gap: (5.0, 9.0),
            yard: (8.0, 11.0),
            apron: 3.0,
            floors: (5, 6),
            per_floor: 2.2,
            empty: 0.07,
            gates: (1, 3),
            paths: StreetClass::Lane,
            ..slabs
        },
        Land::Courtyards => Style {
            form: Form::Courtyard,
            width: (12.0, 17.0),
            depth: (9.0, 12.5),
            gap: (0.8, 2.5),
            yard: (2.5, 6.0),
            apron: 1.8,
            floors: (1, 2),
            per_floor: 2.0,
            empty: 0.1,
            gates: (0, 0),
            paths: StreetClass::Lane,
            ..slabs
        },
        Land::Resettlement => Style {
            width: (46.0, 68.0),
            depth: (12.0, 13.0),
            gap: (8.0, 10.0),
            yard: (13.0, 15.0),
            floors: (6, 11),
            empty: 0.02,
            gates: (2, 4),
            ..slabs
        },
        Land::Village => Style {
            form: Form::Box,
            width: (10.5, 14.0),
            depth: (8.0, 10.5),
            gap: (2.5, 6.0),
            yard: (5.0, 8.5),
            apron: 3.0,
            floors: (1, 3),
            per_floor: 0.55,
            empty: 0.12,
            gates: (0, 0),
            paths: StreetClass::Lane,
            ..slabs
        },
        Land::Office => Style {
            form: Form::Box,
            width: (30.0, 44.0),
            depth: (26.0, 36.0),
            gap: (22.0, 32.0),
            yard: (24.0, 30.0),
            apron: 8.0,
            floors: (12, 40),
            exclusive: 0.6,
            empty: 0.25,
            gates: (0, 0),
            ..works
        },
        Land::Market => Style {
            form: Form::Box,
            width: (60.0, 90.0),
            depth: (38.0, 55.0),
            gap: (12.0, 16.0),
            floors: (1, 4),
            exclusive: 1.0,
            most: 2,
            ..works
        },
        Land::School => Style {
            form: Form::Angle,
            width: (44.0, 60.0),
            depth: (31.0, 36.0),
            gap: (16.0, 24.0),
            floors: (4, 5),
            usage: Use::Public,
            exclusive: 1.0,
            most: 3,
            ..works
        },
        Land::Hospital => Style {
            width: (50.0, 70.0),
            depth: (18.0, 24.0),
            gap: (16.0, 24.0),
            yard: (18.0, 24.0),
            floors: (6, 16),
            usage: Use::Public,
            exclusive: 1.0,
            most: 5,
            ..works
        },
        Land::Factory => Style {
            width: (48.0, 80.0),
            depth: (22.0, 34.0),
            yard: (12.0, 18.0),
            floors: (1, 3),
            empty: 0.15,
            most: 10,
            ..works
        },
        Land::Slabs | Land::Park | Land::Hill | Land::Fields => slabs,
    }
}
