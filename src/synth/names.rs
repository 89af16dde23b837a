//! Invented but ordinary names.

use super::dice::Dice;

const STREETS: [&str; 40] = [
    "建设",
    "解放",
    "人民",
    "中山",
    "和平",
    "胜利",
    "文化",
    "青年",
    "迎春",
    "长江",
    "黄河",
    "泰山",
    "海河",
    "衡山",
    "华山",
    "新华",
    "团结",
    "友谊",
    "红旗",
    "光明",
    "学府",
    "工业",
    "滨海",
    "南大",
    "北大",
    "西关",
    "东关",
    "育才",
    "兴业",
    "振华",
    "朝阳",
    "观海",
    "凤凰",
    "桐林",
    "府后",
    "体育",
    "港城",
    "金沙江",
    "珠江",
    "天山",
];
const FIRST: [&str; 48] = [
    "幸", "建", "安", "和", "新", "东", "西", "南", "北", "福", "光", "文", "胜", "金", "银", "翠", "海",
    "河", "明", "永", "长", "德", "仁", "兴", "华", "丰", "祥", "康", "宁", "春", "锦", "玉", "桃", "松",
    "柳", "竹", "梅", "兰", "龙", "凤", "鹿", "白", "清", "景", "学", "同", "三", "双",
];
const SECOND: [&str; 44] = [
    "福", "设", "康", "平", "华", "安", "园", "山", "河", "苑", "泰", "乐", "景", "昌", "宁", "和", "源",
    "泉", "桥", "林", "湖", "盛", "祥", "荣", "庆", "丰", "顺", "利", "民", "信", "义", "达", "通", "阳",
    "光", "明", "春", "秋", "川", "台", "塘", "岭", "坊", "里",
];
const FAMILIES: [&str; 30] = [
    "李", "王", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "胡", "朱", "高", "林", "何",
    "郭", "马", "罗", "梁", "宋", "郑", "谢", "韩", "唐", "冯", "于", "董", "曲",
];
const VILLAGE_ENDS: [&str; 8] = ["家庄", "家村", "家疃", "家沟", "家屯", "家夼", "家埠", "家洼"];
const ESTATES: [&str; 14] =
    ["花园", "小区", "家园", "苑", "名城", "华庭", "嘉园", "新村", "公馆", "雅居", "国际", "府", "湾", "里"];

/// The name of a lattice line.
pub(super) fn street(line: usize, kind: &str) -> String {
    let turn = ["", "东", "西", "南", "北", "中", "新"][(line / STREETS.len()).min(6)];
    format!("{}{turn}{kind}", STREETS[line * 11 % STREETS.len()])
}

pub(super) fn river(index: usize) -> String {
    ["清水河", "柳林河", "大沽河", "白沙河", "夹河", "辛安河"][index % 6].to_owned()
}

pub(super) fn railway(index: usize) -> String {
    ["胶东线", "滨海支线", "港区专用线", "环城线"][index % 4].to_owned()
}

/// Two ordinary characters.
pub(super) fn pair(dice: &mut Dice) -> String {
    loop {
        let (first, second) = (dice.pick(&FIRST), dice.pick(&SECOND));
        if first != second {
            return format!("{first}{second}");
        }
    }
}

pub(super) fn village(dice: &mut Dice) -> String {
    let side = dice.weighted(&[("", 6.0), ("东", 1.0), ("西", 1.0), ("大", 1.0), ("小", 1.0)]);
    format!("{side}{}{}", dice.pick(&FAMILIES), dice.pick(&VILLAGE_ENDS))
}

pub(super) fn estate(dice: &mut Dice) -> String {
    format!("{}{}", pair(dice), dice.pick(&ESTATES))
}
