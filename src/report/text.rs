//! Words and numbers as people read them: escaping, thousands, shares, and the terms of both languages.

use crate::model::{
    CoverageMethod, FindingKind, GridClass, HouseholdsSource, Lang, Severity, StationStatus, StationTier,
    Unreached,
};

use super::rules::{Status, Unit};

/// Text that is safe inside HTML and SVG, in elements and in quoted attributes.
pub(super) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\n' | '\t' => safe.push(letter),
            // Other control characters are not allowed in HTML.
            control if control.is_control() => safe.push('\u{fffd}'),
            other => safe.push(other),
        }
    }
    safe
}

/// A whole number with thousands separators.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if 0 < index && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number with `digits` decimals and thousands separators.
pub(super) fn decimal(number: f64, digits: usize) -> String {
    if !number.is_finite() {
        return "—".into();
    }
    let text = format!("{:.digits$}", number.abs());
    let (whole, rest) = text.split_once('.').map_or((text.as_str(), None), |(a, b)| (a, Some(b)));
    let whole = whole.parse::<u64>().map_or_else(|_| whole.to_owned(), count);
    let is_zero = text.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    let sign = if number < 0.0 && !is_zero { "−" } else { "" };
    rest.map_or_else(|| format!("{sign}{whole}"), |rest| format!("{sign}{whole}.{rest}"))
}

/// A share as a percentage. Only all is 100 % and only none is 0 %: 2,999 of 3,000 reads 99.9 %.
pub(super) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "—".into();
    }
    let exact = part as f64 / whole as f64 * 1000.0;
    match exact.round() as u64 {
        _ if part == whole => "100%".into(),
        _ if part == 0 => "0%".into(),
        0 => "<0.1%".into(),
        1000 if part < whole => "99.9%".into(),
        tenths => format!("{}.{}%", tenths / 10, tenths % 10),
    }
}

/// A signed share as a percentage with one decimal.
pub(super) fn signed_percent(share: f64) -> String {
    let text = decimal(share * 100.0, 1);
    if 0.0 < share && text != "0.0" { format!("+{text}%") } else { format!("{text}%") }
}

/// Minutes and seconds of a walk.
pub(super) fn minutes(seconds: f64) -> String {
    decimal(seconds / 60.0, 1)
}

/// How a coverage method is called.
pub(super) fn method(method: CoverageMethod, lang: Lang) -> &'static str {
    match method {
        CoverageMethod::StraightRadius => lang.pick("直线半径", "straight radius"),
        CoverageMethod::NetworkDistance => lang.pick("路网距离", "network distance"),
        CoverageMethod::NetworkTime => lang.pick("路网时间", "network time"),
    }
}

/// How a tier is called.
pub(super) fn tier(tier: StationTier, lang: Lang) -> &'static str {
    match tier {
        StationTier::City => lang.pick(tier.chinese(), "city centre"),
        StationTier::Regional => lang.pick(tier.chinese(), "regional centre"),
        StationTier::Community => lang.pick(tier.chinese(), "community centre"),
        StationTier::Compound => lang.pick(tier.chinese(), "compound station"),
        StationTier::Corner => lang.pick(tier.chinese(), "stairwell corner"),
    }
}

/// How a station came about.
pub(super) fn station_status(status: StationStatus, lang: Lang) -> &'static str {
    match status {
        StationStatus::Existing => lang.pick("现有", "existing"),
        StationStatus::Chosen => lang.pick("新增", "new"),
        StationStatus::Closed => lang.pick("撤并", "closed"),
    }
}

/// How a grid class is called.
pub(super) fn class(class: GridClass, lang: Lang) -> &'static str {
    match class {
        GridClass::Urban => lang.pick("城市型", "urban"),
        GridClass::Resettlement => lang.pick("安置型", "resettlement"),
        GridClass::Rural => lang.pick("农村型", "rural"),
        GridClass::Exclusive => lang.pick("专属网格", "exclusive"),
    }
}

/// Where household counts come from.
pub(super) fn households_source(source: HouseholdsSource, lang: Lang) -> &'static str {
    match source {
        HouseholdsSource::Column => lang.pick("数据列（逐栋登记）", "counted per building"),
        HouseholdsSource::Compound => {
            lang.pick("由小区户数按建筑面积分摊", "spread from compounds by floor area")
        }
        HouseholdsSource::Zone => {
            lang.pick("由片区或总数按建筑面积分摊", "spread from zones or a total by floor area")
        }
        HouseholdsSource::FloorArea => lang.pick("仅按建筑面积估算", "estimated from floor area alone"),
        HouseholdsSource::Manual => lang.pick("人工核实", "set by hand"),
        HouseholdsSource::Missing => lang.pick("缺失，按零计", "unknown, counted as zero"),
    }
}

/// How a walking profile is called; one that is not known here keeps its own name.
pub(super) fn profile(name: &str, lang: Lang) -> String {
    let age = name.strip_prefix("age ");
    match (lang, name, age) {
        (_, "", _) => "—".into(),
        (Lang::En, ..) => name.into(),
        (Lang::Zh, _, Some(age)) => format!("{age} 岁老年人"),
        (Lang::Zh, "adult", _) => "成年人".into(),
        (Lang::Zh, "frail", _) => "行动不便的老年人".into(),
        (Lang::Zh, "wheelchair", _) => "轮椅使用者".into(),
        (Lang::Zh, "pushchair", _) => "推婴儿车者".into(),
        (Lang::Zh, other, _) => other.into(),
    }
}

/// Why nobody can walk to a station.
pub(super) fn unreached(reason: Unreached, lang: Lang) -> &'static str {
    match reason {
        Unreached::Unsnapped => lang.pick("门口接不上道路", "door joins no street"),
        Unreached::Island => lang.pick("道路与站点不连通", "streets not joined to any station's"),
        Unreached::NoStation => lang.pick("没有站点", "no station"),
        Unreached::NoStreets => lang.pick("没有步行路网", "no walk network"),
    }
}

/// How much a finding matters.
pub(super) fn severity(severity: Severity, lang: Lang) -> &'static str {
    match severity {
        Severity::Info => lang.pick("提示", "info"),
        Severity::Warning => lang.pick("警告", "warning"),
        Severity::Error => lang.pick("错误", "error"),
    }
}

/// Whether a rule's source was read.
pub(super) fn status(status: Status, lang: Lang) -> &'static str {
    match status {
        Status::Seen => lang.pick("已查见", "seen"),
        Status::Unverified => lang.pick("未核实", "unverified (未核实)"),
    }
}

/// A unit as written behind a figure.
pub(super) fn unit(unit: Unit, lang: Lang) -> &'static str {
    match unit {
        Unit::M => lang.pick("米", "m"),
        Unit::M2 => lang.pick("平方米", "m²"),
        Unit::Km2 => lang.pick("平方千米", "km²"),
        Unit::Households => lang.pick("户", "households"),
        Unit::Residents => lang.pick("人", "residents"),
        Unit::M2Per100Households => lang.pick("平方米/百户", "m² per 100 households"),
        Unit::Functions => lang.pick("项", "functions"),
        Unit::Percent => "%",
        Unit::Per10000Residents => lang.pick("人/万人", "per 10,000 residents"),
    }
}

/// A layer of the plan file.
pub(super) fn layer(layer: &str, lang: Lang) -> &str {
    if lang == Lang::En {
        return layer;
    }
    match layer {
        "communities" => "社区",
        "buildings" => "楼栋",
        "compounds" => "小区",
        "barriers" => "阻隔",
        "streets" => "道路",
        "gates" => "出入口",
        "premises" => "房源",
        "stations" => "服务站",
        "grids" => "网格",
        "uncovered" => "未覆盖",
        "service_circles" => "步行圈",
        "service_areas" => "就近服务区",
        "terrain" => "地形",
        other => other,
    }
}

/// A kind of finding.
pub(super) fn finding_kind(kind: FindingKind, lang: Lang) -> String {
    if lang == Lang::En {
        return kind.as_str().replace('_', " ");
    }
    let word = match kind {
        FindingKind::InvalidGeometry => "图形无效",
        FindingKind::NoGeometry => "缺少图形",
        FindingKind::Duplicate => "重复",
        FindingKind::Stacked => "楼栋叠置",
        FindingKind::Overlap => "面重叠",
        FindingKind::Gap => "面之间有缝",
        FindingKind::OutsideCommunities => "不在任何社区内",
        FindingKind::MissingCount => "缺少户数",
        FindingKind::ZeroCount => "户数为零",
        FindingKind::BadCount => "户数异常",
        FindingKind::EstimatedCount => "户数为估算",
        FindingKind::EmptyCommunity => "社区无住户",
        FindingKind::ScatteredCommunity => "社区不连片",
        FindingKind::DisconnectedStreets => "道路不连通",
        FindingKind::NoStreets => "社区无步行道路",
        FindingKind::UnsnappedDoor => "门口接不上道路",
        FindingKind::BadCoordinates => "坐标异常",
        FindingKind::Encoding => "编码",
        FindingKind::Datum => "坐标基准",
        FindingKind::BadValue => "取值无法识别",
        FindingKind::EmptyLayer => "图层为空",
        FindingKind::LargeAtom => "单栋超过网格上限",
        FindingKind::SplitCompound => "小区被拆分",
        FindingKind::GridOutOfRange => "网格规模超限",
        FindingKind::DisconnectedGrid => "网格不连片",
        FindingKind::ImpossibleNumber => "网格数无法实现",
        FindingKind::Uncovered => "住户未覆盖",
        FindingKind::UnreachableStation => "站点不可达",
        FindingKind::OverCapacity => "超出服务容量",
        FindingKind::GoalNotReached => "目标未达到",
        FindingKind::NoCandidate => "备选点位不可达",
        FindingKind::SuggestedSite => "建议增设点位",
        FindingKind::EdgeEffect => "边缘影响",
        FindingKind::NoTerrain => "无地形数据",
        FindingKind::Legal => "法规限制",
    };
    word.to_owned()
}

/// Joins words as a list.
pub(super) fn join(words: &[String], lang: Lang) -> String {
    words.join(lang.pick("、", ", "))
}
