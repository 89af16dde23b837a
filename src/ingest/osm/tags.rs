//! What tags mean. Source: the OpenStreetMap wiki, Map Features, as of 2024.

use super::Tags;
use crate::model::{BarrierKind, StreetClass, Use};

/// Keys that some rule here looks at; no other tag is kept in memory.
const READ: &[&str] = &[
    "type",
    "building",
    "building:levels",
    "building:flats",
    "building:use",
    "roof:levels",
    "height",
    "highway",
    "footway",
    "foot",
    "access",
    "motorroad",
    "sidewalk",
    "area",
    "bridge",
    "tunnel",
    "layer",
    "covered",
    "location",
    "indoor",
    "incline",
    "crossing",
    "wheelchair",
    "railway",
    "waterway",
    "natural",
    "water",
    "landuse",
    "leisure",
    "amenity",
    "shop",
    "office",
    "tourism",
    "craft",
    "healthcare",
    "government",
    "historic",
    "military",
    "power",
    "aeroway",
    "man_made",
    "barrier",
    "gated",
    "residential",
    "locked",
    "entrance",
    "boundary",
    "admin_level",
    "name",
    "name:zh",
    "ref",
    "addr:street",
    "addr:housenumber",
    "addr:housename",
    "place",
    "intermittent",
];

/// Whether any rule looks at this key.
pub(super) fn is_read(key: &str) -> bool {
    READ.contains(&key)
}

/// Name, or street and number.
pub(super) fn name(tags: &Tags) -> Option<String> {
    let named = tags.get("name").or_else(|| tags.get("name:zh")).or_else(|| tags.get("addr:housename"));
    named.map(str::to_owned).or_else(|| {
        let number = tags.get("addr:housenumber")?;
        Some(tags.get("addr:street").map_or_else(|| number.to_owned(), |street| format!("{street} {number}")))
    })
}

/// Class of a way that people walk or drive on.
pub(super) fn street_class(tags: &Tags) -> Option<StreetClass> {
    Some(match tags.get("highway")? {
        "motorway" | "motorway_link" | "trunk" | "trunk_link" | "primary" | "primary_link" => {
            StreetClass::Arterial
        }
        "secondary" | "secondary_link" | "tertiary" | "tertiary_link" => StreetClass::Secondary,
        "unclassified" | "residential" | "living_street" | "road" => StreetClass::Lane,
        "service" | "track" | "path" | "footway" | "pedestrian" | "cycleway" | "bridleway" | "platform"
        | "corridor" | "elevator" => StreetClass::Path,
        "steps" => StreetClass::Steps,
        _ => return None,
    })
}

/// Whether people may walk there: the rules of common foot routers, but private ways count, since residents use them.
pub(super) fn is_walkable(tags: &Tags) -> bool {
    if let Some(foot) = tags.get("foot") {
        return !matches!(foot, "no" | "use_sidepath");
    }
    if tags.is("access", &["no"]) || tags.yes("motorroad") {
        return false;
    }
    !tags.is("highway", &["motorway", "motorway_link"])
}

/// On a bridge.
pub(super) fn is_bridge(tags: &Tags) -> bool {
    tags.yes("bridge")
}

/// Below ground or through a building.
pub(super) fn is_tunnel(tags: &Tags) -> bool {
    let below =
        tags.get("layer").and_then(|layer| layer.parse::<f64>().ok()).is_some_and(|layer| layer < 0.0);
    tags.yes("tunnel")
        || tags.is("location", &["underground"])
        || (below && (tags.yes("covered") || tags.yes("indoor")))
}

/// Rise per length. "up" and "down" say no number.
pub(super) fn incline(tags: &Tags) -> Option<f64> {
    let text = tags.get("incline")?.trim();
    let number = |text: &str| text.trim().replace(',', ".").parse::<f64>().ok();
    let rise = if let Some(percent) = text.strip_suffix('%') {
        number(percent)? / 100.0
    } else if let Some(degrees) = text.strip_suffix('°') {
        number(degrees)?.to_radians().tan()
    } else {
        // A bare number is meant as a percentage.
        number(text)? / 100.0
    };
    (rise.is_finite() && rise.abs() <= 1.5).then_some(rise)
}

/// A line that people do not cross; bridges and tunnels of railways and rivers leave the ground free.
pub(super) fn barrier_line(tags: &Tags) -> Option<BarrierKind> {
    if is_tunnel(tags) {
        return None;
    }
    let railway =
        tags.is("railway", &["rail", "light_rail", "narrow_gauge", "subway", "monorail", "funicular"]);
    if railway && !is_bridge(tags) && !tags.is("railway", &["monorail"]) {
        return Some(BarrierKind::Railway);
    }
    if tags.is("waterway", &["river", "canal"]) && !is_bridge(tags) {
        return Some(BarrierKind::River);
    }
    if tags.is("barrier", &["wall", "city_wall", "fence", "hedge"]) {
        return Some(BarrierKind::Wall);
    }
    if tags.is("barrier", &["retaining_wall"])
        || tags.is("natural", &["cliff"])
        || tags.is("man_made", &["embankment"])
    {
        return Some(BarrierKind::Cliff);
    }
    let closed_road = tags.is("highway", &["motorway", "motorway_link"])
        || (tags.is("highway", &["trunk", "trunk_link"]) && tags.yes("motorroad"));
    (closed_road && !is_bridge(tags)).then_some(BarrierKind::Motorway)
}

/// An area of water; fountains and pools are no obstacle.
pub(super) fn is_water(tags: &Tags) -> bool {
    if is_tunnel(tags) || tags.yes("intermittent") || tags.is("amenity", &["fountain"]) {
        return false;
    }
    let water = tags.is("natural", &["water", "bay", "strait"])
        || tags.is("waterway", &["riverbank", "dock", "basin"])
        || tags.is("landuse", &["basin", "reservoir", "salt_pond", "aquaculture"]);
    water && !tags.is("water", &["fountain", "reflecting_pool", "wastewater", "tank"])
}

/// Whether a river rather than a lake.
pub(super) fn is_river_area(tags: &Tags) -> bool {
    tags.is("waterway", &["riverbank"]) || tags.is("water", &["river", "canal", "stream_pool"])
}

/// A gap in a wall, and whether people on foot pass it. `None` is no gate.
pub(super) fn gate(tags: &Tags) -> Option<bool> {
    let is_gate = tags.is(
        "barrier",
        &[
            "gate",
            "lift_gate",
            "swing_gate",
            "sliding_gate",
            "kissing_gate",
            "hampshire_gate",
            "wicket_gate",
            "entrance",
            "turnstile",
            "full-height_turnstile",
            "stile",
            "toll_booth",
            "border_control",
            "sally_port",
        ],
    );
    is_gate.then(|| match tags.get("foot") {
        Some(foot) => foot != "no",
        None => !tags.is("access", &["no"]) && !tags.yes("locked"),
    })
}

/// How good an entrance is as the door of a building, smaller is better; `None` is none.
pub(super) fn entrance_rank(tags: &Tags) -> Option<u8> {
    match tags.get("entrance")? {
        "main" => Some(0),
        "home" | "staircase" | "residence" => Some(1),
        "yes" => Some(2),
        "no" | "exit" | "emergency" | "service" | "garage" => None,
        _ => Some(3),
    }
}

/// What a building is used for as far as its own tags tell; `None` leaves it to its surroundings.
pub(super) fn building_use(tags: &Tags) -> Option<Use> {
    let kind = tags.get("building:use").or_else(|| tags.get("building")).unwrap_or("yes");
    let own = match kind {
        "apartments" | "residential" | "house" | "detached" | "semidetached_house" | "terrace"
        | "dormitory" | "bungalow" | "cabin" | "farm" | "static_caravan" | "houseboat" | "ger"
        | "stilt_house" | "villa" => Some(Use::Residential),
        "mixed"
        | "mixed_use"
        | "residential;retail"
        | "retail;residential"
        | "apartments;retail"
        | "retail;apartments"
        | "commercial;residential"
        | "residential;commercial" => Some(Use::Mixed),
        "commercial" | "retail" | "office" | "industrial" | "warehouse" | "supermarket" | "kiosk"
        | "hotel" | "manufacture" | "factory" | "shop" | "mall" => Some(Use::Commercial),
        "school" | "university" | "college" | "kindergarten" | "hospital" | "clinic" | "public" | "civic"
        | "government" | "church" | "chapel" | "cathedral" | "temple" | "mosque" | "synagogue" | "shrine"
        | "monastery" | "train_station" | "transportation" | "museum" | "library" | "fire_station"
        | "stadium" | "sports_hall" | "sports_centre" | "pavilion" | "grandstand" | "palace" | "military"
        | "prison" | "religious" => Some(Use::Public),
        "garage" | "garages" | "carport" | "parking" | "shed" | "roof" | "hut" | "greenhouse" | "service"
        | "transformer_tower" | "water_tower" | "storage_tank" | "tank" | "silo" | "barn" | "stable"
        | "cowshed" | "sty" | "farm_auxiliary" | "construction" | "ruins" | "collapsed" | "bunker"
        | "container" | "toilets" | "bridge" | "gatehouse" | "guardhouse" | "tent" | "boathouse"
        | "hangar" | "tower" | "digester" => Some(Use::Other),
        _ => None,
    };
    own.or_else(|| use_by_purpose(tags))
}

/// What amenity, shop, office and the like say.
fn use_by_purpose(tags: &Tags) -> Option<Use> {
    if let Some(amenity) = tags.get("amenity") {
        return Some(match amenity {
            "parking" | "bicycle_parking" | "shelter" | "toilets" | "fountain" | "motorcycle_parking" => {
                Use::Other
            }
            "restaurant" | "cafe" | "bar" | "pub" | "fast_food" | "bank" | "cinema" | "nightclub"
            | "casino" | "fuel" | "marketplace" | "car_wash" => Use::Commercial,
            _ => Use::Public,
        });
    }
    let public = ["healthcare", "government", "military", "historic", "aeroway", "railway"];
    if public.iter().any(|key| tags.yes(key))
        || tags.is("tourism", &["museum", "gallery", "attraction", "zoo"])
    {
        return Some(Use::Public);
    }
    if tags.yes("shop") || tags.yes("office") || tags.yes("craft") || tags.yes("tourism") {
        return Some(Use::Commercial);
    }
    if tags.yes("power") || tags.yes("man_made") {
        return Some(Use::Other);
    }
    tags.is("leisure", &["sports_centre", "stadium", "swimming_pool", "ice_rink", "sports_hall"])
        .then_some(Use::Public)
}

/// What an area says about the buildings in it that do not speak for themselves.
pub(super) fn surroundings(tags: &Tags) -> Option<Use> {
    if let Some(landuse) = tags.get("landuse") {
        return match landuse {
            "residential" | "farmyard" => Some(Use::Residential),
            "commercial" | "retail" | "industrial" | "port" | "quarry" | "depot" => Some(Use::Commercial),
            "education" | "institutional" | "religious" | "cemetery" | "military" | "railway"
            | "recreation_ground" | "civic_admin" => Some(Use::Public),
            "allotments" | "greenhouse_horticulture" | "construction" | "landfill" => Some(Use::Other),
            _ => None,
        };
    }
    let public = tags.is(
        "amenity",
        &[
            "school",
            "university",
            "college",
            "kindergarten",
            "hospital",
            "clinic",
            "place_of_worship",
            "prison",
            "research_institute",
        ],
    ) || tags.is("leisure", &["park", "stadium", "sports_centre", "golf_course", "garden"])
        || tags.yes("military")
        || tags.yes("aeroway");
    public.then_some(Use::Public)
}

/// Floors above ground: levels, or height at 3 m a floor.
pub(super) fn floors(tags: &Tags) -> Option<u16> {
    let number = |key: &str| {
        let text = tags.get(key)?.trim().trim_end_matches(" m").trim_end_matches('m');
        text.split(';').next()?.parse::<f64>().ok().filter(|value| value.is_finite() && 0.0 < *value)
    };
    let levels = number("building:levels")
        .map(f64::ceil)
        .or_else(|| number("height").map(|height| (height / 3.0).round()))?;
    Some(levels.clamp(1.0, 200.0) as u16)
}

/// Dwellings of a building.
pub(super) fn flats(tags: &Tags) -> Option<u32> {
    tags.get("building:flats")?.trim().parse().ok()
}

/// Whether a residential area is a compound of its own, and whether it is walled.
pub(super) fn compound(tags: &Tags) -> Option<bool> {
    let walled = tags.is("barrier", &["wall", "fence", "city_wall"])
        || tags.yes("gated")
        || tags.is("residential", &["gated"]);
    let residential = tags.is("landuse", &["residential"]);
    (residential && (walled || tags.get("name").is_some())).then_some(walled)
}

/// Level of an administrative area.
pub(super) fn admin_level(tags: &Tags) -> Option<u8> {
    tags.is("boundary", &["administrative"]).then(|| tags.get("admin_level")?.trim().parse().ok())?
}
