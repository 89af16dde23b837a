//! Sections about grids: the overview, how large they are, how good the division is, and the small maps.

use super::chart::{Bin, histogram};
use super::facts::{CommunityFacts, Facts};
use super::map;
use super::markup::{Cell, Standing, Table, figure, note, paragraph};
use super::page::Section;
use super::text::{count, decimal, escape, percent, signed_percent};
use crate::model::{CoverageScope, GridSize, Lang};
use crate::units::Households;

/// Above this many communities only the ones that most need a look get a map.
const MAX_MAPS: usize = 60;
/// Columns of the histogram.
const BINS: usize = 18;
const IN_RANGE: &str = "#2b8a66";
const OUT_OF_RANGE: &str = "#c62828";

/// Section: grids.
pub(super) fn section(facts: &Facts<'_>, lang: Lang) -> Section {
    let mut body = String::new();
    if let Some(map) = map::overview(facts, lang) {
        let caption = lang.pick(
            "网格划分总图。标注为网格编码后三位；放不下的编码见各社区图和附表 B。",
            "Overview of grids, labelled with the last three digits of the code; the rest is on the community maps and in annex B.",
        );
        body.push_str(&figure(&map.svg, caption, &map.legend).replacen(
            "<figure>",
            "<figure class=\"map\">",
            1,
        ));
    }
    if facts.sizes.grids == 0 {
        body.push_str(&note(lang.pick("本方案没有网格。", "This plan has no grids.")));
    } else {
        body.push_str("<div class=\"two\">");
        body.push_str(&size_chart(facts, lang));
        body.push_str(&class_figures(facts, lang));
        body.push_str("</div>");
        body.push_str(&quality_table(facts, lang));
    }
    Section::new("grids", lang, "网格划分", "Grids", body)
}

/// Households a grid where all share one range; deviation from the target where they do not.
fn size_chart(facts: &Facts<'_>, lang: Lang) -> String {
    let grids: Vec<_> = facts.plan.partition.grids.iter().filter(|grid| grid.size.is_some()).collect();
    let sizes: Vec<GridSize> = grids.iter().filter_map(|grid| grid.size).collect();
    let Some(&first) = sizes.first() else {
        return note(lang.pick("没有有规模要求的网格。", "No grid has a size range."));
    };
    let same = sizes.iter().all(|size| *size == first);
    let values: Vec<f64> =
        grids.iter().map(|grid| if same { f64::from(grid.load) } else { grid.deviation() * 100.0 }).collect();
    let in_range: Vec<bool> = grids.iter().map(|grid| grid.is_in_range()).collect();
    let target = f64::from(first.target.0);
    let limit = |limit: Households| {
        let limit = f64::from(limit.0);
        if same { limit } else { 100.0 * (limit - target) / target }
    };
    let range = (limit(first.low), limit(first.high));
    let bins = size_bins(&values, &in_range, range, if same { 10.0 } else { 5.0 });
    let (x_title, caption) = if same {
        let (low, high) = (first.low, first.high);
        (
            lang.pick("每个网格的户数", "households a grid"),
            say!(
                lang,
                "网格规模分布。绿色在 {low}–{high} 户范围内，红色超限。",
                "Sizes of grids. Green keeps the range of {low} to {high} households, red does not."
            ),
        )
    } else {
        (
            lang.pick("与目标户数之差（%）", "deviation from the target (%)"),
            lang.pick(
                "网格规模与各自目标之差（各类网格目标不同）。绿色在各自范围内，红色超限。",
                "Deviation from each grid's own target. Green keeps its range, red does not.",
            )
            .to_owned(),
        )
    };
    let svg = histogram(
        lang.pick("网格规模分布", "Sizes of grids"),
        x_title,
        lang.pick("网格数", "grids"),
        &bins,
        None,
    );
    figure(&svg, &caption, &[])
}

/// Columns of a round width; a column is split in two where a limit of the range falls inside it. What is further from
/// the range than twice its width shares the outermost columns, so that one tower does not squeeze all others together.
fn size_bins(values: &[f64], in_range: &[bool], (low, high): (f64, f64), step: f64) -> Vec<Bin> {
    let reach = 2.0 * (high - low).max(step);
    let near = |value: f64| value.clamp(low - reach, high + reach);
    let lowest = values.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut step = step;
    while BINS as f64 <= (near(highest) / step).floor() - (near(lowest) / step).floor() {
        step *= 2.0;
    }
    let column = |value: f64| (near(value) / step).floor() as i64;
    let (first, last) = (column(lowest), column(highest));
    let mut bins = Vec::new();
    for index in first..=last {
        let of_bin = |good: bool| {
            let inside = |value: f64| column(value) == index;
            values.iter().zip(in_range).filter(|(value, ok)| inside(**value) && **ok == good).count() as u64
        };
        let (good, bad) = (of_bin(true), of_bin(false));
        let label = match (index as f64 * step, (index + 1) as f64 * step) {
            (_, end) if index == first && lowest < low - reach => format!("<{}", decimal(end, 0)),
            (begin, _) if index == last && high + reach < highest => format!("≥{}", decimal(begin, 0)),
            (begin, _) => decimal(begin, 0),
        };
        if 0 < good || bad == 0 {
            bins.push(Bin { label: label.clone(), value: good, colour: IN_RANGE });
        }
        if 0 < bad {
            bins.push(Bin { label, value: bad, colour: OUT_OF_RANGE });
        }
    }
    bins
}

fn class_figures(facts: &Facts<'_>, lang: Lang) -> String {
    let sizes = facts.sizes;
    let heads = [lang.pick("指标", "figure"), lang.pick("#数值", "#value")];
    let mut table = Table::new(lang.pick("网格概况", "Grids in figures"), &heads);
    let mut line = |word: &str, value: String| table.row(vec![Cell::text(word), Cell::Figure(value)]);
    line(lang.pick("网格总数", "grids"), count(sizes.grids));
    line(lang.pick("其中专属网格", "of them exclusive"), count(sizes.exclusive));
    line(
        lang.pick("规模在范围内", "within their range"),
        format!("{} ({})", count(sizes.in_range), percent(sizes.in_range, sizes.sized)),
    );
    let sized = || facts.plan.partition.grids.iter().filter(|grid| grid.size.is_some());
    let mean = sized().map(|grid| grid.deviation().abs()).sum::<f64>() / (sizes.sized.max(1)) as f64;
    let most =
        sized().map(|grid| grid.deviation()).fold(0.0, |a: f64, b| if a.abs() < b.abs() { b } else { a });
    line(
        lang.pick("与目标的平均偏差", "mean deviation from the target"),
        format!("{}%", decimal(mean * 100.0, 1)),
    );
    line(lang.pick("最大偏差", "largest deviation"), signed_percent(most));
    line(
        lang.pick("锁定不变的网格", "locked grids"),
        count(facts.plan.partition.grids.iter().filter(|g| g.locked).count() as u64),
    );
    let retired = facts.plan.partition.retired_codes.len() as u64;
    line(lang.pick("停用且不再启用的编码", "codes retired for good"), count(retired));
    format!("<div>{}</div>", table.html())
}

/// What is known about how good the division is: reached beside what no division can beat.
fn quality_table(facts: &Facts<'_>, lang: Lang) -> String {
    let quality = &facts.plan.partition.quality;
    if quality.is_empty() {
        return String::new();
    }
    let out: u64 = quality.iter().map(|row| u64::from(row.n_out_of_range)).sum();
    let bound: u64 = quality.iter().map(|row| u64::from(row.n_out_of_range_bound)).sum();
    let with_bound = quality.iter().filter(|row| row.cut_cost_bound.is_some());
    let (mut cost, mut cost_bound, mut communities) = (0.0, 0.0, 0_u64);
    for row in with_bound {
        cost += row.cut_cost;
        cost_bound += row.cut_cost_bound.unwrap_or(0.0);
        communities += 1;
    }
    let heads = [
        lang.pick("衡量", "measure"),
        lang.pick("#本方案", "#this plan"),
        lang.pick("#任何方案的下界", "#no plan is below"),
        lang.pick("#差距", "#gap"),
    ];
    let mut table =
        Table::new(lang.pick("划分质量与下界", "Quality of the division and its lower bound"), &heads);
    table.row(vec![
        Cell::text(lang.pick("规模超限的网格", "grids out of range")),
        Cell::figure(count(out), Standing::of(out == bound)),
        Cell::count(bound),
        Cell::count(out.saturating_sub(bound)),
    ]);
    if 0 < communities {
        let gap = if 0.0 < cost { (cost - cost_bound).max(0.0) / cost } else { 0.0 };
        let number = count(communities);
        table.row(vec![
            Cell::text(say!(
                lang,
                "网格边界加权长度（{number} 个有下界的社区）",
                "weighted length of grid boundaries ({number} communities with a bound)"
            )),
            Cell::Figure(format!("{} m", decimal(cost, 0))),
            Cell::Figure(format!("{} m", decimal(cost_bound, 0))),
            Cell::Figure(format!("{}%", decimal(gap * 100.0, 1))),
        ]);
        // A community without a bound counts as the worst, so that the percentiles flatter nobody.
        let mut gaps: Vec<f64> = quality.iter().map(|row| row.gap().unwrap_or(f64::INFINITY)).collect();
        gaps.sort_by(f64::total_cmp);
        for (percent, zh, en) in [
            (50, "社区差距的中位数", "gap of the median community"),
            (95, "社区差距的第95百分位", "95th percentile of the communities' gaps"),
        ] {
            let gap = gaps[(gaps.len() * percent).div_ceil(100) - 1];
            let shown = if gap.is_finite() { format!("{}%", decimal(gap * 100.0, 1)) } else { "—".into() };
            let blank = || Cell::text("");
            table.row(vec![Cell::text(lang.pick(zh, en)), blank(), blank(), Cell::Figure(shown)]);
        }
    }
    table.note(lang.pick(
        "边界长度按沿线要素加权：沿河流、主干道的边界便宜，穿过小区的贵。差距为零表示已证明最优；没有下界的社区按差距最大计，“—”表示落在这样的社区上。",
        "Boundary length is weighted by what runs along it: cheap along rivers and arterials, dear through compounds. \
         A gap of zero means proven best; communities without a bound count as the widest, and a dash stands where \
         the percentile falls on one.",
    ));
    table.html()
}

/// Section: one small map per community, the ones that most need a look where there are too many.
pub(super) fn community_maps(facts: &Facts<'_>, lang: Lang) -> Section {
    let all = facts.communities.len();
    let order: Vec<&CommunityFacts> =
        if MAX_MAPS < all { facts.worst_first() } else { facts.communities.iter().collect() };
    let mut body = String::new();
    if MAX_MAPS < all {
        let (all, drawn) = (count(all as u64), MAX_MAPS);
        body.push_str(&paragraph(&say!(
            lang,
            "共 {all} 个社区，这里绘出最需要关注的 {drawn} 个（先按圈外户数，再按超限网格数）；其余见地图 map.html。",
            "There are {all} communities; these {drawn} most need a look (households left out, then grids out of range). \
             The rest is on map.html."
        )));
    }
    let cards: String =
        order.into_iter().take(MAX_MAPS).map(|community| card(facts, community, lang)).collect();
    if cards.is_empty() {
        body.push_str(&note(lang.pick("没有社区。", "There are no communities.")));
    } else {
        let legend = figure("", "", &map::community_legend(facts, lang));
        let legend = legend.replacen("<figcaption></figcaption>", "", 1).replacen(
            "<figure>",
            "<figure class=\"keep\">",
            1,
        );
        body.push_str(&format!("{legend}<div class=\"cards\">{cards}</div>"));
    }
    Section::new("communities", lang, "分社区图", "Community maps", body)
}

fn card(facts: &Facts<'_>, community: &CommunityFacts, lang: Lang) -> String {
    let Some(svg) = map::community(facts, community, lang) else { return String::new() };
    let of = &facts.scenario.communities[community.id.index()];
    let (grids, out) = (count(community.sizes.grids), count(community.sizes.out_of_range()));
    let (households, stations) = (count(community.load.households), count(community.open_stations));
    let mut line = say!(
        lang,
        "{households} 户，{grids} 个网格（超限 {out}），服务站 {stations} 个",
        "{households} households, {grids} grids ({out} out of range), {stations} stations"
    );
    let shares: Vec<String> = facts
        .plan
        .coverage
        .bands
        .iter()
        .zip(facts.by_time(CoverageScope::Community(community.id)))
        .filter_map(|(band, by_time)| {
            let (reached, all) = by_time?;
            Some(format!("{}′ {}", band.minutes, percent(reached, all)))
        })
        .collect();
    if !shares.is_empty() {
        let shares = shares.join(lang.pick("、", ", "));
        let left_out = count(community.left_out.households);
        line.push_str(&say!(
            lang,
            "；路网时间覆盖 {shares}，圈外 {left_out} 户",
            "; network time {shares}, {left_out} households left out"
        ));
    }
    format!(
        "<div class=\"card\"><h3>{} <small>{}</small></h3>{svg}<p>{}</p></div>\n",
        escape(&of.name),
        escape(&of.code),
        escape(&line)
    )
}

#[cfg(test)]
mod tests {
    use super::size_bins;

    #[test]
    fn one_tower_does_not_squeeze_the_other_grids_together() {
        let values = [79.0, 275.0, 281.0, 292.0, 305.0, 328.0, 331.0, 948.0];
        let in_range: Vec<bool> = values.iter().map(|value| (270.0..=330.0).contains(value)).collect();
        let bins = size_bins(&values, &in_range, (270.0, 330.0), 10.0);
        assert_eq!(bins.iter().map(|bin| bin.value).sum::<u64>(), 8);
        let labels: Vec<&str> = bins.iter().map(|bin| bin.label.as_str()).collect();
        assert_eq!((labels[0], labels[labels.len() - 1]), ("<160", "≥440"));
        assert!(labels.contains(&"280") && labels.contains(&"300"), "{labels:?}");
    }
}
