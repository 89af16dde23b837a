//! What a planner should know about a tier beside its stations.

/// Something the planner should know about a tier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TierNote {
    /// No place for the community's one station.
    #[error("community {community} has no place for a station of tier {tier}")]
    NoPlace {
        /// The community.
        community: u32,
        /// The tier's name.
        tier: String,
    },
    /// Fewer places than the stations that every community is to have.
    #[error(
        "community {community} has {places} places for tier {tier}, which asks for {wanted} stations there"
    )]
    FewPlaces {
        /// The community.
        community: u32,
        /// The tier's name.
        tier: String,
        /// How many places it has.
        places: usize,
        /// How many stations are asked for.
        wanted: usize,
    },
    /// Fewer places than new stations asked for.
    #[error("tier {tier} has {places} places for the {wanted} new stations asked for")]
    FewPlacesInAll {
        /// The tier's name.
        tier: String,
        /// How many places it has.
        places: usize,
        /// How many new stations are asked for.
        wanted: usize,
    },
    /// More stations stand already than a community is to have.
    #[error(
        "community {community} already has {found} stations of tier {tier}, at most {most} are asked for"
    )]
    TooManyExisting {
        /// The community.
        community: u32,
        /// How many stand there.
        found: usize,
        /// How many it is to have at most.
        most: usize,
        /// The tier's name.
        tier: String,
    },
    /// The coverage goal cannot be met with these candidates.
    #[error("{households} households can be covered at most, the goal of tier {tier} needs {wanted}")]
    GoalOutOfReach {
        /// The tier's name.
        tier: String,
        /// Households that some choice covers.
        households: u64,
        /// Households the goal asks for.
        wanted: u64,
    },
    /// Households on streets of their own, which walks to most places cannot use.
    #[error(
        "{households} households on streets apart from most places were left out of the walks of tier {tier}"
    )]
    Apart {
        /// The tier's name.
        tier: String,
        /// Households left out.
        households: u64,
    },
    /// Two tiers were chosen together, which the lower one gains by.
    #[error(
        "tiers {tier} and {lower} were chosen together: {saved} fewer stations of tier {lower}, {gained} households more in reach"
    )]
    Together {
        /// The wider tier's name.
        tier: String,
        /// The lower tier's name.
        lower: String,
        /// New stations of the lower tier that are not needed.
        saved: usize,
        /// Households that the lower tier covers besides.
        gained: u64,
    },
    /// A coverage goal that no choice found meets, though none is ruled out.
    #[error("a choice for {households} households was found, the goal of tier {tier} needs {wanted}")]
    GoalNotMet {
        /// The tier's name.
        tier: String,
        /// Households that the best choice found covers.
        households: u64,
        /// Households the goal asks for.
        wanted: u64,
    },
    /// Places that cost nobody knows what, which a budget cannot pay for.
    #[error("{count} places of unknown cost were left out of the budget of tier {tier}")]
    UnknownCost {
        /// The tier's name.
        tier: String,
        /// How many.
        count: usize,
    },
    /// Places whose floor area is unknown were admitted.
    #[error("{count} places of unknown area were admitted for tier {tier}, which asks for {least} m²")]
    UnknownArea {
        /// The tier's name.
        tier: String,
        /// How many.
        count: usize,
        /// Asked area, rounded.
        least: u64,
    },
}
