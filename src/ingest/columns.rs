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
        "楼栋编码", "建筑编号", "建筑编码", "房屋编号", "房屋编码", "小区编号", "小区编码", "标识", "标识码", "uuid"],
    /// 12-digit division code or other official code.
    Code = "code" ["code12", "编码", "代码", "区划代码", "行政区划代码", "统计用区划代码", "社区代码", "社区编码", "村代码",
        "网格编码", "网格代码", "网格编号", "gridcode", "xzqdm", "stationcode", "驿站编号", "站点编号"],
    /// Name.
    Name = "name" ["名称", "名字", "楼名", "楼栋名称", "楼栋", "建筑名称", "房屋名称", "小区名称", "小区名", "社区名称",
        "社区名", "村名", "驿站名称", "站点名称", "网格名称", "道路名称", "路名", "街路名", "moji", "xzqmc", "buildingname",
        "bldgname", "title", "标题"],
    /// Address, the name of last resort.
    Address = "address" ["addr", "地址", "住址", "门牌", "门牌号", "详细地址", "坐落", "位置"],
    /// Households.
    Households = "households" ["household", "hh", "nhouseholds", "numhouseholds", "householdcount", "dwellings", "dwelling",
        "units", "flats", "homes", "families", "setai", "setaisu", "世帯数", "世帯総数", "户数", "总户数", "居民户数",
        "住户数", "住户", "常住户数", "家庭户数", "入住户数", "户籍户数", "实有户数", "合计户数", "户数合计", "套数", "总套数"],
    /// Residents.
    Residents = "residents" ["resident", "population", "pop", "people", "persons", "inhabitants", "jinko", "人口総数",
        "人口", "人口数", "人数", "总人口", "总人数", "常住人口", "常住人数", "居民数", "居民人数", "居住人口", "户籍人口", "实有人口"],
    /// Floors above ground.
    Floors = "floors" ["levels", "storeys", "stories", "nfloors", "floorcount", "buildinglevels", "层数", "楼层", "总层数",
        "楼层数", "地上层数", "总楼层", "floornum", "层高数"],
    /// Height above ground in metres.
    Height = "height" ["bldgheight", "buildingheight", "高度", "建筑高度", "楼高"],
    /// Gross floor area in square metres.
    FloorArea = "floor_area" ["gfa", "grossfloorarea", "建筑面积", "总建筑面积", "住宅面积"],
    /// What a building is used for.
    Usage = "use" ["usage", "buildinguse", "building", "用途", "建筑用途", "房屋用途", "使用性质", "房屋性质", "建筑类型",
        "房屋类型", "性质"],
    /// Community: code or name.
    Community = "community" ["communityname", "communitycode", "社区", "所属社区", "村", "所属村", "村居", "村社区", "居委会",
        "所属居委会", "所在社区", "社区村"],
    /// Compound: code or name.
    Compound = "compound" ["compoundname", "小区", "所属小区", "所在小区", "院落", "住宅小区", "楼盘"],
    /// Code of the present grid.
    Grid = "grid" ["currentgrid", "网格", "所属网格", "现状网格", "所在网格", "当前网格"],
    /// The present grid stays.
    Locked = "locked" ["lock", "锁定", "固定"],
    /// Asks for a grid of its own.
    Exclusive = "exclusive" ["专属", "专属网格", "是否专属"],
    /// Further load: shops, small venues.
    OtherLoad = "other_load" ["load", "shops", "九小场所", "商铺数", "商户数", "其他负荷", "门店数", "场所数"],
    /// Longitude in degrees.
    Longitude = "longitude" ["lon", "lng", "long", "经度", "经度坐标", "东经", "gislon", "bdlng", "gcjlng", "wgslng",
        "lngwgs84", "lngbd09", "lnggcj02"],
    /// Latitude in degrees.
    Latitude = "latitude" ["lat", "纬度", "纬度坐标", "北纬", "gislat", "bdlat", "gcjlat", "wgslat", "latwgs84", "latbd09",
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
    (Column::Compound, &["小区名称", "小区名", "小区编号", "小区编码"]),
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
