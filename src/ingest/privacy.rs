//! Columns about persons are refused: only counts per building are data here.

use super::error::IngestError;
use super::table::{Cell, Layer, TableColumn};
use super::words::normal;
use crate::model::Text;

/// What a column about persons holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Personal {
    /// Numbers of identity cards and the like.
    IdentityNumbers,
    /// Telephone numbers and accounts.
    PhoneNumbers,
    /// Names of people.
    Names,
}

impl Personal {
    /// The words for messages.
    #[must_use]
    pub fn words(self) -> Text {
        Text::from(match self {
            Self::IdentityNumbers => ("身份证号", "identity numbers"),
            Self::PhoneNumbers => ("电话号码", "phone numbers"),
            Self::Names => ("居民姓名", "residents' names"),
        })
    }
}

/// Names of columns about persons, in normal form: the whole name is one of the first list, or holds one of the second.
const PERSONAL_NAMES: &[(Personal, &[&str], &[&str])] = &[
    (
        Personal::IdentityNumbers,
        &[
            "sfz",
            "sfzh",
            "sfzhm",
            "passport",
            "护照",
            "护照号",
            "ssn",
            "idno",
            "zjhm",
            "户口簿号",
            "户口本号",
        ],
        &[
            "身份证",
            "身份号码",
            "证件号",
            "护照号",
            "社保号",
            "社保卡",
            "医保号",
            "医保卡",
            "个人番号",
            "マイナンバー",
            "idcard",
            "identitycard",
            "identitynumber",
            "identityno",
            "nationalid",
            "passportno",
            "passportnumber",
            "socialsecurity",
            "residentid",
            "citizenid",
        ],
    ),
    (
        Personal::PhoneNumbers,
        &[
            "手机",
            "电话",
            "固话",
            "座机",
            "phone",
            "phoneno",
            "mobile",
            "mobileno",
            "tel",
            "telno",
            "lxdh",
            "sjh",
            "sjhm",
            "dhhm",
            "微信",
            "qq",
            "qq号",
            "携帯",
            "contactno",
            "contactnumber",
        ],
        &[
            "手机号",
            "电话号码",
            "电话番号",
            "联系电话",
            "联系方式",
            "联络电话",
            "联络方式",
            "固定电话",
            "家庭电话",
            "移动电话",
            "携帯电话",
            "携帯番号",
            "微信号",
            "phonenumber",
            "mobilephone",
            "mobilenumber",
            "telephone",
            "cellphone",
            "contactphone",
            "phone1",
            "phone2",
        ],
    ),
    (
        Personal::Names,
        &[
            "户主",
            "业主",
            "房主",
            "屋主",
            "产权人",
            "所有权人",
            "承租人",
            "租客",
            "联系人",
            "联络人",
            "户主名",
            "业主名",
            "户主名字",
            "业主名字",
            "居民名字",
            "fullname",
            "xm",
            "hzxm",
            "hz",
            "yzxm",
            "owner",
            "tenant",
            "contact",
            "contactperson",
            "居住者名",
            "所有者名",
            "世帯主",
        ],
        &[
            "姓名",
            "氏名",
            "家庭成员",
            "世帯主名",
            "世帯主氏名",
            "residentname",
            "residentsname",
            "householder",
            "headofhousehold",
            "ownername",
            "nameofowner",
            "tenantname",
            "firstname",
            "lastname",
            "surname",
            "familyname",
            "givenname",
            "contactname",
        ],
    ),
];

/// Names that end so are about persons' telephones.
const PHONE_ENDINGS: &[&str] = &["电话", "手机", "phone", "座机"];

/// What makes a name that of a number of things, or of a thing in the street, and not of a person.
const COUNT_ENDINGS: &[&str] = &[
    "数",
    "数量",
    "率",
    "比例",
    "占比",
    "面积",
    "人口",
    "count",
    "share",
    "rate",
    "area",
    "households",
    "residents",
];
const THINGS: &[&str] =
    &["电话亭", "电话局", "公用电话", "公共电话", "手机店", "手机城", "基站", "phonebooth", "telephonebooth"];

/// The hundred commonest Chinese family names, and what place names end in.
const FAMILY_NAMES: &str = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈\
姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤";
const PLACE_ENDINGS: &str = "村庄楼园苑里院城府湾家区号街路巷坊屯店寨沟河桥镇乡厦座栋阁轩居庭都场厂校所站庙山岭坡坪坝塘滩港岛洲洼\
门口口井池泉台堡营集铺墩岗圩埠头尾东西南北中上下前后";

/// Share of cells that must look like a name before a column counts as names.
const NAME_SHARE: f64 = 0.9;
/// Cells needed before the content alone can tell that a column holds names.
const NAME_CELLS: usize = 20;
/// Share of cells that must look like phone numbers.
const PHONE_SHARE: f64 = 0.5;
/// One identity number in this many cells is enough: chance makes one in 25,000 from random 18-digit codes.
const IDENTITY_ONE_IN: usize = 200;

/// Refuses a layer with a column about persons.
///
/// - Rule: by the column's name; or by content: 18 digits with a birth date and the right check digit, 11-digit
///   mobile numbers with several prefixes, Chinese family names. Empty columns pass.
/// - Source: GB 11643-1999 (check digit by ISO 7064, MOD 11-2).
pub(super) fn check(layer: &Layer) -> Result<(), IngestError> {
    for column in &layer.columns {
        if let Some((what, why)) = personal(column) {
            return Err(IngestError::RefusedColumn {
                file: layer.label(),
                column: column.name.clone(),
                what,
                why,
            });
        }
    }
    Ok(())
}

fn personal(column: &TableColumn) -> Option<(Personal, Text)> {
    let filled = column.cells.iter().filter(|cell| !cell.is_empty()).count();
    if filled == 0 {
        return None;
    }
    if let Some(what) = by_name(&column.name) {
        return Some((what, Text::from(("列名如此", "its name says so"))));
    }
    let name = normal(&column.name);
    let count = |test: fn(&str) -> bool| column.cells.iter().filter(|cell| with_text(cell, test)).count();
    let identities = count(holds_identity_number);
    if 0 < identities && filled <= identities * IDENTITY_ONE_IN {
        return Some((
            Personal::IdentityNumbers,
            Text::from((
                format!("{filled} 个单元格中有 {identities} 个是校验位正确的 18 位号码"),
                format!("{identities} of {filled} cells have 18 digits with a valid check digit"),
            )),
        ));
    }
    let is_code = ["code", "编码", "代码", "编号", "id", "key"].iter().any(|word| name.contains(word));
    if !is_code {
        let phones = count(holds_phone_number);
        if PHONE_SHARE * filled as f64 <= phones as f64 && 0 < phones && several_prefixes(column, phones) {
            return Some((
                Personal::PhoneNumbers,
                Text::from((
                    format!("{filled} 个单元格中有 {phones} 个是 11 位手机号"),
                    format!("{phones} of {filled} cells are 11-digit mobile numbers"),
                )),
            ));
        }
    }
    let people = count(is_person_name);
    let enough = NAME_CELLS <= filled && NAME_SHARE * filled as f64 <= people as f64;
    let why = || {
        Text::from((
            format!("{filled} 个单元格中有 {people} 个是人名"),
            format!("{people} of {filled} cells are Chinese personal names"),
        ))
    };
    enough.then(|| (Personal::Names, why()))
}

/// What the name of a column gives away: without its brackets, and with what stands in them.
fn by_name(name: &str) -> Option<Personal> {
    let whole: String = normal(&name.replace(|c: char| !c.is_alphanumeric(), " "));
    [normal(name), whole].iter().find_map(|name| {
        let plain = name.trim_end_matches(|c: char| c.is_ascii_digit());
        let counts = COUNT_ENDINGS.iter().any(|ending| plain.ends_with(ending));
        if counts || THINGS.iter().any(|thing| name.contains(thing)) {
            return None;
        }
        let listed = PERSONAL_NAMES.iter().find(|(_, whole, parts)| {
            whole.contains(&name.as_str())
                || whole.contains(&plain)
                || parts.iter().any(|part| name.contains(part))
        });
        let phone = PHONE_ENDINGS.iter().any(|ending| plain.ends_with(ending));
        listed.map(|(what, ..)| *what).or(phone.then_some(Personal::PhoneNumbers))
    })
}

/// Tests the text of a cell, without making one for ordinary numbers.
fn with_text(cell: &Cell, test: fn(&str) -> bool) -> bool {
    match cell {
        Cell::Text(text) => test(text),
        Cell::Number(value) if 1e10 <= *value && value.fract() == 0.0 => test(&format!("{value:.0}")),
        _ => false,
    }
}

/// Runs of digits with their following letter X.
fn digit_runs(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_digit() && !matches!(c, 'X' | 'x')).filter(|run| 11 <= run.len())
}

fn holds_identity_number(text: &str) -> bool {
    18 <= text.len() && digit_runs(text).any(is_identity_number)
}

fn is_identity_number(run: &str) -> bool {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let bytes = run.as_bytes();
    if bytes.len() != 18 || !bytes[..17].iter().all(u8::is_ascii_digit) {
        return false;
    }
    let number = |range: std::ops::Range<usize>| run[range].parse::<u32>().unwrap_or(0);
    let is_date = (1900..=2035).contains(&number(6..10))
        && (1..=12).contains(&number(10..12))
        && (1..=31).contains(&number(12..14));
    let sum: u32 = bytes.iter().zip(WEIGHTS).map(|(byte, weight)| u32::from(byte - b'0') * weight).sum();
    is_date && b"10X98765432"[(sum % 11) as usize] == bytes[17].to_ascii_uppercase()
}

fn holds_phone_number(text: &str) -> bool {
    11 <= text.len() && digit_runs(&text.replace(['-', ' '], "")).any(is_phone_number)
}

fn is_phone_number(run: &str) -> bool {
    let bytes = run.as_bytes();
    bytes.len() == 11
        && bytes.iter().all(u8::is_ascii_digit)
        && bytes[0] == b'1'
        && (b'3'..=b'9').contains(&bytes[1])
}

/// Official codes of one place begin alike; phone numbers do not.
fn several_prefixes(column: &TableColumn, phones: usize) -> bool {
    if phones < 4 {
        return true;
    }
    let mut prefixes: Vec<String> = column
        .cells
        .iter()
        .filter_map(Cell::to_text)
        .filter_map(|text| digit_runs(&text).find(|run| is_phone_number(run)).map(|run| run[..3].to_owned()))
        .collect();
    prefixes.sort_unstable();
    prefixes.dedup();
    3 <= prefixes.len()
}

fn is_person_name(text: &str) -> bool {
    let mut chars = text.chars();
    let length = text.chars().count();
    let is_han = |c: char| ('\u{4E00}'..='\u{9FFF}').contains(&c);
    (2..=3).contains(&length)
        && text.chars().all(is_han)
        && chars.next().is_some_and(|first| FAMILY_NAMES.contains(first))
        && chars.next_back().is_some_and(|last| !PLACE_ENDINGS.contains(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_columns_about_persons_are_known_and_no_others() {
        use Personal::{IdentityNumbers, Names, PhoneNumbers};
        for (names, want) in [
            (
                &[
                    "身份证",
                    "身份证号码",
                    "户主身份证号",
                    "业主身份证",
                    "公民身份号码",
                    "证件号码",
                    "ID Card No.",
                    "id_card",
                    "身分証番号（マイナンバー）",
                    "個人番号",
                    "sfzh",
                    "passport_no",
                    "National ID",
                ][..],
                Some(IdentityNumbers),
            ),
            (
                &[
                    "电话",
                    "联系电话",
                    "户主电话",
                    "電話號碼",
                    "電話番号",
                    "携帯電話",
                    "手机",
                    "手机号",
                    "业主手机号码",
                    "联系电话1",
                    "phone",
                    "Phone Number",
                    "owner_phone",
                    "mobile",
                    "Tel",
                    "contact_phone",
                    "楼长（电话）",
                    "网格员电话",
                    "联系方式",
                ],
                Some(PhoneNumbers),
            ),
            (
                &[
                    "姓名",
                    "户主",
                    "户主姓名",
                    "业主",
                    "业主姓名",
                    "居民姓名",
                    "網格員姓名",
                    "氏名",
                    "世帯主",
                    "世帯主氏名",
                    "resident name",
                    "Householder",
                    "head_of_household",
                    "owner_name",
                    "surname",
                    "First Name",
                    "家庭成员",
                    "业主(姓名)",
                ],
                Some(Names),
            ),
            (
                &[
                    "户数",
                    "总户数",
                    "户主数",
                    "业主户数",
                    "小区名称",
                    "楼栋名称",
                    "楼名",
                    "名称",
                    "name",
                    "building_name",
                    "社区名",
                    "电话亭",
                    "电话亭数",
                    "公用电话",
                    "手机店",
                    "residents",
                    "households",
                    "residents_count",
                    "户籍人口",
                    "业主委员会",
                    "町名",
                    "建物名",
                    "世帯数",
                    "telecom",
                    "hotel",
                    "identifier",
                    "id",
                    "housing",
                    "telescope",
                    "address",
                    "地址",
                    "门牌号",
                    "人均面积",
                    "Mobile homes",
                    "产权单位",
                    "tenure",
                    "ownership",
                    "有无电话亭",
                    "手机信号覆盖率",
                ],
                None,
            ),
        ] {
            for name in names {
                assert_eq!(by_name(name), want, "{name}");
            }
        }
    }
}
