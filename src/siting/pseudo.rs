//! Which site to branch on: what deciding it has lifted the bound by so far, and trial steps where too little is known.
//!
//! Every decision on a site `j` with share `x_j` lifts the relaxation by some amount per unit of share. The averages
//! over the tree (pseudo-costs) predict what the next decision on the site gives; sites without enough such experience
//! are tried out by a few steps of the simplex (strong branching). The site is taken for which both cases promise most,
//! as the product of the two, since the weaker case decides how deep the tree becomes.
//! Source: Achterberg, Koch and Martin (2005), "Branching rules revisited".

/// Trials of a site, for each of the two cases, before its averages are relied on.
const RELIABLE: u32 = 2;
/// A share nearer to 0 or 1 than this counts as whole.
const WHOLE: f64 = 1e-6;

/// Average gain per unit of share, closed and open, over the tree so far.
pub(crate) struct PseudoCosts {
    sum: Vec<[f64; 2]>,
    count: Vec<[u32; 2]>,
    total: [f64; 2],
    n_total: [u32; 2],
}

impl PseudoCosts {
    pub fn new(n_sites: usize) -> Self {
        Self { sum: vec![[0.0; 2]; n_sites], count: vec![[0; 2]; n_sites], total: [0.0; 2], n_total: [0; 2] }
    }

    /// Deciding `site`, whose share was `share`, lifted the bound by `gain`.
    pub fn learn(&mut self, site: usize, open: bool, share: f64, gain: f64) {
        let case = usize::from(open);
        let unit = gain.max(0.0) / distance(share, open).max(WHOLE);
        self.sum[site][case] += unit;
        self.count[site][case] += 1;
        self.total[case] += unit;
        self.n_total[case] += 1;
    }

    /// What deciding the site promises.
    fn promise(&self, site: usize, open: bool, share: f64) -> f64 {
        let case = usize::from(open);
        let unit = match (self.count[site][case], self.n_total[case]) {
            (0, 0) => 1.0,
            (0, all) => self.total[case] / f64::from(all),
            (own, _) => self.sum[site][case] / f64::from(own),
        };
        unit * distance(share, open)
    }

    fn is_reliable(&self, site: usize) -> bool {
        RELIABLE <= self.count[site][0].min(self.count[site][1])
    }

    /// The site to branch on among those that are neither closed nor open in the relaxation; `None` if all are.
    ///
    /// `missing` is what the bound lacks here, and `probe(site, open)` a trial's gain, `None` if it cannot be had. The
    /// search ends after `patience` trials in a row that found nothing better.
    pub fn choose(
        &mut self,
        share: &[f64],
        may: impl Fn(usize) -> bool,
        missing: f64,
        patience: usize,
        mut probe: impl FnMut(usize, bool) -> Option<f64>,
    ) -> Option<usize> {
        let divided = |site: usize| 0.5 - (share[site] - 0.5).abs();
        let missing = missing.max(1e-9);
        let score = |closed: f64, open: f64| {
            let part = |gain: f64| (gain / missing).clamp(1e-4, 1.0);
            part(closed) * part(open)
        };
        let mut candidates: Vec<(f64, usize)> = (0..share.len())
            .filter(|&site| may(site) && WHOLE < divided(site))
            .map(|site| {
                let promise = |open| self.promise(site, open, share[site]);
                (score(promise(false), promise(true)), site)
            })
            .collect();
        candidates.sort_unstable_by(|one, other| {
            let divided = || divided(other.1).total_cmp(&divided(one.1));
            other.0.total_cmp(&one.0).then_with(divided).then(one.1.cmp(&other.1))
        });
        let mut best: Option<(f64, usize)> = None;
        let mut since = 0;
        for (promised, site) in candidates {
            let mut value = promised;
            if !self.is_reliable(site)
                && let (Some(closed), Some(open)) = (probe(site, false), probe(site, true))
            {
                self.learn(site, false, share[site], closed.min(missing));
                self.learn(site, true, share[site], open.min(missing));
                value = score(closed, open);
            }
            if best.is_none_or(|best| best.0 < value) {
                best = Some((value, site));
                since = 0;
            } else {
                since += 1;
            }
            if patience <= since {
                break;
            }
        }
        best.map(|best| best.1)
    }
}

fn distance(share: f64, open: bool) -> f64 {
    if open { 1.0 - share } else { share }
}
