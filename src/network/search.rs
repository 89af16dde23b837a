//! Bounded shortest walks on the core, with a bucket queue on whole costs.

use rayon::prelude::*;

use super::contract::{Core, NONE};

/// What a search writes at a junction: a cost, perhaps with the station it leads to. The order decides
/// ties, so the answer does not depend on the order of the search.
pub(super) trait Label: Copy + Ord {
    /// Above every label that a search can give.
    const UNREACHED: Self;
    fn cost(self) -> u32;
    /// The same station, `cost` farther away. The caller has checked that the sum stays below [`NONE`].
    fn farther(self, cost: u32) -> Self;
}

impl Label for u32 {
    const UNREACHED: Self = NONE;
    fn cost(self) -> u32 {
        self
    }
    fn farther(self, cost: u32) -> Self {
        self + cost
    }
}

/// A cost and the index of a station: of two stations at the same cost the lower index wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Owned(u64);

impl Owned {
    pub fn new(cost: u32, station: u32) -> Self {
        Self(u64::from(cost) << 32 | u64::from(station))
    }

    pub fn station(self) -> u32 {
        self.0 as u32
    }

    /// [`Label::farther`], or unreached if the sum leaves the range.
    pub fn farther_or_unreached(self, cost: u32) -> Self {
        match self.cost().checked_add(cost) {
            Some(sum) if sum != NONE => Self::new(sum, self.station()),
            _ => Self::UNREACHED,
        }
    }
}

impl Label for Owned {
    const UNREACHED: Self = Self(u64::MAX);
    fn cost(self) -> u32 {
        (self.0 >> 32) as u32
    }
    fn farther(self, cost: u32) -> Self {
        Self(self.0 + (u64::from(cost) << 32))
    }
}

/// Scratch of one search, reused from one to the next.
pub(super) struct Search<L> {
    label: Vec<L>,
    reached: Vec<u32>,
    queue: Buckets,
}

impl<L: Label> Search<L> {
    pub fn new(core: &Core, width: BucketWidth) -> Self {
        Self {
            label: vec![L::UNREACHED; core.n_junctions()],
            reached: Vec::new(),
            queue: Buckets::new(width),
        }
    }

    pub fn label(&self, junction: u32) -> L {
        self.label[junction as usize]
    }

    /// [`Label::UNREACHED`] for [`NONE`], the missing second junction of a dead end.
    pub fn label_or_unreached(&self, junction: u32) -> L {
        self.label.get(junction as usize).copied().unwrap_or(L::UNREACHED)
    }

    /// Junctions with a label, in no order that means anything.
    pub fn reached(&self) -> &[u32] {
        &self.reached
    }

    /// Forgets the last search. O(junctions it reached).
    pub fn clear(&mut self) {
        for &junction in &self.reached {
            self.label[junction as usize] = L::UNREACHED;
        }
        self.reached.clear();
    }

    /// A start of the search; keeps the lesser of two labels.
    pub fn seed(&mut self, junction: u32, label: L, limit: u32) {
        if label.cost() <= limit {
            self.improve(junction, label);
        }
    }

    /// [`Search::seed`] for the end of a chain, which may be missing.
    pub fn seed_end(&mut self, junction: u32, label: L, limit: u32) {
        if junction != NONE && label != L::UNREACHED {
            self.seed(junction, label, limit);
        }
    }

    fn improve(&mut self, junction: u32, label: L) {
        let known = &mut self.label[junction as usize];
        if label < *known {
            if *known == L::UNREACHED {
                self.reached.push(junction);
            }
            *known = label;
            self.queue.push(label.cost(), junction);
        }
    }

    /// Spreads from the seeds to all junctions within `limit` (inclusive, below [`NONE`]).
    ///
    /// Costs inside one bucket may be corrected; a bucket is left when nothing in it changes any more, so
    /// every label is exact.
    pub fn run(&mut self, core: &Core, limit: u32) {
        let mut batch = Vec::new();
        while self.queue.next_batch(&mut batch) {
            for &(cost, junction) in &batch {
                let label = self.label[junction as usize];
                if label.cost() != cost {
                    continue;
                }
                let rest = limit - cost;
                for arc in core.arcs(junction) {
                    if arc.cost <= rest {
                        self.improve(arc.node, label.farther(arc.cost));
                    }
                }
            }
        }
    }
}

/// Labels of all junctions from all `seeds` at once: the least of what their walks bring.
///
/// A search from many stations has fronts all over the city, so its memory is cold wherever it looks.
/// Therefore the junctions are taken in blocks along the curve that fit in the cache. Each round lets every
/// block with news search to its end and hands what crosses a border to the neighbour; it ends when no
/// block has news. Labels only fall, and the least ones do not depend on the order, so the answer is exact
/// and the same on any number of threads.
pub(super) fn spread(core: &Core, width: BucketWidth, seeds: &[(u32, Owned)], limit: u32) -> Vec<Owned> {
    let n = core.n_junctions();
    let mut labels = vec![Owned::UNREACHED; n];
    let mut news: Vec<Vec<(Owned, u32)>> = vec![Vec::new(); n.div_ceil(BLOCK)];
    for &(junction, label) in seeds.iter().filter(|(_, label)| label.cost() <= limit) {
        news[junction as usize / BLOCK].push((label, junction));
    }
    while news.iter().any(|news| !news.is_empty()) {
        let exports: Vec<Vec<(Owned, u32)>> = labels
            .par_chunks_mut(BLOCK)
            .zip(news.par_iter_mut())
            .enumerate()
            .filter(|(_, (_, news))| !news.is_empty())
            .map_init(
                || Buckets::new(width),
                |queue, (block, (labels, news))| {
                    let block = Block { first: (block * BLOCK) as u32, labels, queue, exports: Vec::new() };
                    block.spread(core, news, limit)
                },
            )
            .collect();
        for (label, junction) in exports.into_iter().flatten() {
            news[junction as usize / BLOCK].push((label, junction));
        }
    }
    labels
}

/// Junctions of a block: with their labels and arcs they fit in half a megabyte.
const BLOCK: usize = 1 << 13;

/// A block of junctions while it is searched.
struct Block<'a> {
    first: u32,
    labels: &'a mut [Owned],
    queue: &'a mut Buckets,
    exports: Vec<(Owned, u32)>,
}

impl Block<'_> {
    /// Takes the news in, searches until nothing changes, and returns what crosses the border.
    fn spread(mut self, core: &Core, news: &mut Vec<(Owned, u32)>, limit: u32) -> Vec<(Owned, u32)> {
        // The search jumps about in the arcs of the block. Read them in a row first: memory delivers a row
        // many times faster than single places.
        let last = self.first + self.labels.len() as u32;
        std::hint::black_box(
            core.arcs_of(self.first..last).iter().step_by(8).fold(0, |sum, arc| sum ^ arc.cost),
        );
        for (label, junction) in news.drain(..) {
            self.improve(junction, label);
        }
        let mut batch = Vec::new();
        while self.queue.next_batch(&mut batch) {
            for &(cost, junction) in &batch {
                let label = self.labels[(junction - self.first) as usize];
                if label.cost() != cost {
                    continue;
                }
                let rest = limit - cost;
                for arc in core.arcs(junction) {
                    if arc.cost <= rest {
                        self.improve(arc.node, label.farther(arc.cost));
                    }
                }
            }
        }
        self.exports
    }

    fn improve(&mut self, junction: u32, label: Owned) {
        match self.labels.get_mut(junction.wrapping_sub(self.first) as usize) {
            None => self.exports.push((label, junction)),
            Some(known) if label < *known => {
                *known = label;
                self.queue.push(label.cost(), junction);
            }
            Some(_) => {}
        }
    }
}

/// How costs are sorted into buckets: `cost >> shift`, with `slots` buckets open at a time.
#[derive(Clone, Copy, Debug)]
pub(super) struct BucketWidth {
    shift: u32,
    slots: usize,
}

impl BucketWidth {
    /// Buckets about as wide as a short arc, so that few labels are corrected and few buckets are empty;
    /// enough of them for nearly all arcs, the rest waits aside.
    pub fn for_core(core: &Core) -> Self {
        let arcs = core.all_arcs();
        let mut sample: Vec<u32> = arcs.iter().step_by(1 + arcs.len() / 4096).map(|arc| arc.cost).collect();
        sample.sort_unstable();
        let at = |share: usize| sample.get(sample.len() * share / 100).copied().unwrap_or(1);
        let shift = at(30).max(1).ilog2();
        let slots = (at(99) >> shift).saturating_add(2).next_power_of_two().clamp(16, 1024);
        Self { shift, slots: slots as usize }
    }
}

/// A monotone queue: what is pushed never lies before the bucket that is being emptied.
struct Buckets {
    width: BucketWidth,
    slots: Vec<Vec<(u32, u32)>>,
    /// Entries beyond the open buckets.
    later: Vec<(u32, u32)>,
    /// Lowest bucket in `later`.
    later_from: u32,
    current: u32,
    in_slots: usize,
}

impl Buckets {
    fn new(width: BucketWidth) -> Self {
        Self {
            width,
            slots: (0..width.slots).map(|_| Vec::new()).collect(),
            later: Vec::new(),
            later_from: u32::MAX,
            current: 0,
            in_slots: 0,
        }
    }

    fn push(&mut self, cost: u32, junction: u32) {
        let bucket = cost >> self.width.shift;
        if ((bucket - self.current) as usize) < self.width.slots {
            self.slots[bucket as usize & (self.width.slots - 1)].push((cost, junction));
            self.in_slots += 1;
        } else {
            self.later.push((cost, junction));
            self.later_from = self.later_from.min(bucket);
        }
    }

    /// Takes everything that now lies in the lowest bucket; false when the queue is empty, which also
    /// makes it ready for the next search.
    fn next_batch(&mut self, batch: &mut Vec<(u32, u32)>) -> bool {
        batch.clear();
        loop {
            if self.in_slots == 0 {
                if self.later.is_empty() {
                    self.current = 0;
                    return false;
                }
                self.current = self.later_from;
            }
            if self.later_from <= self.current {
                self.open_later();
            }
            let slot = &mut self.slots[self.current as usize & (self.width.slots - 1)];
            if !slot.is_empty() {
                std::mem::swap(slot, batch);
                self.in_slots -= batch.len();
                return true;
            }
            self.current += 1;
        }
    }

    fn open_later(&mut self) {
        let waiting = std::mem::take(&mut self.later);
        self.later_from = u32::MAX;
        for (cost, junction) in waiting {
            self.push(cost, junction);
        }
    }
}
