//! Odd data and broken rules: what, where, why, what to do.

use geo::Coord;

use super::ids::{AtomId, CommunityId, GridId};
use super::lang::Text;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Good to know.
    Info,
    /// Look at it before the plan is handed over.
    Warning,
    /// The answer at this place is wrong or missing until it is mended.
    Error,
}

impl Severity {
    /// The word used in files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    /// Reads the word used in files.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Info, Self::Warning, Self::Error].into_iter().find(|severity| severity.as_str() == word)
    }
}

macro_rules! finding_kinds {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {
        /// What was found. The word in files is stable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FindingKind { $($(#[$doc])* $name,)* }

        impl FindingKind {
            /// All kinds.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The word used in files.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// Reads the word used in files.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.as_str() == word)
            }
        }
    };
}

finding_kinds! {
    /// An outline that crosses itself or is otherwise invalid; it was repaired.
    InvalidGeometry = "invalid_geometry",
    /// A feature without usable geometry; it was left out.
    NoGeometry = "no_geometry",
    /// The same feature or identifier twice.
    Duplicate = "duplicate",
    /// Buildings on one spot.
    Stacked = "stacked",
    /// Two areas lie over one another.
    Overlap = "overlap",
    /// A gap between areas that should touch.
    Gap = "gap",
    /// A building outside every community.
    OutsideCommunities = "outside_communities",
    /// A building without a household count.
    MissingCount = "missing_count",
    /// A count of zero where people should live.
    ZeroCount = "zero_count",
    /// A count that is no whole number or out of any range.
    BadCount = "bad_count",
    /// Households were estimated, not counted.
    EstimatedCount = "estimated_count",
    /// A community without a single household.
    EmptyCommunity = "empty_community",
    /// A community in several pieces.
    ScatteredCommunity = "scattered_community",
    /// A street that hangs together with no other.
    DisconnectedStreets = "disconnected_streets",
    /// No walkable street in a community.
    NoStreets = "no_streets",
    /// A door too far from any street, or walled in.
    UnsnappedDoor = "unsnapped_door",
    /// Coordinates that are not numbers or out of range.
    BadCoordinates = "bad_coordinates",
    /// Text that the declared encoding cannot read.
    Encoding = "encoding",
    /// The datum was guessed, or two sources differ.
    Datum = "datum",
    /// A value that was not understood and replaced by a default.
    BadValue = "bad_value",
    /// A file or layer that held nothing for its role.
    EmptyLayer = "empty_layer",
    /// A building above the upper size of a grid.
    LargeAtom = "large_atom",
    /// A compound above the upper size that had to be divided.
    SplitCompound = "split_compound",
    /// A grid below or above its range.
    GridOutOfRange = "grid_out_of_range",
    /// A grid in more than one piece.
    DisconnectedGrid = "disconnected_grid",
    /// The number of grids asked for is impossible.
    ImpossibleNumber = "impossible_number",
    /// Households beyond every circle.
    Uncovered = "uncovered",
    /// A station that nobody can walk to.
    UnreachableStation = "unreachable_station",
    /// A station asked to serve more than it holds.
    OverCapacity = "over_capacity",
    /// A coverage goal that no choice of candidates reaches.
    GoalNotReached = "goal_not_reached",
    /// Households that no candidate place reaches.
    NoCandidate = "no_candidate",
    /// A place where a new candidate would bring most households into reach.
    SuggestedSite = "suggested_site",
    /// The answer near the edge of the data could change with data beyond it.
    EdgeEffect = "edge_effect",
    /// No terrain model: slopes are not counted.
    NoTerrain = "no_terrain",
    /// A rule that falls under a legal restriction.
    Legal = "legal",
}

/// Something odd in the data or the answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// What it is.
    pub kind: FindingKind,
    /// Layer that it is in: a layer name of the plan file.
    pub layer: String,
    /// Feature that it is about, as the source names it; empty for the whole layer.
    pub feature: String,
    /// Where, if it has a place.
    pub at: Option<Coord<f64>>,
    /// Community.
    pub community: Option<CommunityId>,
    /// Grid.
    pub grid: Option<GridId>,
    /// Building.
    pub atom: Option<AtomId>,
    /// What was found and why, one sentence.
    pub message: Text,
    /// What to do next, one sentence.
    pub remedy: Text,
    /// There is a proof that no plan does better.
    pub proven: bool,
}

impl Finding {
    /// A finding about a whole layer; add the place with the `at` and `in_` methods.
    ///
    /// ```
    /// # use gridplan::model::{Finding, FindingKind, Lang, Severity};
    /// let finding = Finding::new(
    ///     Severity::Warning,
    ///     FindingKind::MissingCount,
    ///     "buildings",
    ///     ("没有户数", "no household count"),
    ///     ("补上户数", "add the count"),
    /// );
    /// assert_eq!(finding.about("B-07").remedy.get(Lang::En), "add the count");
    /// ```
    #[must_use]
    pub fn new(
        severity: Severity,
        kind: FindingKind,
        layer: impl Into<String>,
        message: impl Into<Text>,
        remedy: impl Into<Text>,
    ) -> Self {
        Self {
            severity,
            kind,
            layer: layer.into(),
            feature: String::new(),
            at: None,
            community: None,
            grid: None,
            atom: None,
            message: message.into(),
            remedy: remedy.into(),
            proven: false,
        }
    }

    /// Names the feature.
    #[must_use]
    pub fn about(mut self, feature: impl Into<String>) -> Self {
        self.feature = feature.into();
        self
    }

    /// Places it on the map.
    #[must_use]
    pub fn at(mut self, place: Coord<f64>) -> Self {
        self.at = Some(place);
        self
    }

    /// Names the community.
    #[must_use]
    pub fn in_community(mut self, community: CommunityId) -> Self {
        self.community = Some(community);
        self
    }

    /// Names the grid.
    #[must_use]
    pub fn in_grid(mut self, grid: GridId) -> Self {
        self.grid = Some(grid);
        self
    }

    /// Names the building.
    #[must_use]
    pub fn on_atom(mut self, atom: AtomId) -> Self {
        self.atom = Some(atom);
        self
    }

    /// Says that it is proven unavoidable.
    #[must_use]
    pub fn proven(mut self) -> Self {
        self.proven = true;
        self
    }
}

/// An invariant that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rule `{rule}` is broken: {what}; please report this with the input, it is not your data's fault")]
pub struct BrokenRule {
    /// Name of the rule.
    pub rule: &'static str,
    /// Where it is broken.
    pub what: String,
}
