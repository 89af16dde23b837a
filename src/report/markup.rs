//! Small pieces of HTML: tables whose cells are escaped, figures, key figures.

use std::fmt::Write;

use super::text::escape;

/// A cell of a table.
pub(super) enum Cell {
    /// Words, set to the left.
    Text(String),
    /// A figure, set to the right.
    Figure(String),
    /// A word or two that stay on one line.
    Short(String),
    /// Markup made here, already escaped.
    Markup(String),
    /// A figure that breaks a rule: printed bold and red.
    Bad(String),
    /// Words that do.
    BadText(String),
}

impl Cell {
    /// Words.
    pub fn text(words: impl Into<String>) -> Self {
        Self::Text(words.into())
    }

    /// A word or two that stay on one line, unless they are many.
    pub fn short(words: impl Into<String>) -> Self {
        let words = words.into();
        if words.chars().count() <= 22 { Self::Short(words) } else { Self::Text(words) }
    }

    /// A whole number.
    pub fn count(number: u64) -> Self {
        Self::Figure(super::text::count(number))
    }

    /// A figure that is printed as bad when it is.
    pub fn figure(text: impl Into<String>, standing: Standing) -> Self {
        match standing {
            Standing::Good => Self::Figure(text.into()),
            Standing::Bad => Self::Bad(text.into()),
        }
    }

    /// Words that are printed as bad when they are.
    pub fn plain(words: impl Into<String>, standing: Standing) -> Self {
        match standing {
            Standing::Good => Self::Text(words.into()),
            Standing::Bad => Self::BadText(words.into()),
        }
    }

    fn write(&self, html: &mut String) {
        let _ = match self {
            Self::BadText(words) => write!(html, "<td class=\"bad\">{}</td>", escape(words)),
            Self::Text(words) => write!(html, "<td>{}</td>", escape(words)),
            Self::Short(words) => write!(html, "<td class=\"short\">{}</td>", escape(words)),
            Self::Figure(text) => write!(html, "<td class=\"n\">{}</td>", escape(text)),
            Self::Bad(text) => write!(html, "<td class=\"n bad\">{}</td>", escape(text)),
            Self::Markup(markup) => write!(html, "<td>{markup}</td>"),
        };
    }
}

/// Whether a figure keeps its rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Good,
    Bad,
}

impl Standing {
    /// Good if the rule holds.
    pub fn of(holds: impl Into<Option<bool>>) -> Self {
        if holds.into() == Some(false) { Self::Bad } else { Self::Good }
    }
}

/// A table with a caption and a head that is repeated on every page.
pub(super) struct Table {
    caption: String,
    note: String,
    heads: Vec<String>,
    widths: &'static [u32],
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// An empty table. Heads that start with `#` stand above figures and are set to the right.
    pub fn new(caption: impl Into<String>, heads: &[&str]) -> Self {
        Self {
            caption: caption.into(),
            note: String::new(),
            heads: heads.iter().map(|head| (*head).to_owned()).collect(),
            widths: &[],
            rows: Vec::new(),
        }
    }

    /// Adds a head.
    pub fn head(&mut self, head: impl Into<String>) {
        self.heads.push(head.into());
    }

    /// Widths of the columns in hundredths; otherwise they follow their content.
    pub fn widths(&mut self, widths: &'static [u32]) {
        self.widths = widths;
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// A remark below the table.
    pub fn note(&mut self, note: impl Into<String>) {
        self.note = note.into();
    }

    /// Whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The markup. A short table is kept on one page.
    pub fn html(&self) -> String {
        let short = if self.rows.len() <= 14 { " short" } else { "" };
        let mut html = format!("<table class=\"data{short}\">");
        if !self.caption.is_empty() {
            let _ = write!(html, "<caption>{}</caption>", escape(&self.caption));
        }
        if !self.widths.is_empty() {
            html.push_str("<colgroup>");
            for width in self.widths {
                let _ = write!(html, "<col style=\"width:{width}%\">");
            }
            html.push_str("</colgroup>");
        }
        html.push_str("<thead><tr>");
        for head in &self.heads {
            let _ = match head.strip_prefix('#') {
                Some(head) => write!(html, "<th scope=\"col\" class=\"n\">{}</th>", escape(head)),
                None => write!(html, "<th scope=\"col\">{}</th>", escape(head)),
            };
        }
        html.push_str("</tr></thead><tbody>");
        for row in &self.rows {
            html.push_str("<tr>");
            row.iter().for_each(|cell| cell.write(&mut html));
            html.push_str("</tr>\n");
        }
        html.push_str("</tbody></table>");
        if !self.note.is_empty() {
            let _ = write!(html, "<p class=\"note\">{}</p>", escape(&self.note));
        }
        html
    }
}

/// A key figure: a large number with a word below.
pub(super) fn key_figure(figure: &str, unit: &str, word: &str) -> String {
    format!(
        "<div class=\"key\"><b>{}<small>{}</small></b><span>{}</span></div>",
        escape(figure),
        escape(unit),
        escape(word)
    )
}

/// A paragraph.
pub(super) fn paragraph(words: &str) -> String {
    format!("<p>{}</p>", escape(words))
}

/// A remark in small print.
pub(super) fn note(words: &str) -> String {
    format!("<p class=\"note\">{}</p>", escape(words))
}

/// A list.
pub(super) fn list(items: &[String]) -> String {
    let items: String = items.iter().map(|item| format!("<li>{}</li>", escape(item))).collect();
    format!("<ul>{items}</ul>")
}

/// A picture with a caption and an optional legend, kept on one page.
pub(super) fn figure(svg: &str, caption: &str, legend: &[Key]) -> String {
    let mut html = format!("<figure>{svg}");
    if !legend.is_empty() {
        html.push_str("<div class=\"legend\">");
        for key in legend {
            let _ = write!(html, "<span>{}{}</span>", key.swatch, escape(&key.word));
        }
        html.push_str("</div>");
    }
    let _ = write!(html, "<figcaption>{}</figcaption></figure>", escape(caption));
    html
}

/// A line of a legend.
pub(super) struct Key {
    swatch: String,
    word: String,
}

impl Key {
    /// A filled box.
    pub fn fill(colour: &str, word: impl Into<String>) -> Self {
        Self::drawn(&format!("<rect x=\"1\" y=\"2\" width=\"14\" height=\"10\" fill=\"{colour}\"/>"), word)
    }

    /// A line.
    pub fn line(colour: &str, width: f64, dash: &str, word: impl Into<String>) -> Self {
        let line = format!(
            "<path d=\"M0 7h16\" stroke=\"{colour}\" stroke-width=\"{width}\" stroke-dasharray=\"{dash}\"/>"
        );
        Self::drawn(&line, word)
    }

    /// Any drawing in a box of 16 by 14.
    pub fn drawn(drawing: &str, word: impl Into<String>) -> Self {
        let swatch = format!("<svg viewBox=\"0 0 16 14\" aria-hidden=\"true\">{drawing}</svg>");
        Self { swatch, word: word.into() }
    }
}
