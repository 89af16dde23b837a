//! What a source is: declared, or guessed from its content and file name.

use std::fmt;

use super::columns::{Column, ColumnMap};
use super::table::{Layer, ShapeKind};
use super::words::normal;

/// What a source holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Buildings, as footprints or points.
    Buildings,
    /// Areas that carry the counts themselves, such as census blocks.
    Units,
    /// Outlines of communities.
    Communities,
    /// Residential compounds, as outlines or points, with or without counts.
    Compounds,
    /// Streets and ways.
    Streets,
    /// Railways, rivers, walls, water.
    Barriers,
    /// Gates in walls and compounds.
    Gates,
    /// Present grids.
    Grids,
    /// Existing service stations.
    Stations,
    /// Vacant premises register.
    Premises,
    /// Population cells or zones whose counts are spread over buildings.
    Zones,
    /// A terrain model.
    Dem,
    /// An OpenStreetMap extract: buildings, streets, barriers, gates, compounds and administrative areas at once.
    Osm,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 13] = [
        Self::Buildings,
        Self::Units,
        Self::Communities,
        Self::Compounds,
        Self::Streets,
        Self::Barriers,
        Self::Gates,
        Self::Grids,
        Self::Stations,
        Self::Premises,
        Self::Zones,
        Self::Dem,
        Self::Osm,
    ];

    /// The word used in files and flags.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Buildings => "buildings",
            Self::Units => "units",
            Self::Communities => "communities",
            Self::Compounds => "compounds",
            Self::Streets => "streets",
            Self::Barriers => "barriers",
            Self::Gates => "gates",
            Self::Grids => "grids",
            Self::Stations => "stations",
            Self::Premises => "premises",
            Self::Zones => "zones",
            Self::Dem => "dem",
            Self::Osm => "osm",
        }
    }

    /// Reads the word used in files and flags.
    ///
    /// ```
    /// # use gridplan::ingest::Role;
    /// assert_eq!(Role::parse("communities"), Some(Role::Communities));
    /// assert_eq!(Role::parse("people"), None);
    /// ```
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        let word = word.trim().to_ascii_lowercase();
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }

    /// All words, for messages.
    #[must_use]
    pub fn names() -> String {
        Self::ALL.map(Self::as_str).join(", ")
    }

    /// What the geometry has to be.
    pub(super) const fn needs(self) -> &'static str {
        match self {
            Self::Buildings => "footprints (areas) or points",
            Self::Units | Self::Communities | Self::Grids => "areas",
            Self::Compounds | Self::Zones => "areas or points",
            Self::Streets => "lines",
            Self::Barriers => "lines or areas",
            Self::Gates | Self::Stations | Self::Premises => "points",
            Self::Dem => "a raster of heights",
            Self::Osm => "an OpenStreetMap extract",
        }
    }

    /// Whether a layer of such shapes can have this role. Points may be taken from areas where a place is meant.
    pub(super) const fn accepts(self, kind: ShapeKind) -> bool {
        match self {
            Self::Buildings | Self::Compounds | Self::Zones => {
                matches!(kind, ShapeKind::Areas | ShapeKind::Points)
            }
            Self::Units | Self::Communities | Self::Grids => matches!(kind, ShapeKind::Areas),
            Self::Streets => matches!(kind, ShapeKind::Lines),
            Self::Barriers => matches!(kind, ShapeKind::Lines | ShapeKind::Areas),
            Self::Gates | Self::Stations | Self::Premises => {
                matches!(kind, ShapeKind::Points | ShapeKind::Areas)
            }
            Self::Dem | Self::Osm => false,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Words in file and layer names that give a role away, the most telling first.
const NAME_WORDS: &[(Role, &[&str])] = &[
    (Role::Premises, &["premise", "vacant", "candidate", "闲置", "用房", "备选", "候选"]),
    (Role::Stations, &["station", "驿站", "党群", "服务中心", "服务站", "站点"]),
    (Role::Gates, &["gate", "entrance", "大门", "出入口", "门岗"]),
    (Role::Grids, &["grid", "网格"]),
    (Role::Compounds, &["compound", "小区", "院落", "residential_area"]),
    (
        Role::Communities,
        &["communit", "社区", "村界", "居委会", "quarter", "district", "boundary", "boundaries", "行政区"],
    ),
    (Role::Zones, &["zone", "population", "hexgrid", "人口"]),
    (Role::Units, &["unit", "census", "block", "街区", "小地域"]),
    (
        Role::Barriers,
        &["barrier", "railway", "river", "water", "wall", "fence", "河流", "水系", "铁路", "围墙"],
    ),
    (Role::Streets, &["street", "road", "highway", "path", "道路", "路网", "街道", "步道"]),
    (Role::Buildings, &["building", "house", "footprint", "楼", "房屋", "建筑", "住宅"]),
];

/// Guesses a role; the text says from what.
pub(super) fn guess(layer: &Layer, columns: &ColumnMap) -> Option<(Role, String)> {
    let kind = layer.shape_kind()?;
    // The name of the layer says more than that of the file.
    let by_name = [layer.layer.as_str(), layer.stem()].into_iter().find_map(|name| {
        let name = normal(name);
        NAME_WORDS.iter().find_map(|(role, words)| {
            let word = words.iter().find(|word| name.contains(&normal(word)))?;
            role.accepts(kind).then_some((*role, *word))
        })
    });
    if let Some((role, word)) = by_name {
        return Some((role, format!("the name contains \"{word}\"")));
    }
    let has = |column| columns.has(column);
    match kind {
        ShapeKind::Lines => Some((Role::Streets, "it holds lines".to_owned())),
        ShapeKind::Points if has(Column::Tier) => {
            Some((Role::Stations, "it holds points with a tier".to_owned()))
        }
        ShapeKind::Points if has(Column::Tenure) || has(Column::OwnEntrance) || has(Column::Cost) => {
            Some((Role::Premises, "it holds points with tenure, entrance or cost".to_owned()))
        }
        ShapeKind::Points if has(Column::Households) => {
            Some((Role::Buildings, "it holds points with households".to_owned()))
        }
        ShapeKind::Points if has(Column::Residents) => {
            Some((Role::Zones, "it holds points with residents but no households".to_owned()))
        }
        ShapeKind::Areas if has(Column::Floors) || has(Column::Usage) || has(Column::FloorArea) => {
            Some((Role::Buildings, "it holds areas with floors or use".to_owned()))
        }
        ShapeKind::Areas if has(Column::Households) || has(Column::Residents) => {
            Some((Role::Units, "it holds areas with counts but no floors".to_owned()))
        }
        _ => None,
    }
}
