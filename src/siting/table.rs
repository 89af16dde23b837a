//! The table of walking costs: demand points by sites, dense or sparse.

use super::SitingError;

/// The cost that means "this site cannot serve this demand point".
pub const UNREACHED: u32 = u32::MAX;

/// Costs from demand points (rows) to sites (columns), borrowed from the caller.
#[derive(Clone, Copy, Debug)]
pub struct Table<'a> {
    n_demand: usize,
    n_sites: usize,
    form: Form<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Form<'a> {
    Dense(&'a [u32]),
    Sparse { indptr: &'a [u64], indices: &'a [u32], cost: Option<&'a [u32]> },
}

impl<'a> Table<'a> {
    /// A dense table, row-major: `cost[demand * n_sites + site]`, [`UNREACHED`] where a site cannot serve.
    ///
    /// # Errors
    /// [`SitingError::BadTable`] if the length is not `n_demand * n_sites`.
    pub fn dense(n_demand: usize, n_sites: usize, cost: &'a [u32]) -> Result<Self, SitingError> {
        if n_demand.checked_mul(n_sites) != Some(cost.len()) {
            let reason = format!("{} costs for {n_demand} demand points by {n_sites} sites", cost.len());
            return Err(SitingError::BadTable { reason });
        }
        too_many(n_demand, n_sites)?;
        Ok(Self { n_demand, n_sites, form: Form::Dense(cost) })
    }

    /// A sparse table with one row per demand point: its sites are `indices[indptr[i]..indptr[i + 1]]`.
    ///
    /// Without `cost` every listed site serves at cost 0 (a cover table).
    ///
    /// # Errors
    /// [`SitingError::BadTable`] if the arrays do not fit together, a site is out of range or stands twice in a row.
    pub fn sparse(
        n_sites: usize,
        indptr: &'a [u64],
        indices: &'a [u32],
        cost: Option<&'a [u32]>,
    ) -> Result<Self, SitingError> {
        let bad = |reason: String| Err(SitingError::BadTable { reason });
        let (Some(&first), Some(&last)) = (indptr.first(), indptr.last()) else {
            return bad("indptr is empty; it needs one entry more than there are demand points".into());
        };
        if first != 0 || last != indices.len() as u64 {
            return bad(format!(
                "indptr runs from {first} to {last}, but there are {} indices",
                indices.len()
            ));
        }
        if let Some(row) = indptr.windows(2).position(|pair| pair[1] < pair[0]) {
            return bad(format!("indptr falls at row {row}"));
        }
        if let Some(cost) = cost
            && cost.len() != indices.len()
        {
            return bad(format!("{} costs for {} indices", cost.len(), indices.len()));
        }
        too_many(indptr.len() - 1, n_sites)?;
        let mut last_row = vec![u32::MAX; n_sites];
        for (row, pair) in indptr.windows(2).enumerate() {
            for &site in &indices[pair[0] as usize..pair[1] as usize] {
                match last_row.get_mut(site as usize) {
                    None => return bad(format!("row {row} names site {site}, but there are {n_sites}")),
                    Some(seen) if *seen == row as u32 => {
                        return bad(format!("row {row} names site {site} twice"));
                    }
                    Some(seen) => *seen = row as u32,
                }
            }
        }
        Ok(Self { n_demand: indptr.len() - 1, n_sites, form: Form::Sparse { indptr, indices, cost } })
    }

    /// Number of demand points.
    #[must_use]
    pub fn n_demand(&self) -> usize {
        self.n_demand
    }

    /// Number of sites.
    #[must_use]
    pub fn n_sites(&self) -> usize {
        self.n_sites
    }

    /// Whether costs are given at all; a cover table has none.
    #[must_use]
    pub fn has_costs(&self) -> bool {
        !matches!(self.form, Form::Sparse { cost: None, .. })
    }

    /// Calls `visit(site, cost)` for every site that can serve demand point `demand`, in table order.
    pub fn visit_row(&self, demand: usize, mut visit: impl FnMut(u32, u32)) {
        match self.form {
            Form::Dense(cost) => {
                let row = &cost[demand * self.n_sites..(demand + 1) * self.n_sites];
                for (site, &cost) in row.iter().enumerate() {
                    if cost != UNREACHED {
                        visit(site as u32, cost);
                    }
                }
            }
            Form::Sparse { indptr, indices, cost } => {
                for entry in indptr[demand] as usize..indptr[demand + 1] as usize {
                    let cost = cost.map_or(0, |cost| cost[entry]);
                    if cost != UNREACHED {
                        visit(indices[entry], cost);
                    }
                }
            }
        }
    }
}

fn too_many(n_demand: usize, n_sites: usize) -> Result<(), SitingError> {
    if n_demand >= u32::MAX as usize || n_sites >= u32::MAX as usize {
        let reason = format!("{n_demand} demand points or {n_sites} sites exceed 32-bit indices");
        return Err(SitingError::BadTable { reason });
    }
    Ok(())
}
