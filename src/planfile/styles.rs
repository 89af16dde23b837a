//! Colours and labels that QGIS takes from the plan file by itself.
//!
//! Small hand-written QML: a renderer, simple symbols, simple labels with a halo. Colours are those of the map
//! page. Line widths are in millimetres on paper. QGIS 3.22 and later read it (checked with PyQGIS).

use std::fmt::Write;

/// A default style of one layer.
pub(super) struct Style {
    /// Layer.
    pub table: &'static str,
    /// Name shown in QGIS.
    pub name: &'static str,
    /// The style as QGIS writes it.
    pub qml: String,
}

/// All styles, one a layer.
pub(super) fn styles() -> Vec<Style> {
    vec![
        Style { table: "communities", name: "社区界", qml: communities() },
        Style { table: "buildings", name: "楼栋户数", qml: buildings() },
        Style { table: "compounds", name: "小区", qml: compounds() },
        Style { table: "barriers", name: "阻隔线", qml: barriers() },
        Style { table: "barrier_areas", name: "水面", qml: barrier_areas() },
        Style { table: "streets", name: "道路等级", qml: streets() },
        Style { table: "gates", name: "出入口", qml: gates() },
        Style { table: "premises", name: "备选用房", qml: premises() },
        Style { table: "stations", name: "驿站级别", qml: stations() },
        Style { table: "grids", name: "网格户数偏差", qml: grids() },
        Style { table: "uncovered", name: "未覆盖住户", qml: uncovered() },
        Style { table: "service_circles", name: "步行圈", qml: service_circles() },
        Style { table: "service_areas", name: "就近服务区", qml: service_areas() },
        Style { table: "findings", name: "问题", qml: findings() },
    ]
}

/// Geometry of a layer as QML numbers it.
#[derive(Clone, Copy)]
enum Shape {
    Point = 0,
    Line = 1,
    Area = 2,
}

/// A rule of a renderer: which features, how they are called in the legend, how they are drawn.
struct Rule {
    filter: String,
    label: &'static str,
    symbol: String,
}

fn rule(filter: &str, label: &'static str, symbol: String) -> Rule {
    Rule { filter: filter.into(), label, symbol }
}

/// A QML document with one symbol per rule, and labels if there are any.
///
/// Rules, not categories: they read as plain conditions, and one kind of renderer serves every layer.
fn document(shape: Shape, rules: &[Rule], labels: &str, opacity: f64) -> String {
    let mut legend = String::new();
    let mut symbols = String::new();
    for (index, Rule { filter, label, symbol }) in rules.iter().enumerate() {
        let _ = write!(
            legend,
            "<rule key=\"r{index}\" symbol=\"{index}\" filter=\"{}\" label=\"{}\"/>",
            escaped(filter),
            escaped(label)
        );
        let kind = match shape {
            Shape::Point => "marker",
            Shape::Line => "line",
            Shape::Area => "fill",
        };
        let _ = write!(
            symbols,
            "<symbol name=\"{index}\" type=\"{kind}\" alpha=\"1\" clip_to_extent=\"1\" force_rhr=\"0\">{symbol}</symbol>"
        );
    }
    format!(
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\
         <qgis version=\"3.22.0\" styleCategories=\"Symbology|Labeling\" labelsEnabled=\"{}\">\
         <renderer-v2 type=\"RuleRenderer\" symbollevels=\"{}\" forceraster=\"0\" enableorderby=\"0\">\
         <rules key=\"root\">{legend}</rules><symbols>{symbols}</symbols></renderer-v2>{labels}\
         <blendMode>0</blendMode><featureBlendMode>0</featureBlendMode><layerOpacity>{opacity}</layerOpacity>\
         <layerGeometryType>{}</layerGeometryType></qgis>",
        u8::from(!labels.is_empty()),
        u8::from(matches!(shape, Shape::Line)),
        shape as u8,
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// `#rrggbb` and an opacity as QML's `r,g,b,a`.
fn rgba(hex: &str, opacity: f64) -> String {
    let part = |at: usize| hex.get(at..at + 2).and_then(|two| u8::from_str_radix(two, 16).ok()).unwrap_or(0);
    format!("{},{},{},{}", part(1), part(3), part(5), (opacity * 255.0).round())
}

/// A symbol layer of a class with its options, in the form of QGIS 3.22; `pass` orders overlapping lines.
fn symbol_layer(class: &str, pass: u8, options: &[(&str, String)]) -> String {
    let mut text =
        format!("<layer class=\"{class}\" enabled=\"1\" pass=\"{pass}\" locked=\"0\"><Option type=\"Map\">");
    for (name, value) in options {
        let _ = write!(text, "<Option type=\"QString\" name=\"{name}\" value=\"{}\"/>", escaped(value));
    }
    text.push_str("</Option></layer>");
    text
}

fn fill(color: &str, opacity: f64, outline: &str, width: f64) -> String {
    let style = if opacity == 0.0 { "no" } else { "solid" };
    let pen = if width == 0.0 { "no" } else { "solid" };
    symbol_layer(
        "SimpleFill",
        0,
        &[
            ("color", rgba(color, opacity)),
            ("style", style.into()),
            ("outline_color", rgba(outline, 1.0)),
            ("outline_style", pen.into()),
            ("outline_width", width.to_string()),
            ("outline_width_unit", "MM".into()),
            ("joinstyle", "round".into()),
        ],
    )
}

fn line(color: &str, width: f64, pass: u8) -> String {
    dashed(color, width, pass, "")
}

/// A line with a dash pattern in millimetres, such as `3;2`; an empty pattern is a solid line.
fn dashed(color: &str, width: f64, pass: u8, pattern: &str) -> String {
    symbol_layer(
        "SimpleLine",
        pass,
        &[
            ("line_color", rgba(color, 1.0)),
            ("line_style", "solid".into()),
            ("line_width", width.to_string()),
            ("line_width_unit", "MM".into()),
            ("capstyle", if pattern.is_empty() { "round" } else { "flat" }.into()),
            ("joinstyle", "round".into()),
            ("use_custom_dash", u8::from(!pattern.is_empty()).to_string()),
            ("customdash", if pattern.is_empty() { "5;2" } else { pattern }.into()),
            ("customdash_unit", "MM".into()),
        ],
    )
}

/// A point symbol of a QGIS shape (`circle`, `diamond`, …), size in millimetres.
fn marker(shape: &str, color: &str, opacity: f64, size: f64, outline: &str, width: f64) -> String {
    symbol_layer(
        "SimpleMarker",
        0,
        &[
            ("name", shape.into()),
            ("color", rgba(color, opacity)),
            ("outline_color", rgba(outline, 1.0)),
            ("outline_width", width.to_string()),
            ("outline_width_unit", "MM".into()),
            ("size", size.to_string()),
            ("size_unit", "MM".into()),
            ("scale_method", "diameter".into()),
        ],
    )
}

/// Where a label goes, as QML numbers it.
#[derive(Clone, Copy)]
enum Placement {
    /// Beside a point.
    Around = 6,
    /// Inside an area, level.
    Inside = 1,
    /// Along a line.
    Along = 3,
}

/// Labels from an expression, with a white halo; `size` in points.
fn labels(expression: &str, size: f64, color: &str, bold: bool, placement: Placement) -> String {
    let weight = if bold { 75 } else { 50 };
    format!(
        "<labeling type=\"simple\"><settings calloutType=\"simple\">\
         <text-style fieldName=\"{}\" isExpression=\"1\" fontFamily=\"Noto Sans CJK SC\" fontSize=\"{size}\" \
         fontSizeUnit=\"Point\" fontWeight=\"{weight}\" textColor=\"{}\" textOpacity=\"1\" multilineHeight=\"1\">\
         <families><family name=\"Noto Sans CJK SC\"/><family name=\"Microsoft YaHei\"/><family name=\"SimHei\"/></families>\
         <text-buffer bufferDraw=\"1\" bufferSize=\"0.9\" bufferSizeUnits=\"MM\" bufferColor=\"255,255,255,235\" \
         bufferOpacity=\"1\" bufferJoinStyle=\"128\"/></text-style>\
         <text-format multilineAlign=\"1\" wrapChar=\"\"/>\
         <placement placement=\"{}\" dist=\"1.2\" distUnits=\"MM\" priority=\"6\" placementFlags=\"9\" \
         centroidInside=\"1\" polygonPlacementFlags=\"2\"/>\
         <rendering obstacle=\"1\" drawLabels=\"1\" mergeLines=\"1\" scaleVisibility=\"0\"/>\
         </settings></labeling>",
        escaped(expression),
        rgba(color, 1.0),
        placement as u8,
    )
}

fn communities() -> String {
    let rules =
        [rule("", "社区界", fill("#ffffff", 0.0, "#ffffff", 1.6) + &fill("#ffffff", 0.0, "#8a2c5a", 0.8))];
    document(Shape::Area, &rules, &labels("\"name\"", 12.0, "#7a1f4b", true, Placement::Inside), 1.0)
}

/// A grid is labelled with the end of its code and its households.
fn grids() -> String {
    let outline = "#36506b";
    let rules = [
        rule("\"class\" = 'exclusive'", "专属网格", fill("#c7bfd6", 0.62, outline, 0.45)),
        rule("\"class\" <> 'exclusive' AND \"in_range\"", "达标", fill("#bfdcb4", 0.62, outline, 0.45)),
        rule(
            "\"class\" <> 'exclusive' AND NOT \"in_range\" AND \"deviation\" < -0.3",
            "偏少超过 30%",
            fill("#2f6fb0", 0.62, outline, 0.45),
        ),
        rule(
            "\"class\" <> 'exclusive' AND NOT \"in_range\" AND \"deviation\" >= -0.3 AND \"deviation\" < 0",
            "偏少",
            fill("#8bb6da", 0.62, outline, 0.45),
        ),
        rule(
            "\"class\" <> 'exclusive' AND NOT \"in_range\" AND \"deviation\" >= 0 AND \"deviation\" <= 0.3",
            "偏多",
            fill("#eca878", 0.62, outline, 0.45),
        ),
        rule(
            "\"class\" <> 'exclusive' AND NOT \"in_range\" AND \"deviation\" > 0.3",
            "偏多超过 30%",
            fill("#c2541b", 0.62, outline, 0.45),
        ),
    ];
    let text = "right(\"code\", 3) || '\\n' || \"households\" || ' 户'";
    document(Shape::Area, &rules, &labels(text, 8.0, "#1d3550", true, Placement::Inside), 1.0)
}

/// Footprints coloured by households. Plain comparisons: `BETWEEN` is newer than QGIS 3.22.
fn buildings() -> String {
    let classes: [(&str, &str, &'static str); 6] = [
        ("\"households\" = 0", "#cbc8c2", "无住户"),
        ("\"households\" >= 1 AND \"households\" <= 12", "#f6e3a1", "1–12 户"),
        ("\"households\" >= 13 AND \"households\" <= 24", "#f2bd6b", "13–24 户"),
        ("\"households\" >= 25 AND \"households\" <= 48", "#e58a4e", "25–48 户"),
        ("\"households\" >= 49 AND \"households\" <= 96", "#c4533d", "49–96 户"),
        ("\"households\" > 96", "#8b2340", "96 户以上"),
    ];
    let rules = classes.map(|(filter, color, label)| rule(filter, label, fill(color, 0.95, "#5d564d", 0.1)));
    document(Shape::Area, &rules, "", 1.0)
}

fn compounds() -> String {
    let rules = [
        rule("\"walled\"", "封闭小区", fill("#e2ebd0", 0.3, "#8f7d6d", 0.35)),
        rule("ELSE", "小区", fill("#e9efdc", 0.3, "#b7c39d", 0.2)),
    ];
    document(Shape::Area, &rules, &labels("\"name\"", 7.0, "#55683a", false, Placement::Inside), 1.0)
}

fn streets() -> String {
    let cased = |color: &str, casing: &str, width: f64, level: u8| {
        line(casing, width + 0.35, level) + &line(color, width, level + 4)
    };
    let rules = [
        rule("\"class\" = 'arterial'", "主干路", cased("#fde293", "#d3a548", 1.3, 3)),
        rule("\"class\" = 'secondary'", "次干路", cased("#fff3cd", "#d1bf92", 0.9, 2)),
        rule("\"class\" = 'lane'", "支路、街巷", cased("#ffffff", "#cbc6bc", 0.5, 1)),
        rule("\"class\" = 'path'", "步道", dashed("#b99d7c", 0.25, 0, "1.2;0.8")),
        rule("\"class\" = 'steps'", "台阶", dashed("#a5714a", 0.6, 0, "0.3;0.3")),
    ];
    document(Shape::Line, &rules, &labels("\"name\"", 7.0, "#6d5f49", false, Placement::Along), 1.0)
}

fn barriers() -> String {
    let railway = line("#77736d", 0.9, 0) + &dashed("#f4f2ee", 0.55, 1, "2.2;2.2");
    let rules = [
        rule("\"kind\" IN ('river', 'water')", "河流", line("#b7d5e8", 1.8, 0)),
        rule("\"kind\" = 'railway'", "铁路", railway),
        rule("\"kind\" = 'motorway'", "快速路", line("#c77d3b", 0.9, 0)),
        rule("\"kind\" = 'wall'", "围墙", line("#8f7d6d", 0.35, 0)),
        rule("\"kind\" = 'cliff'", "陡坎", dashed("#7c6a55", 0.6, 0, "0.4;0.6")),
    ];
    let label = "CASE WHEN \"kind\" IN ('river', 'water', 'railway') THEN \"name\" END";
    document(Shape::Line, &rules, &labels(label, 7.5, "#4a7fa5", false, Placement::Along), 1.0)
}

fn barrier_areas() -> String {
    let rules = [
        rule("\"kind\" IN ('river', 'water')", "水面", fill("#b7d5e8", 1.0, "#9cc2dc", 0.2)),
        rule("ELSE", "其他阻隔", fill("#d9d3c7", 0.8, "#8f7d6d", 0.2)),
    ];
    let label = "CASE WHEN \"kind\" IN ('river', 'water') THEN \"name\" END";
    document(Shape::Area, &rules, &labels(label, 7.5, "#4a7fa5", false, Placement::Inside), 1.0)
}

fn gates() -> String {
    let rules = [
        rule("\"open\"", "可通行", marker("square", "#3f8f5a", 1.0, 1.6, "#ffffff", 0.25)),
        rule("ELSE", "关闭", marker("square", "#aa3333", 1.0, 1.6, "#ffffff", 0.25)),
    ];
    document(Shape::Point, &rules, "", 1.0)
}

fn premises() -> String {
    let rules = [rule("", "备选用房", marker("diamond", "#ffffff", 1.0, 2.6, "#5b6bb5", 0.5))];
    document(Shape::Point, &rules, "", 1.0)
}

/// Colour and size say the tier, the outline how the station came about.
fn stations() -> String {
    let tiers: [(&str, &str, &str, f64, [&'static str; 2]); 5] = [
        ("city", "市", "#7a1f4b", 6.0, ["市级中心(现有)", "市级中心(新选)"]),
        ("regional", "片", "#9c2f6b", 5.4, ["片区中心(现有)", "片区中心(新选)"]),
        ("community", "社", "#c8322d", 4.8, ["社区党群服务中心(现有)", "社区党群服务中心(新选)"]),
        ("compound", "驿", "#e2711d", 4.0, ["小区驿站(现有)", "小区驿站(新选)"]),
        ("corner", "角", "#a97b0a", 3.3, ["楼道服务角(现有)", "楼道服务角(新选)"]),
    ];
    let mut rules = vec![rule(
        "\"status\" = 'closed'",
        "撤并",
        marker("cross_fill", "#8a8f98", 1.0, 3.6, "#ffffff", 0.3),
    )];
    for (tier, _, color, size, [standing, chosen]) in tiers {
        let existing = format!("\"tier\" = '{tier}' AND \"status\" = 'existing'");
        rules.push(rule(&existing, standing, marker("circle", color, 1.0, size, "#ffffff", 0.5)));
        let new = format!("\"tier\" = '{tier}' AND \"status\" = 'chosen'");
        let ring = marker("circle", color, 1.0, size + 1.6, "#ffffff", 0.3)
            + &marker("circle", color, 1.0, size, "#ffffff", 0.5);
        rules.push(rule(&new, chosen, ring));
    }
    document(Shape::Point, &rules, &labels("\"name\"", 8.0, "#8e1f1c", true, Placement::Around), 1.0)
}

fn uncovered() -> String {
    let halo = |size: f64| marker("circle", "#d6246e", 0.28, size, "#d6246e", 0.35);
    let rules = [
        rule("\"households\" <= 10", "10 户及以下", halo(2.4)),
        rule("\"households\" > 10 AND \"households\" <= 50", "11–50 户", halo(3.6)),
        rule("\"households\" > 50", "50 户以上", halo(5.4)),
    ];
    document(Shape::Point, &rules, "", 1.0)
}

/// The circles of all stations together; those of single stations are in the table and drawn when filtered.
fn service_circles() -> String {
    let rules = [
        rule("\"station\" IS NULL AND \"minutes\" > 10", "15 分钟", fill("#c0cf68", 0.25, "#a3b348", 0.5)),
        rule(
            "\"station\" IS NULL AND \"minutes\" > 5 AND \"minutes\" <= 10",
            "10 分钟",
            fill("#53ab7f", 0.25, "#3c8f66", 0.5),
        ),
        rule("\"station\" IS NULL AND \"minutes\" <= 5", "5 分钟", fill("#1c7c6c", 0.3, "#14594e", 0.5)),
    ];
    document(Shape::Area, &rules, "", 0.85)
}

/// Each station's own area of the widest circle; the narrower ones lie inside.
fn service_areas() -> String {
    let rules = [
        rule("\"minutes\" > 10", "15 分钟内最近", fill("#c0cf68", 0.15, "#5d6b2f", 0.5)),
        rule("\"minutes\" > 5 AND \"minutes\" <= 10", "10 分钟内最近", fill("#53ab7f", 0.15, "#2c6b4b", 0.5)),
        rule("\"minutes\" <= 5", "5 分钟内最近", fill("#1c7c6c", 0.2, "#14594e", 0.5)),
    ];
    document(Shape::Area, &rules, "", 0.85)
}

fn findings() -> String {
    let sign = |color: &str| marker("triangle", color, 1.0, 2.8, "#ffffff", 0.35);
    let rules = [
        rule("\"severity\" = 'error'", "错误", sign("#d1242f")),
        rule("\"severity\" = 'warning'", "提醒", sign("#e08a00")),
        rule("\"severity\" = 'info'", "提示", sign("#4a7fb5")),
    ];
    document(Shape::Point, &rules, "", 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_style_is_well_formed_and_names_a_layer_once() {
        let styles = styles();
        let mut tables: Vec<&str> = styles.iter().map(|style| style.table).collect();
        tables.sort_unstable();
        tables.dedup();
        assert_eq!(tables.len(), styles.len(), "a layer has two styles");
        for style in &styles {
            let mut reader = quick_xml::Reader::from_str(&style.qml);
            let mut depth = 0_i32;
            loop {
                match reader.read_event().expect("well-formed XML") {
                    quick_xml::events::Event::Start(_) => depth += 1,
                    quick_xml::events::Event::End(_) => depth -= 1,
                    quick_xml::events::Event::Eof => break,
                    _ => {}
                }
            }
            assert_eq!(depth, 0, "{} is cut short", style.table);
        }
    }

    #[test]
    fn colours_are_numbers_from_0_to_255() {
        assert_eq!(rgba("#ff8000", 0.5), "255,128,0,128");
    }
}
