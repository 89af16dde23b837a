//! Households per building: counted, spread with exact totals, or estimated from floor area.

use geo::Coord;
use rstar::RTree;
use rstar::primitives::GeomWithData;
use rustc_hash::FxHashMap;

use super::ImportRequest;
use super::draft::{DraftAtom, DraftZone};
use super::error::IngestError;
use super::lookup::contains;
use crate::model::{
    Atom, AtomShape, Compound, CompoundId, Finding, FindingKind, HouseholdsSource, Severity, SourceId, Text,
};
use crate::units::{Households, Residents};

/// What is known of each atom beside the atom itself, row by row.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// Households of a column or tag.
    pub households: Option<u32>,
    /// Residents of a column.
    pub residents: Option<u32>,
    /// Its source has a column of counts.
    pub counts_expected: bool,
    /// Gross floor area in square metres, or what stands for it.
    pub floor_area: f64,
}

/// Buildings with fewer known floors than this tell nothing about the others. Our choice.
const FLOORS_KNOWN: usize = 10;

/// An atom takes the count of a zone's centre no further away than this many times the usual spacing. Our choice.
const ZONE_REACH: f64 = 1.5;

/// Splits a total over weights by largest remainder: shares add up exactly, equal remainders go to the smaller index.
///
/// Weights of zero get nothing unless all are zero; then all count the same. Cost: O(n log n).
///
/// Source: Hamilton's method of apportionment.
pub(super) fn spread(total: u64, weights: &[f64]) -> Vec<u32> {
    let sum: f64 = weights.iter().sum();
    let is_flat = !(sum.is_finite() && 0.0 < sum);
    let share =
        |weight: f64| if is_flat { total as f64 / weights.len() as f64 } else { total as f64 * weight / sum };
    let quotas: Vec<f64> = weights.iter().map(|&weight| share(weight)).collect();
    let mut parts: Vec<u64> = quotas.iter().map(|quota| quota.floor() as u64).collect();
    let given: u64 = parts.iter().sum();
    let mut order: Vec<usize> = (0..weights.len()).filter(|&index| is_flat || 0.0 < weights[index]).collect();
    order.sort_by(|&a, &b| quotas[b].fract().total_cmp(&quotas[a].fract()).then(a.cmp(&b)));
    let missing = total.saturating_sub(given) as usize;
    for &index in order.iter().cycle().take(if order.is_empty() { 0 } else { missing }) {
        parts[index] += 1;
    }
    // Rounding may have given one too many: the smallest remainders give it back.
    let mut extra = parts.iter().sum::<u64>().saturating_sub(total);
    for &index in order.iter().rev() {
        if 0 < extra && 0 < parts[index] {
            parts[index] -= 1;
            extra -= 1;
        }
    }
    parts.into_iter().map(|part| u32::try_from(part).unwrap_or(u32::MAX)).collect()
}

/// Fills in floors and floor areas: floors that nobody counted are the median of the others.
pub(super) fn floor_areas(atoms: &mut [Atom], drafts: &[DraftAtom]) -> (Vec<Known>, Vec<Finding>) {
    let middle = |mut values: Vec<f64>| {
        values.sort_unstable_by(f64::total_cmp);
        values.get(values.len() / 2).copied()
    };
    let lived_in = || atoms.iter().zip(drafts).filter(|(atom, _)| atom.usage.is_lived_in());
    let counted: Vec<f64> = lived_in().filter_map(|(_, draft)| draft.floors).map(f64::from).collect();
    let unknown =
        lived_in().filter(|(_, draft)| draft.floors.is_none() && draft.floor_area.is_none()).count();
    let enough = FLOORS_KNOWN <= counted.len();
    let n_counted = counted.len();
    let usual = if enough { middle(counted).unwrap_or(1.0) } else { 1.0 } as u16;
    let areas: Vec<f64> = atoms.iter().map(|atom| atom.shape.area()).filter(|area| 0.0 < *area).collect();
    let usual_area = middle(areas).unwrap_or(1.0);
    let mut known = Vec::with_capacity(atoms.len());
    for (atom, draft) in atoms.iter_mut().zip(drafts) {
        let default = if atom.usage.is_lived_in() { usual } else { 1 };
        atom.floors = draft.floors.unwrap_or(default).max(1);
        let ground = match &atom.shape {
            AtomShape::Point(_) => usual_area,
            AtomShape::Area(_) => atom.shape.area(),
        };
        let floor_area = draft.floor_area.unwrap_or(ground * f64::from(atom.floors));
        known.push(Known {
            households: draft.households,
            residents: draft.residents,
            counts_expected: draft.counts_expected,
            floor_area,
        });
    }
    let mut findings = Vec::new();
    if 0 < unknown && 0 < n_counted {
        let basis = if enough {
            Text::from(("其他建筑的中位数", "the median of the others"))
        } else {
            Text::from(("已知的太少", "too few others are known"))
        };
        findings.push(Finding::new(
            Severity::Info,
            FindingKind::BadValue,
            "buildings",
            (
                format!("{unknown} 栋住宅建筑没有层数，按 {usual} 层计（{}，已知 {n_counted} 栋）", basis.zh),
                format!(
                    "{unknown} lived-in buildings have no floors; {usual} taken ({}, {n_counted} known)",
                    basis.en
                ),
            ),
            (
                "若户数按建筑面积分摊，请在源数据中补充层数",
                "add floors to the source if households are spread by floor area",
            ),
        ));
    }
    (known, findings)
}

/// The state of counting.
pub(super) struct Counting<'a> {
    /// Atoms; zones and compounds that hold no building are added at the end.
    pub atoms: &'a mut Vec<Atom>,
    /// What is known of them.
    pub known: &'a mut Vec<Known>,
    /// Positions of compounds that have no outline, by source id.
    pub compound_places: &'a FxHashMap<String, AtomShape>,
    /// Findings so far.
    pub findings: &'a mut Vec<Finding>,
}

impl Counting<'_> {
    /// Counts every atom: columns, then compounds, zones, the given total, then floor area.
    ///
    /// # Errors
    /// [`IngestError::NoHouseholds`] if all of it comes to nothing.
    pub(super) fn count(
        &mut self,
        request: &ImportRequest,
        compounds: &[Compound],
        zones: &[DraftZone],
    ) -> Result<(), IngestError> {
        self.columns(request);
        self.compounds(compounds);
        self.zones(zones, request);
        self.total(request);
        self.estimate(request);
        self.fill_residents(request);
        if self.atoms.iter().all(|atom| atom.households.0 == 0) {
            return Err(IngestError::NoHouseholds { atoms: self.atoms.len(), reason: self.reason() });
        }
        Ok(())
    }

    fn reason(&self) -> Text {
        let counted = self.known.iter().filter(|known| known.households.is_some()).count();
        let lived_in = self.atoms.iter().filter(|atom| atom.usage.is_lived_in()).count();
        Text::from(match (counted, lived_in) {
            (0, 0) => (
                "没有识别出户数列，也没有住宅建筑",
                "no column of counts was recognised and no building is lived in",
            ),
            (0, _) => ("没有识别出户数列", "no column of counts was recognised"),
            _ => ("所有户数都为零", "every count is zero"),
        })
    }

    /// Households of columns; where only residents are counted, households follow from them.
    fn columns(&mut self, request: &ImportRequest) {
        for (atom, known) in self.atoms.iter_mut().zip(self.known.iter()) {
            if let Some(households) = known.households {
                atom.households = Households(households);
                atom.households_source = HouseholdsSource::Column;
            }
            if let Some(residents) = known.residents {
                atom.residents = Residents(residents);
            }
        }
        let only_residents: Vec<usize> = (0..self.known.len())
            .filter(|&index| self.known[index].households.is_none() && self.known[index].residents.is_some())
            .collect();
        let any_households = self.known.iter().any(|known| known.households.is_some());
        if any_households || only_residents.is_empty() {
            return;
        }
        let residents: Vec<f64> =
            only_residents.iter().map(|&index| f64::from(self.known[index].residents.unwrap_or(0))).collect();
        let sum: f64 = residents.iter().sum();
        let total = (sum / request.residents_per_household).round() as u64;
        for (&index, share) in only_residents.iter().zip(spread(total, &residents)) {
            self.set(index, share, HouseholdsSource::Column);
        }
        let each = request.residents_per_household;
        self.findings.push(Finding::new(
            Severity::Warning,
            FindingKind::EstimatedCount,
            "buildings",
            (
                format!("只有人口数：由 {sum:.0} 人按每户 {each} 人得 {total} 户"),
                format!(
                    "only residents are counted: {total} households follow from {sum:.0} residents at {each} a household"
                ),
            ),
            (
                "补充户数列，或用 --residents-per-household 给出正确的户均人数",
                "add a column of households, or give the right average with --residents-per-household",
            ),
        ));
    }

    fn set(&mut self, index: usize, households: u32, source: HouseholdsSource) {
        self.atoms[index].households = Households(households);
        self.atoms[index].households_source = source;
    }

    fn is_open(&self, index: usize) -> bool {
        self.atoms[index].households_source == HouseholdsSource::Missing
    }

    /// Of some atoms those without a count: lived-in ones, else anything but sheds, else all.
    fn targets(&self, among: &[usize]) -> Vec<usize> {
        let open: Vec<usize> = among.iter().copied().filter(|&index| self.is_open(index)).collect();
        let lived_in: Vec<usize> =
            open.iter().copied().filter(|&index| self.atoms[index].usage.is_lived_in()).collect();
        if !lived_in.is_empty() {
            return lived_in;
        }
        let other = crate::model::Use::Other;
        let solid: Vec<usize> =
            open.iter().copied().filter(|&index| self.atoms[index].usage != other).collect();
        if solid.is_empty() { open } else { solid }
    }

    /// Spreads a count over targets by floor area.
    fn spread_over(&mut self, total: u64, targets: &[usize], source: HouseholdsSource) {
        let weights: Vec<f64> = targets.iter().map(|&index| self.known[index].floor_area).collect();
        for (&index, share) in targets.iter().zip(spread(total, &weights)) {
            self.set(index, share, source);
        }
    }

    fn counted(&self, among: &[usize]) -> u64 {
        among.iter().map(|&index| u64::from(self.atoms[index].households.0)).sum()
    }

    fn compounds(&mut self, compounds: &[Compound]) {
        let mut members = vec![Vec::new(); compounds.len()];
        for (index, atom) in self.atoms.iter().enumerate() {
            if let Some(compound) = atom.compound {
                members[compound.index()].push(index);
            }
        }
        for (row, (compound, members)) in compounds.iter().zip(&members).enumerate() {
            let Some(Households(total)) = compound.households else { continue };
            let counted = self.counted(members);
            let targets = self.targets(members);
            if members.is_empty() && 0 < total {
                self.empty_compound(row, compound, total);
            } else if u64::from(total) < counted || (targets.is_empty() && counted != u64::from(total)) {
                self.differs("compounds", &compound.source.0, u64::from(total), counted);
            } else if !targets.is_empty() {
                self.spread_over(u64::from(total) - counted, &targets, HouseholdsSource::Compound);
            }
        }
    }

    /// A compound with a count but without buildings stands as one unit; without a place its count is lost.
    fn empty_compound(&mut self, row: usize, compound: &Compound, total: u32) {
        let shape = if compound.outline.0.is_empty() {
            self.compound_places.get(&compound.source.0).cloned()
        } else {
            Some(AtomShape::Area(compound.outline.clone()))
        };
        let Some(shape) = shape else {
            let finding = Finding::new(
                Severity::Error,
                FindingKind::MissingCount,
                "compounds",
                (
                    format!("没有建筑属于该小区，也没有位置：其 {total} 户无法落到图上"),
                    format!(
                        "no building names this compound and it has no place: its {total} households are lost"
                    ),
                ),
                (
                    "补上坐标，或在建筑的小区列中写上它的名称",
                    "give it coordinates, or name it in the buildings' compound column",
                ),
            );
            self.findings.push(finding.about(compound.name.as_ref().unwrap_or(&compound.source.0)));
            return;
        };
        self.stand_alone(&compound.source, compound.name.clone(), shape, "compound", f64::from(total));
        if let Some(atom) = self.atoms.last_mut() {
            atom.compound = Some(CompoundId::from_index(row));
        }
    }

    fn differs(&mut self, layer: &str, feature: &str, total: u64, counted: u64) {
        let finding = Finding::new(
            Severity::Warning,
            FindingKind::BadCount,
            layer,
            (
                format!("给定 {total} 户，但其中建筑合计 {counted} 户；以建筑的户数为准"),
                format!(
                    "{total} households are given, but its buildings count {counted}; the buildings' counts stay"
                ),
            ),
            ("改正两者中有误的一个", "correct whichever of the two is wrong"),
        );
        self.findings.push(finding.about(feature));
    }

    /// A count with no building to go to becomes a unit of its own, so that no household is lost.
    fn stand_alone(
        &mut self,
        source: &SourceId,
        name: Option<String>,
        shape: AtomShape,
        what: &str,
        count: f64,
    ) {
        let at = shape.anchor();
        let what_zh = if what == "compound" { "小区" } else { "分区" };
        let mut atom = blank_atom(SourceId(format!("{what}:{source}")), shape);
        atom.name = name;
        atom.households = Households(count.round() as u32);
        atom.households_source =
            if what == "compound" { HouseholdsSource::Compound } else { HouseholdsSource::Zone };
        self.atoms.push(atom);
        self.known.push(Known::default());
        let finding = Finding::new(
            Severity::Warning,
            FindingKind::MissingCount,
            "buildings",
            (
                format!("该{what_zh}内没有建筑，其 {count:.0} 户作为一个单元"),
                format!("no building stands in this {what}; its {count:.0} households stand as one unit"),
            ),
            ("在源数据中补充其中的建筑", "add its buildings to the source"),
        );
        self.findings.push(finding.about(&source.0).at(at));
    }

    /// Population cells and zones: households, or residents turned into households, over the buildings inside.
    fn zones(&mut self, zones: &[DraftZone], request: &ImportRequest) {
        if zones.is_empty() {
            return;
        }
        let residents = whole_counts(zones.iter().map(|zone| zone.residents));
        let mut households = whole_counts(zones.iter().map(|zone| zone.households));
        if zones.iter().all(|zone| zone.households.is_none()) {
            let weights: Vec<f64> = residents.iter().map(|&count| f64::from(count)).collect();
            let total = (weights.iter().sum::<f64>() / request.residents_per_household).round() as u64;
            households = spread(total, &weights);
            let each = request.residents_per_household;
            self.findings.push(Finding::new(
                Severity::Info,
                FindingKind::EstimatedCount,
                "buildings",
                (
                    format!("分区只有人口数：按每户 {each} 人得 {total} 户"),
                    format!("zones count residents only: {total} households at {each} residents each"),
                ),
                (
                    "用 --residents-per-household 给出正确的户均人数，或提供带户数的分区",
                    "give the right average with --residents-per-household, or zones with households",
                ),
            ));
        }
        let members = members_of(zones, self.atoms);
        for (index, zone) in zones.iter().enumerate() {
            let total = u64::from(households[index]);
            let counted = self.counted(&members[index]);
            let targets = self.targets(&members[index]);
            if members[index].is_empty() {
                if 0 < total {
                    let source = SourceId(zone.source.clone());
                    self.stand_alone(&source, None, zone.shape.clone(), "zone", total as f64);
                    if let Some(atom) = self.atoms.last_mut() {
                        atom.residents = Residents(residents[index]);
                    }
                }
            } else if total < counted {
                self.differs("buildings", &zone.source, total, counted);
            } else if !targets.is_empty() {
                self.spread_over(total - counted, &targets, HouseholdsSource::Zone);
                let weights: Vec<f64> = targets.iter().map(|&atom| self.known[atom].floor_area).collect();
                if zone.residents.is_some() {
                    for (&atom, share) in targets.iter().zip(spread(u64::from(residents[index]), &weights)) {
                        self.atoms[atom].residents = Residents(share);
                    }
                }
            }
        }
    }

    /// The given total is that of all communities: over what nothing else counted in them.
    fn total(&mut self, request: &ImportRequest) {
        let Some(total) = request.households_total else { return };
        let planned: Vec<usize> =
            (0..self.atoms.len()).filter(|&index| self.atoms[index].community.is_some()).collect();
        let counted = self.counted(&planned);
        let targets = self.targets(&planned);
        if u64::from(total) < counted || (targets.is_empty() && u64::from(total) != counted) {
            self.differs("buildings", "", u64::from(total), counted);
        } else if !targets.is_empty() {
            let share = u64::from(total) - counted;
            self.spread_over(share, &targets, HouseholdsSource::Zone);
            let n = targets.len();
            self.findings.push(Finding::new(
                Severity::Info,
                FindingKind::EstimatedCount,
                "buildings",
                (
                    format!("{share} 户按建筑面积分摊到 {n} 栋建筑"),
                    format!("{share} households were spread over {n} buildings by floor area"),
                ),
                ("有逐栋户数时请替换", "replace them by counts per building when there are any"),
            ));
        }
    }

    /// The last resort: floor area alone, for buildings whose source has no counts at all.
    fn estimate(&mut self, request: &ImportRequest) {
        let Some(area) = request.floor_area_per_household else { return };
        let is_spread = |atom: &Atom| {
            matches!(atom.households_source, HouseholdsSource::Compound | HouseholdsSource::Zone)
        };
        if self.atoms.iter().any(is_spread) {
            return;
        }
        let lived_in: Vec<usize> = (0..self.atoms.len())
            .filter(|&index| self.atoms[index].usage.is_lived_in())
            .filter(|&index| self.is_open(index) && !self.known[index].counts_expected)
            .collect();
        for &index in &lived_in {
            let households = (self.known[index].floor_area / area).round().clamp(1.0, 1e6) as u32;
            self.set(index, households, HouseholdsSource::FloorArea);
        }
        if !lived_in.is_empty() {
            let (total, n) = (self.counted(&lived_in), lived_in.len());
            self.findings.push(Finding::new(
                Severity::Warning,
                FindingKind::EstimatedCount,
                "buildings",
                (
                    format!("{n} 栋建筑没有户数来源：按每户建筑面积 {area} m² 估算得 {total} 户"),
                    format!(
                        "no source counts the households of {n} buildings: {total} were estimated at {area} m² of floor area each"
                    ),
                ),
                (
                    "提交规划前请提供户数，或用 --households-total 给出真实总户数",
                    "give counts, or the true total with --households-total, before the plan is handed over",
                ),
            ));
        }
    }

    /// Residents that nobody counted, from households, so that the rounded total is right.
    fn fill_residents(&mut self, request: &ImportRequest) {
        let open: Vec<usize> = (0..self.atoms.len())
            .filter(|&index| self.known[index].residents.is_none() && self.atoms[index].residents.0 == 0)
            .filter(|&index| 0 < self.atoms[index].households.0)
            .collect();
        if open.is_empty() {
            return;
        }
        let weights: Vec<f64> = open.iter().map(|&index| f64::from(self.atoms[index].households.0)).collect();
        let households: f64 = weights.iter().sum();
        let total = (households * request.residents_per_household).round() as u64;
        for (&index, share) in open.iter().zip(spread(total, &weights)) {
            self.atoms[index].residents = Residents(share);
        }
        let (n, each) = (open.len(), request.residents_per_household);
        self.findings.push(Finding::new(
            Severity::Info,
            FindingKind::EstimatedCount,
            "buildings",
            (
                format!("{n} 栋建筑没有人口数：按每户 {each} 人计，共 {total} 人"),
                format!("residents of {n} buildings are not counted: {total} taken at {each} a household"),
            ),
            (
                "补充人口列，或用 --residents-per-household 给出正确的户均人数",
                "add a column of residents, or give the right average with --residents-per-household",
            ),
        ));
    }
}

/// An atom of which nothing is known but its shape.
pub(super) fn blank_atom(source: SourceId, shape: AtomShape) -> Atom {
    Atom {
        source,
        name: None,
        shape,
        households: Households(0),
        residents: Residents(0),
        households_source: HouseholdsSource::Missing,
        other_loads: crate::model::OtherLoads::default(),
        community: None,
        compound: None,
        floors: 1,
        usage: crate::model::Use::Residential,
        exclusive: false,
        door: None,
        current_grid: None,
        locked: false,
    }
}

/// Fractional counts as whole ones with the rounded total.
fn whole_counts(counts: impl Iterator<Item = Option<f64>>) -> Vec<u32> {
    let counts: Vec<f64> = counts.map(|count| count.unwrap_or(0.0)).collect();
    let total = counts.iter().sum::<f64>().round() as u64;
    if total == 0 { vec![0; counts.len()] } else { spread(total, &counts) }
}

/// Atoms of each zone: inside its area, or nearest to its centre and not far off.
fn members_of(zones: &[DraftZone], atoms: &[Atom]) -> Vec<Vec<usize>> {
    let mut members = vec![Vec::new(); zones.len()];
    let areas: Vec<(usize, &geo::MultiPolygon<f64>)> = zones
        .iter()
        .enumerate()
        .filter_map(|(index, zone)| match &zone.shape {
            AtomShape::Area(area) => Some((index, area)),
            AtomShape::Point(_) => None,
        })
        .collect();
    let index = super::lookup::AreaIndex::new(areas.iter().map(|(_, area)| *area));
    let centres: Vec<GeomWithData<[f64; 2], usize>> = zones
        .iter()
        .enumerate()
        .filter_map(|(index, zone)| match &zone.shape {
            AtomShape::Point(point) => Some(GeomWithData::new([point.x(), point.y()], index)),
            AtomShape::Area(_) => None,
        })
        .collect();
    let reach = spacing(&centres) * ZONE_REACH;
    let tree = RTree::bulk_load(centres);
    for (row, atom) in atoms.iter().enumerate() {
        let at: Coord<f64> = atom.shape.anchor();
        if let Some(&area) = index.containing(at).first() {
            members[areas[area].0].push(row);
        } else if let Some((centre, distance)) =
            tree.nearest_neighbor_iter_with_distance_2(&[at.x, at.y]).next()
            && distance.sqrt() <= reach
        {
            members[centre.data].push(row);
        }
    }
    debug_assert!(
        areas.iter().all(|(zone, area)| {
            members[*zone].iter().all(|&row| contains(area, atoms[row].shape.anchor()))
        })
    );
    members
}

/// Median distance of centres to their nearest neighbours, in metres.
fn spacing(centres: &[GeomWithData<[f64; 2], usize>]) -> f64 {
    let tree = RTree::bulk_load(centres.to_vec());
    let mut distances: Vec<f64> = centres
        .iter()
        .filter_map(|centre| tree.nearest_neighbor_iter_with_distance_2(centre.geom()).nth(1))
        .map(|(_, distance)| distance.sqrt())
        .collect();
    distances.sort_unstable_by(f64::total_cmp);
    distances.get(distances.len() / 2).copied().unwrap_or(f64::INFINITY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_exactly() {
        assert_eq!(spread(10, &[1.0, 1.0, 1.0]), [4, 3, 3]);
        assert_eq!(spread(7, &[0.0, 0.0]), [4, 3]);
        assert_eq!(spread(5, &[0.0, 2.0, 3.0]), [0, 2, 3]);
        assert_eq!(spread(0, &[1.0, 2.0]), [0, 0]);
        let weights: Vec<f64> = (1..1000).map(|n| f64::from(n).sqrt()).collect();
        for total in [1, 19_000, 123_457] {
            assert_eq!(spread(total, &weights).iter().map(|&n| u64::from(n)).sum::<u64>(), total);
        }
    }
}
