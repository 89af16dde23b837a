//! Names of the plan file's layers, tables and columns, English with Chinese aliases. The one place to look them up.

use super::gpkg::{Column, Table};

const fn text(name: &'static str, alias: &'static str) -> Column {
    Column { name, sql: "TEXT", alias }
}

const fn integer(name: &'static str, alias: &'static str) -> Column {
    Column { name, sql: "INTEGER", alias }
}

const fn real(name: &'static str, alias: &'static str) -> Column {
    Column { name, sql: "REAL", alias }
}

const fn boolean(name: &'static str, alias: &'static str) -> Column {
    Column { name, sql: "BOOLEAN", alias }
}

macro_rules! table {
    ($constant:ident, $name:literal, $alias:literal, $geometry:expr, [$($column:expr),* $(,)?]) => {
        pub(super) const $constant: Table =
            Table { name: $name, alias: $alias, geometry: $geometry, columns: &[$($column),*] };
    };
}

table!(
    COMMUNITIES,
    "communities",
    "社区",
    Some("MULTIPOLYGON"),
    [
        text("code", "社区代码"),
        text("name", "社区名称"),
        text("class", "类型"),
        integer("households", "户数"),
        integer("residents", "人口"),
        integer("grids", "网格数"),
        real("share_5", "5分钟覆盖率"),
        real("share_10", "10分钟覆盖率"),
        real("share_15", "15分钟覆盖率"),
        integer("out_of_range", "超出范围网格数"),
        integer("out_of_range_bound", "超出范围网格数下界"),
        real("cut_cost", "边界代价（米）"),
        real("cut_cost_bound", "边界代价下界（米）"),
    ]
);
table!(
    BUILDINGS,
    "buildings",
    "建筑",
    Some("GEOMETRY"),
    [
        text("id", "编号"),
        text("name", "名称"),
        integer("households", "户数"),
        integer("residents", "人口"),
        text("households_source", "户数来源"),
        integer("other_load", "其他工作量"),
        integer("shops", "商铺"),
        integer("venues", "九小场所"),
        integer("organizations", "社会组织"),
        text("community", "社区代码"),
        text("compound", "小区编号"),
        integer("floors", "层数"),
        text("use", "用途"),
        boolean("exclusive", "专属网格"),
        real("door_x", "门口横坐标"),
        real("door_y", "门口纵坐标"),
        text("current_grid", "现网格代码"),
        boolean("locked", "锁定"),
        text("grid", "网格代码"),
        text("nearest_station", "最近站点"),
        real("walk_s", "步行时间（秒）"),
        text("unreached", "不可达原因"),
        real("distance_m", "路网距离（米）"),
        real("straight_m", "直线距离（米）"),
        text("depth", "各圈层可达站点数"),
        text("tier_walk_s", "各层级步行时间（秒）"),
        boolean("near_edge", "临近数据边缘"),
    ]
);
table!(
    COMPOUNDS,
    "compounds",
    "小区",
    Some("MULTIPOLYGON"),
    [text("id", "编号"), text("name", "名称"), boolean("walled", "封闭"), integer("households", "户数"),]
);
table!(
    STREETS,
    "streets",
    "道路",
    Some("LINESTRING"),
    [
        text("id", "编号"),
        text("name", "名称"),
        text("class", "等级"),
        boolean("foot", "可步行"),
        boolean("bridge", "桥"),
        boolean("tunnel", "隧道"),
        real("incline", "坡度"),
        boolean("crossing", "过街"),
        boolean("no_wheelchair", "轮椅不可通行"),
    ]
);
table!(
    BARRIERS,
    "barriers",
    "阻隔（线）",
    Some("LINESTRING"),
    [text("id", "编号"), text("name", "名称"), text("kind", "类型"),]
);
table!(
    BARRIER_AREAS,
    "barrier_areas",
    "阻隔（面）",
    Some("MULTIPOLYGON"),
    [text("id", "编号"), text("name", "名称"), text("kind", "类型"),]
);
table!(
    GATES,
    "gates",
    "出入口",
    Some("POINT"),
    [text("id", "编号"), text("compound", "小区编号"), boolean("open", "可通行"),]
);
table!(
    PREMISES,
    "premises",
    "备选用房",
    Some("POINT"),
    [
        text("id", "编号"),
        text("name", "名称"),
        text("community", "社区代码"),
        real("area_m2", "面积（平方米）"),
        text("tenure", "产权"),
        integer("floor", "楼层"),
        boolean("own_entrance", "独立出入口"),
        integer("cost_yuan", "年成本（元）"),
        integer("capacity", "可服务户数"),
    ]
);
table!(
    STATIONS,
    "stations",
    "站点",
    Some("POINT"),
    [
        text("code", "编号"),
        text("name", "名称"),
        text("tier", "层级"),
        text("status", "状态"),
        text("community", "社区代码"),
        real("area_m2", "面积（平方米）"),
        integer("capacity", "可服务户数"),
        text("premise", "用房编号"),
        text("reason", "选址理由"),
        text("reason_zh", "选址理由（中文）"),
        text("reason_en", "选址理由（英文）"),
    ]
);
table!(
    GRIDS,
    "grids",
    "网格",
    Some("MULTIPOLYGON"),
    [
        text("code", "网格代码"),
        text("name", "网格名称"),
        text("community", "社区代码"),
        text("class", "类型"),
        integer("target", "目标户数"),
        integer("low", "下限"),
        integer("high", "上限"),
        integer("households", "户数"),
        integer("load", "工作量（折合户）"),
        integer("residents", "人口"),
        integer("buildings", "建筑数"),
        real("deviation", "偏差"),
        boolean("in_range", "在范围内"),
        boolean("locked", "锁定"),
        text("reason", "超出原因"),
        text("bounds", "四至"),
        text("lineage", "沿革"),
        text("note", "备注"),
        real("share_5", "5分钟覆盖率"),
        real("share_10", "10分钟覆盖率"),
        real("share_15", "15分钟覆盖率"),
        text("reason_zh", "超出原因（中文）"),
        text("reason_en", "超出原因（英文）"),
        text("bounds_zh", "四至（中文）"),
        text("bounds_en", "四至（英文）"),
    ]
);
table!(
    UNCOVERED,
    "uncovered",
    "未覆盖建筑",
    Some("POINT"),
    [
        text("building", "建筑编号"),
        integer("households", "户数"),
        integer("residents", "人口"),
        text("community", "社区代码"),
        text("grid", "网格代码"),
        real("walk_s", "步行时间（秒）"),
        real("distance_m", "路网距离（米）"),
        real("straight_m", "直线距离（米）"),
        text("unreached", "不可达原因"),
    ]
);
table!(
    SERVICE_CIRCLES,
    "service_circles",
    "服务圈",
    Some("MULTIPOLYGON"),
    [text("station", "站点编号"), integer("minutes", "分钟"),]
);
table!(
    SERVICE_AREAS,
    "service_areas",
    "就近服务区",
    Some("MULTIPOLYGON"),
    [text("station", "站点编号"), integer("minutes", "分钟"),]
);
table!(
    FINDINGS,
    "findings",
    "问题清单",
    Some("POINT"),
    [
        text("severity", "级别"),
        text("kind", "类别"),
        text("layer", "图层"),
        text("feature", "要素"),
        text("community", "社区代码"),
        text("grid", "网格代码"),
        text("message", "说明"),
        text("remedy", "建议"),
        text("message_zh", "说明（中文）"),
        text("message_en", "说明（英文）"),
        text("remedy_zh", "建议（中文）"),
        text("remedy_en", "建议（英文）"),
        boolean("proven", "已证明"),
        text("building", "建筑编号"),
        text("stage", "来自数据或规划"),
    ]
);
table!(
    COVERAGE,
    "coverage",
    "覆盖分析",
    None,
    [
        text("scope", "范围"),
        text("code", "代码"),
        text("tier", "层级"),
        text("method", "方法"),
        integer("minutes", "分钟"),
        integer("households", "户数"),
        integer("households_reached", "覆盖户数"),
        integer("residents", "人口"),
        integer("residents_reached", "覆盖人口"),
        integer("households_overlap", "重叠覆盖户数"),
        real("share", "覆盖率"),
    ]
);
table!(
    PROFILES,
    "coverage_profiles",
    "不同人群覆盖",
    None,
    [
        text("profile", "步行人群"),
        integer("minutes", "分钟"),
        integer("households_reached", "覆盖户数"),
        integer("households_lost", "本方案人群可达而该人群不可达户数"),
    ]
);
table!(
    PROFILE_LOSSES,
    "profile_losses",
    "不同人群不可达楼栋",
    None,
    [
        text("profile", "步行人群"),
        integer("minutes", "分钟"),
        text("building", "建筑编号"),
        real("walk_s", "步行时间（秒）"),
    ]
);
table!(
    ACCESS,
    "access",
    "可达性（两步移动搜索法）",
    None,
    [
        text("building", "建筑编号"),
        real("access", "每千户供给（2SFCA）"),
        real("access_enhanced", "每千户供给（E2SFCA）"),
        integer("without_room", "站点容量不足户数"),
    ]
);
table!(
    STATION_LOADS,
    "station_loads",
    "站点负荷",
    None,
    [text("station", "站点"), integer("capacity", "容量（户）"), integer("served", "服务户数"),]
);
table!(EVENNESS, "evenness", "均衡程度", None, [text("key", "指标"), text("value", "值")]);
table!(BANDS, "bands", "服务圈规则", None, [integer("minutes", "分钟"), real("metres", "米")]);
table!(
    TIERS,
    "tiers",
    "选址结果",
    None,
    [
        text("tier", "层级"),
        text("goal", "目标"),
        real("objective", "目标值"),
        real("bound", "界"),
        real("gap", "差距"),
        boolean("proven", "已证明最优"),
        text("frontier", "站点数、户数、上界、年费用"),
        text("money", "站点数、户数、上界、年预算"),
        text("goal_zh", "目标（中文）"),
        text("goal_en", "目标（英文）"),
    ]
);
table!(
    RULES,
    "rules",
    "规则",
    None,
    [
        text("key", "规则"),
        text("value", "取值"),
        text("unit", "单位"),
        text("source", "来源"),
        text("clause", "条款"),
        text("status", "核实状态"),
    ]
);
table!(RETIRED_CODES, "retired_codes", "停用代码", None, [text("code", "代码")]);
table!(
    LEDGER,
    "ledger",
    "台账",
    None,
    [
        text("who", "操作人"),
        text("when", "时间"),
        text("what", "内容"),
        text("why", "原因"),
        text("basis", "依据"),
        text("edit", "编辑（JSON）"),
        text("inverse", "撤销（JSON）"),
    ]
);
table!(
    SOURCES,
    "sources",
    "数据来源",
    None,
    [
        text("name", "文件"),
        text("role", "用途"),
        text("sha256", "校验值"),
        text("encoding", "编码"),
        text("crs", "坐标系"),
        integer("features", "要素数"),
        text("role_zh", "用途（中文）"),
        text("role_en", "用途（英文）"),
        text("encoding_zh", "编码（中文）"),
        text("encoding_en", "编码（英文）"),
        text("crs_zh", "坐标系（中文）"),
        text("crs_en", "坐标系（英文）"),
    ]
);
table!(PROVENANCE, "provenance", "来历", None, [text("key", "键"), text("value", "值")]);
table!(
    TERRAIN,
    "terrain",
    "地形",
    None,
    [
        real("origin_x", ""),
        real("origin_y", ""),
        real("cell", ""),
        integer("columns", ""),
        Column { name: "heights", sql: "BLOB", alias: "高程（毫米，gzip）" },
    ]
);
