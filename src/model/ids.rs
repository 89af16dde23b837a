//! Small typed indices. Each indexes its own table; foreign ids stay beside them as [`SourceId`].

use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);

        impl $name {
            /// Position in its table.
            #[must_use]
            pub const fn index(self) -> usize {
                self.0 as usize
            }

            /// The id of row `index` of its table.
            ///
            /// # Panics
            /// Beyond `u32::MAX` rows, more than any country has buildings.
            #[must_use]
            pub fn from_index(index: usize) -> Self {
                Self(u32::try_from(index).expect("a table has fewer than 2^32 rows"))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// Row of [`super::Scenario::atoms`].
    AtomId
);
id!(
    /// Row of [`super::Scenario::communities`].
    CommunityId
);
id!(
    /// Row of [`super::Scenario::compounds`].
    CompoundId
);
id!(
    /// Row of [`super::Partition::grids`].
    GridId
);
id!(
    /// Row of [`super::Scenario::premises`].
    PremiseId
);
id!(
    /// Row of [`super::Plan::stations`].
    StationId
);
id!(
    /// Row of [`super::Scenario::streets`].
    StreetId
);

/// The identifier that a feature carried in its source file, as text. Shown in reports, never computed with.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub String);

impl fmt::Display for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
