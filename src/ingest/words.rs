//! Words as people mean them: one spelling for names that differ only in form.

use unicode_normalization::UnicodeNormalization;

/// Traditional and Japanese characters of column and place names → simplified.
const SIMPLIFIED: &[(char, char)] = &[
    ('戶', '户'),
    ('戸', '户'),
    ('総', '总'),
    ('経', '经'),
    ('階', '阶'),
    ('個', '个'),
    ('攜', '携'),
    ('處', '处'),
    ('數', '数'),
    ('總', '总'),
    ('樓', '楼'),
    ('層', '层'),
    ('棟', '栋'),
    ('區', '区'),
    ('號', '号'),
    ('編', '编'),
    ('碼', '码'),
    ('網', '网'),
    ('積', '积'),
    ('經', '经'),
    ('緯', '纬'),
    ('稱', '称'),
    ('標', '标'),
    ('縱', '纵'),
    ('橫', '横'),
    ('類', '类'),
    ('級', '级'),
    ('別', '别'),
    ('產', '产'),
    ('權', '权'),
    ('門', '门'),
    ('車', '车'),
    ('東', '东'),
    ('廣', '广'),
    ('場', '场'),
    ('園', '园'),
    ('蘭', '兰'),
    ('鎮', '镇'),
    ('鄉', '乡'),
    ('莊', '庄'),
    ('灣', '湾'),
    ('橋', '桥'),
    ('龍', '龙'),
    ('華', '华'),
    ('業', '业'),
    ('務', '务'),
    ('員', '员'),
    ('電', '电'),
    ('話', '话'),
    ('機', '机'),
    ('證', '证'),
    ('件', '件'),
    ('聯', '联'),
    ('繫', '系'),
    ('長', '长'),
    ('間', '间'),
    ('築', '筑'),
    ('種', '种'),
    ('頂', '顶'),
    ('塊', '块'),
    ('單', '单'),
    ('賃', '赁'),
    ('獨', '独'),
    ('費', '费'),
    ('容', '容'),
];

/// The word without form: NFKC, lower case, simplified, no spaces, no punctuation, nothing in brackets.
///
/// Brackets that hold everything are dropped and their content kept.
pub(super) fn normal(text: &str) -> String {
    let plain: String = text
        .nfkc()
        .flat_map(char::to_lowercase)
        .map(|c| SIMPLIFIED.iter().find(|(from, _)| *from == c).map_or(c, |(_, to)| *to))
        .collect();
    let outside = without_brackets(&plain);
    let kept: String = outside.chars().filter(|c| c.is_alphanumeric()).collect();
    if kept.is_empty() { plain.chars().filter(|c| c.is_alphanumeric()).collect() } else { kept }
}

fn without_brackets(text: &str) -> String {
    let mut depth = 0_u32;
    let mut outside = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '(' | '[' | '{' | '<' | '【' | '〔' | '《' | '「' | '〈' => depth += 1,
            ')' | ']' | '}' | '>' | '】' | '〕' | '》' | '」' | '〉' => depth = depth.saturating_sub(1),
            _ if depth == 0 => outside.push(c),
            _ => {}
        }
    }
    outside
}

/// Reads a number as people write it: thousands commas, full-width digits, a unit behind it.
///
/// `None` if there is no number; a text such as "12户" or "3层" counts.
pub(super) fn number(text: &str) -> Option<f64> {
    let plain: String = text.nfkc().filter(|c| !c.is_whitespace()).collect();
    let plain = grouped(&plain).unwrap_or(plain);
    let end = plain
        .char_indices()
        .find(|(index, c)| {
            !(c.is_ascii_digit()
                || *c == '.'
                || (*index == 0 && matches!(c, '-' | '+'))
                || exponent(&plain, *index))
        })
        .map_or(plain.len(), |(index, _)| index);
    let (digits, unit) = plain.split_at(end);
    let is_unit = unit.is_empty()
        || matches!(
            unit,
            "户" | "戸" | "人" | "层" | "層" | "栋" | "米" | "元" | "万元" | "m" | "m2" | "%" | "°"
        );
    if !is_unit {
        return None;
    }
    let value: f64 = digits.parse().ok()?;
    Some(if unit == "万元" { value * 1e4 } else { value })
}

/// Thousands commas taken out, if they stand where such commas stand.
fn grouped(text: &str) -> Option<String> {
    let (whole, _) = text.split_once('.').unwrap_or((text, ""));
    let mut groups = whole.trim_start_matches(['-', '+']).split(',');
    let first = groups.next()?;
    let mut rest = 0;
    for group in groups {
        if group.len() != 3 || !group.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        rest += 1;
    }
    (0 < rest && (1..=3).contains(&first.len())).then(|| text.replace(',', ""))
}

fn exponent(text: &str, index: usize) -> bool {
    let bytes = text.as_bytes();
    let at = |index: usize| bytes.get(index).copied().unwrap_or(b' ');
    let is_e = |byte: u8| byte == b'e' || byte == b'E';
    let follows = |index: usize| at(index).is_ascii_digit() || matches!(at(index), b'-' | b'+');
    (is_e(at(index)) && 0 < index && at(index - 1).is_ascii_digit() && follows(index + 1))
        || (matches!(at(index), b'-' | b'+') && 1 < index && is_e(at(index - 1)))
}

/// Reads yes and no.
pub(super) fn yes(text: &str) -> Option<bool> {
    match normal(text).as_str() {
        "1" | "yes" | "y" | "true" | "t" | "是" | "有" | "on" => Some(true),
        "0" | "no" | "n" | "false" | "f" | "否" | "无" | "off" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_does_not_matter() {
        for (text, want) in [
            ("总户数（户）", "总户数"),
            ("總戶數", "总户数"),
            ("HOUSE_HOLDS ", "households"),
            ("(小区)", "小区"),
            ("ＳＥＴＡＩ", "setai"),
        ] {
            assert_eq!(normal(text), want, "{text}");
        }
    }

    #[test]
    fn numbers_as_people_write_them() {
        for (text, want) in [
            ("12", Some(12.0)),
            ("1,234", Some(1234.0)),
            ("１２户", Some(12.0)),
            ("-3.5", Some(-3.5)),
            ("1e3", Some(1000.0)),
            ("2万元", Some(20_000.0)),
            ("1,23", None),
            ("3号楼", None),
            ("", None),
            ("abc", None),
        ] {
            assert_eq!(number(text), want, "{text}");
        }
    }
}
