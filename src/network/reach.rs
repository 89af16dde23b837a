//! The street network as the stages use it: build it, attach doors, and read off walks between them.

use std::sync::{Arc, OnceLock};

use geo::{BooleanOps, Coord};
use rayon::prelude::*;

use super::circles::{Circle, CircleShare, OnEdge};
use super::engine::{Sources, UNREACHED, WalkNetwork};
use super::snap::{Attachment, Components, DoorPlace, Snaps, Surroundings};
use super::streets::{StreetEdges, street_edges};
use super::walking::WalkRules;
use crate::model::{Atom, AtomShape, Scenario, WalkDirection};

/// What a walk costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Milliseconds to the station.
    TimeThere,
    /// Milliseconds from the station back home.
    TimeBack,
    /// Millimetres, the same in both directions.
    Distance,
    /// Milliseconds of the longer of the two ways.
    TimeWorse,
}

impl From<WalkDirection> for Measure {
    fn from(direction: WalkDirection) -> Self {
        match direction {
            WalkDirection::There => Self::TimeThere,
            WalkDirection::Back => Self::TimeBack,
            WalkDirection::Worse => Self::TimeWorse,
        }
    }
}

/// Streets on foot for one kind of walker: joined, timed, with what stands between doors and streets.
#[derive(Debug)]
pub struct StreetNetwork {
    edges: StreetEdges,
    /// What stands around, the same for every walker who may use the same ways.
    place: Arc<Place>,
    /// By [`Measure`], prepared when first asked.
    walks: [OnceLock<WalkNetwork>; 3],
    rules: WalkRules,
    with_terrain: bool,
}

#[derive(Debug)]
struct Place {
    components: Components,
    surroundings: Surroundings,
}

/// Builds the walk network of a scenario for the rules' profile.
///
/// Streets join where they share a vertex (to the millimetre); a bridge or tunnel that only passes over
/// another street does not. Doors attach later, with [`StreetNetwork::snap_atoms`] and
/// [`StreetNetwork::snap_sites`]. O(n log n) in the vertices. A scenario without walkable streets gives an
/// empty network, on which every door fails with a reason.
#[must_use]
pub fn build(scenario: &Scenario, rules: &WalkRules) -> StreetNetwork {
    let edges = street_edges(&scenario.streets, scenario.terrain.as_ref(), rules);
    let components = Components::of(&edges);
    let (barriers, compounds) = (&scenario.barriers, &scenario.compounds);
    let surroundings = Surroundings::of(&edges, &components, barriers, compounds, &scenario.gates, rules);
    StreetNetwork {
        edges,
        place: Arc::new(Place { components, surroundings }),
        walks: [const { OnceLock::new() }; 3],
        rules: rules.clone(),
        with_terrain: scenario.terrain.is_some(),
    }
}

/// For each site the doors within a limit, ascending: row `s` is `offsets[s] .. offsets[s + 1]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// One more than there are sites.
    pub offsets: Vec<u64>,
    /// Doors.
    pub door: Vec<u32>,
    /// Walk from the door to the site, ms or mm.
    pub cost: Vec<u32>,
}

impl Reach {
    /// Doors and costs of one site.
    pub fn row(&self, site: usize) -> impl ExactSizeIterator<Item = (u32, u32)> + '_ {
        let row = self.offsets[site] as usize..self.offsets[site + 1] as usize;
        self.door[row.clone()].iter().copied().zip(self.cost[row].iter().copied())
    }

    /// The longer of two walks, for the pairs that both tables hold.
    pub(super) fn longer(&self, other: &Self) -> Self {
        let mut both = Self { offsets: vec![0], ..Self::default() };
        for site in 0..self.n_sites() {
            let mut others = other.row(site).peekable();
            for (door, cost) in self.row(site) {
                while others.next_if(|&(before, _)| before < door).is_some() {}
                if let Some((_, back)) = others.next_if(|&(same, _)| same == door) {
                    both.door.push(door);
                    both.cost.push(cost.max(back));
                }
            }
            both.offsets.push(both.door.len() as u64);
        }
        both
    }

    /// Number of sites.
    #[must_use]
    pub fn n_sites(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// The same table with one row per door: `(offsets, site, cost)`, sites ascending. The form that siting
    /// takes.
    #[must_use]
    pub fn by_door(&self, n_doors: usize) -> (Vec<u64>, Vec<u32>, Vec<u32>) {
        let mut offsets = vec![0_u64; n_doors + 1];
        for &door in &self.door {
            offsets[door as usize + 1] += 1;
        }
        for door in 0..n_doors {
            offsets[door + 1] += offsets[door];
        }
        let mut place = offsets.clone();
        let (mut site, mut cost) = (vec![0; self.door.len()], vec![0; self.door.len()]);
        for index in 0..self.n_sites() {
            for (door, walk) in self.row(index) {
                let slot = &mut place[door as usize];
                site[*slot as usize] = index as u32;
                cost[*slot as usize] = walk;
                *slot += 1;
            }
        }
        (offsets, site, cost)
    }
}

/// Per door the nearest site.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NearestSite {
    /// Walk to it, ms or mm; [`UNREACHED`] if there is none.
    pub cost: Vec<u32>,
    /// Its index, −1 if there is none.
    pub site: Vec<i32>,
}

impl StreetNetwork {
    /// The same streets for another walker. Where both may use the same ways, doors attached to one network
    /// are attached to the other as well, and the answer's second part is `true`; stairs, kerbs and slopes
    /// may close ways, and then doors must be attached anew.
    #[must_use]
    pub fn for_walker(&self, scenario: &Scenario, rules: &WalkRules) -> (Self, bool) {
        let edges = street_edges(&scenario.streets, scenario.terrain.as_ref(), rules);
        let same_ways = edges.mm == self.edges.mm
            && rules.max_access == self.rules.max_access
            && rules.max_farther == self.rules.max_farther
            && rules.max_inside == self.rules.max_inside
            && rules.gate_gap == self.rules.gate_gap;
        if !same_ways {
            return (build(scenario, rules), false);
        }
        let network = Self {
            edges,
            place: Arc::clone(&self.place),
            walks: [const { OnceLock::new() }; 3],
            rules: rules.clone(),
            with_terrain: self.with_terrain,
        };
        (network, true)
    }

    /// The rules it was built with.
    #[must_use]
    pub fn rules(&self) -> &WalkRules {
        &self.rules
    }

    /// Whether slopes were counted. Every result that rests on this network says so.
    #[must_use]
    pub fn with_terrain(&self) -> bool {
        self.with_terrain
    }

    /// Nodes and edges.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        (self.edges.x.len(), self.edges.from.len())
    }

    /// Number of small parts of the network that do not hang together with the rest.
    #[must_use]
    pub fn n_fragments(&self) -> usize {
        self.place.components.fragments()
    }

    /// Edges outside the terrain model; they count as flat.
    #[must_use]
    pub fn n_edges_without_height(&self) -> usize {
        self.edges.without_height
    }

    /// Ends of an edge on the metric plane.
    #[must_use]
    pub fn edge_ends(&self, edge: u32) -> (Coord<f64>, Coord<f64>) {
        self.edges.ends(edge)
    }

    /// Both nodes of every edge and the costs there and back.
    #[cfg(test)]
    pub(super) fn each_edge(&self, measure: Measure) -> impl Iterator<Item = (u32, u32, u32, u32)> + '_ {
        let (there, back) = self.costs(measure);
        let ends = self.edges.from.iter().zip(&self.edges.to);
        ends.zip(there.iter().zip(back)).map(|((&from, &to), (&there, &back))| (from, to, there, back))
    }

    pub(super) fn edge_nodes(&self, edge: u32) -> [u32; 2] {
        [self.edges.from[edge as usize], self.edges.to[edge as usize]]
    }

    /// Row of [`Scenario::streets`] that an edge belongs to.
    #[must_use]
    pub fn street_of(&self, edge: u32) -> u32 {
        self.edges.street[edge as usize]
    }

    /// Attaches the buildings: at their door if it is known, else from the wall nearest to the street.
    #[must_use]
    pub fn snap_atoms(&self, atoms: &[Atom]) -> Snaps {
        let doors: Vec<DoorPlace<'_>> = atoms
            .iter()
            .map(|atom| match (atom.door, &atom.shape) {
                (Some(door), _) => DoorPlace { at: door, footprint: None, compound: atom.compound },
                (None, AtomShape::Point(point)) => {
                    DoorPlace { at: point.0, footprint: None, compound: atom.compound }
                }
                (None, AtomShape::Area(area)) => {
                    DoorPlace { at: atom.shape.anchor(), footprint: Some(area), compound: atom.compound }
                }
            })
            .collect();
        self.snap(&doors)
    }

    /// Attaches stations or premises by their doors.
    #[must_use]
    pub fn snap_sites(&self, doors: &[Coord<f64>]) -> Snaps {
        self.snap(&doors.iter().map(|&at| DoorPlace::at(at)).collect::<Vec<_>>())
    }

    /// Attaches doors: to the nearest position on an edge that no barrier hides, else through the gates of
    /// the compound around; farther than [`WalkRules::max_access`] from any street they fail with a reason.
    #[must_use]
    pub fn snap(&self, doors: &[DoorPlace<'_>]) -> Snaps {
        self.place.surroundings.snap(&self.edges, doors)
    }

    /// Position of a door on the network, for drawing.
    #[must_use]
    pub fn position(&self, attachment: &Attachment) -> Coord<f64> {
        let (from, to) = self.edges.ends(attachment.edge);
        from + (to - from) * attachment.share
    }

    /// The array network of a measure; the longer of two ways has none of its own and takes the way there.
    pub(super) fn walks(&self, measure: Measure) -> &WalkNetwork {
        let measure = if measure == Measure::TimeWorse { Measure::TimeThere } else { measure };
        self.walks[measure as usize].get_or_init(|| {
            let (there, back) = self.costs(measure);
            let (from, to) = (&self.edges.from, &self.edges.to);
            let back = (measure != Measure::Distance).then_some(back);
            WalkNetwork::new(&self.edges.x, &self.edges.y, from, to, there, back)
                .expect("street edges lie between their own nodes at finite places")
        })
    }

    /// Costs of the edges from first to second node, and back.
    fn costs(&self, measure: Measure) -> (&[u32], &[u32]) {
        match measure {
            Measure::TimeThere | Measure::TimeWorse => (&self.edges.there_ms, &self.edges.back_ms),
            Measure::TimeBack => (&self.edges.back_ms, &self.edges.there_ms),
            Measure::Distance => (&self.edges.mm, &self.edges.mm),
        }
    }

    /// Walks from doors to sites no longer than `limit` (ms or mm, inclusive): the table that siting and
    /// coverage share. Legs between door and street count on both sides.
    #[must_use]
    pub fn reach(&self, sites: &Snaps, doors: &Snaps, measure: Measure, limit: u32) -> Reach {
        self.reach_of(sites, doors, &self.door_walks(doors, measure), limit)
    }

    /// The nearest site of every door, however far unless `limit` says otherwise; ties go to the lower index.
    #[must_use]
    pub fn nearest(&self, sites: &Snaps, doors: &Snaps, measure: Measure, limit: Option<u32>) -> NearestSite {
        self.nearest_to(sites, doors, &self.door_walks(doors, measure), limit)
    }

    /// Whether the longer of two ways has to be looked for; where both are always equal one search will do.
    pub(super) fn has_two_ways(&self, measure: Measure) -> bool {
        measure == Measure::TimeWorse && self.edges.there_ms != self.edges.back_ms
    }

    /// Service circles of sites, by site, then limit (ms or mm), in the order given; see
    /// [`WalkNetwork::service_circles`]. The leg between a site's door and its street counts.
    #[must_use]
    pub fn service_circles(
        &self,
        sites: &Snaps,
        measure: Measure,
        limits: &[u32],
        share: CircleShare,
    ) -> Vec<Circle> {
        if self.has_two_ways(measure) {
            return self.circles_both_ways(sites, limits, share);
        }
        let on_edge = |(station, at): (usize, &Attachment)| OnEdge {
            station: station as u32,
            ends: [self.edges.from[at.edge as usize], self.edges.to[at.edge as usize]],
            share: at.share,
            access: self.access(at, measure).round() as u32,
        };
        let attached =
            (0..sites.len()).flat_map(|site| sites.attachments(site).iter().map(move |at| (site, at)));
        let on_edges: Vec<OnEdge> = attached.map(on_edge).collect();
        self.walks(measure).circles(&self.sources(sites, measure), &on_edges, limits, share)
    }

    /// Circles of the longer of two ways: a place is inside if it is within the circle there and within the
    /// circle back. With [`CircleShare::Nearest`] the way there says which station is nearer.
    fn circles_both_ways(&self, sites: &Snaps, limits: &[u32], share: CircleShare) -> Vec<Circle> {
        let drawn = |measure, share| self.service_circles(sites, measure, limits, share);
        let apart = if share == CircleShare::Merged { CircleShare::PerStation } else { share };
        let there = drawn(Measure::TimeThere, apart);
        let back = drawn(Measure::TimeBack, CircleShare::PerStation);
        let both: Vec<Circle> = there
            .into_par_iter()
            .zip(back)
            .map(|(there, back)| Circle { area: there.area.intersection(&back.area), ..there })
            .collect();
        if share != CircleShare::Merged {
            return both;
        }
        let merged = |(order, &limit): (usize, &u32)| {
            let areas = both.iter().skip(order).step_by(limits.len()).flat_map(|circle| &circle.area);
            Circle { station: None, limit, area: geo::unary_union(areas) }
        };
        limits.iter().enumerate().map(merged).collect()
    }

    /// Whether any site hangs together with the door, by streets alone.
    #[must_use]
    pub fn is_island(&self, door: usize, doors: &Snaps, sites: &Snaps) -> bool {
        let component =
            |at: &Attachment| self.place.components.of_node[self.edges.from[at.edge as usize] as usize];
        let mut of_sites = (0..sites.len()).flat_map(|site| sites.attachments(site)).map(component);
        let of_door: Vec<u32> = doors.attachments(door).iter().map(component).collect();
        !of_sites.any(|component| of_door.contains(&component))
    }

    /// Whether all streets that a door leads to are fragments: parts that do not hang together with the main network.
    #[must_use]
    pub fn is_on_fragment(&self, door: usize, doors: &Snaps) -> bool {
        let attached = doors.attachments(door);
        let components = &self.place.components;
        !attached.is_empty() && attached.iter().all(|at| components.is_fragment(&self.edges, at.edge))
    }

    pub(super) fn sources(&self, sites: &Snaps, measure: Measure) -> Sources {
        let mut sources = Sources::default();
        for site in 0..sites.len() {
            let legs = sites.attachments(site).iter();
            sources.push(
                legs.flat_map(|at| self.legs(at, measure, Side::Site)).filter(|leg| leg.1 != UNREACHED),
            );
        }
        sources
    }

    /// Cost of the leg between door and street.
    fn access(&self, attachment: &Attachment, measure: Measure) -> f64 {
        match measure {
            Measure::Distance => attachment.access * 1000.0,
            Measure::TimeThere | Measure::TimeBack | Measure::TimeWorse => {
                attachment.access / self.rules.profile.flat_speed.value() * 1000.0
            }
        }
    }

    /// The two ways between an attachment and the ends of its edge: from door to node, or from node to site.
    pub(super) fn legs(&self, attachment: &Attachment, measure: Measure, side: Side) -> [(u32, u32); 2] {
        let edge = attachment.edge as usize;
        let (there, back) = self.costs(measure);
        let access = self.access(attachment, measure);
        let (from_part, to_part) = (attachment.share, 1.0 - attachment.share);
        // Towards the first node a door walks back, towards the second there; to a site it is the reverse.
        let (by_from, by_to) = match side {
            Side::Door => (back[edge], there[edge]),
            Side::Site => (there[edge], back[edge]),
        };
        let cost = |whole: u32, part: f64| {
            if whole == UNREACHED { UNREACHED } else { (access + f64::from(whole) * part).round() as u32 }
        };
        [(self.edges.from[edge], cost(by_from, from_part)), (self.edges.to[edge], cost(by_to, to_part))]
    }

    /// Walk from a door to a site on the same edge without touching its ends.
    pub(super) fn along_edge(&self, door: &Attachment, site: &Attachment, measure: Measure) -> u32 {
        let (there, back) = self.costs(measure);
        let part = site.share - door.share;
        let whole = if 0.0 <= part { there[door.edge as usize] } else { back[door.edge as usize] };
        if whole == UNREACHED {
            return UNREACHED;
        }
        (self.access(door, measure) + self.access(site, measure) + f64::from(whole) * part.abs()).round()
            as u32
    }
}

/// Which side of the walk a leg is on.
#[derive(Clone, Copy)]
pub(super) enum Side {
    Door,
    Site,
}
