//! p-center by bisection over the costs of the table: each step is a set cover with at most p sites.

use super::build::{Core, build};
use super::{Clock, Model, Options, Problem, SitingError};

/// What a cover step found.
pub(crate) enum Within {
    /// These sites serve everything within the radius.
    Yes(Vec<u32>),
    /// Multipliers prove that more than p sites are needed.
    No(super::Certificate),
    /// Neither was settled.
    Unknown,
}

/// Best sites, and a certificate of the largest radius proven too small.
pub(crate) struct CenterAnswer {
    pub sites: Vec<u32>,
    pub certificate: super::Certificate,
}

/// Solves p-center with `cover` as the cover oracle.
pub(crate) fn solve(
    problem: &Problem,
    p: usize,
    options: &Options,
    clock: &Clock,
    cover: impl Fn(&Problem, &Core, usize, &Options, &Clock) -> Within,
) -> Result<CenterAnswer, SitingError> {
    let radii = radii(problem)?;
    let mut certificate = super::Certificate::default();
    let mut best: Option<(u32, Vec<u32>)> = None;
    // Radii below `low` are taken for too small, `high` is the smallest that is known to do.
    let (mut low, mut high) = (0, radii.len());
    let mut settled = true;
    while low < high {
        let middle = low + (high - low) / 2;
        let mut limited = problem.clone();
        limited.limit = Some(radii[middle]);
        limited.site_cost = if problem.budget.is_some() { problem.site_cost.clone() } else { Vec::new() };
        let core = match build(&limited, Model::SetCover) {
            Ok(mut core) => {
                core.open_cost = vec![1; core.n_sites];
                core
            }
            Err(SitingError::Unreachable { .. }) => {
                low = middle + 1;
                continue;
            }
            Err(error) => return Err(error),
        };
        match cover(&limited, &core, p, options, clock) {
            Within::Yes(sites) => {
                let reached = super::evaluate::serve(problem, Model::PCenter { p }, &sites).objective;
                let reached = reached.and_then(|radius| u32::try_from(radius).ok()).unwrap_or(radii[middle]);
                high = radii.partition_point(|&radius| radius < reached).min(middle);
                best = Some((radii[high], sites));
            }
            Within::No(mut proof) => {
                proof.radius = Some(radii[middle]);
                certificate = proof;
                low = middle + 1;
            }
            Within::Unknown => {
                // Treated as too small for the search, but not for the bound.
                settled = false;
                low = middle + 1;
            }
        }
    }
    match best {
        Some((_, sites)) => Ok(CenterAnswer { sites, certificate }),
        None if !settled || clock.is_over() => Err(SitingError::Stopped),
        None => {
            // What the fixed sites or the rules forbid is the better reason.
            build(problem, Model::PCenter { p })?;
            let reason = format!("p = {p}: even at the largest cost of the table not every point is served");
            Err(SitingError::Infeasible { reason })
        }
    }
}

/// Costs that may be the answer, ascending.
fn radii(problem: &Problem) -> Result<Vec<u32>, SitingError> {
    let times = problem.backup.times();
    let mut radii = Vec::new();
    let mut least = 0;
    let mut unreachable = Vec::new();
    for demand in (0..problem.table.n_demand()).filter(|&demand| problem.weight(demand) > 0) {
        let first = radii.len();
        problem.visit_row(demand, |_, cost| radii.push(cost));
        if radii.len() < first + times {
            unreachable.push(demand as u32);
            continue;
        }
        let (_, &mut own, _) = radii[first..].select_nth_unstable(times - 1);
        least = least.max(own);
        if radii.len() > 1 << 22 {
            radii.sort_unstable();
            radii.dedup();
        }
    }
    if !unreachable.is_empty() {
        return Err(problem.unreachable(unreachable));
    }
    if radii.is_empty() {
        radii.push(0);
    }
    radii.retain(|&radius| least <= radius);
    radii.sort_unstable();
    radii.dedup();
    Ok(radii)
}
