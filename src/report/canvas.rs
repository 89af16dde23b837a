//! A sheet of paper for maps: metres to tenths of a millimetre, paths of whole numbers, labels that never overlap.

use std::fmt::Write;

use geo::{BoundingRect, Coord, LineString, MultiPolygon, Polygon, Rect, Simplify};

use super::text::escape;
use crate::model::Lang;

/// Detail below this many units (tenths of a millimetre on A4) is left out.
const DETAIL: f64 = 1.0;
/// Height of the strip below a map that holds scale bar and north arrow, in units.
const STRIP: f64 = 74.0;

/// A map sheet. One unit is a tenth of a millimetre when the sheet is printed at its width.
pub(super) struct Canvas {
    origin: Coord<f64>,
    units_per_metre: f64,
    width: f64,
    height: f64,
    body: String,
    labels: Labels,
}

impl Canvas {
    /// A sheet `width` units wide that shows `extent` with a margin; its height follows, up to `max_height`.
    pub fn fitted(extent: Rect<f64>, width: f64, max_height: f64) -> Self {
        let (dx, dy) = (extent.width().max(1.0) * 1.04, extent.height().max(1.0) * 1.04);
        let height = (width * dy / dx).clamp(width * 0.4, max_height);
        Self::sized(extent, width, height)
    }

    /// A sheet of fixed size that shows `extent` in its middle.
    pub fn sized(extent: Rect<f64>, width: f64, height: f64) -> Self {
        let (dx, dy) = (extent.width().max(1.0) * 1.04, extent.height().max(1.0) * 1.04);
        let units_per_metre = (width / dx).min(height / dy);
        let centre = extent.center();
        let origin = Coord {
            x: centre.x - width / units_per_metre / 2.0,
            y: centre.y + height / units_per_metre / 2.0,
        };
        Self { origin, units_per_metre, width, height, body: String::new(), labels: Labels::default() }
    }

    /// Units per metre.
    pub fn scale(&self) -> f64 {
        self.units_per_metre
    }

    /// The visible part of the plane.
    pub fn visible(&self) -> Rect<f64> {
        let (dx, dy) = (self.width / self.units_per_metre, self.height / self.units_per_metre);
        Rect::new(
            Coord { x: self.origin.x, y: self.origin.y - dy },
            Coord { x: self.origin.x + dx, y: self.origin.y },
        )
    }

    /// A place on the sheet, in units from the upper left corner.
    pub fn place(&self, at: Coord<f64>) -> Coord<f64> {
        Coord {
            x: (at.x - self.origin.x) * self.units_per_metre,
            y: (self.origin.y - at.y) * self.units_per_metre,
        }
    }

    /// Adds markup.
    pub fn add(&mut self, markup: &str) {
        self.body.push_str(markup);
        self.body.push('\n');
    }

    /// Adds a path if there is anything to draw.
    pub fn add_path(&mut self, data: &str, style: &str) {
        if !data.is_empty() {
            let _ = writeln!(self.body, "<path d=\"{data}\" {style}/>");
        }
    }

    /// Path data of an area; what is too small to see is left out.
    pub fn area(&self, area: &MultiPolygon<f64>) -> String {
        let mut data = String::new();
        area.0.iter().for_each(|polygon| self.polygon(polygon, &mut data));
        data
    }

    fn polygon(&self, polygon: &Polygon<f64>, data: &mut String) {
        let rings = std::iter::once(polygon.exterior()).chain(polygon.interiors());
        for (index, ring) in rings.enumerate() {
            let points = self.thin(ring);
            if points.len() < 4 {
                if index == 0 {
                    return;
                }
                continue;
            }
            write_points(&points[..points.len() - 1], data);
            data.push('z');
        }
    }

    /// Path data of a line; nothing if it lies off the sheet or is too short to see.
    pub fn line(&self, line: &LineString<f64>) -> String {
        let mut data = String::new();
        let on_sheet = line.bounding_rect().is_some_and(|rect| meets(&rect, &self.visible()));
        if on_sheet {
            let points = self.thin(line);
            if 2 <= points.len() {
                write_points(&points, &mut data);
            }
        }
        data
    }

    fn thin(&self, line: &LineString<f64>) -> Vec<(i64, i64)> {
        let mut placed: Vec<Coord<f64>> = Vec::with_capacity(line.0.len());
        for &at in &line.0 {
            let point = self.place(at);
            let moved = placed
                .last()
                .is_none_or(|last| DETAIL / 2.0 <= (last.x - point.x).abs().max((last.y - point.y).abs()));
            if moved {
                placed.push(point);
            }
        }
        if line.is_closed() && placed.first() != placed.last() {
            placed.extend(placed.first().copied());
        }
        let thinned = LineString(placed).simplify(DETAIL);
        let mut points: Vec<(i64, i64)> = Vec::with_capacity(thinned.0.len());
        for point in thinned.0 {
            let rounded = (point.x.round() as i64, point.y.round() as i64);
            if points.last() != Some(&rounded) {
                points.push(rounded);
            }
        }
        points
    }

    /// Writes a label with a halo where it overlaps no other and stays on the sheet; says whether it found room.
    pub fn label(&mut self, at: Coord<f64>, label: &Label<'_>) -> bool {
        let at = self.place(at);
        let lines: Vec<&str> = label.text.split('\n').collect();
        let widest = lines.iter().map(|line| text_width(line)).fold(0.0, f64::max) * label.size;
        let height = lines.len() as f64 * label.size * 1.2;
        if label.room.is_some_and(|room| room.0 < widest || room.1 < height) {
            return false;
        }
        let offsets = label.offset.candidates(widest, height);
        let sheet = (self.width, self.height);
        let Some((x, y)) = self.labels.find_room(at, &offsets, (widest, height), sheet) else {
            return false;
        };
        let (weight, size) = (label.weight, label.size);
        for (index, line) in lines.iter().enumerate() {
            let baseline = y - height / 2.0 + label.size * (0.95 + 1.2 * index as f64);
            let _ = writeln!(
                self.body,
                "<text x=\"{x:.0}\" y=\"{baseline:.0}\" font-size=\"{size}\" font-weight=\"{weight}\" fill=\"{}\" \
                 text-anchor=\"middle\" stroke=\"#fff\" stroke-width=\"{:.0}\" stroke-linejoin=\"round\" \
                 paint-order=\"stroke\">{}</text>",
                label.colour,
                size * 0.22,
                escape(line)
            );
        }
        true
    }

    /// Keeps labels off a marker at a place, `radius` units around.
    pub fn occupy(&mut self, at: Coord<f64>, radius: f64) {
        let at = self.place(at);
        self.labels.boxes.push([at.x - radius, at.y - radius, at.x + radius, at.y + radius]);
    }

    /// The finished map with scale bar and north arrow in a strip below it.
    pub fn finish(self, id: &str, title: &str, lang: Lang) -> String {
        let (width, height) = (self.width.round(), self.height.round());
        let total = height + STRIP;
        let strip = self.strip(lang);
        format!(
            "<svg viewBox=\"0 0 {width} {total}\" role=\"img\" aria-label=\"{title}\">\
             <clipPath id=\"{id}\"><path d=\"M0 0h{width}v{height}h-{width}z\"/></clipPath>\
             <rect width=\"{width}\" height=\"{height}\" fill=\"#f7f8f6\"/><g clip-path=\"url(#{id})\">\n{body}</g>{strip}</svg>",
            title = escape(title),
            body = self.body
        )
    }

    fn strip(&self, lang: Lang) -> String {
        let length_m = round_length((self.width / self.units_per_metre) / 4.0);
        let length = length_m * self.units_per_metre;
        let text = if length_m < 1000.0 {
            format!("{length_m} {}", lang.pick("米", "m"))
        } else {
            format!("{} {}", length_m / 1000.0, lang.pick("千米", "km"))
        };
        let y = self.height + 44.0;
        let half = length / 2.0;
        let x = self.width - 40.0;
        let north = lang.pick("北", "N");
        let top = self.height + 8.0;
        format!(
            "<path d=\"M0 {h:.0}h{w:.0}\" stroke=\"#cfd6dd\" stroke-width=\"2\"/>\
             <g stroke=\"#1d2733\" stroke-width=\"2\"><rect x=\"24\" y=\"{y}\" width=\"{half:.0}\" height=\"9\" fill=\"#1d2733\"/>\
             <rect x=\"{mid:.0}\" y=\"{y}\" width=\"{half:.0}\" height=\"9\" fill=\"#fff\"/></g>\
             <g font-size=\"24\" fill=\"#1d2733\"><text x=\"24\" y=\"{ty}\">0</text>\
             <text x=\"{end:.0}\" y=\"{ty}\" text-anchor=\"middle\">{text}</text></g>\
             <path d=\"M{x} {top}l13 40l-13 -9l-13 9z\" fill=\"#1d2733\"/>\
             <text x=\"{x}\" y=\"{ny}\" font-size=\"22\" fill=\"#1d2733\" text-anchor=\"middle\">{north}</text>",
            h = self.height,
            w = self.width,
            mid = 24.0 + half,
            ty = y - 8.0,
            ny = top + 60.0,
            end = 24.0 + length,
        )
    }
}

/// Text to be placed on a map.
pub(super) struct Label<'a> {
    /// Words; a line feed starts a new line.
    pub text: &'a str,
    /// Height of the letters in units.
    pub size: f64,
    pub colour: &'a str,
    pub weight: u32,
    /// It must fit into this width and height, in units.
    pub room: Option<(f64, f64)>,
    pub offset: Offset,
}

/// Where a label may stand beside its place.
#[derive(Clone, Copy)]
pub(super) enum Offset {
    /// On the place, or a little above or below.
    Centred,
    /// Around a marker of this radius in units.
    Around(f64),
}

impl Offset {
    fn candidates(self, width: f64, height: f64) -> Vec<(f64, f64)> {
        match self {
            Self::Centred => [0.0, -0.7, 0.7, -1.6, 1.6].map(|rows| (0.0, rows * height)).to_vec(),
            Self::Around(radius) => {
                let (dx, dy) = (width / 2.0 + radius + 5.0, height / 2.0 + radius + 2.0);
                vec![(dx, 0.0), (-dx, 0.0), (0.0, dy), (0.0, -dy), (dx, dy), (-dx, dy), (dx, -dy), (-dx, -dy)]
            }
        }
    }
}

#[derive(Default)]
struct Labels {
    boxes: Vec<[f64; 4]>,
}

impl Labels {
    /// The first offset where a box of that size is on the sheet and free; marks it as taken.
    fn find_room(
        &mut self,
        at: Coord<f64>,
        offsets: &[(f64, f64)],
        (width, height): (f64, f64),
        sheet: (f64, f64),
    ) -> Option<(f64, f64)> {
        for (dx, dy) in offsets {
            let (x, y) = (at.x + dx, at.y + dy);
            let wanted = [x - width / 2.0, y - height / 2.0, x + width / 2.0, y + height / 2.0];
            let on_sheet =
                0.0 <= wanted[0] && 0.0 <= wanted[1] && wanted[2] <= sheet.0 && wanted[3] <= sheet.1;
            let overlaps = |taken: &[f64; 4]| {
                wanted[0] < taken[2] && taken[0] < wanted[2] && wanted[1] < taken[3] && taken[1] < wanted[3]
            };
            if on_sheet && !self.boxes.iter().any(overlaps) {
                self.boxes.push(wanted);
                return Some((x, y));
            }
        }
        None
    }
}

/// Width of a text in units of its letter size: Chinese letters are square, Latin ones about 0.57 wide.
pub(super) fn text_width(text: &str) -> f64 {
    text.chars().map(|letter| if letter.is_ascii() { 0.58 } else { 1.0 }).sum()
}

/// Whether two rectangles touch.
pub(super) fn meets(a: &Rect<f64>, b: &Rect<f64>) -> bool {
    a.min().x <= b.max().x && b.min().x <= a.max().x && a.min().y <= b.max().y && b.min().y <= a.max().y
}

/// The rectangle around several.
pub(super) fn around(rects: impl Iterator<Item = Rect<f64>>) -> Option<Rect<f64>> {
    rects.reduce(|a, b| {
        Rect::new(
            Coord { x: a.min().x.min(b.min().x), y: a.min().y.min(b.min().y) },
            Coord { x: a.max().x.max(b.max().x), y: a.max().y.max(b.max().y) },
        )
    })
}

/// The largest 1, 2 or 5 times a power of ten that is not above `length`.
fn round_length(length: f64) -> f64 {
    let power = 10_f64.powf(length.max(1.0).log10().floor());
    [5.0, 2.0, 1.0].into_iter().map(|step| step * power).find(|step| *step <= length).unwrap_or(power)
}

/// `M` and relative lines of whole numbers.
fn write_points(points: &[(i64, i64)], data: &mut String) {
    let mut last = (0, 0);
    for (index, &(x, y)) in points.iter().enumerate() {
        if index == 0 {
            let _ = write!(data, "M{x} {y}");
        } else {
            let letter = if index == 1 { "l" } else { " " };
            let _ = write!(data, "{letter}{} {}", x - last.0, y - last.1);
        }
        last = (x, y);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet() -> Canvas {
        Canvas::sized(Rect::new((0.0, 0.0), (100.0, 100.0)), 1040.0, 1040.0)
    }

    #[test]
    fn north_is_up_and_a_metre_is_ten_units() {
        let sheet = sheet();
        assert!((sheet.scale() - 10.0).abs() < 1e-9);
        assert_eq!(sheet.place(Coord { x: 50.0, y: 50.0 }), Coord { x: 520.0, y: 520.0 });
        assert!(sheet.place(Coord { x: 50.0, y: 90.0 }).y < 520.0);
    }

    #[test]
    fn points_on_a_straight_line_and_specks_are_left_out() {
        let sheet = sheet();
        let line = LineString::from(vec![(0.0, 50.0), (25.0, 50.0), (50.0, 50.0), (100.0, 50.0)]);
        assert_eq!(sheet.line(&line), "M20 520l1000 0");
        let speck = Rect::new((10.0, 10.0), (10.02, 10.02)).to_polygon();
        assert_eq!(sheet.area(&MultiPolygon(vec![speck])), "");
    }

    #[test]
    fn labels_never_overlap_and_stay_on_the_sheet() {
        let mut sheet = sheet();
        let label = Label {
            text: "网格 001",
            size: 30.0,
            colour: "#000",
            weight: 400,
            room: None,
            offset: Offset::Centred,
        };
        let written = (0..40).filter(|_| sheet.label(Coord { x: 50.0, y: 50.0 }, &label)).count();
        assert_eq!(
            written, 3,
            "on the place, and 1.6 heights above and below; 0.7 heights off would overlap"
        );
        assert!(!sheet.label(Coord { x: 0.0, y: 0.0 }, &label), "half of it would be cut off");
        let boxes = &sheet.labels.boxes;
        for (index, a) in boxes.iter().enumerate() {
            for b in &boxes[..index] {
                assert!(a[2] <= b[0] || b[2] <= a[0] || a[3] <= b[1] || b[3] <= a[1], "{a:?} over {b:?}");
            }
        }
    }

    #[test]
    fn a_scale_bar_has_a_round_length() {
        for (length, round) in [(1.0, 1.0), (437.0, 200.0), (999.0, 500.0), (1_000.0, 1_000.0)] {
            assert_eq!(round_length(length), round);
        }
    }
}
