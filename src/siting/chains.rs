//! Room for points that were left out: a point moves in, another moves on, until one finds a site with room.

use std::collections::VecDeque;
use std::ops::ControlFlow;

/// Points, the sites that may serve each, and what stands where.
pub(super) struct Chains<'a> {
    /// Weight per point.
    pub weight: &'a [u64],
    /// Row starts and sites per point, nearest first.
    pub start: &'a [usize],
    pub site: &'a [u32],
    pub open: &'a [bool],
    /// Room left per site.
    pub left: &'a mut [u64],
    /// Serving site per point, `u32::MAX` if none.
    pub assignment: &'a mut [u32],
}

/// How a search came to a site: which point would move in, and out of which site (`u32::MAX`: it was left out).
#[derive(Clone, Copy)]
struct Step {
    point: u32,
    from: u32,
}

impl Chains<'_> {
    /// Serves what it can of the points left out, heaviest first, in rounds until nothing more comes of it or `work`
    /// table entries are read. Points served stay served. Every chain is a shortest one (breadth first).
    pub fn serve_more(&mut self, mut work: usize) {
        let mut points_of: Vec<Vec<u32>> = vec![Vec::new(); self.open.len()];
        for (point, &site) in self.assignment.iter().enumerate() {
            if let Some(points) = points_of.get_mut(site as usize) {
                points.push(point as u32);
            }
        }
        let is_out =
            |&point: &u32| self.weight[point as usize] > 0 && self.assignment[point as usize] == u32::MAX;
        let mut out: Vec<u32> = (0..self.weight.len() as u32).filter(is_out).collect();
        out.sort_by_key(|&point| (std::cmp::Reverse(self.weight[point as usize]), point));
        let mut seen = vec![0_u32; self.open.len()];
        let mut steps = vec![Step { point: 0, from: 0 }; self.open.len()];
        let mut search = 0;
        loop {
            let before = out.len();
            // The least weight for which a search that passed this site came to nothing, in this round.
            let mut hopeless = vec![u64::MAX; self.open.len()];
            out.retain(|&point| {
                if work == 0 {
                    return true;
                }
                search += 1;
                let end =
                    self.find(point, &points_of, (&mut seen, search), &mut steps, &mut hopeless, &mut work);
                if let Some(end) = end {
                    self.apply(end, &steps, &mut points_of);
                }
                end.is_none()
            });
            if out.len() == before || work == 0 {
                return;
            }
        }
    }

    /// The site with room at the end of a chain that starts with `point`.
    fn find(
        &self,
        point: u32,
        points_of: &[Vec<u32>],
        (seen, search): (&mut [u32], u32),
        steps: &mut [Step],
        hopeless: &mut [u64],
        work: &mut usize,
    ) -> Option<u32> {
        let mut queue = VecDeque::new();
        let mut passed: Vec<(u32, u64)> = Vec::new();
        // Marks where a point may go; the site if one has room for it.
        let mut reach = |step: Step, queue: &mut VecDeque<(u32, u64)>| {
            let weight = self.weight[step.point as usize];
            let row = self.start[step.point as usize]..self.start[step.point as usize + 1];
            *work = work.saturating_sub(row.len() + 1);
            for &site in &self.site[row] {
                let at = site as usize;
                if !self.open[at] || seen[at] == search || hopeless[at] <= weight {
                    continue;
                }
                seen[at] = search;
                steps[at] = step;
                if weight <= self.left[at] {
                    return ControlFlow::Break(Some(site));
                }
                passed.push((site, weight));
                queue.push_back((site, weight));
            }
            if *work == 0 { ControlFlow::Break(None) } else { ControlFlow::Continue(()) }
        };
        if let ControlFlow::Break(end) = reach(Step { point, from: u32::MAX }, &mut queue) {
            return end;
        }
        while let Some((site, needed)) = queue.pop_front() {
            for &other in &points_of[site as usize] {
                if needed <= self.left[site as usize] + self.weight[other as usize]
                    && let ControlFlow::Break(end) = reach(Step { point: other, from: site }, &mut queue)
                {
                    return end;
                }
            }
        }
        for (site, weight) in passed {
            hopeless[site as usize] = hopeless[site as usize].min(weight);
        }
        None
    }

    /// Moves every point of the chain that ends at site `end`.
    fn apply(&mut self, end: u32, steps: &[Step], points_of: &mut [Vec<u32>]) {
        let mut to = end;
        while to != u32::MAX {
            let Step { point, from } = steps[to as usize];
            let weight = self.weight[point as usize];
            if let Some(points) = points_of.get_mut(from as usize) {
                points.retain(|&other| other != point);
                self.left[from as usize] += weight;
            }
            self.assignment[point as usize] = to;
            points_of[to as usize].push(point);
            // The last site has room; any other gets it from the point that went before.
            self.left[to as usize] -= weight;
            to = from;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Chains;

    /// Five points of weight 1 and sites of room 1 in a row: point i may go to sites i − 1 and i. Point 4 is left out and
    /// site 0 is empty, so that everybody moves one to the left.
    #[test]
    fn a_chain_as_long_as_the_row_makes_room() {
        let start = [0, 1, 3, 5, 7, 8];
        let site = [0, 1, 0, 2, 1, 3, 2, 3];
        let mut left = [1, 0, 0, 0];
        let mut assignment = [u32::MAX, 1, 2, 3, u32::MAX];
        let mut chains = Chains {
            weight: &[0, 1, 1, 1, 1],
            start: &start,
            site: &site,
            open: &[true; 4],
            left: &mut left,
            assignment: &mut assignment,
        };
        chains.serve_more(1000);
        assert_eq!((assignment, left), ([u32::MAX, 0, 1, 2, 3], [0; 4]));
    }

    #[test]
    fn a_point_moves_in_only_where_enough_weight_moves_out() {
        // Point 1 of weight 3 needs the room of both others, and only one moves at a time.
        let mut left = [0, 1];
        let mut assignment = [0, u32::MAX, 0];
        let (start, site) = ([0, 2, 3, 4], [0, 1, 0, 0]);
        let weight = [1, 3, 2];
        let open = [true, true];
        let chains = &mut Chains {
            weight: &weight,
            start: &start,
            site: &site,
            open: &open,
            left: &mut left,
            assignment: &mut assignment,
        };
        chains.serve_more(1000);
        assert_eq!((assignment, left), ([0, u32::MAX, 0], [0, 1]));
    }
}
