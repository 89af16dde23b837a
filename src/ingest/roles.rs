//! What a source is: declared, or guessed from its content and file name.

use std::fmt;

use super::columns::{Column, ColumnMap};
use super::table::{Layer, ShapeKind};
use super::words::normal;
use crate::model::Text;

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

    /// The Chinese word shown to people.
    #[must_use]
    pub const fn chinese(self) -> &'static str {
        match self {
            Self::Buildings => "建筑",
            Self::Units => "带户数的区域",
            Self::Communities => "社区",
            Self::Compounds => "小区",
            Self::Streets => "道路",
            Self::Barriers => "阻隔",
            Self::Gates => "出入口",
            Self::Grids => "现状网格",
            Self::Stations => "现有站点",
            Self::Premises => "备选用房",
            Self::Zones => "人口分区",
            Self::Dem => "地形模型",
            Self::Osm => "OpenStreetMap 数据",
        }
    }

    /// What the geometry has to be.
    pub(super) fn needs(self) -> Text {
        Text::from(match self {
            Self::Buildings => ("轮廓（面）或点", "footprints (areas) or points"),
            Self::Units | Self::Communities | Self::Grids => ("面", "areas"),
            Self::Compounds | Self::Zones => ("面或点", "areas or points"),
            Self::Streets => ("线", "lines"),
            Self::Barriers => ("线或面", "lines or areas"),
            Self::Gates | Self::Stations | Self::Premises => ("点", "points"),
            Self::Dem => ("高程栅格", "a raster of heights"),
            Self::Osm => ("OpenStreetMap 数据", "an OpenStreetMap extract"),
        })
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
pub(super) fn guess(layer: &Layer, columns: &ColumnMap) -> Option<(Role, Text)> {
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
        let why = (format!("名称含“{word}”"), format!("the name contains \"{word}\""));
        return Some((role, why.into()));
    }
    let has = |column| columns.has(column);
    let (role, zh, en) = match kind {
        ShapeKind::Lines => (Role::Streets, "内容是线", "it holds lines"),
        ShapeKind::Points if has(Column::Tier) => {
            (Role::Stations, "内容是带层级的点", "it holds points with a tier")
        }
        ShapeKind::Points if has(Column::Tenure) || has(Column::OwnEntrance) || has(Column::Cost) => (
            Role::Premises,
            "内容是带产权、出入口或租金的点",
            "it holds points with tenure, entrance or cost",
        ),
        ShapeKind::Points if has(Column::Households) => {
            (Role::Buildings, "内容是带户数的点", "it holds points with households")
        }
        ShapeKind::Points if has(Column::Residents) => {
            (Role::Zones, "内容是有人口而无户数的点", "it holds points with residents but no households")
        }
        ShapeKind::Areas if has(Column::Floors) || has(Column::Usage) || has(Column::FloorArea) => {
            (Role::Buildings, "内容是带层数或用途的面", "it holds areas with floors or use")
        }
        ShapeKind::Areas if has(Column::Households) || has(Column::Residents) => {
            (Role::Units, "内容是有户数而无层数的面", "it holds areas with counts but no floors")
        }
        _ => return None,
    };
    Some((role, Text::from((zh, en))))
}
