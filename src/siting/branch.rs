//! Branch and bound on sites with Lagrangian bounds; every decision leaves a step of the certificate.
//!
//! At each node the volume algorithm continues from the parent's multipliers. Sites whose reduced cost alone passes
//! the gap are decided at once (reduced-cost fixing); rules, p and rows with few sites left decide others. What
//! remains is branched on where the average choice of the relaxation is most divided.

use std::rc::Rc;

use super::Clock;
use super::bound::{Volume, evaluate};
use super::build::{Core, Fate, MUST};
use super::lp::{Relaxation, Relaxed};
use super::lp_median::MedianRelaxation;
use super::program::{PATIENCE_AT_ROOT, Program};
use super::proof::ceiling;
use super::pseudo::PseudoCosts;
use super::restrict::{restrict, trim};
use super::steps::{Multipliers, Price, Step, middle_price, ranks, units};
use super::swap::{Search, iterate};

/// The proof and the best sites.
pub(crate) struct Tree {
    pub duals: Vec<Multipliers>,
    pub steps: Vec<Step>,
    /// Best sites found below the cutoff, with their value.
    pub best: Option<(i64, Vec<u32>)>,
    /// Whether every node was settled.
    pub complete: bool,
    /// Entries of the table touched.
    pub work: u64,
    /// What the next tree on the same core may begin with.
    pub warm: Option<Warm>,
}

/// What one tree leaves to the next on the same core.
pub(crate) struct Warm {
    root: (Rc<Vec<f64>>, Rc<Vec<f64>>),
    pseudo: PseudoCosts,
    relaxation: Option<Program>,
}

impl Warm {
    fn new(volume: &Volume, relaxation: Option<Program>) -> Self {
        let root = (Rc::new(volume.best.u.clone()), Rc::new(volume.best.price.clone()));
        Self { root, pseudo: PseudoCosts::new(volume.share.len()), relaxation }
    }
}

/// Limits on the tree.
pub(crate) struct Limits {
    /// Entries of the table touched by evaluations.
    pub work: u64,
    /// Sets of multipliers kept.
    pub duals: usize,
    /// Slack for rounding the multipliers to integers.
    pub margin: f64,
}

struct Node {
    fate: Vec<Fate>,
    u: Rc<Vec<f64>>,
    price: Rc<Vec<f64>>,
    dual: usize,
    p_price: Price,
    depth: u32,
    /// The decision that made the node from its parent, and what the relaxation said there.
    born: Option<Born>,
}

#[derive(Clone, Copy)]
struct Born {
    site: usize,
    open: bool,
    share: f64,
    value: f64,
}

/// Where the tree begins.
pub(crate) struct Start<'a, 'c> {
    /// Its best multipliers bound the root.
    pub volume: &'a Volume<'c>,
    /// Only values below this are of interest.
    pub cutoff: i64,
    /// A value this low is good enough: the search ends there.
    pub enough: i64,
    /// The best sites so far.
    pub known: Option<&'a [u32]>,
    /// A longer search for better sites, should the tree grow large.
    pub refine: Option<Refine>,
    /// What an earlier tree learned.
    pub warm: Option<Warm>,
}

/// Rounds of the iterated exchange search once the tree has done so much work.
pub(crate) struct Refine {
    pub after: u64,
    pub rounds: usize,
    pub seed: u64,
}

/// Largest cover form whose linear relaxation is solved at every node: where all rows must be served, and where they
/// may be missed, since there the volume algorithm comes as near in a tenth of the time.
const MOST_ENTRIES: usize = 400_000;
const MOST_ENTRIES_MISSED: usize = 60_000;
/// Where walks count, nodes before the linear relaxation takes over; four times as many where the root left fewer sites
/// free than this.
const PATIENCE: u64 = 30;
const FEW_FREE: usize = 150;
/// A better answer found within so many nodes starts the tree again, at most so often.
const RESTART_WITHIN: u64 = 60;
const MOST_RESTARTS: usize = 5;
/// Nodes of a tree in max cover before trials by HiGHS pay off: most end sooner.
const PROBE_AFTER: u64 = 40;
/// Searches for sites with a value below the cutoff, starting from the volume's multipliers.
pub(crate) fn branch(core: &Core, start: Start, limits: &Limits, clock: &Clock) -> Tree {
    let Start { volume, cutoff, enough, known, mut refine, warm } = start;
    let warm = warm.unwrap_or_else(|| Warm::new(volume, None));
    let mut explorer = Explorer {
        core,
        limits,
        cutoff,
        work: 0,
        base: trim(core, &warm.root.0),
        root: warm.root,
        search: Search::new(core),
        relaxation: warm.relaxation,
        pseudo: warm.pseudo,
        tree: Tree { duals: Vec::new(), steps: Vec::new(), best: None, complete: true, work: 0, warm: None },
        visits: 0,
        n_dense: 0,
    };
    let mut stack = vec![explorer.start()];
    let (mut aim, mut restarts) = (cutoff, 0);
    while let Some(node) = stack.pop() {
        let full = limits.work <= explorer.work || limits.duals <= explorer.n_dense;
        if full || explorer.cutoff <= enough || clock.is_over() {
            explorer.tree.complete = false;
            explorer.tree.steps.push(Step::Leaf { dual: node.dual, p_price: node.p_price });
            continue;
        }
        if explorer.cutoff < aim && explorer.visits <= RESTART_WITHIN && restarts < MOST_RESTARTS {
            // A better answer decides more at the root than all the nodes so far.
            aim = explorer.cutoff;
            restarts += 1;
            stack = vec![explorer.restart()];
            continue;
        }
        if refine.as_ref().is_some_and(|refine| refine.after <= explorer.work)
            && let Some(refine) = refine.take()
        {
            explorer.refine(known, &refine, clock);
        }
        explorer.visit(node, &mut stack, clock);
    }
    explorer.tree.work = explorer.work;
    // The relaxation knows no sites that this tree's cutoff closed: the next one makes its own.
    explorer.tree.warm = Some(Warm { root: explorer.root, pseudo: explorer.pseudo, relaxation: None });
    explorer.tree
}

/// Puts the optimum of the linear relaxation in place of the volume's multipliers, and leaves the relaxation to the
/// tree; `None` where the core is too large or HiGHS finds no optimum.
pub(crate) fn warm_up<'c>(core: &'c Core, volume: &mut Volume<'c>, clock: &Clock) -> Option<Warm> {
    if most_entries(core) < core.row_site.len() {
        return None;
    }
    let mut program = Program::of_cover(core, &volume.best.u, ceiling(core) as f64);
    let found = program.solve(core, &core.fate, f64::INFINITY, clock)?;
    take_over(core, &core.fate, volume, found);
    Some(Warm::new(volume, Some(program)))
}

/// The relaxation's multipliers in the volume, unless its own prove more; the choice is the relaxation's all the same.
fn take_over<'c>(core: &'c Core, fate: &[Fate], volume: &mut Volume<'c>, found: Relaxed) {
    let mut exact = Volume::new(core, fate, Some((found.u, found.price)));
    if exact.best.value < volume.best.value {
        volume.share = found.share;
    } else {
        exact.share = found.share;
        *volume = exact;
    }
}

fn most_entries(core: &Core) -> usize {
    if core.miss.contains(&MUST) { MOST_ENTRIES } else { MOST_ENTRIES_MISSED }
}

struct Explorer<'c> {
    core: &'c Core,
    limits: &'c Limits,
    cutoff: i64,
    work: u64,
    /// The core without what the root decided.
    base: Core,
    /// The best multipliers of the root.
    root: (Rc<Vec<f64>>, Rc<Vec<f64>>),
    search: Search<'c>,
    /// Exact multipliers at every node, in cover forms that are not too large.
    relaxation: Option<Program>,
    pseudo: PseudoCosts,
    tree: Tree,
    visits: u64,
    /// Multipliers kept that fill a whole array.
    n_dense: usize,
}

/// What simple reasoning on rules, p and rows says.
enum Deduced {
    Nothing,
    Fixed,
    Contradiction,
}

impl Explorer<'_> {
    /// The root node.
    fn start(&mut self) -> Node {
        let (u, price) = self.root.clone();
        let mut reduced = vec![0.0; self.core.n_sites];
        evaluate(self.core, &self.core.fate, &u, &price, &mut reduced);
        let fate = self.core.fate.clone();
        let dual = self.keep(&u, &price);
        let p_price = middle_price(self.core, &fate, &reduced);
        Node { fate, u, price, dual, p_price, depth: 0, born: None }
    }

    /// Forgets the tree, but neither the best answer nor the root's multipliers.
    fn restart(&mut self) -> Node {
        self.tree.duals.clear();
        self.tree.steps.clear();
        self.n_dense = 0;
        self.visits = 0;
        if matches!(self.relaxation, Some(Program::Median(_))) {
            // Its rows were cut where the old root's multipliers end.
            self.relaxation = None;
        }
        self.base = trim(self.core, &self.root.0);
        self.start()
    }

    fn keep(&mut self, u: &Rc<Vec<f64>>, price: &Rc<Vec<f64>>) -> usize {
        let fresh = Multipliers { u: u.clone(), price: price.clone(), spike: None, rule_spike: None };
        self.tree.duals.push(fresh);
        self.n_dense += 1;
        self.tree.duals.len() - 1
    }

    /// The value that closes a node.
    fn goal(&self) -> f64 {
        self.cutoff as f64 - 1.0 + self.limits.margin
    }

    fn visit(&mut self, mut node: Node, stack: &mut Vec<Node>, clock: &Clock) {
        self.visits += 1;
        // The root's multipliers are good already: fix with them before the table is read again and again.
        let mut fix_first = node.depth == 0;
        loop {
            match self.deduce(&mut node.fate) {
                Deduced::Contradiction => return,
                Deduced::Fixed => continue,
                Deduced::Nothing => {}
            }
            if !node.fate.contains(&Fate::Free) {
                self.settle(&node.fate);
                return;
            }
            let small = restrict(&self.base, &node.fate);
            if node.depth == 0 {
                self.base = small.clone();
            }
            let start = Some((node.u.to_vec(), node.price.to_vec()));
            let mut volume = Volume::new(&small, &node.fate, start);
            self.start_relaxation(!fix_first, &volume);

            let by_program = self.solve_relaxation(&small, &node.fate, &mut volume, clock);
            if let (true, Some(born)) = (by_program, node.born.take()) {
                self.pseudo.learn(born.site, born.open, born.share, volume.best.value - born.value);
            }
            if std::mem::take(&mut fix_first) {
                node.u = Rc::new(volume.best.u.clone());
                node.price = Rc::new(volume.best.price.clone());
                self.fix_by_reduced_cost(&mut node, &volume);
                continue;
            }
            let steps = if by_program {
                0
            } else if node.depth == 0 {
                200
            } else {
                120
            };
            let before = volume.best.value;
            for step in 0..steps {
                let goal = self.goal();
                let hopeless = step == 20 && node.depth > 0 && {
                    let gained = volume.best.value - before;
                    gained * 3.0 < goal - volume.best.value
                };
                if goal < volume.best.value || volume.is_exhausted() || hopeless || clock.is_over() {
                    break;
                }
                volume.step(&node.fate, self.cutoff as f64);
                self.work += small.row_site.len() as u64 + small.n_sites as u64 + small.n_rows() as u64;
            }
            self.work += self.base.row_site.len() as u64;
            node.u = Rc::new(volume.best.u.clone());
            node.price = Rc::new(volume.best.price.clone());
            if self.goal() < volume.best.value {
                node.dual = self.keep(&node.u, &node.price);
                let p_price = middle_price(self.core, &node.fate, &volume.best.reduced);
                self.tree.steps.push(Step::Leaf { dual: node.dual, p_price });
                return;
            }
            if node.depth == 0 {
                self.root = (node.u.clone(), node.price.clone());
            }
            if by_program {
                self.round(&volume, clock);
            } else if self.visits < 8 || self.visits.is_multiple_of(if self.visits < 256 { 16 } else { 64 }) {
                self.try_choice(&volume, &node.fate, clock);
            }
            if self.fix_by_reduced_cost(&mut node, &volume) {
                continue;
            }
            self.split(node, &volume, stack, clock);
            return;
        }
    }

    /// Sets the linear relaxation up when its time has come: in cover forms at the root, once the multipliers at hand
    /// have decided what they can; where walks count, only in a tree that does not end at once.
    fn start_relaxation(&mut self, fixed: bool, volume: &Volume) {
        if self.relaxation.is_some() {
            return;
        }
        let dear = self.cutoff.saturating_add(1);
        if !self.core.row_cost.is_empty() {
            let n_free = self.base.fate.iter().filter(|&&fate| fate == Fate::Free).count();
            if self.visits == if n_free < FEW_FREE { 4 * PATIENCE } else { PATIENCE } {
                let program = MedianRelaxation::new(&self.base, &volume.best.u, dear);
                self.relaxation = program.map(Program::Median);
            }
        } else if self.visits == 1 && fixed && self.base.row_site.len() <= most_entries(self.core) {
            self.relaxation = Some(Program::of_cover(&self.base, &volume.best.u, self.goal().abs() + 1.0));
        }
    }

    /// Puts the optimum of the linear relaxation in place of the volume's multipliers, if it is at hand.
    fn solve_relaxation<'s>(
        &mut self,
        small: &'s Core,
        fate: &[Fate],
        volume: &mut Volume<'s>,
        clock: &Clock,
    ) -> bool {
        let enough = self.goal() + if self.core.row_cost.is_empty() { 0.0 } else { 0.5 };
        let base = &self.base;
        let solve = |program: &mut Program| program.solve(base, fate, enough, clock);
        let mut found = self.relaxation.as_mut().and_then(solve);
        if let (None, Some(Program::Simplex(_))) = (&found, &self.relaxation) {
            self.relaxation = Some(Program::Cover(Relaxation::new(base, &volume.best.u, enough.abs() + 1.0)));
            found = self.relaxation.as_mut().and_then(solve);
        }
        let Some(found) = found else {
            self.relaxation = None;
            return false;
        };
        self.work += found.work;
        take_over(small, fate, volume, found);
        true
    }

    /// The sites that the linear relaxation opens for the greater part, completed and improved.
    fn round(&mut self, volume: &Volume, clock: &Clock) {
        let sites = volume.likeliest().unwrap_or_else(|| {
            let sites = 0..self.core.n_sites as u32;
            sites.filter(|&site| 0.5 <= volume.share[site as usize]).collect()
        });
        self.search.become_sites(&sites);
        if self.search.keeps_rules() {
            self.search.descend(clock);
        }
        self.offer();
    }

    /// Sets of sites suggested by the relaxation, improved by exchanges.
    fn try_choice(&mut self, volume: &Volume, fate: &[Fate], clock: &Clock) {
        let mut reduced = vec![0.0; self.core.n_sites];
        let relaxed = evaluate(self.core, fate, &volume.best.u, &volume.best.price, &mut reduced);
        self.search.become_sites(&relaxed.chosen);
        if self.search.keeps_rules() {
            self.search.descend(clock);
        }
        self.offer();
    }

    /// Looks longer for better sites, starting from the best known.
    fn refine(&mut self, known: Option<&[u32]>, refine: &Refine, clock: &Clock) {
        let best = self.tree.best.as_ref().map(|best| best.1.clone()).or(known.map(<[u32]>::to_vec));
        if let Some(sites) = best {
            self.search.become_sites(&sites);
            iterate(&mut self.search, refine.rounds, refine.seed, clock);
            self.offer();
        }
    }

    /// Takes the search's sites as the best if they are.
    fn offer(&mut self) {
        if self.search.value < self.cutoff && self.search.is_feasible() {
            self.cutoff = self.search.value;
            self.tree.best = Some((self.search.value, self.search.sites()));
        }
    }

    /// Everything is decided: the sites are an answer, and multipliers that prove its value are read off it.
    fn settle(&mut self, fate: &[Fate]) {
        let sites: Vec<u32> =
            (0..fate.len() as u32).filter(|&site| fate[site as usize] == Fate::Open).collect();
        self.search.become_sites(&sites);
        self.offer();
        let core = self.core;
        let times = core.times;
        let mut u = vec![0.0; core.n_rows()];
        for (row, u) in u.iter_mut().enumerate() {
            let mut open = core.row(row).filter(|&entry| fate[core.row_site[entry] as usize] == Fate::Open);
            *u = match open.nth(times - 1) {
                Some(entry) => core.weight[row] as f64 * f64::from(core.row_cost_at(entry)),
                None if core.miss[row] == MUST => self.cutoff as f64 + 1.0,
                None => core.miss[row] as f64 / times as f64,
            };
        }
        let dual = self.keep(&Rc::new(u), &Rc::new(vec![0.0; self.core.rules.len()]));
        self.tree.steps.push(Step::Leaf { dual, p_price: Price::Units(0) });
    }

    /// Fixes what rules, p and scarce rows force, each with its step.
    fn deduce(&mut self, fate: &mut [Fate]) -> Deduced {
        let core = self.core;
        for (index, rule) in core.rules.iter().enumerate() {
            let open = |site: u32| fate[site as usize] == Fate::Open;
            let free = |site: u32| fate[site as usize] == Fate::Free;
            let part = |&(site, coefficient): &(u32, i64)| {
                if open(site) || (free(site) && coefficient < 0) { coefficient } else { 0 }
            };
            let least: i64 = rule.terms.iter().map(part).sum();
            let spike = Multipliers { rule_spike: Some(index as u32), ..Multipliers::default() };
            if rule.limit < least {
                return self.contradict(spike, Price::Units(0));
            }
            let forced = rule.terms.iter().filter(|term| free(term.0) && rule.limit < least + term.1.abs());
            let forced: Vec<(u32, bool)> =
                forced.map(|&(site, coefficient)| (site, coefficient < 0)).collect();
            if !forced.is_empty() {
                return self.force(fate, spike, Price::Units(0), forced);
            }
        }
        if let Some(p) = core.p {
            let n_open = fate.iter().filter(|&&fate| fate == Fate::Open).count();
            if p < n_open {
                return self.contradict(Multipliers::default(), Price::Spike);
            }
            if p == n_open && fate.contains(&Fate::Free) {
                let free = (0..core.n_sites as u32).filter(|&site| fate[site as usize] == Fate::Free);
                let forced = free.map(|site| (site, false)).collect();
                return self.force(fate, Multipliers::default(), Price::Spike, forced);
            }
        }
        let n_closed = fate.iter().filter(|&&fate| fate == Fate::Closed).count();
        // Rows longer than that have sites enough.
        let scarce = |&row: &usize| core.miss[row] == MUST && core.row(row).len() <= n_closed + core.times;
        for row in (0..core.n_rows()).filter(scarce) {
            let sites = core.row(row).map(|entry| core.row_site[entry]);
            // Most rows have plenty of sites; look only until that is clear.
            let mut alive = sites.filter(|&site| fate[site as usize] != Fate::Closed);
            let first: Vec<u32> = alive.by_ref().take(core.times + 1).collect();
            let spike = Multipliers { spike: Some(row as u32), ..Multipliers::default() };
            if first.len() < core.times {
                return self.contradict(spike, Price::Units(0));
            }
            if first.len() == core.times {
                let free = first.into_iter().filter(|&site| fate[site as usize] == Fate::Free);
                let forced: Vec<(u32, bool)> = free.map(|site| (site, true)).collect();
                if !forced.is_empty() {
                    return self.force(fate, spike, Price::Units(0), forced);
                }
            }
        }
        Deduced::Nothing
    }

    fn contradict(&mut self, dual: Multipliers, p_price: Price) -> Deduced {
        self.tree.duals.push(dual);
        self.tree.steps.push(Step::Leaf { dual: self.tree.duals.len() - 1, p_price });
        Deduced::Contradiction
    }

    fn force(
        &mut self,
        fate: &mut [Fate],
        dual: Multipliers,
        p_price: Price,
        sites: Vec<(u32, bool)>,
    ) -> Deduced {
        for &(site, open) in &sites {
            fate[site as usize] = if open { Fate::Open } else { Fate::Closed };
        }
        self.tree.duals.push(dual);
        self.tree.steps.push(Step::Fix { dual: self.tree.duals.len() - 1, p_price, sites });
        Deduced::Fixed
    }

    /// Decides free sites whose change alone lifts the bound to the cutoff. True if enough changed to look again.
    fn fix_by_reduced_cost(&mut self, node: &mut Node, volume: &Volume) -> bool {
        let n_free = node.fate.iter().filter(|&&fate| fate == Fate::Free).count();
        let (free, room) = ranks(self.core, &node.fate, &volume.best.reduced);
        node.dual = self.keep(&node.u, &node.price);
        node.p_price = units(-free.get(room).map_or(0.0, |&next| next.min(0.0)));
        let n_fixed = self.fix_with(&mut node.fate, node.dual, &volume.best.reduced, volume.best.value);
        n_fixed * 5 > n_free || n_fixed == n_free
    }

    /// The same with any multipliers, given by their place, reduced costs and value here. How many sites it decided.
    fn fix_with(&mut self, fate: &mut [Fate], dual: usize, reduced: &[f64], value: f64) -> usize {
        let (free, room) = ranks(self.core, fate, reduced);
        let missing = self.goal() - value;
        // With the price of the last site that fits, opening another costs its distance to that price.
        let last =
            if room == 0 { f64::NEG_INFINITY } else { free.get(room - 1).map_or(0.0, |&last| last.min(0.0)) };
        let next = free.get(room).map_or(0.0, |&next| next.min(0.0));
        let (mut closed, mut opened) = (Vec::new(), Vec::new());
        for (site, &reduced) in reduced.iter().enumerate().filter(|&(site, _)| fate[site] == Fate::Free) {
            if last.is_finite() && missing < reduced - last {
                closed.push((site as u32, false));
            } else if missing < next - reduced {
                opened.push((site as u32, true));
            }
        }
        let n_fixed = closed.len() + opened.len();
        for (sites, price) in [(closed, last), (opened, next)] {
            if !sites.is_empty() {
                for &(site, open) in &sites {
                    fate[site as usize] = if open { Fate::Open } else { Fate::Closed };
                }
                self.tree.steps.push(Step::Fix { dual, p_price: units(-price), sites });
            }
        }
        n_fixed
    }

    /// Branches on the site that promises most where the relaxation can be asked, else on the one that it is most
    /// divided about.
    fn split(&mut self, node: Node, volume: &Volume, stack: &mut Vec<Node>, clock: &Clock) {
        let site = self.promising(&node, volume, clock).unwrap_or_else(|| {
            let free = (0..self.core.n_sites).filter(|&site| node.fate[site] == Fate::Free);
            let divided = |site: usize| 0.5 - (volume.share[site] - 0.5).abs();
            free.max_by(|&one, &other| divided(one).total_cmp(&divided(other)).then(other.cmp(&one)))
                .expect("a node without free sites is settled before")
        });
        let share = volume.share[site];
        let first = 0.5 <= share;
        self.tree.steps.push(Step::Branch { site: site as u32, first });
        for open in [!first, first] {
            let mut fate = node.fate.clone();
            fate[site] = if open { Fate::Open } else { Fate::Closed };
            stack.push(Node {
                fate,
                u: node.u.clone(),
                price: node.price.clone(),
                dual: node.dual,
                p_price: node.p_price,
                depth: node.depth + 1,
                born: Some(Born { site, open, share, value: volume.best.value }),
            });
        }
    }

    fn promising(&mut self, node: &Node, volume: &Volume, clock: &Clock) -> Option<usize> {
        let program = self.relaxation.as_mut().filter(|program| !matches!(program, Program::Median(_)))?;
        let is_dear = matches!(program, Program::Cover(_)) && self.core.miss.first() != Some(&MUST);
        if is_dear && self.visits < PROBE_AFTER {
            return None;
        }
        let patience = if node.depth == 0 { PATIENCE_AT_ROOT } else { program.patience() };
        let missing = self.cutoff as f64 - 1.0 + self.limits.margin - volume.best.value;
        let work = &mut self.work;
        let probe = |site: usize, open: bool| {
            let (gain, steps) = program.probe(site, open, clock)?;
            *work += steps;
            Some(gain)
        };
        let may = |site: usize| node.fate[site] == Fate::Free;
        self.pseudo.choose(&volume.share, may, missing, patience, probe)
    }
}
