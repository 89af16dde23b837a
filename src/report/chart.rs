//! Charts drawn by hand as SVG. One unit is a tenth of a millimetre on A4.

use std::fmt::Write;

use super::canvas::text_width;
use super::text::{count, escape};

const INK: &str = "#1d2733";
const SOFT: &str = "#5b6875";
const LINE: &str = "#cfd6dd";
/// Size of the letters.
const LETTER: f64 = 25.0;

/// A frame with a vertical axis of whole numbers from zero.
struct Frame {
    width: f64,
    height: f64,
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
    highest: f64,
    body: String,
}

impl Frame {
    fn new(width: f64, height: f64, highest: f64, y_title: &str) -> Self {
        let (step, highest) = axis(highest);
        let mut frame = Self {
            width,
            height,
            left: 0.0,
            top: 44.0,
            right: 20.0,
            bottom: 78.0,
            highest,
            body: String::new(),
        };
        let ticks: Vec<f64> =
            (0..).map(|tick| f64::from(tick) * step).take_while(|y| *y <= highest * 1.001).collect();
        let texts: Vec<String> = ticks.iter().map(|tick| count(*tick as u64)).collect();
        frame.left = texts.iter().map(|text| text_width(text)).fold(2.0, f64::max) * LETTER + 18.0;
        for (tick, text) in ticks.iter().zip(&texts) {
            let y = frame.y(*tick);
            let _ = write!(
                frame.body,
                "<path d=\"M{:.0} {y:.0}H{:.0}\" stroke=\"{LINE}\" stroke-width=\"1.5\"/>",
                frame.left,
                width - frame.right
            );
            frame.text(frame.left - 10.0, y + 8.0, "end", SOFT, text);
        }
        frame.text(4.0, 24.0, "start", SOFT, y_title);
        frame
    }

    fn y(&self, value: f64) -> f64 {
        let inner = self.height - self.top - self.bottom;
        self.top + inner * (1.0 - value / self.highest)
    }

    fn inner_width(&self) -> f64 {
        self.width - self.left - self.right
    }

    fn text(&mut self, x: f64, y: f64, anchor: &str, colour: &str, text: &str) {
        write_text(&mut self.body, x, y, anchor, colour, text);
    }

    fn finish(self, title: &str) -> String {
        svg(self.width, self.height, title, &self.body)
    }
}

fn write_text(body: &mut String, x: f64, y: f64, anchor: &str, colour: &str, text: &str) {
    let _ = write!(
        body,
        "<text x=\"{x:.0}\" y=\"{y:.0}\" font-size=\"{LETTER}\" fill=\"{colour}\" text-anchor=\"{anchor}\">{}</text>",
        escape(text)
    );
}

fn svg(width: f64, height: f64, title: &str, body: &str) -> String {
    format!(
        "<svg viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" aria-label=\"{}\">{body}</svg>",
        escape(title)
    )
}

/// A round step and a round end for an axis that must show `highest`, with about five steps.
fn axis(highest: f64) -> (f64, f64) {
    let highest = highest.max(1.0);
    let rough = highest / 5.0;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|s| s * power).find(|s| rough <= *s).unwrap_or(power);
    let step = step.max(1.0).round();
    (step, (highest / step).ceil() * step)
}

/// One column of a histogram.
pub(super) struct Bin {
    pub label: String,
    pub value: u64,
    pub colour: &'static str,
}

/// Columns side by side with their figures above; `band` shades the columns from the first to the last index.
pub(super) fn histogram(
    title: &str,
    x_title: &str,
    y_title: &str,
    bins: &[Bin],
    band: Option<(usize, usize)>,
) -> String {
    let highest = bins.iter().map(|bin| bin.value).max().unwrap_or(0) as f64;
    let mut frame = Frame::new(870.0, 470.0, highest, y_title);
    let step = frame.inner_width() / bins.len().max(1) as f64;
    if let Some((first, last)) = band {
        let x = frame.left + step * first as f64;
        let wide = step * (last + 1 - first) as f64;
        let tall = frame.height - frame.top - frame.bottom;
        let _ = write!(
            frame.body,
            "<rect x=\"{x:.0}\" y=\"{:.0}\" width=\"{wide:.0}\" height=\"{tall:.0}\" fill=\"#2b8a66\" fill-opacity=\".13\"/>",
            frame.top
        );
    }
    // Labels that would touch are thinned out.
    let widest = bins.iter().map(|bin| text_width(&bin.label)).fold(1.0, f64::max) * LETTER + 10.0;
    let every = (widest / step).ceil().max(1.0) as usize;
    for (index, bin) in bins.iter().enumerate() {
        let (x, y) = (frame.left + step * index as f64, frame.y(bin.value as f64));
        let tall = frame.height - frame.bottom - y;
        let _ = write!(
            frame.body,
            "<rect x=\"{:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{tall:.1}\" fill=\"{}\"/>",
            x + step * 0.09,
            step * 0.82,
            bin.colour
        );
        let text = count(bin.value);
        if 0 < bin.value && text_width(&text) * LETTER <= step * 1.05 {
            frame.text(x + step / 2.0, y - 7.0, "middle", INK, &text);
        }
        if index.is_multiple_of(every) {
            let base = frame.height - frame.bottom + 28.0;
            frame.text(x + step / 2.0, base, "middle", SOFT, &bin.label);
        }
    }
    let (x, y) = (frame.left + frame.inner_width() / 2.0, frame.height - 12.0);
    frame.text(x, y, "middle", SOFT, x_title);
    frame.finish(title)
}

/// A bar that is divided; its parts need not fill it.
pub(super) struct Bar {
    pub label: String,
    /// Value and colour of each part.
    pub parts: Vec<(f64, &'static str)>,
    /// Written behind the bar.
    pub figure: String,
}

/// Bars below one another, each 0 to 100 % of its own whole. `width` in units.
pub(super) fn bars(title: &str, width: f64, bars: &[Bar]) -> String {
    let pitch = 42.0;
    let widest = |texts: &mut dyn Iterator<Item = &str>| texts.map(text_width).fold(0.0, f64::max) * LETTER;
    let left = (widest(&mut bars.iter().map(|bar| bar.label.as_str())) + 16.0).min(width * 0.36);
    let right = widest(&mut bars.iter().map(|bar| bar.figure.as_str())) + 16.0;
    let inner = width - left - right;
    let height = pitch * bars.len() as f64 + 44.0;
    let mut body = String::new();
    for quarter in 0..=4 {
        let x = left + inner * f64::from(quarter) / 4.0;
        let _ = write!(
            body,
            "<path d=\"M{x:.0} 0V{:.0}\" stroke=\"{LINE}\" stroke-width=\"1.5\"/>",
            height - 40.0
        );
        write_text(&mut body, x, height - 12.0, "middle", SOFT, &format!("{}%", quarter * 25));
    }
    for (index, bar) in bars.iter().enumerate() {
        let y = pitch * index as f64 + 6.0;
        let label = shortened(&bar.label, left - 14.0);
        write_text(&mut body, left - 10.0, y + 24.0, "end", INK, &label);
        let whole: f64 = bar.parts.iter().map(|part| part.0).sum();
        let mut x = left;
        for (value, colour) in &bar.parts {
            let wide = if 0.0 < whole { inner * value / whole } else { 0.0 };
            let _ = write!(
                body,
                "<rect x=\"{x:.1}\" y=\"{y:.0}\" width=\"{wide:.1}\" height=\"30\" fill=\"{colour}\"/>"
            );
            x += wide;
        }
        write_text(&mut body, width - right + 10.0, y + 24.0, "start", INK, &bar.figure);
    }
    svg(width, height, title, &body)
}

/// A text cut to a width in units, with an ellipsis.
fn shortened(text: &str, width: f64) -> String {
    if text_width(text) * LETTER <= width {
        return text.to_owned();
    }
    let mut short = String::new();
    for letter in text.chars() {
        if width < (text_width(&short) + 2.0) * LETTER {
            break;
        }
        short.push(letter);
    }
    short.push('…');
    short
}

/// Groups of columns: one group per label, one column per series.
pub(super) fn grouped(
    title: &str,
    y_title: &str,
    groups: &[(String, Vec<Option<f64>>)],
    colours: &[&str],
) -> String {
    let mut frame = Frame::new(870.0, 470.0, 100.0, y_title);
    let step = frame.inner_width() / groups.len().max(1) as f64;
    let each = step * 0.84 / colours.len().max(1) as f64;
    for (index, (label, values)) in groups.iter().enumerate() {
        let start = frame.left + step * (index as f64 + 0.08);
        for (series, (value, colour)) in values.iter().zip(colours).enumerate() {
            let Some(value) = value else { continue };
            let (x, y) = (start + each * series as f64, frame.y(*value));
            let tall = frame.height - frame.bottom - y;
            let _ = write!(
                frame.body,
                "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{tall:.1}\" fill=\"{colour}\"/>",
                each * 0.92
            );
            let text = format!("{value:.0}");
            frame.text(x + each * 0.46, y - 6.0, "middle", INK, &text);
        }
        let base = frame.height - frame.bottom + 32.0;
        frame.text(start + step * 0.42, base, "middle", SOFT, label);
    }
    frame.finish(title)
}

/// A line of a line chart.
pub(super) struct Series {
    pub name: String,
    pub colour: &'static str,
    pub dash: &'static str,
    pub points: Vec<(f64, f64)>,
}

/// Lines over a horizontal axis of numbers from zero; `marks` are labelled verticals.
pub(super) fn lines(
    title: &str,
    x_title: &str,
    y_title: &str,
    series: &[Series],
    marks: &[(f64, String)],
) -> String {
    let points = || series.iter().flat_map(|line| &line.points);
    let highest = points().map(|point| point.1).fold(1.0, f64::max);
    let (step, furthest) = axis(points().map(|point| point.0).fold(1.0, f64::max));
    let mut frame = Frame::new(870.0, 470.0, highest, y_title);
    let (left, inner) = (frame.left, frame.inner_width() - 14.0);
    let x_of = |x: f64| left + inner * x / furthest;
    let floor = frame.height - frame.bottom;
    for tick in (0..).map(|tick| f64::from(tick) * step).take_while(|x| *x <= furthest * 1.001) {
        frame.text(x_of(tick), floor + 28.0, "middle", SOFT, &count(tick as u64));
    }
    for (x, text) in marks.iter().filter(|mark| mark.0 <= furthest) {
        let _ = write!(
            frame.body,
            "<path d=\"M{x:.0} {:.0}V{floor:.0}\" stroke=\"#2b8a66\" stroke-width=\"2\" stroke-dasharray=\"7 5\"/>",
            frame.top,
            x = x_of(*x)
        );
        frame.text(x_of(*x), frame.top - 8.0, "middle", "#2b8a66", text);
    }
    for line in series {
        let mut data = String::new();
        for (index, (x, y)) in line.points.iter().enumerate() {
            let letter = if index == 0 { 'M' } else { 'L' };
            let _ = write!(data, "{letter}{:.1} {:.1}", x_of(*x), frame.y(*y));
        }
        let _ = write!(
            frame.body,
            "<path d=\"{data}\" fill=\"none\" stroke=\"{}\" stroke-width=\"4.5\" stroke-linejoin=\"round\" stroke-dasharray=\"{}\"/>",
            line.colour, line.dash
        );
        if line.points.len() <= 30 && line.dash.is_empty() {
            for (x, y) in &line.points {
                let (x, y) = (x_of(*x), frame.y(*y));
                let _ = write!(
                    frame.body,
                    "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"6\" fill=\"{}\"/>",
                    line.colour
                );
            }
        }
    }
    let (x, y) = (frame.left + frame.inner_width() / 2.0, frame.height - 12.0);
    frame.text(x, y, "middle", SOFT, x_title);
    frame.finish(title)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_ends_round_and_above_the_highest_value() {
        for (highest, step, end) in [
            (0.0, 1.0, 1.0),
            (4.0, 1.0, 4.0),
            (37.0, 10.0, 40.0),
            (100.0, 20.0, 100.0),
            (2_318.0, 500.0, 2_500.0),
        ] {
            assert_eq!(axis(highest), (step, end), "for {highest}");
        }
    }

    #[test]
    fn a_column_is_as_tall_as_its_value() {
        let bins = [("a", 10), ("b", 20)].map(|(label, value)| Bin {
            label: label.into(),
            value,
            colour: "#123456",
        });
        let svg = histogram("t", "x", "y", &bins, None);
        let heights: Vec<f64> = svg
            .split("<rect ")
            .skip(1)
            .filter_map(|rect| rect.split("height=\"").nth(1)?.split('"').next()?.parse().ok())
            .collect();
        assert_eq!(heights.len(), 2);
        assert!((heights[1] / heights[0] - 2.0).abs() < 0.01, "{heights:?}");
    }

    #[test]
    fn parts_of_a_bar_share_its_length() {
        let bar =
            Bar { label: "a".into(), parts: vec![(30.0, "#111"), (10.0, "#222")], figure: "75%".into() };
        let svg = bars("t", 1_000.0, &[bar]);
        let widths: Vec<f64> = svg
            .split("<rect ")
            .skip(1)
            .filter_map(|rect| rect.split("width=\"").nth(1)?.split('"').next()?.parse().ok())
            .collect();
        assert!((widths[0] / widths[1] - 3.0).abs() < 0.01, "{widths:?}");
    }

    #[test]
    fn long_labels_are_cut() {
        assert_eq!(shortened("短", 100.0), "短");
        let cut = shortened("一个非常非常长的社区名称", 150.0);
        assert!(cut.ends_with('…') && text_width(&cut) * LETTER <= 150.0, "{cut}");
    }
}
