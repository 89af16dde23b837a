//! The plan on the desk: takes reversible steps and remembers how to take each one back.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use geo::{Coord, MultiPolygon};

use super::step::{FindingRow, GridRow, PremiseRow, StationRow, Step, TierRow, source_id};
use super::{Problem, is_by_hand};
use crate::model::{
    AtomId, CommunityId, CommunityQuality, CoverageScope, Finding, Grid, GridId, LoadWeights, Plan, Premise,
    PremiseId, Scenario, Station, StationStatus, TierAnswer,
};
use crate::units::{Households, Residents, SquareMetres};

/// What an edit has touched and what must be measured again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// Communities whose grids, counts or findings changed.
    pub communities: BTreeSet<CommunityId>,
    /// Codes of the grids that were named, as they were when they were touched.
    pub grids: BTreeSet<String>,
    /// Who lives in which grid changed, or how many.
    pub households: bool,
    /// Stations changed.
    pub stations: bool,
}

impl Touched {
    /// Adds what another edit has touched.
    pub fn merge(&mut self, other: Self) {
        self.communities.extend(other.communities);
        self.grids.extend(other.grids);
        self.households |= other.households;
        self.stations |= other.stations;
    }
}

pub(super) struct Desk<'a> {
    pub scenario: &'a mut Scenario,
    pub plan: &'a mut Plan,
    atoms: HashMap<String, AtomId>,
    /// What takes the steps back, in the order in which they were taken.
    back: Vec<Step>,
    touched: Touched,
    weights: LoadWeights,
}

impl<'a> Desk<'a> {
    pub fn new(scenario: &'a mut Scenario, plan: &'a mut Plan, weights: LoadWeights) -> Self {
        if plan.stations.is_empty() {
            plan.stations.clone_from(&scenario.stations);
        }
        let ids = scenario.atoms.iter().enumerate();
        let atoms = ids.map(|(row, atom)| (atom.source.0.clone(), AtomId::from_index(row))).collect();
        Self { scenario, plan, atoms, back: Vec::new(), touched: Touched::default(), weights }
    }

    /// Ends an edit: the steps that take it back, and what it touched.
    pub fn close(&mut self) -> (Vec<Step>, Touched) {
        let mut back = std::mem::take(&mut self.back);
        back.reverse();
        (back, std::mem::take(&mut self.touched))
    }

    pub fn atom(&self, id: &str) -> Result<AtomId, Problem> {
        self.atoms.get(id).copied().ok_or_else(|| Problem::NoSuchBuilding { id: id.to_owned() })
    }

    pub fn grid(&self, code: &str) -> Result<GridId, Problem> {
        let grids = &self.plan.partition.grids;
        if let Some(row) = grids.iter().position(|grid| grid.code == code) {
            return Ok(GridId::from_index(row));
        }
        let heir = grids.iter().find(|grid| grid.lineage.iter().any(|old| old == code));
        Err(Problem::NoSuchGrid { code: code.to_owned(), heir: heir.map(|grid| grid.code.clone()) })
    }

    pub fn station(&self, code: &str) -> Result<usize, Problem> {
        let found = self.plan.stations.iter().position(|station| station.code == code);
        found.ok_or_else(|| Problem::NoSuchStation { code: code.to_owned() })
    }

    fn community(&self, code: &str) -> Result<CommunityId, Problem> {
        let found = self.scenario.communities.iter().position(|community| community.code == code);
        found
            .map(CommunityId::from_index)
            .ok_or_else(|| Problem::Stale((format!("社区 {code}"), format!("community {code}")).into()))
    }

    pub fn grid_row(&self, id: GridId) -> GridRow {
        GridRow::of(&self.plan.partition.grids[id.index()], self.scenario)
    }

    /// Units of a grid, ascending.
    pub fn members(&self, id: GridId) -> Vec<AtomId> {
        let labels = self.plan.partition.grid_of.iter().enumerate();
        labels.filter(|(_, grid)| **grid == Some(id)).map(|(row, _)| AtomId::from_index(row)).collect()
    }

    pub fn ids_of(&self, atoms: &[AtomId]) -> Vec<String> {
        atoms.iter().map(|id| self.scenario.atoms[id.index()].source.0.clone()).collect()
    }

    /// Takes a step and remembers what takes it back.
    pub fn take(&mut self, step: &Step) -> Result<(), Problem> {
        match step {
            Step::Label { grid, buildings } => self.label(grid, buildings),
            Step::PutGrid { row, grid } => self.put_grid(*row, grid),
            Step::DropGrid { grid } => self.drop_grid(grid),
            Step::SetGrid(row) => self.set_grid(row),
            Step::Retire { code } => self.retire(code),
            Step::Forget { code } => self.forget(code),
            Step::PutFinding { data, row, finding } => self.put_finding(*data, *row, finding),
            Step::DropFinding { data, row } => self.drop_finding(*data, *row),
            Step::Quality { community, out, out_bound, cost, cost_bound } => {
                self.quality(community, (*out, *out_bound), (*cost, *cost_bound))
            }
            Step::Tiers { tiers } => {
                let before = self.plan.tiers.iter().map(TierRow::from).collect();
                self.back.push(Step::Tiers { tiers: before });
                self.plan.tiers = tiers.iter().map(TierAnswer::from).collect();
                Ok(())
            }
            Step::Counts { building, households, residents, source } => {
                let id = self.atom(building)?;
                let atom = &mut self.scenario.atoms[id.index()];
                self.back.push(Step::counts(atom));
                (atom.households, atom.residents) = (Households(*households), Residents(*residents));
                atom.households_source = *source;
                self.touched.communities.extend(atom.community);
                self.touched.households = true;
                Ok(())
            }
            Step::DataLock { locked, buildings } => self.data_lock(*locked, buildings),
            Step::PutStation { row, station } => self.put_station(*row, station),
            Step::DropStation { station } => self.drop_station(station),
            Step::SetStation(row) => self.set_station(row),
            Step::PutPremise { row, premise } => self.put_premise(*row, premise),
            Step::DropPremise { premise } => self.drop_premise(premise),
        }
    }

    /// Takes back whatever was taken since the last [`Desk::close`].
    pub fn give_up(&mut self) {
        let (back, _) = self.close();
        self.take_back(&back);
    }

    /// Takes the steps of an inverse that was just made; they fit by construction.
    pub fn take_back(&mut self, back: &[Step]) {
        for step in back {
            let taken = self.take(step);
            debug_assert!(taken.is_ok(), "what was just done can be taken back: {taken:?}");
        }
        self.recount();
        self.close();
    }

    fn touch_grid(&mut self, id: GridId) {
        let grid = &self.plan.partition.grids[id.index()];
        self.touched.communities.insert(grid.community);
        self.touched.grids.insert(grid.code.clone());
    }

    fn label(&mut self, grid: &str, buildings: &[String]) -> Result<(), Problem> {
        let to = self.grid(grid)?;
        let atoms = buildings.iter().map(|id| self.atom(id)).collect::<Result<Vec<_>, _>>()?;
        let mut before: BTreeMap<GridId, Vec<AtomId>> = BTreeMap::new();
        for &atom in &atoms {
            let from = self.plan.partition.grid_of[atom.index()];
            let from = from.ok_or_else(|| Problem::Outside { id: self.ids_of(&[atom]).remove(0) })?;
            before.entry(from).or_default().push(atom);
        }
        self.touch_grid(to);
        for (from, atoms) in before {
            self.touch_grid(from);
            let buildings = self.ids_of(&atoms);
            let grid = self.plan.partition.grids[from.index()].code.clone();
            self.back.push(Step::Label { grid, buildings });
        }
        for atom in atoms {
            self.plan.partition.grid_of[atom.index()] = Some(to);
        }
        self.touched.households = true;
        Ok(())
    }

    /// Gives every grid its number after one was put in or taken away.
    fn renumber(&mut self, change: impl Fn(u32) -> u32) {
        let change = |id: GridId| GridId(change(id.0));
        for label in self.plan.partition.grid_of.iter_mut().flatten() {
            *label = change(*label);
        }
        for finding in &mut self.plan.findings {
            finding.grid = finding.grid.map(change);
        }
        for row in &mut self.plan.coverage.rows {
            if let CoverageScope::Grid(id) = row.scope {
                row.scope = CoverageScope::Grid(change(id));
            }
        }
    }

    fn put_grid(&mut self, row: usize, grid: &GridRow) -> Result<(), Problem> {
        let community = self.community(&grid.community)?;
        let partition = &mut self.plan.partition;
        if partition.grids.len() < row || partition.grids.iter().any(|other| other.code == grid.code) {
            return Err(Problem::Stale(
                (format!("网格 {}", grid.code), format!("grid {}", grid.code)).into(),
            ));
        }
        let mut made = Grid {
            code: grid.code.clone(),
            name: String::new(),
            community,
            class: grid.class,
            size: None,
            households: Households(0),
            load: 0,
            residents: Residents(0),
            n_atoms: 0,
            outline: MultiPolygon(Vec::new()),
            locked: false,
            reason: None,
            bounds_text: crate::model::Text::default(),
            lineage: Vec::new(),
            note: String::new(),
        };
        grid.write(&mut made);
        partition.grids.insert(row, made);
        let at = row as u32;
        self.renumber(|id| if at <= id { id + 1 } else { id });
        self.touch_grid(GridId(at));
        self.back.push(Step::DropGrid { grid: grid.code.clone() });
        Ok(())
    }

    fn drop_grid(&mut self, code: &str) -> Result<(), Problem> {
        let id = self.grid(code)?;
        if self.plan.partition.grid_of.contains(&Some(id)) {
            return Err(Problem::Stale((format!("网格 {code}"), format!("grid {code}")).into()));
        }
        self.touch_grid(id);
        self.drop_findings(false, |finding| finding.grid == Some(id) && is_drawn(finding))?;
        self.plan.findings.retain(|finding| finding.grid != Some(id));
        self.plan.coverage.rows.retain(|row| row.scope != CoverageScope::Grid(id));
        let grid = self.grid_row(id);
        self.plan.partition.grids.remove(id.index());
        self.renumber(|other| if id.0 < other { other - 1 } else { other });
        self.back.push(Step::PutGrid { row: id.index(), grid });
        Ok(())
    }

    fn set_grid(&mut self, row: &GridRow) -> Result<(), Problem> {
        let id = self.grid(&row.code)?;
        let before = self.grid_row(id);
        self.touched.grids.insert(row.code.clone());
        if (before.class, before.size) != (row.class, row.size) {
            self.touch_grid(id);
        }
        row.write(&mut self.plan.partition.grids[id.index()]);
        self.back.push(Step::SetGrid(before));
        Ok(())
    }

    fn retire(&mut self, code: &str) -> Result<(), Problem> {
        let retired = &mut self.plan.partition.retired_codes;
        if !retired.iter().any(|old| old == code) {
            let row = retired.partition_point(|old| old.as_str() < code);
            retired.insert(row, code.to_owned());
            self.back.push(Step::Forget { code: code.to_owned() });
        }
        Ok(())
    }

    fn forget(&mut self, code: &str) -> Result<(), Problem> {
        let retired = &mut self.plan.partition.retired_codes;
        if let Some(row) = retired.iter().position(|old| old == code) {
            retired.remove(row);
            self.back.push(Step::Retire { code: code.to_owned() });
        }
        Ok(())
    }

    fn findings(&mut self, data: bool) -> &mut Vec<Finding> {
        if data { &mut self.scenario.findings } else { &mut self.plan.findings }
    }

    fn put_finding(&mut self, data: bool, row: usize, finding: &FindingRow) -> Result<(), Problem> {
        let community = finding.community.as_deref().map(|code| self.community(code)).transpose()?;
        let grid = finding.grid.as_deref().map(|code| self.grid(code)).transpose()?;
        let atom = finding.building.as_deref().map(|id| self.atom(id)).transpose()?;
        let made = Finding {
            severity: finding.severity,
            kind: finding.kind,
            layer: finding.layer.clone(),
            feature: finding.feature.clone(),
            at: finding.at.map(|[x, y]| Coord { x, y }),
            community,
            grid,
            atom,
            message: finding.message.clone(),
            remedy: finding.remedy.clone(),
            proven: finding.proven,
        };
        let list = self.findings(data);
        let row = row.min(list.len());
        list.insert(row, made);
        self.back.push(Step::DropFinding { data, row });
        Ok(())
    }

    fn drop_finding(&mut self, data: bool, row: usize) -> Result<(), Problem> {
        if self.findings(data).len() <= row {
            return Err(Problem::Stale((format!("提示 {row}"), format!("finding {row}")).into()));
        }
        let gone = self.findings(data).remove(row);
        let finding = FindingRow::of(&gone, self.scenario, &self.plan.partition.grids);
        self.back.push(Step::PutFinding { data, row, finding });
        Ok(())
    }

    /// Takes away the findings that an edit makes untrue.
    pub fn drop_findings(&mut self, data: bool, is_gone: impl Fn(&Finding) -> bool) -> Result<(), Problem> {
        for row in (0..self.findings(data).len()).rev() {
            if is_gone(&self.findings(data)[row]) {
                self.drop_finding(data, row)?;
            }
        }
        Ok(())
    }

    fn quality(&mut self, community: &str, out: (u32, u32), cost: (f64, Option<f64>)) -> Result<(), Problem> {
        let id = self.community(community)?;
        self.touched.communities.insert(id);
        let found = self.plan.partition.quality.iter_mut().find(|quality| quality.community == id);
        let Some(quality) = found else { return Ok(()) };
        self.back.push(Step::quality(quality, self.scenario));
        *quality = CommunityQuality {
            community: id,
            n_out_of_range: out.0,
            n_out_of_range_bound: out.1,
            cut_cost: cost.0,
            cut_cost_bound: cost.1,
        };
        Ok(())
    }

    fn data_lock(&mut self, locked: bool, buildings: &[String]) -> Result<(), Problem> {
        for id in buildings {
            let id = self.atom(id)?;
            let atom = &mut self.scenario.atoms[id.index()];
            atom.locked = locked;
            self.touched.communities.extend(atom.community);
        }
        self.back.push(Step::DataLock { locked: !locked, buildings: buildings.to_vec() });
        Ok(())
    }

    fn made_station(&self, row: &StationRow) -> Result<Station, Problem> {
        let premise = |id: &str| {
            let found = self.scenario.premises.iter().position(|premise| premise.source.0 == id);
            found.map(PremiseId::from_index).ok_or_else(|| Problem::NoSuchPremise { id: id.to_owned() })
        };
        Ok(Station {
            code: row.code.clone(),
            name: row.name.clone(),
            tier: row.tier,
            status: row.status,
            at: Coord { x: row.at[0], y: row.at[1] },
            community: row.community.as_deref().map(|code| self.community(code)).transpose()?,
            area: row.area_m2.and_then(|area| SquareMetres::new(area).ok()),
            capacity: row.capacity.map(Households),
            premise: row.premise.as_deref().map(premise).transpose()?,
            reason: row.reason.clone(),
        })
    }

    /// The scenario holds what stands; the plan also what it chose.
    fn stations_changed(&mut self) {
        self.touched.stations = true;
        let standing = self.plan.stations.iter().filter(|station| station.status != StationStatus::Chosen);
        self.scenario.stations = standing.cloned().collect();
    }

    fn put_station(&mut self, row: usize, station: &StationRow) -> Result<(), Problem> {
        if self.station(&station.code).is_ok() {
            return Err(Problem::Taken { layer: "stations", key: station.code.clone() });
        }
        let made = self.made_station(station)?;
        let row = row.min(self.plan.stations.len());
        self.plan.stations.insert(row, made);
        self.back.push(Step::DropStation { station: station.code.clone() });
        self.stations_changed();
        Ok(())
    }

    fn drop_station(&mut self, code: &str) -> Result<(), Problem> {
        let row = self.station(code)?;
        let gone = self.plan.stations.remove(row);
        self.back.push(Step::PutStation { row, station: StationRow::of(&gone, self.scenario) });
        self.stations_changed();
        Ok(())
    }

    fn set_station(&mut self, station: &StationRow) -> Result<(), Problem> {
        let row = self.station(&station.code)?;
        let made = self.made_station(station)?;
        let before = std::mem::replace(&mut self.plan.stations[row], made);
        self.back.push(Step::SetStation(StationRow::of(&before, self.scenario)));
        self.stations_changed();
        Ok(())
    }

    fn renumber_premises(&mut self, change: impl Fn(u32) -> u32) {
        for station in self.plan.stations.iter_mut().chain(&mut self.scenario.stations) {
            station.premise = station.premise.map(|id| PremiseId(change(id.0)));
        }
    }

    fn put_premise(&mut self, row: usize, premise: &PremiseRow) -> Result<(), Problem> {
        if self.scenario.premises.iter().any(|other| other.source.0 == premise.id) {
            return Err(Problem::Taken { layer: "premises", key: premise.id.clone() });
        }
        let made = Premise {
            source: source_id(&premise.id),
            name: premise.name.clone(),
            at: Coord { x: premise.at[0], y: premise.at[1] },
            community: premise.community.as_deref().map(|code| self.community(code)).transpose()?,
            area: premise.area_m2.and_then(|area| SquareMetres::new(area).ok()),
            tenure: premise.tenure.clone(),
            floor: premise.floor,
            own_entrance: premise.own_entrance,
            cost: premise.cost_yuan,
            capacity: premise.capacity.map(Households),
        };
        let row = row.min(self.scenario.premises.len());
        self.scenario.premises.insert(row, made);
        let at = row as u32;
        self.renumber_premises(|id| if at <= id { id + 1 } else { id });
        self.back.push(Step::DropPremise { premise: premise.id.clone() });
        Ok(())
    }

    fn drop_premise(&mut self, id: &str) -> Result<(), Problem> {
        let found = self.scenario.premises.iter().position(|premise| premise.source.0 == id);
        let row = found.ok_or_else(|| Problem::NoSuchPremise { id: id.to_owned() })?;
        let at = Some(PremiseId::from_index(row));
        if self.plan.stations.iter().any(|station| station.premise == at) {
            return Err(Problem::Stale((format!("备选用房 {id}"), format!("premises {id}")).into()));
        }
        let gone = self.scenario.premises.remove(row);
        self.renumber_premises(|other| if (row as u32) < other { other - 1 } else { other });
        self.back.push(Step::PutPremise { row, premise: PremiseRow::of(&gone, self.scenario) });
        Ok(())
    }

    /// Counts the grids of the touched communities again.
    pub fn recount(&mut self) {
        let weights = self.weights;
        let touched = &self.touched.communities;
        let partition = &mut self.plan.partition;
        for grid in partition.grids.iter_mut().filter(|grid| touched.contains(&grid.community)) {
            (grid.households, grid.load, grid.residents, grid.n_atoms) = (Households(0), 0, Residents(0), 0);
        }
        for (atom, label) in self.scenario.atoms.iter().zip(&partition.grid_of) {
            let Some(grid) = label.map(|id| &mut partition.grids[id.index()]) else { continue };
            if touched.contains(&grid.community) {
                grid.households += atom.households;
                grid.load += weights.load(atom.households, atom.other_loads);
                grid.residents += atom.residents;
                grid.n_atoms += 1;
            }
        }
    }
}

/// Whether a finding came with the drawing of the grids, and not from an edit.
pub(super) fn is_drawn(finding: &Finding) -> bool {
    finding.layer == "grids" && !is_by_hand(finding)
}
