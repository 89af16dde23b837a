//! How a table becomes worksheets: heads, formats, widths, filters, and a split above Excel's number of rows.

use rust_xlsxwriter::{Color, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError};

use crate::report::canvas::text_width;

/// Data rows of one sheet; Excel holds 1,048,576 with the head.
const MAX_ROWS: usize = 1_000_000;
/// Above this many rows a sheet goes through a temporary file instead of memory.
const LARGE: usize = 100_000;
/// Rows that are looked at for the width of a column.
const WIDTH_SAMPLE: usize = 300;
/// Letters of one cell; Excel holds 32,767.
const MAX_LETTERS: usize = 32_000;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    /// Whole numbers with thousands separators.
    Count,
    /// One decimal.
    Decimal,
    /// Four decimals, for coordinates and square kilometres.
    Fine,
    /// 0 to 1, shown as a percentage.
    Share,
    /// Shown as a percentage with its sign.
    Deviation,
}

/// A column.
pub(super) struct Column {
    pub head: String,
    pub kind: Kind,
}

impl Column {
    pub fn new(head: impl Into<String>, kind: Kind) -> Self {
        Self { head: head.into(), kind }
    }
}

/// A cell.
pub(super) enum Value<'a> {
    Text(std::borrow::Cow<'a, str>),
    Number(f64),
    Empty,
}

impl<'a> Value<'a> {
    pub fn text(words: impl Into<std::borrow::Cow<'a, str>>) -> Self {
        Self::Text(words.into())
    }

    pub fn count(number: impl Into<u64>) -> Self {
        Self::Number(number.into() as f64)
    }

    pub fn maybe(number: Option<f64>) -> Self {
        number.filter(|number| number.is_finite()).map_or(Self::Empty, Self::Number)
    }

    pub fn share(part: u64, whole: u64) -> Self {
        if whole == 0 { Self::Empty } else { Self::Number(part as f64 / whole as f64) }
    }
}

/// The formats of all sheets.
pub(super) struct Formats {
    pub head: Format,
    pub title: Format,
    pub bad: Format,
    pub kinds: [Format; 6],
    pub wrapped: Format,
}

impl Formats {
    pub fn new() -> Self {
        let plain = || Format::new().set_align(FormatAlign::Top);
        Self {
            head: Format::new()
                .set_bold()
                .set_font_color(Color::White)
                .set_background_color(Color::RGB(0x14_507d))
                .set_align(FormatAlign::VerticalCenter)
                .set_text_wrap()
                .set_border(FormatBorder::Thin)
                .set_border_color(Color::RGB(0xcf_d6dd)),
            title: Format::new().set_bold().set_font_size(15).set_font_color(Color::RGB(0x14_507d)),
            bad: Format::new()
                .set_font_color(Color::RGB(0xb3_261e))
                .set_background_color(Color::RGB(0xfb_e3e1)),
            kinds: [
                plain(),
                plain().set_num_format("#,##0"),
                plain().set_num_format("#,##0.0"),
                plain().set_num_format("#,##0.0000"),
                plain().set_num_format("0.0%"),
                plain().set_num_format("+0.0%;-0.0%;0.0%"),
            ],
            wrapped: plain().set_text_wrap(),
        }
    }

    /// The format of a kind of column.
    pub fn of(&self, kind: Kind) -> &Format {
        &self.kinds[kind as usize]
    }
}

/// Writes a table of `n_rows` rows, on several sheets if one cannot hold it; returns the names of the sheets.
pub(super) fn write_table<'a>(
    workbook: &mut Workbook,
    formats: &Formats,
    name: &str,
    columns: &[Column],
    n_rows: usize,
    rows: impl Iterator<Item = Vec<Value<'a>>>,
) -> Result<Vec<String>, XlsxError> {
    let mut rows = rows;
    let mut names = Vec::new();
    let n_sheets = n_rows.div_ceil(MAX_ROWS).max(1);
    for part in 0..n_sheets {
        let sheet_name = if n_sheets == 1 { name.to_owned() } else { format!("{name} {}", part + 1) };
        let n_part = (n_rows - part * MAX_ROWS).min(MAX_ROWS);
        let sheet =
            if LARGE < n_part { workbook.add_worksheet_with_low_memory()? } else { workbook.add_worksheet() };
        sheet.set_name(&sheet_name)?;
        write_part(sheet, formats, columns, rows.by_ref().take(n_part))?;
        names.push(sheet_name);
    }
    Ok(names)
}

fn write_part<'a>(
    sheet: &mut Worksheet,
    formats: &Formats,
    columns: &[Column],
    rows: impl Iterator<Item = Vec<Value<'a>>>,
) -> Result<(), XlsxError> {
    let mut widths: Vec<f64> =
        columns.iter().map(|column| (text_width(&column.head) * 1.9).clamp(5.0, 16.0)).collect();
    sheet.set_row_height(0, 32)?;
    for (index, column) in columns.iter().enumerate() {
        sheet.write_string_with_format(0, index as u16, &column.head, &formats.head)?;
    }
    let mut last = 0;
    for (index, row) in rows.enumerate() {
        last = index as u32 + 1;
        for (column, value) in row.iter().enumerate() {
            let format = formats.of(columns[column].kind);
            match value {
                Value::Text(words) => {
                    if index < WIDTH_SAMPLE {
                        widths[column] = widths[column].max(text_width(words) * 1.9);
                    }
                    sheet.write_string_with_format(last, column as u16, cut(words), format)?;
                }
                Value::Number(number) => {
                    if index < WIDTH_SAMPLE {
                        widths[column] = widths[column].max(format!("{number:.1}").len() as f64 * 1.15);
                    }
                    sheet.write_number_with_format(last, column as u16, *number, format)?;
                }
                Value::Empty => {}
            }
        }
    }
    for (index, width) in widths.iter().enumerate() {
        sheet.set_column_width(index as u16, (width + 2.0).clamp(7.0, 60.0))?;
    }
    sheet.set_freeze_panes(1, 2.min(columns.len().saturating_sub(1)) as u16)?;
    if 0 < last {
        sheet.autofilter(0, 0, last, (columns.len() - 1) as u16)?;
    }
    set_print(sheet)?;
    sheet.set_repeat_rows(0, 0)?;
    Ok(())
}

/// A4 landscape, one page wide, with page numbers.
pub(super) fn set_print(sheet: &mut Worksheet) -> Result<(), XlsxError> {
    sheet.set_paper_size(9).set_landscape().set_print_fit_to_pages(1, 0).set_footer("&C&P / &N");
    Ok(())
}

fn cut(words: &str) -> &str {
    words.char_indices().nth(MAX_LETTERS).map_or(words, |(end, _)| &words[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_between_letters() {
        let long = "格".repeat(MAX_LETTERS + 5);
        assert_eq!(cut(&long).chars().count(), MAX_LETTERS);
        assert_eq!(cut("短"), "短");
    }
}
