//! The errors of an import in Chinese: the same facts, what, where, why, then after `；` what to do.

use super::columns::Column;
use super::error::IngestError;
use super::roles::Role;
use crate::geometry::PlaneError;
use crate::model::Tell;

impl Tell for IngestError {
    fn chinese(&self) -> String {
        match self {
            Self::NoSources => {
                "没有可读的文件；至少给出一个，例如 `gridplan import city.osm.pbf -o city.gpkg`".to_owned()
            }
            Self::MissingFile { path, beside } => {
                let hint = if beside.is_empty() {
                    String::new()
                } else {
                    format!("（同一文件夹中有：{}）", beside.join("、"))
                };
                format!("{path} 不存在；请核对路径{hint}")
            }
            Self::Unreadable { file, reason } => {
                format!("{file} 无法读取：{}；请检查文件是否完整、是否有读取权限", reason.zh)
            }
            Self::Database { source_name, reason } => format!(
                "连不上数据库 {source_name}：{}；请检查服务器是否运行、主机、端口、库名、用户和密码是否正确",
                reason.zh
            ),
            Self::Truncated { file, reason } => {
                format!("{file} 不完整：{}；请重新复制或下载，并与原文件比较大小", reason.zh)
            }
            Self::UnknownFormat { file, reason } => format!(
                "{file} 的格式无法识别（{}）；请给出 OSM（.pbf、.osm）、GeoJSON、CSV、XLSX、GeoTIFF 或 GDAL 支持的矢量格式",
                reason.zh
            ),
            Self::NeedsGdal { file } => {
                format!(
                    "读取 {file} 需要 GDAL，而本程序编译时未包含；请用 `--features gdal` 编译，或转换为 GeoJSON 或 CSV"
                )
            }
            Self::NoSuchLayer { file, layer, available } => {
                format!("{file} 没有图层“{layer}”；现有图层：{}", listed(available))
            }
            Self::WrongRole { file, role, found } => format!(
                "{file} 不能作为{}（{role}）读取：其内容是{}，而{0}应是{}；请改用其他 --role 或其他文件",
                role.chinese(),
                found.zh,
                role.needs().zh
            ),
            Self::UnknownRole { file, found } => format!(
                "无法判断 {file} 的用途（{}）；请用 --role 用途={file} 指明，用途为 {} 之一",
                found.zh,
                Role::names()
            ),
            Self::EmptyLayer { file, role, reason, filtered } => {
                let hint =
                    filtered.as_ref().map_or_else(String::new, |filter| format!("和筛选条件“{filter}”"));
                format!("{file} 中没有可用的{}：{}；请检查文件{hint}", role.chinese(), reason.zh)
            }
            Self::NoSuchColumn { column, wanted, available } => {
                format!("没有一个数据有列“{wanted}”（用于 {column}）；现有的列：{}", listed(available))
            }
            Self::RefusedColumn { file, column, what, why } => format!(
                "{file} 的列“{column}”像是{}（{}），这里只需要每栋的户数、人数；请从文件中删除该列后重新导入",
                what.words().zh,
                why.zh
            ),
            Self::NoCoordinates { file, available } => format!(
                "{file} 没有坐标列（现有的列：{}）；请用 --column longitude=… --column latitude=…（度）或 \
                 --column x=… --column y=…（米）指明",
                listed(available)
            ),
            Self::UnknownCrs { file, reason } => {
                format!("{file} 的坐标系不明：{}；请用 --crs 指明，例如 --crs EPSG:4549", reason.zh)
            }
            Self::BadCrs { text, reason } => format!(
                "“{text}”不是可识别的坐标系：{}；请写成 EPSG:4490、EPSG:4326 或平面坐标系，例如 EPSG:4549",
                reason.zh
            ),
            Self::MixedCrs { first, second, kilometres } => format!(
                "{first} 与 {second} 相距 {kilometres:.0} 公里，其中之一的坐标系与所标不符；请在地图上核对两者，并用 --crs 指明正确的坐标系"
            ),
            Self::Encoding { file, line, encoding } => {
                format!(
                    "{file} 第 {line} 行有 {encoding} 无法读取的字节；请用 --encoding 指明编码，例如 gb18030"
                )
            }
            Self::UnknownEncoding { label } => format!(
                "“{label}”不是可识别的编码；请写 utf-8、gb18030、gbk、big5、shift_jis 或 WHATWG 名单中的其他名称"
            ),
            Self::BadFilter { filter, reason } => {
                format!("筛选条件“{filter}”无法使用：{}；请写成例如 CITY = 201 and HCODE != 8154", reason.zh)
            }
            Self::NothingToPlan { reason } => format!(
                "没有可划分的内容：{}；请补充建筑（--role buildings=文件）或带户数的区域（--role units=文件）",
                reason.zh
            ),
            Self::NoHouseholds { atoms, reason } => format!(
                "{atoms} 个建筑或区域都没有户数：{}；请指明户数列（--column {}=列名）、给出总户数（--households-total N），\
                 或按建筑面积估算（--floor-area-per-household 110）",
                reason.zh,
                Column::Households.as_str()
            ),
            Self::BadParameter { name, value, needed } => format!("{name} 为 {value}；应为{}", needed.zh),
            Self::Stopped => "已按要求停止；没有写入任何文件".to_owned(),
            Self::Plane(error) => of_plane(error),
        }
    }
}

fn of_plane(error: &PlaneError) -> String {
    match error {
        PlaneError::UnknownCode(code) => format!(
            "EPSG:{code} 不是可用的本地平面坐标系；请用 CGCS2000 3 度带高斯-克吕格（EPSG:4534 至 4554，带带号的为 4513 至 4533）\
             或 UTM（EPSG:32601 至 32660、32701 至 32760）"
        ),
        PlaneError::OutOfRange { lon, lat } => {
            format!("{lon}, {lat} 不是该平面能到达的经纬度；请核对坐标和坐标系")
        }
    }
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "无".to_owned() } else { names.join("、") }
}
