//! Why an edit cannot be applied, in Chinese.

use crate::model::Tell;

use super::{EditError, Problem};

impl Tell for EditError {
    fn chinese(&self) -> String {
        match self.line {
            0 => self.problem.chinese(),
            line => format!("第 {line} 行：{}", self.problem.chinese()),
        }
    }
}

impl Tell for Problem {
    fn chinese(&self) -> String {
        match self {
            Self::Syntax(what) => {
                format!(
                    "{}；请按 docs/formats.md 写一个 JSON 对象，如 {{\"op\":\"lock\",\"grid\":\"…\"}}",
                    what.zh
                )
            }
            Self::NoSuchGrid { code, heir } => {
                let heir = heir.as_ref().map_or_else(String::new, |heir| format!("，已由 `{heir}` 承续"));
                format!("没有网格 `{code}`{heir}；请用图层 grids 中的编码")
            }
            Self::NoSuchBuilding { id } => format!("没有建筑 `{id}`；请用图层 buildings 中的 id"),
            Self::NoSuchCompound { id } => {
                format!("没有小区 `{id}`，或有多个同名小区；请用图层 compounds 中的 id")
            }
            Self::NoSuchStation { code } => format!("没有站点 `{code}`；请用图层 stations 中的编号"),
            Self::NoSuchPremise { id } => format!("没有备选用房 `{id}`；请用图层 premises 中的 id，或先登记"),
            Self::Outside { id } => format!("建筑 `{id}` 在所有社区之外，不属任何网格；请改正数据后重新导入"),
            Self::Locked { grid } => {
                format!("网格 `{grid}` 已锁定，不作改动；请先解锁：{{\"op\":\"unlock\",\"grid\":\"{grid}\"}}")
            }
            Self::OtherCommunity { building, grid } => {
                format!("建筑 `{building}` 与网格 `{grid}` 不属同一社区；一个网格只在一个社区内")
            }
            Self::OtherCommunityGrid { grid, into } => {
                format!("网格 `{grid}` 与 `{into}` 不属同一社区；一个网格只在一个社区内")
            }
            Self::NotInGrid { building, grid } => {
                format!("建筑 `{building}` 不在网格 `{grid}` 中；请指定该网格的单元，或用 `new_grid`")
            }
            Self::WholeGrid { grid } => {
                format!("这些单元就是整个网格 `{grid}`，移走后网格为空；请留下一部分，或改名")
            }
            Self::CannotHalve { grid, why } => {
                format!("网格 `{grid}` 不能一分为二：{}；请在 `buildings` 中指定新的一半", why.zh)
            }
            Self::Unchanged(what) => format!("{}，没有变化；请删去这一编辑", what.zh),
            Self::Empty(what) => what.zh.clone(),
            Self::Taken { layer, key } => format!("图层 `{layer}` 中已有 `{key}`；请另选"),
            Self::BadValue { key, value, rule } => format!("`{key}` 为 {value}；{}", rule.zh),
            Self::Stale(what) => format!("{}已不是该编辑之后的样子；规划后来又有改动，因此不能撤销", what.zh),
            Self::TooFar { asked, there, last } => {
                let last = last.as_ref().map_or_else(String::new, |last| format!("“{last}”之后"));
                format!("不能撤销 {asked} 步，{last}只有 {there} 步；请减少步数")
            }
            Self::Broken(rule) => {
                format!("规则“{}”被破坏：{}；请连同输入文件一起报告，这不是数据的问题", rule.rule, rule.what)
            }
        }
    }
}
