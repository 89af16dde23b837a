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

/// Names of columns about persons, in normal form, with what they hold.
const PERSONAL_NAMES: &[(Personal, &[&str])] = &[
    (
        Personal::IdentityNumbers,
        &[
            "身份证",
            "身份证号",
            "身份证号码",
            "证件号",
            "证件号码",
            "公民身份号码",
            "公民身份证号码",
            "身份号码",
            "户主身份证",
            "户主身份证号",
            "idcard",
            "idcardno",
            "idcardnumber",
            "identitycard",
            "identitynumber",
            "identityno",
            "nationalid",
            "sfz",
            "sfzh",
            "sfzhm",
            "passport",
            "护照",
            "护照号",
            "社保号",
        ],
    ),
    (
        Personal::PhoneNumbers,
        &[
            "手机",
            "手机号",
            "手机号码",
            "电话",
            "电话号码",
            "联系电话",
            "联系方式",
            "户主电话",
            "户主手机",
            "固定电话",
            "家庭电话",
            "phone",
            "phoneno",
            "phonenumber",
            "mobile",
            "mobileno",
            "mobilephone",
            "mobilenumber",
            "tel",
            "telephone",
            "telno",
            "cellphone",
            "contactphone",
            "lxdh",
            "sjh",
            "sjhm",
            "微信",
            "微信号",
            "qq",
        ],
    ),
    (
        Personal::Names,
        &[
            "姓名",
            "户主",
            "户主姓名",
            "业主",
            "业主姓名",
            "房主",
            "房主姓名",
            "居民姓名",
            "住户姓名",
            "产权人",
            "产权人姓名",
            "承租人",
            "租户姓名",
            "联系人",
            "联系人姓名",
            "家庭成员",
            "residentname",
            "householder",
            "householdername",
            "headofhousehold",
            "ownername",
            "tenantname",
            "fullname",
            "firstname",
            "lastname",
            "surname",
            "contactname",
            "xm",
            "hzxm",
            "hz",
        ],
    ),
];

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
    let name = normal(&column.name);
    let by_name = PERSONAL_NAMES.iter().find(|(_, names)| names.contains(&name.as_str()));
    if let Some((what, _)) = by_name {
        return Some((*what, Text::from(("列名如此", "its name says so"))));
    }
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
