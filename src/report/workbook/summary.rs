//! The first sheet: key figures, the three methods with a chart, and what the other sheets hold.

use rust_xlsxwriter::{Chart, ChartType, Workbook, Worksheet, XlsxError};

use super::sheet::{Formats, Kind, set_print};
use crate::model::{CoverageMethod, CoverageScope, Lang, StationStatus};
use crate::report::facts::Facts;
use crate::report::opening::title;
use crate::report::text;

/// Writes the sheet.
pub(super) fn write(
    workbook: &mut Workbook,
    formats: &Formats,
    facts: &Facts<'_>,
    lang: Lang,
) -> Result<(), XlsxError> {
    let name = lang.pick("说明", "summary");
    let sheet = workbook.add_worksheet();
    sheet.set_name(name)?;
    sheet.write_string_with_format(0, 0, title(facts, lang), &formats.title)?;
    sheet.set_column_width(0, 38)?;
    sheet.set_column_width(1, 16)?;
    for column in 2..8 {
        sheet.set_column_width(column, 14)?;
    }
    set_print(sheet)?;
    let row = key_figures(sheet, formats, facts, lang)?;
    let row = methods(sheet, formats, facts, lang, name, row + 1)?;
    notes(sheet, formats, facts, lang, row + 1)
}

fn key_figures(
    sheet: &mut Worksheet,
    formats: &Formats,
    facts: &Facts<'_>,
    lang: Lang,
) -> Result<u32, XlsxError> {
    sheet.write_string_with_format(2, 0, lang.pick("指标", "figure"), &formats.head)?;
    sheet.write_string_with_format(2, 1, lang.pick("数值", "value"), &formats.head)?;
    let share = |part: u64, whole: u64| if whole == 0 { f64::NAN } else { part as f64 / whole as f64 };
    let sizes = facts.sizes;
    let count = |number: u64| (number as f64, Kind::Count);
    let stations = |status| count(facts.n_stations(None, status));
    let figures = [
        (lang.pick("社区", "communities"), count(facts.communities.len() as u64)),
        (lang.pick("面积（平方千米）", "area (km²)"), (facts.area_km2(), Kind::Fine)),
        (lang.pick("楼栋", "buildings"), count(facts.planned.buildings)),
        (lang.pick("户数", "households"), count(facts.planned.households)),
        (lang.pick("人数", "residents"), count(facts.planned.residents)),
        (
            lang.pick("非逐栋登记的户数", "households spread or estimated"),
            count(facts.estimated().households),
        ),
        (
            lang.pick("社区以外的户数（未规划）", "households outside every community"),
            count(facts.outside.households),
        ),
        (lang.pick("网格", "grids"), count(sizes.grids)),
        (lang.pick("专属网格", "exclusive grids"), count(sizes.exclusive)),
        (lang.pick("规模在范围内的网格", "grids within their range"), count(sizes.in_range)),
        (
            lang.pick("规模在范围内的比例", "share within their range"),
            (share(sizes.in_range, sizes.sized), Kind::Share),
        ),
        (lang.pick("现有服务站", "existing stations"), stations(StationStatus::Existing)),
        (lang.pick("新增服务站", "new stations"), stations(StationStatus::Chosen)),
        (lang.pick("撤并服务站", "closed stations"), stations(StationStatus::Closed)),
        (
            lang.pick("圈外户数（路网时间，最宽圈）", "households left out (network time, widest circle)"),
            count(facts.left_out_load().households),
        ),
        (
            lang.pick("直线半径误算为覆盖的户数", "of them within the straight radius"),
            count(facts.straight_only),
        ),
    ];
    let mut row = 3;
    for (word, (value, kind)) in figures {
        sheet.write_string(row, 0, word)?;
        if value.is_finite() {
            sheet.write_number_with_format(row, 1, value, formats.of(kind))?;
        }
        row += 1;
    }
    Ok(row)
}

fn methods(
    sheet: &mut Worksheet,
    formats: &Formats,
    facts: &Facts<'_>,
    lang: Lang,
    name: &str,
    first: u32,
) -> Result<u32, XlsxError> {
    let bands = &facts.plan.coverage.bands;
    if bands.is_empty() {
        return Ok(first);
    }
    let head = lang.pick("住户覆盖率（方法）", "households covered (method)");
    sheet.write_string_with_format(first, 0, head, &formats.head)?;
    for (index, band) in bands.iter().enumerate() {
        let (minutes, metres) = (band.minutes, band.metres.value());
        let head = say!(lang, "{minutes} 分钟 / {metres} 米", "{minutes} min / {metres} m");
        sheet.write_string_with_format(first, index as u16 + 1, head, &formats.head)?;
    }
    for (line, method) in CoverageMethod::ALL.into_iter().enumerate() {
        let row = first + 1 + line as u32;
        sheet.write_string(row, 0, text::method(method, lang))?;
        for (index, band) in bands.iter().enumerate() {
            if let Some(share) =
                facts.row(CoverageScope::All, method, band.minutes).filter(|row| 0 < row.households.0)
            {
                sheet.write_number_with_format(
                    row,
                    index as u16 + 1,
                    share.share(),
                    formats.of(Kind::Share),
                )?;
            }
        }
    }
    let last_column = bands.len() as u16;
    let mut chart = Chart::new(ChartType::Column);
    for line in 1..=3 {
        let row = first + line;
        chart
            .add_series()
            .set_name((name, row, 0))
            .set_categories((name, first, 1, first, last_column))
            .set_values((name, row, 1, row, last_column));
    }
    chart.title().set_name(lang.pick("三种方法的住户覆盖率", "Coverage by three methods"));
    chart.y_axis().set_min(0.0).set_max(1.0).set_num_format("0%");
    chart.set_width(620).set_height(340);
    sheet.insert_chart(2, 3, &chart)?;
    Ok(first + 4)
}

fn notes(
    sheet: &mut Worksheet,
    formats: &Formats,
    facts: &Facts<'_>,
    lang: Lang,
    first: u32,
) -> Result<(), XlsxError> {
    let coverage = &facts.plan.coverage;
    let slopes = if coverage.with_terrain {
        lang.pick("路网时间计入坡度。", "Network time counts slopes.")
    } else {
        lang.pick(
            "路网时间未计坡度（没有地形模型）。",
            "Network time does not count slopes (no terrain model).",
        )
    };
    let notes = [
        lang.pick(
            "覆盖率按户数计算，每个数字都注明方法：直线半径、路网距离对照米数，路网时间对照分钟数。",
            "Shares are of households and always name the method: straight radius and network distance against metres, network time against minutes.",
        ),
        lang.pick(
            "“社区”“网格”表中的覆盖率为路网时间、全部层级；其他方法和层级见“覆盖率”表。",
            "Shares in the sheets of communities and grids are by network time, all tiers; the sheet coverage has the rest.",
        ),
        slopes,
        lang.pick(
            "“楼栋网格码”表供平台导入：每栋楼一个网格编码。",
            "The sheet building to grid is for platforms: one grid code per building.",
        ),
        lang.pick(
            "地图公开前须送审并标注审图号；“规则对照”表中未核实的条款引用前请核对。",
            "Maps need a review number before publication in China; check unverified rules before you quote them.",
        ),
    ];
    for (index, note) in notes.into_iter().enumerate() {
        let row = first + index as u32;
        sheet.merge_range(row, 0, row, 7, note, &formats.wrapped)?;
        sheet.set_row_height(row, 30)?;
    }
    Ok(())
}
