//! Noding: segments cut at every place where they meet, until none meets another except at shared vertices.

use rustc_hash::FxHashMap;

use super::exact::{Meeting, Pt, length, meeting, snap_units};

/// Distinct points and their numbers.
#[derive(Debug, Default)]
pub(super) struct Vertices {
    pub points: Vec<Pt>,
    index: FxHashMap<Pt, u32>,
}

impl Vertices {
    pub fn id(&mut self, p: Pt) -> u32 {
        *self.index.entry(p).or_insert_with(|| {
            self.points.push(p);
            (self.points.len() - 1) as u32
        })
    }
}

/// An undirected edge `a < b` laid by one source. Sources are the caller's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Laid {
    pub a: u32,
    pub b: u32,
    pub source: u32,
}

/// Segments on their way to being noded.
#[derive(Debug, Default)]
pub(super) struct Noder {
    pub vertices: Vertices,
    laid: Vec<Laid>,
}

/// Edges that meet only at vertices, each once, with its sources.
#[derive(Debug)]
pub(super) struct Noded {
    pub points: Vec<Pt>,
    /// Sorted, `a < b`, distinct.
    pub edges: Vec<[u32; 2]>,
    /// `sources[source_start[e]..source_start[e + 1]]` laid edge `e`; one that laid it twice stands twice.
    source_start: Vec<u32>,
    sources: Vec<u32>,
}

impl Noded {
    pub fn sources(&self, edge: usize) -> &[u32] {
        &self.sources[self.source_start[edge] as usize..self.source_start[edge + 1] as usize]
    }
}

/// Rounds after which noding gives up; real and random scenes need two to five.
const MAX_ROUNDS: usize = 60;
/// No edge is cut into more pieces than this; only a stray vertex far away makes one that long.
const MAX_PIECES: f64 = 4096.0;

impl Noder {
    /// Lays a segment; one without length is ignored.
    pub fn lay(&mut self, p: Pt, q: Pt, source: u32) {
        let (p, q) = (self.vertices.id(p), self.vertices.id(q));
        self.lay_ids(p, q, source);
    }

    fn lay_ids(&mut self, p: u32, q: u32, source: u32) {
        if p != q {
            self.laid.push(Laid { a: p.min(q), b: p.max(q), source });
        }
    }

    /// Cuts all segments where they meet, then into pieces no longer than `longest(source)` units, and again where those meet.
    ///
    /// Returns `None` if the cuts do not come to an end, which no input is known to cause.
    pub fn node(mut self, longest: impl Fn(u32) -> f64) -> Option<Noded> {
        let all = self.cut_until_clean(None)?;
        let long_ones = self.densify(&all, longest);
        if !long_ones.is_empty() {
            return self.cut_until_clean(Some(long_ones)).map(|edges| self.finish(edges));
        }
        Some(self.finish(all))
    }

    /// Cuts until nothing meets. `fresh` marks the vertices whose edges are new; `None` means all are.
    fn cut_until_clean(&mut self, fresh: Option<Vec<bool>>) -> Option<Grouped> {
        let mut fresh = fresh;
        for _ in 0..MAX_ROUNDS {
            let edges = Grouped::new(&mut self.laid);
            let dirty: Vec<bool> = match &fresh {
                None => vec![true; edges.ends.len()],
                Some(is_new) => {
                    edges.ends.iter().map(|&[a, b]| is_new[a as usize] || is_new[b as usize]).collect()
                }
            };
            let cuts = find_cuts(&edges.ends, &dirty, &mut self.vertices);
            if cuts.is_empty() {
                return Some(edges);
            }
            fresh = Some(self.apply(&edges, &cuts));
        }
        None
    }

    /// Replaces cut edges by their pieces; marks the vertices at which cuts were made.
    fn apply(&mut self, edges: &Grouped, cuts: &[(u32, u32)]) -> Vec<bool> {
        let mut touched = vec![false; self.vertices.points.len()];
        let mut next = Vec::with_capacity(self.laid.len() + 2 * cuts.len());
        let mut at = 0;
        for (edge, &[a, b]) in edges.ends.iter().enumerate() {
            let first = at;
            while at < cuts.len() && cuts[at].0 as usize == edge {
                at += 1;
            }
            let group = &self.laid[edges.start[edge] as usize..edges.start[edge + 1] as usize];
            if first == at {
                next.extend_from_slice(group);
                continue;
            }
            let path = self.path(a, b, &cuts[first..at]);
            for &v in &path {
                touched[v as usize] = true;
            }
            for laid in group {
                for pair in path.windows(2) {
                    next.push(Laid { a: pair[0].min(pair[1]), b: pair[0].max(pair[1]), source: laid.source });
                }
            }
        }
        self.laid = next;
        touched
    }

    /// The vertices of `a`–`b` with its cuts, in order along it.
    fn path(&self, a: u32, b: u32, cuts: &[(u32, u32)]) -> Vec<u32> {
        let origin = self.vertices.points[a as usize];
        let mut path: Vec<u32> = cuts.iter().map(|&(_, v)| v).filter(|&v| v != a && v != b).collect();
        path.sort_by(|&u, &v| {
            let (p, q) = (self.vertices.points[u as usize], self.vertices.points[v as usize]);
            length(origin, p).total_cmp(&length(origin, q)).then(p.cmp(&q))
        });
        path.dedup();
        path.insert(0, a);
        path.push(b);
        path
    }

    /// Cuts edges that are too long into equal pieces, always from the lesser end so that neighbours agree.
    ///
    /// Returns the marks of the new vertices, or nothing if no edge was too long.
    fn densify(&mut self, edges: &Grouped, longest: impl Fn(u32) -> f64) -> Vec<bool> {
        let before = self.vertices.points.len();
        let mut next = Vec::with_capacity(self.laid.len() * 2);
        for (edge, &[a, b]) in edges.ends.iter().enumerate() {
            let group = &self.laid[edges.start[edge] as usize..edges.start[edge + 1] as usize];
            let step = group.iter().map(|laid| longest(laid.source)).fold(f64::INFINITY, f64::min);
            let (p, q) = (self.vertices.points[a as usize], self.vertices.points[b as usize]);
            let n_pieces = (length(p, q) / step).ceil();
            if n_pieces <= 1.0 {
                next.extend_from_slice(group);
                continue;
            }
            let (low, high) = if p <= q { (p, q) } else { (q, p) };
            let n_pieces = n_pieces.min(MAX_PIECES) as i64;
            let mut path = vec![if p <= q { a } else { b }];
            for k in 1..n_pieces {
                let t = k as f64 / n_pieces as f64;
                let moved = snap_units((high[0] - low[0]) as f64 * t, (high[1] - low[1]) as f64 * t);
                path.push(self.vertices.id([low[0] + moved[0], low[1] + moved[1]]));
            }
            path.push(if p <= q { b } else { a });
            for laid in group {
                let pieces = path.windows(2).filter(|pair| pair[0] != pair[1]);
                next.extend(pieces.map(|pair| Laid {
                    a: pair[0].min(pair[1]),
                    b: pair[0].max(pair[1]),
                    source: laid.source,
                }));
            }
        }
        self.laid = next;
        let after = self.vertices.points.len();
        if after == before {
            return Vec::new();
        }
        (0..after).map(|v| v >= before).collect()
    }

    /// Keeps only the vertices that have edges: a lone one on an edge would cut it unseen.
    fn finish(self, edges: Grouped) -> Noded {
        let mut used = vec![false; self.vertices.points.len()];
        edges.ends.iter().flatten().for_each(|&v| used[v as usize] = true);
        let mut renumbered = vec![0u32; used.len()];
        let mut points = Vec::with_capacity(used.len());
        for v in (0..used.len()).filter(|&v| used[v]) {
            renumbered[v] = points.len() as u32;
            points.push(self.vertices.points[v]);
        }
        Noded {
            points,
            edges: edges.ends.iter().map(|e| e.map(|v| renumbered[v as usize])).collect(),
            source_start: edges.start,
            sources: self.laid.iter().map(|laid| laid.source).collect(),
        }
    }
}

/// Distinct edges over the sorted list of laid ones.
#[derive(Debug)]
struct Grouped {
    ends: Vec<[u32; 2]>,
    /// Where the laid edges of each begin; one more entry than edges.
    start: Vec<u32>,
}

impl Grouped {
    fn new(laid: &mut [Laid]) -> Self {
        laid.sort_unstable();
        let (mut ends, mut start) = (Vec::new(), Vec::new());
        for (i, edge) in laid.iter().enumerate() {
            if ends.last() != Some(&[edge.a, edge.b]) {
                ends.push([edge.a, edge.b]);
                start.push(i as u32);
            }
        }
        start.push(laid.len() as u32);
        Self { ends, start }
    }
}

/// All cuts as (edge, vertex), sorted and distinct. Pairs of edges that are both not dirty were tested before.
fn find_cuts(ends: &[[u32; 2]], dirty: &[bool], vertices: &mut Vertices) -> Vec<(u32, u32)> {
    let cells = Cells::new(ends, &vertices.points);
    let mut cuts: Vec<(u32, Pt)> = Vec::new();
    let points = &vertices.points;
    for group in cells.entries.chunk_by(|x, y| x.0 == y.0) {
        for (i, &(_, e)) in group.iter().enumerate() {
            let [a, b] = ends[e as usize].map(|v| points[v as usize]);
            let (low, high) = bounds(a, b);
            for &(_, f) in &group[i + 1..] {
                if !(dirty[e as usize] || dirty[f as usize]) {
                    continue;
                }
                let [c, d] = ends[f as usize].map(|v| points[v as usize]);
                let (other_low, other_high) = bounds(c, d);
                if high[0] < other_low[0]
                    || other_high[0] < low[0]
                    || high[1] < other_low[1]
                    || other_high[1] < low[1]
                {
                    continue;
                }
                match meeting(a, b, c, d) {
                    Meeting::Apart => {}
                    Meeting::Cross(p) => cuts.extend([(e, p), (f, p)]),
                    Meeting::Touch { on_second, on_first } => {
                        cuts.extend(on_second.into_iter().flatten().map(|p| (f, p)));
                        cuts.extend(on_first.into_iter().flatten().map(|p| (e, p)));
                    }
                }
            }
        }
    }
    cuts.sort_unstable();
    cuts.dedup();
    let named = cuts.into_iter().map(|(e, p)| (e, vertices.id(p)));
    named.filter(|&(e, v)| !ends[e as usize].contains(&v)).collect()
}

fn bounds(a: Pt, b: Pt) -> (Pt, Pt) {
    ([a[0].min(b[0]), a[1].min(b[1])], [a[0].max(b[0]), a[1].max(b[1])])
}

/// Which square cells each edge passes through.
struct Cells {
    /// (cell, edge), sorted.
    entries: Vec<(u64, u32)>,
}

impl Cells {
    /// Cells are about as wide as the edges are long on average, so that both long and short ones stay cheap.
    fn new(ends: &[[u32; 2]], points: &[Pt]) -> Self {
        let spans = ends.iter().map(|&[a, b]| length(points[a as usize], points[b as usize]));
        let mean = spans.sum::<f64>() / ends.len().max(1) as f64;
        let size = (1.5 * mean).max(1024.0) as i64;
        let origin = points.iter().fold([i64::MAX; 2], |low, p| [low[0].min(p[0]), low[1].min(p[1])]);
        let mut entries = Vec::with_capacity(ends.len() * 3);
        for (edge, &[a, b]) in ends.iter().enumerate() {
            let (a, b) = (points[a as usize], points[b as usize]);
            let (left, right) = if a[0] <= b[0] { (a, b) } else { (b, a) };
            let columns = (left[0] - origin[0]) / size..=(right[0] - origin[0]) / size;
            for column in columns {
                let x_from = (origin[0] + column * size).clamp(left[0], right[0]);
                let x_to = (origin[0] + (column + 1) * size).clamp(left[0], right[0]);
                let (y0, y1) = if left[0] == right[0] {
                    (left[1], right[1])
                } else {
                    (y_at(left, right, x_from), y_at(left, right, x_to))
                };
                let low = (y0.min(y1) - 2 - origin[1]).max(0) / size;
                let high = (y0.max(y1) + 2 - origin[1]) / size;
                entries.extend((low..=high).map(|row| ((column as u64) << 32 | row as u64, edge as u32)));
            }
        }
        entries.sort_unstable();
        Self { entries }
    }
}

fn y_at(left: Pt, right: Pt, x: i64) -> i64 {
    let t = (x - left[0]) as f64 / (right[0] - left[0]) as f64;
    left[1] + (t * (right[1] - left[1]) as f64).round() as i64
}
