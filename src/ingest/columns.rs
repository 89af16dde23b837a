//! What columns mean, by their names in English, Chinese and the census of Japan.

use super::ImportRequest;
use super::draft::Draft;
use super::error::IngestError;
use super::filter::Filter;
use super::table::Layer;
use super::words::normal;
use crate::model::Text;

macro_rules! columns {
    ($($(#[$doc:meta])* $name:ident = $word:literal [$($synonym:literal),* $(,)?],)*) => {
        /// What a column holds.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Column { $($(#[$doc])* $name,)* }

        impl Column {
            /// All meanings.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The word used in flags.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// Names that are recognised beside the word itself, in normal form.
            #[must_use]
            pub const fn synonyms(self) -> &'static [&'static str] {
                match self { $(Self::$name => &[$($synonym),*],)* }
            }
        }
    };
}

columns! {
    /// Identifier of the feature.
    Id = "id" ["fid", "objectid", "gid", "uid", "osmid", "keycode", "buildingid", "bldgid", "编号", "序号", "楼栋编号",
        "楼栋编码", "建筑编号", "建筑编码", "房屋编号", "房屋编码", "小区编号", "小区编码", "标识", "标识码", "uuid", "建物id", "建物番号", "建物编号"],
    /// 12-digit division code or other official code.
    Code = "code" ["code12", "编码", "代码", "区划代码", "行政区划代码", "统计用区划代码", "社区代码", "社区编码", "村代码",
        "网格编码", "网格代码", "网格编号", "gridcode", "xzqdm", "stationcode", "驿站编号", "站点编号"],
    /// Name.
    Name = "name" ["名称", "名字", "楼名", "楼栋名称", "楼栋", "楼号", "楼栋号", "幢号", "栋号", "楼幢号", "建筑名称", "房屋名称", "小区名称", "小区名", "社区名称",
        "社区名", "村名", "驿站名称", "站点名称", "网格名称", "道路名称", "路名", "街路名", "moji", "xzqmc", "buildingname",
        "bldgname", "建物名", "建物名称", "町丁名", "町丁目名", "町名", "町丁字名", "楼宇名称", "楼盘名称", "建筑物名称", "用房名称", "房屋坐落名称", "title", "标题"],
    /// Address, the name of last resort.
    Address = "address" ["addr", "地址", "住址", "门牌", "门牌号", "详细地址", "坐落", "住所", "所在地", "房屋坐落", "地点", "位置"],
    /// Households.
    Households = "households" ["household", "hh", "nhouseholds", "numhouseholds", "householdcount", "dwellings", "dwelling",
        "units", "flats", "homes", "families", "setai", "setaisu", "世帯数", "世帯总数", "户数", "总户数", "居民户数",
        "住户数", "住户", "常住户数", "家庭户数", "入住户数", "户籍户数", "实有户数", "合计户数", "户数合计", "套数", "总套数", "总世帯数", "一般世帯数", "一般世帯总数", "totalhouseholds", "householdstotal", "householdsnumber", "noofhouseholds", "numberofhouseholds", "nohouseholds", "hhcount", "hhs", "hhtotal", "totalhh", "nhh", "dwellingunits", "housingunits", "实住户数", "居住户数", "现住户数", "登记户数", "入户数", "在住户数", "居民总户数", "常住总户数", "家庭户", "总户", "户籍总户数"],
    /// Residents.
    Residents = "residents" ["resident", "population", "pop", "people", "persons", "inhabitants", "jinko", "人口总数",
        "人口", "人口数", "人数", "总人口", "总人数", "常住人口", "常住人数", "居民数", "居民人数", "居住人口", "户籍人口", "实有人口", "人口总计", "总居民数", "居民总数", "居民人口", "常住总人口", "户籍总人口", "居住人数", "住户人数", "totalpopulation", "popcount", "npeople", "人口计", "住民数", "居住者数"],
    /// Floors above ground.
    Floors = "floors" ["levels", "storeys", "stories", "nfloors", "floorcount", "buildinglevels", "层数", "楼层", "总层数",
        "楼层数", "地上层数", "总楼层", "floornum", "建筑层数", "房屋层数", "地上楼层", "阶数", "地上阶数", "地上阶", "numfloors", "numberoffloors", "nooffloors", "storeysabove", "bldglevels", "层高数"],
    /// Height above ground in metres.
    Height = "height" ["bldgheight", "buildingheight", "高度", "建筑高度", "楼高", "高さ", "建物高さ", "楼栋高度", "房屋高度"],
    /// Gross floor area in square metres.
    FloorArea = "floor_area" ["gfa", "grossfloorarea", "建筑面积", "总建筑面积", "住宅面积", "延床面积", "延べ床面积", "总面积", "floorareasqm", "floorspace", "房屋建筑面积", "grossarea"],
    /// What a building is used for.
    Usage = "use" ["usage", "buildinguse", "building", "用途", "建筑用途", "房屋用途", "使用性质", "房屋性质", "建筑类型",
        "房屋类型", "建物用途", "建物种别", "主要用途", "楼栋用途", "楼栋类型", "房屋使用性质", "buildingtype", "bldguse", "landuse", "规划用途", "设计用途", "性质"],
    /// Community: code or name.
    Community = "community" ["communityname", "communitycode", "社区", "所属社区", "村", "所属村", "村居", "村社区", "居委会",
        "所属居委会", "所在社区", "社区村", "社区居委会", "村居社区", "村居委会", "町丁目", "町内会", "自治会", "neighbourhood", "neighborhood", "所辖社区", "所在村"],
    /// Compound: code or name.
    Compound = "compound" ["compoundname", "小区", "所属小区", "所在小区", "院落", "住宅小区", "楼盘", "estate", "estatename", "小区院落", "所属院落", "物业小区"],
    /// Code of the present grid.
    Grid = "grid" ["currentgrid", "网格", "所属网格", "现状网格", "所在网格", "当前网格", "网格号", "原网格", "gridno", "gridid", "所属网格编码", "所属网格名称"],
    /// The present grid stays.
    Locked = "locked" ["lock", "锁定", "固定"],
    /// Asks for a grid of its own.
    Exclusive = "exclusive" ["专属", "专属网格", "是否专属"],
    /// Shops.
    Shops = "shops" ["nshops", "shopcount", "商铺", "商铺数", "商户数", "商户", "门店数", "沿街商铺", "商铺数量", "个体工商户"],
    /// Small venues.
    Venues = "venues" ["smallvenues", "九小场所", "九小场所数", "场所数", "小场所", "小场所数"],
    /// Social organizations.
    Organizations = "organizations" ["organisations", "orgs", "社会组织", "社会组织数", "两新组织", "两新组织数"],
    /// Further load of any kind.
    OtherLoad = "other_load" ["load", "其他负荷", "其他工作量"],
    /// Longitude in degrees.
    Longitude = "longitude" ["lon", "lng", "long", "经度", "经度坐标", "东经", "经度wgs84", "经度gcj02", "经度bd09", "经度84", "gpslon", "gpslng", "lonwgs84", "gisx", "gislon", "bdlng", "gcjlng", "wgslng",
        "lngwgs84", "lngbd09", "lnggcj02"],
    /// Latitude in degrees.
    Latitude = "latitude" ["lat", "纬度", "纬度坐标", "北纬", "纬度wgs84", "纬度gcj02", "纬度bd09", "纬度84", "gpslat", "gisy", "gislat", "bdlat", "gcjlat", "wgslat", "latwgs84", "latbd09",
        "latgcj02"],
    /// Easting in metres, or longitude.
    X = "x" ["easting", "东坐标", "横坐标", "x坐标", "坐标x", "pointx", "xcoord", "xcode", "cx"],
    /// Northing in metres, or latitude.
    Y = "y" ["northing", "北坐标", "纵坐标", "y坐标", "坐标y", "pointy", "ycoord", "ycode", "cy"],
    /// Geometry as well-known text.
    Wkt = "wkt" ["geometry", "geom", "thegeom", "wktgeom", "几何"],
    /// Size class of a community's grids.
    Class = "class" ["gridclass", "网格类型", "网格类别", "社区类型", "分类", "类别"],
    /// Service level of a station.
    Tier = "tier" ["level", "层级", "级别", "站点级别", "驿站级别", "站点类型", "驿站类型", "等级"],
    /// Floor area of a station or premises in square metres.
    Area = "area" ["面积", "使用面积", "面积平方米", "可用面积", "areasqm", "aream2"],
    /// Households that it can serve.
    Capacity = "capacity" ["容量", "服务能力", "服务户数", "可服务户数"],
    /// Who owns it.
    Tenure = "tenure" ["产权", "产权单位", "产权性质", "权属", "权属单位"],
    /// Storey.
    Storey = "storey" ["floor", "所在楼层", "所在层", "层"],
    /// Has its own entrance.
    OwnEntrance = "own_entrance" ["独立出入口", "独立入口", "独立门", "单独出入口", "有无独立出入口"],
    /// Yearly cost in yuan.
    Cost = "cost" ["租金", "年租金", "费用", "年费用", "成本", "rent"],
    /// Class of a street, or kind of a barrier.
    Kind = "kind" ["highway", "fclass", "type", "roadclass", "streetclass", "waterway", "railway", "barrier", "类型",
        "道路等级", "道路类型", "道路类别", "种类"],
    /// People may walk here.
    Foot = "foot" ["walkable", "步行", "可步行", "人行"],
    /// On a bridge.
    Bridge = "bridge" ["桥", "桥梁", "是否桥梁"],
    /// In a tunnel.
    Tunnel = "tunnel" ["隧道", "是否隧道"],
    /// Rise per length, a fraction or a percentage.
    Incline = "incline" ["slope", "坡度"],
    /// A marked crossing.
    Crossing = "crossing" ["人行横道", "过街"],
    /// Closed to wheelchairs.
    NoWheelchair = "no_wheelchair" ["无障碍"],
    /// A walled compound.
    Walled = "walled" ["gated", "fenced", "封闭", "是否封闭", "围墙", "封闭小区"],
    /// A gate that is open.
    Open = "open" ["开放", "是否开放", "通行"],
    /// Water and similar classes of the census of Japan: 8154 is water.
    Hcode = "hcode" [],
}

impl Column {
    /// Reads the word used in flags, or any name that is recognised.
    ///
    /// ```
    /// # use gridplan::ingest::Column;
    /// assert_eq!(Column::parse("households"), Some(Column::Households));
    /// assert_eq!(Column::parse("总户数"), Some(Column::Households));
    /// ```
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        let word = normal(word);
        let exact = Self::ALL.iter().copied().find(|column| normal(column.as_str()) == word);
        exact.or_else(|| Self::ALL.iter().copied().find(|column| column.synonyms().contains(&word.as_str())))
    }
}

/// Names that mean the thing itself in its own list, and membership in a list of buildings.
const SECOND_MEANINGS: &[(Column, &[&str])] = &[
    (Column::Compound, &["小区名称", "小区名", "楼盘名称", "小区编号", "小区编码"]),
    (Column::Community, &["社区名称", "社区名", "村名", "社区代码", "社区编码"]),
];

/// Which column of a layer holds what.
#[derive(Clone, Debug, Default)]
pub(super) struct ColumnMap {
    at: Vec<(Column, usize)>,
}

impl ColumnMap {
    /// Finds the columns of a layer: those asked for by name first, then by recognised names.
    ///
    /// A name that is asked for takes its column away from every other meaning.
    pub(super) fn of(layer: &Layer, request: &ImportRequest) -> Self {
        let names: Vec<String> = layer.columns.iter().map(|column| normal(&column.name)).collect();
        let mut at = Vec::new();
        let mut taken = vec![false; names.len()];
        for (&column, wanted) in &request.columns {
            let exact = layer.columns.iter().position(|column| column.name == *wanted);
            if let Some(index) = exact.or_else(|| names.iter().position(|name| *name == normal(wanted))) {
                at.push((column, index));
                taken[index] = true;
            }
        }
        for &column in Column::ALL {
            if at.iter().any(|(known, _)| *known == column) {
                continue;
            }
            let word = normal(column.as_str());
            let spellings = std::iter::once(word.as_str()).chain(column.synonyms().iter().copied());
            let found = spellings
                .filter_map(|spelling| {
                    names.iter().enumerate().position(|(index, name)| name == spelling && !taken[index])
                })
                .next();
            if let Some(index) = found {
                at.push((column, index));
                taken[index] = true;
            }
        }
        if layer.short_names {
            at_cut_names(layer, &names, &mut at, &mut taken);
        }
        at_alike(layer, &names, &mut at, &mut taken);
        at_with_datum(&names, &mut at, &mut taken);
        for (column, spellings) in SECOND_MEANINGS {
            if at.iter().all(|(known, _)| known != column) {
                let found = names.iter().position(|name| spellings.contains(&name.as_str()));
                at.extend(found.map(|index| (*column, index)));
            }
        }
        Self { at }
    }

    /// Position of a column in its layer.
    pub(super) fn get(&self, column: Column) -> Option<usize> {
        self.at.iter().find(|(known, _)| *known == column).map(|(_, index)| *index)
    }

    /// Whether the layer has such a column.
    pub(super) fn has(&self, column: Column) -> bool {
        self.get(column).is_some()
    }

    /// Column names with their meaning, for messages: `SETAI = households`.
    pub(super) fn described(&self, layer: &Layer) -> String {
        let mut parts: Vec<(usize, String)> = self
            .at
            .iter()
            .map(|(column, index)| (*index, format!("{} = {}", layer.columns[*index].name, column.as_str())))
            .collect();
        parts.sort_unstable();
        parts.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join(", ")
    }
}

/// Bytes that a shapefile keeps of a column name; a character of two or three bytes may have been cut in two.
const NAME_BYTES: std::ops::RangeInclusive<usize> = 8..=10;

/// Columns whose names a shapefile cut at ten bytes: the beginning of exactly one meaning's names.
fn at_cut_names(layer: &Layer, names: &[String], at: &mut Vec<(Column, usize)>, taken: &mut [bool]) {
    for (index, name) in names.iter().enumerate() {
        let raw = &layer.columns[index].name;
        let in_gbk = encoding_rs::GBK.encode(raw).0.len();
        let is_cut = NAME_BYTES.contains(&raw.len()) || NAME_BYTES.contains(&in_gbk);
        // Three characters at least: fewer begin too many names.
        if taken[index] || !is_cut || name.chars().count() < 3 {
            continue;
        }
        let begins = |column: &Column| {
            let word = normal(column.as_str());
            word.starts_with(name.as_str())
                || column.synonyms().iter().any(|synonym| synonym.starts_with(name.as_str()))
        };
        let mut meanings = Column::ALL.iter().copied().filter(begins);
        if let (Some(column), None) = (meanings.next(), meanings.next())
            && at.iter().all(|(known, _)| *known != column)
        {
            at.push((column, index));
            taken[index] = true;
        }
    }
}

/// How names of counts end or what they hold, and words in front of it that make it the count of something else.
const ALIKE: &[(Column, &[&str], &[&str])] = &[
    (
        Column::Households,
        &["户数", "世帯数", "households"],
        &[
            "空", "租", "低保", "困难", "贫困", "脱贫", "监测", "独居", "特困", "五保", "个体", "商户",
            "企业", "工商", "党员", "优抚", "拆迁", "搬迁", "计划", "规划", "vacant", "empty", "poor",
            "rented", "空き",
        ],
    ),
    (
        Column::Residents,
        &["人口", "人口数", "人数", "population", "residents"],
        &[
            "户均", "平均", "外来", "流动", "老年", "老龄", "儿童", "残疾", "低保", "党员", "男", "女",
            "密度", "就业", "失业", "服务", "工作", "从业", "elder", "density", "child", "worker",
        ],
    ),
];

/// A single column whose name ends as a name of counts does and that holds numbers: `2023年末户数`, `hh_households`.
fn at_alike(layer: &Layer, names: &[String], at: &mut Vec<(Column, usize)>, taken: &mut [bool]) {
    for (column, endings, others) in ALIKE {
        if at.iter().any(|(known, _)| known == column) {
            continue;
        }
        let fits = |(index, name): &(usize, &String)| {
            !taken[*index]
                && endings
                    .iter()
                    .any(|ending| name.trim_end_matches(|c: char| c.is_ascii_digit()).ends_with(ending))
                && !others.iter().any(|other| name.contains(other))
                && layer.columns[*index].cells.iter().any(|cell| cell.number().is_some())
        };
        let mut found = names.iter().enumerate().filter(fits);
        if let (Some((index, _)), None) = (found.next(), found.next()) {
            at.push((*column, index));
            taken[index] = true;
        }
    }
}

/// Words for a datum that people add to the names of longitude and latitude.
const DATUM_WORDS: &[&str] = &[
    "百度",
    "高德",
    "腾讯",
    "火星",
    "谷歌",
    "天地图",
    "bd09ll",
    "bd09",
    "gcj02",
    "wgs84",
    "cgcs2000",
    "amap",
    "baidu",
    "gcj",
    "wgs",
    "bd",
    "84",
    "2000",
    "gps",
    "坐标",
    "中心点",
    "中心",
];

/// Longitude and latitude whose names also say the datum: `百度经度`, `lat_gcj02`.
fn at_with_datum(names: &[String], at: &mut Vec<(Column, usize)>, taken: &mut [bool]) {
    for (index, name) in names.iter().enumerate() {
        let plain = DATUM_WORDS.iter().fold(name.clone(), |name, word| name.replace(word, ""));
        let is =
            |column: &Column| plain == normal(column.as_str()) || column.synonyms().contains(&plain.as_str());
        let column = [Column::Longitude, Column::Latitude].into_iter().find(is);
        if let Some(column) =
            column.filter(|column| !taken[index] && at.iter().all(|(known, _)| known != column))
        {
            at.push((column, index));
            taken[index] = true;
        }
    }
}

/// Every column that was asked for by name, also in the filter, is in some source.
pub(super) fn check_overrides(request: &ImportRequest, drafts: &[Draft]) -> Result<(), IngestError> {
    let is_in = |draft: &Draft, wanted: &str| {
        draft.columns.iter().any(|name| name == wanted || normal(name) == normal(wanted))
    };
    let mut available: Vec<String> = drafts.iter().flat_map(|draft| draft.columns.iter().cloned()).collect();
    available.sort_unstable();
    available.dedup();
    if let Some(text) = &request.filter {
        let filter = Filter::parse(text)?;
        if !drafts.iter().any(|draft| filter.columns().all(|wanted| is_in(draft, wanted))) {
            let reason = Text::from((
                format!("没有一个数据有其中的列；现有的列：{}", available.join("、")),
                format!("no source has its columns; columns found: {}", available.join(", ")),
            ));
            return Err(IngestError::BadFilter { filter: text.clone(), reason });
        }
    }
    let lost = request.columns.iter().find(|(_, wanted)| !drafts.iter().any(|draft| is_in(draft, wanted)));
    match lost {
        None => Ok(()),
        Some((column, wanted)) => {
            Err(IngestError::NoSuchColumn { column: column.as_str(), wanted: wanted.clone(), available })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(names: &[&str], short_names: bool) -> Layer {
        let columns = names.iter().map(|name| super::super::table::TableColumn {
            name: (*name).to_owned(),
            cells: vec![super::super::table::Cell::Number(3.0)],
        });
        Layer { columns: columns.collect(), len: 1, short_names, ..Layer::default() }
    }

    #[test]
    fn names_cut_at_ten_bytes_and_unusual_counts_are_understood() {
        let of = |names: &[&str], short: bool, column: Column| {
            ColumnMap::of(&layer(names, short), &ImportRequest::default()).get(column)
        };
        for (names, column, want) in [
            (&["BM", "常住户数（"][..], Column::Households, Some(1)),
            (&["居民户数合"], Column::Households, None),
            (&["户籍总户"], Column::Households, Some(0)),
            (&["num_househ"], Column::Households, Some(0)),
            (&["房屋建筑面"], Column::FloorArea, Some(0)),
            (&["行政区划代"], Column::Code, Some(0)),
            // Begins nothing that is known.
            (&["备注备注备"], Column::Name, None),
        ] {
            assert_eq!(of(names, true, column), want, "{names:?}");
        }
        assert_eq!(of(&["num_househ"], false, Column::Households), None, "only shapefiles cut names");
        for (names, want) in [
            (&["楼栋名称", "2023年末户数"][..], Some(1)),
            (&["空置户数", "小区户数"], Some(1)),
            (&["低保户数"], None),
            (&["甲户数", "乙户数"], None),
            (&["戸数"], Some(0)),
            (&["一般世帯数"], Some(0)),
            (&["No. of households"], Some(0)),
        ] {
            assert_eq!(of(names, false, Column::Households), want, "{names:?}");
        }
        for (names, want) in [
            (["百度经度", "百度纬度"], (0, 1)),
            (["lat_gcj02", "lng_gcj02"], (1, 0)),
            (["经度（BD-09）", "纬度（BD-09）"], (0, 1)),
            (["WGS84经度", "WGS84纬度"], (0, 1)),
            (["X", "纬度"], (9, 1)),
        ] {
            let found = (of(&names, false, Column::Longitude), of(&names, false, Column::Latitude));
            assert_eq!(found, (Some(want.0).filter(|at| *at < 9), Some(want.1)), "{names:?}");
        }
        assert_eq!(of(&["户均人数", "楼内人数"], false, Column::Residents), Some(1));
    }

    #[test]
    fn synonyms_are_in_normal_form_and_mean_one_thing() {
        let mut seen = std::collections::BTreeMap::new();
        for &column in Column::ALL {
            for synonym in column.synonyms().iter().copied().chain([normal(column.as_str()).leak() as &str]) {
                assert_eq!(synonym, normal(synonym), "{synonym} is never found");
                assert_eq!(seen.insert(synonym, column), None, "{synonym} means two things");
            }
        }
    }
}
