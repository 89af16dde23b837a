//! Parts of the coverage section: walkers side by side, what stations have to serve, how even it is.

use super::facts::Facts;
use super::markup::{Cell, Table, note, paragraph};
use super::text::{self, count, decimal, percent};
use crate::model::{Lang, ServiceBalance, SupplyUnit};
use crate::units::Seconds;

/// Above this many stations the report shows the fullest; the workbook has all.
const MAX_LOADS: usize = 15;

/// Everything of this page.
pub(super) fn parts(facts: &Facts<'_>, lang: Lang) -> String {
    let mut body = walkers(facts, lang);
    if let Some(balance) = &facts.plan.coverage.balance {
        body.push_str(&evenness(balance, lang));
        body.push_str(&loads(facts, balance, lang));
    }
    body
}

/// Who reaches a station as the plan's own walker and not as another.
fn walkers(facts: &Facts<'_>, lang: Lang) -> String {
    let coverage = &facts.plan.coverage;
    if coverage.profiles.is_empty() {
        return String::new();
    }
    let mut heads = vec![lang.pick("步行人群", "walker").to_owned()];
    for band in &coverage.bands {
        let minutes = band.minutes;
        heads.push(say!(lang, "#{minutes} 分钟覆盖", "#within {minutes} min"));
        heads.push(say!(lang, "#{minutes} 分钟内少覆盖（户）", "#lost within {minutes} min"));
    }
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let mut table = Table::new(
        lang.pick("不同人群的覆盖（路网时间，住户）", "Walkers side by side (network time, households)"),
        &heads,
    );
    let own = text::profile(&coverage.profile, lang);
    let mut row = vec![Cell::text(say!(lang, "{own}（本方案）", "{own} (this plan)"))];
    for band in &coverage.bands {
        let found = facts.row(
            crate::model::CoverageScope::All,
            crate::model::CoverageMethod::NetworkTime,
            band.minutes,
        );
        let share = found.map_or_else(
            || "—".into(),
            |row| percent(u64::from(row.households_reached.0), u64::from(row.households.0)),
        );
        row.extend([Cell::Figure(share), Cell::Figure("—".into())]);
    }
    table.row(row);
    for profile in &coverage.profiles {
        let mut row = vec![Cell::text(text::profile(&profile.profile, lang))];
        for (reached, lost) in profile.households_reached.iter().zip(&profile.households_lost) {
            row.push(Cell::Figure(percent(u64::from(reached.0), facts.planned.households)));
            row.push(Cell::count(u64::from(lost.0)));
        }
        table.row(row);
    }
    if !coverage.with_terrain {
        table.note(lang.pick(
            "没有地形模型：未计坡度，轮椅与老年人的实际覆盖可能更低。",
            "No terrain model: slopes are not counted; wheelchairs and older people may reach less.",
        ));
    }
    table.note(lang.pick(
        "“少覆盖”指本方案人群能到而该人群到不了的住户；逐栋名单见工作簿“不同人群”表。",
        "Lost: households that the plan's own walker reaches a station from and this one does not; the workbook lists them building by building.",
    ));
    table.html()
}

fn evenness(balance: &ServiceBalance, lang: Lang) -> String {
    let evenness = &balance.evenness;
    let minutes =
        |walk: Option<Seconds>| walk.map_or_else(|| "—".to_owned(), |walk| text::minutes(walk.value()));
    let unit = match balance.unit {
        SupplyUnit::Households => lang.pick("户容量", "household places"),
        SupplyUnit::Stations => lang.pick(
            "站（有站点缺容量和面积，按站计）",
            "stations (some lack capacity and area, so each counts one)",
        ),
    };
    let heads = [
        lang.pick("指标", "figure"),
        lang.pick("#平均", "#mean"),
        lang.pick("#最差十分之一住户", "#worst tenth of households"),
        lang.pick("#基尼系数", "#Gini"),
    ];
    let mut table = Table::new(lang.pick("服务均衡程度", "How even the service is"), &heads);
    table.row(vec![
        Cell::text(lang.pick("到最近站点步行（分）", "walk to the nearest station (min)")),
        Cell::Figure(minutes(evenness.mean_walk)),
        Cell::Figure(minutes(evenness.worst_decile_walk)),
        Cell::Figure(decimal(evenness.gini_walk, 3)),
    ]);
    table.row(vec![
        Cell::text(say!(lang, "每千户供给（2SFCA，{unit}）", "supply per 1,000 households (2SFCA, {unit})")),
        Cell::Figure(decimal(evenness.mean_access, 2)),
        Cell::Figure(decimal(evenness.worst_decile_access, 2)),
        Cell::Figure(decimal(evenness.gini_access, 3)),
    ]);
    if evenness.worst_decile_walk.is_none() {
        table.note(lang.pick(
            "最差十分之一住户中有人步行到不了任何站点，故无平均值。",
            "Some of the worst tenth reach no station on foot, so it has no mean.",
        ));
    }
    table.html()
}

/// The fullest stations, and who finds no room.
fn loads(facts: &Facts<'_>, balance: &ServiceBalance, lang: Lang) -> String {
    if balance.loads.iter().all(|load| load.capacity.is_none()) {
        return note(lang.pick(
            "站点均未填写容量：未做限容量分配。",
            "No station has a capacity: nobody is turned away, and nothing is assigned by it.",
        ));
    }
    let turned_away: u64 = balance.without_room.iter().map(|&n| u64::from(n)).sum();
    let figure = count(turned_away);
    let mut body = paragraph(&say!(
        lang,
        "按“就近、满员即止”分配，{figure} 户在最大步行圈内没有有余量的站点（含圈外住户）。",
        "With everybody at the nearest station that has room, {figure} households find none within the widest circle (those beyond it included)."
    ));
    let mut fullest: Vec<_> = balance.loads.iter().filter(|load| load.capacity.is_some()).collect();
    let share = |load: &crate::model::StationLoad| {
        f64::from(load.served.0) / f64::from(load.capacity.map_or(1, |capacity| capacity.0.max(1)))
    };
    fullest.sort_by(|a, b| share(b).total_cmp(&share(a)).then(a.station.cmp(&b.station)));
    let heads = [
        lang.pick("站点", "station"),
        lang.pick("#容量（户）", "#capacity"),
        lang.pick("#服务（户）", "#served"),
        lang.pick("#占用", "#full"),
    ];
    let mut table = Table::new(lang.pick("最满的站点", "The fullest stations"), &heads);
    for load in fullest.into_iter().take(MAX_LOADS) {
        let (served, capacity) =
            (u64::from(load.served.0), u64::from(load.capacity.map_or(0, |limit| limit.0)));
        let name =
            facts.plan.stations.get(load.station.index()).map_or("—", |station| station.name.as_str());
        table.row(vec![
            Cell::text(name),
            Cell::count(capacity),
            Cell::count(served),
            Cell::Figure(percent(served, capacity)),
        ]);
    }
    body.push_str(&table.html());
    body
}
