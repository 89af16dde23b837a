//! Values of cells and geometries → words and shapes of the model.

use geo::{Coord, CoordsIter, Geometry, LineString, MultiPolygon};

use super::words::normal;
use crate::geometry::interior_point;
use crate::model::{BarrierKind, StationTier, StreetClass, Use};

/// The area of a geometry; `None` if it has none.
pub(super) fn area(geometry: &Geometry<f64>) -> Option<MultiPolygon<f64>> {
    match geometry {
        Geometry::Polygon(polygon) => Some(MultiPolygon::new(vec![polygon.clone()])),
        Geometry::MultiPolygon(area) => Some(area.clone()),
        Geometry::Rect(rect) => Some(MultiPolygon::new(vec![rect.to_polygon()])),
        Geometry::Triangle(triangle) => Some(MultiPolygon::new(vec![triangle.to_polygon()])),
        Geometry::GeometryCollection(collection) => {
            let parts: Vec<_> = collection.0.iter().filter_map(area).flat_map(|area| area.0).collect();
            (!parts.is_empty()).then(|| MultiPolygon::new(parts))
        }
        _ => None,
    }
}

/// The lines of a geometry.
pub(super) fn lines(geometry: &Geometry<f64>) -> Vec<LineString<f64>> {
    let lines = match geometry {
        Geometry::LineString(line) => vec![line.clone()],
        Geometry::MultiLineString(lines) => lines.0.clone(),
        Geometry::Line(line) => vec![LineString::from(*line)],
        Geometry::GeometryCollection(collection) => collection.0.iter().flat_map(lines).collect(),
        _ => Vec::new(),
    };
    lines.into_iter().filter(|line| 2 <= line.0.len()).collect()
}

/// A place that stands for a geometry.
pub(super) fn place(geometry: &Geometry<f64>) -> Coord<f64> {
    match area(geometry) {
        Some(area) if !area.0.is_empty() => interior_point(&area),
        _ => geometry.coords_iter().next().unwrap_or(Coord { x: f64::NAN, y: f64::NAN }),
    }
}

/// The first meaning whose words the text contains.
fn by_words<T: Copy>(text: &str, meanings: &[(T, &[&str])]) -> Option<T> {
    let text = normal(text);
    let found = meanings.iter().find(|(_, words)| words.iter().any(|word| text.contains(word)));
    found.map(|(meaning, _)| *meaning)
}

/// Use of a building in English or Chinese; yes and the like say nothing.
pub(super) fn usage(text: &str) -> Option<Use> {
    if let Some(usage) = Use::parse(&text.trim().to_ascii_lowercase()) {
        return Some(usage);
    }
    if matches!(normal(text).as_str(), "yes" | "true" | "1" | "是" | "unclassified") {
        return Some(Use::Residential);
    }
    by_words(
        text,
        &[
            (Use::Commercial, &["warehouse"]),
            (Use::Mixed, &["商住", "综合", "混合", "mixed", "居住商业", "住商"]),
            (
                Use::Other,
                &[
                    "车库",
                    "仓",
                    "配电",
                    "泵房",
                    "棚",
                    "门卫",
                    "garage",
                    "shed",
                    "carport",
                    "roof",
                    "hut",
                    "greenhouse",
                    "service",
                    "construction",
                    "ruins",
                    "parking",
                    "厕",
                    "设备",
                    "其他",
                    "other",
                ],
            ),
            (
                Use::Public,
                &[
                    "学校",
                    "幼儿园",
                    "医院",
                    "卫生",
                    "政府",
                    "机关",
                    "公共",
                    "教育",
                    "文化",
                    "体育",
                    "宗教",
                    "社区服务",
                    "养老",
                    "school",
                    "university",
                    "college",
                    "kindergarten",
                    "hospital",
                    "clinic",
                    "public",
                    "civic",
                    "government",
                    "church",
                    "temple",
                    "mosque",
                    "chapel",
                    "museum",
                    "library",
                    "station",
                    "religious",
                    "stadium",
                ],
            ),
            (
                Use::Residential,
                &[
                    "住宅",
                    "居住",
                    "住房",
                    "公寓",
                    "宿舍",
                    "民房",
                    "民居",
                    "别墅",
                    "安置",
                    "农房",
                    "自建房",
                    "residential",
                    "apartment",
                    "house",
                    "dormitory",
                    "terrace",
                    "detached",
                    "bungalow",
                    "farm",
                    "dwelling",
                    "flats",
                    "cabin",
                    "住",
                ],
            ),
            (
                Use::Commercial,
                &[
                    "商业",
                    "办公",
                    "写字",
                    "商铺",
                    "商场",
                    "市场",
                    "酒店",
                    "宾馆",
                    "厂",
                    "工业",
                    "企业",
                    "commercial",
                    "retail",
                    "office",
                    "industrial",
                    "warehouse",
                    "shop",
                    "hotel",
                    "supermarket",
                    "factory",
                    "mall",
                    "商",
                ],
            ),
        ],
    )
}

/// Class of a street in OSM's words, English or Chinese; a lane if nothing is known.
pub(super) fn street_class(text: &str) -> StreetClass {
    if let Some(class) = StreetClass::parse(&text.trim().to_ascii_lowercase()) {
        return class;
    }
    by_words(
        text,
        &[
            (StreetClass::Steps, &["steps", "stairs", "台阶", "梯", "踏步"]),
            (
                StreetClass::Path,
                &[
                    "footway",
                    "path",
                    "pedestrian",
                    "service",
                    "track",
                    "cycleway",
                    "bridleway",
                    "人行",
                    "步行",
                    "步道",
                    "小路",
                    "内部",
                ],
            ),
            (StreetClass::Secondary, &["secondary", "tertiary", "次干", "县道", "乡道", "集散"]),
            (
                StreetClass::Arterial,
                &["motorway", "trunk", "primary", "arterial", "快速", "主干", "高速", "国道", "省道", "高架"],
            ),
        ],
    )
    .unwrap_or(StreetClass::Lane)
}

/// Kind of a barrier in OSM's words, English or Chinese.
pub(super) fn barrier_kind(text: &str) -> Option<BarrierKind> {
    if let Some(kind) = BarrierKind::parse(&text.trim().to_ascii_lowercase()) {
        return Some(kind);
    }
    by_words(
        text,
        &[
            (BarrierKind::Railway, &["rail", "铁路", "轨道", "铁道"]),
            (BarrierKind::Wall, &["wall", "fence", "hedge", "围墙", "栅", "围栏", "墙"]),
            (BarrierKind::River, &["river", "canal", "stream", "河", "渠", "江", "沟", "溪"]),
            (BarrierKind::Motorway, &["motorway", "expressway", "trunk", "高速", "快速"]),
            (BarrierKind::Cliff, &["cliff", "embankment", "retaining", "崖", "坎", "挡土", "陡"]),
            (
                BarrierKind::Water,
                &["water", "lake", "reservoir", "sea", "pond", "湖", "水", "海", "塘", "库"],
            ),
        ],
    )
}

/// Tier of a station in English or Chinese.
pub(super) fn tier(text: &str) -> Option<StationTier> {
    StationTier::parse(text).or_else(|| StationTier::parse(&text.trim().to_ascii_lowercase())).or_else(|| {
        by_words(
            text,
            &[
                (StationTier::City, &["市级", "区级", "县级", "city"]),
                (StationTier::Regional, &["片区", "街道", "镇", "regional", "street"]),
                (StationTier::Corner, &["楼道", "楼栋", "楼院", "单元", "corner"]),
                (StationTier::Compound, &["小区", "驿站", "户外", "网格", "compound"]),
                (StationTier::Community, &["社区", "村", "community"]),
            ],
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_field_are_understood() {
        for (text, want) in [
            ("住宅", Some(Use::Residential)),
            ("商住楼", Some(Use::Mixed)),
            ("办公", Some(Use::Commercial)),
            ("apartments", Some(Use::Residential)),
            ("warehouse", Some(Use::Commercial)),
            ("garage", Some(Use::Other)),
            ("幼儿园", Some(Use::Public)),
            ("???", None),
        ] {
            assert_eq!(usage(text), want, "{text}");
        }
        assert_eq!(street_class("主干路"), StreetClass::Arterial);
        assert_eq!(street_class("tertiary_link"), StreetClass::Secondary);
        assert_eq!(barrier_kind("围墙"), Some(BarrierKind::Wall));
        assert_eq!(tier("社区党群服务中心"), Some(StationTier::Community));
        assert_eq!(tier("小区驿站"), Some(StationTier::Compound));
    }
}
