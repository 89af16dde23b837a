//! The page: style, cover, contents, numbered sections, annexes on wide pages.

use std::fmt::Write;

use super::facts::Facts;
use super::text::escape;
use super::{annex, closing, coverage, grids, opening, stations};
use crate::model::Lang;

const STYLE: &str = include_str!("report.css");

/// A section of the report.
pub(super) struct Section {
    pub id: &'static str,
    pub title: String,
    /// Markup below the title.
    pub body: String,
}

impl Section {
    /// A section in the language asked for.
    pub fn new(id: &'static str, lang: Lang, zh: &str, en: &str, body: String) -> Self {
        Self { id, title: lang.pick(zh, en).to_owned(), body }
    }
}

/// The whole report.
pub(super) fn write(facts: &Facts<'_>, lang: Lang) -> String {
    let sections = [
        opening::summary(facts, lang),
        opening::method(facts, lang),
        grids::section(facts, lang),
        stations::section(facts, lang),
        coverage::section(facts, lang),
        coverage::left_out(facts, lang),
        grids::community_maps(facts, lang),
        closing::rules(facts, lang),
        closing::findings(facts, lang),
        closing::provenance(facts, lang),
        closing::legal(facts, lang),
        closing::glossary(lang),
    ];
    let annexes = annex::sections(facts, lang);
    let title = opening::title(facts, lang);
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"generator\" content=\"gridplan\">\n<title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n",
        lang.tag(),
        escape(&title)
    );
    page.push_str(&opening::cover(facts, lang));
    page.push_str(&contents(&sections, &annexes, lang));
    for (index, section) in sections.iter().enumerate() {
        let first = if index == 0 { " class=\"pagebreak\"" } else { "" };
        let _ = write!(
            page,
            "<section id=\"{}\"{first}>\n<h2>{} {}</h2>\n{}\n</section>\n",
            section.id,
            number(index, lang),
            escape(&section.title),
            section.body
        );
    }
    if !annexes.is_empty() {
        page.push_str("<div class=\"wide\">\n");
        for (index, annex) in annexes.iter().enumerate() {
            let _ = write!(
                page,
                "<section id=\"{}\">\n<h2>{} {}</h2>\n{}\n</section>\n",
                annex.id,
                annex_number(index, lang),
                escape(&annex.title),
                annex.body
            );
        }
        page.push_str("</div>\n");
    }
    page.push_str("</main>\n</body>\n</html>\n");
    page
}

fn contents(sections: &[Section], annexes: &[Section], lang: Lang) -> String {
    let mut html = format!("<h3>{}</h3>\n<ol class=\"toc\">", lang.pick("目录", "Contents"));
    let mut line = |id: &str, number: String, title: &str| {
        let _ = write!(html, "<li><a href=\"#{id}\">{number} {}</a></li>", escape(title));
    };
    for (index, section) in sections.iter().enumerate() {
        line(section.id, number(index, lang), &section.title);
    }
    for (index, annex) in annexes.iter().enumerate() {
        line(annex.id, annex_number(index, lang), &annex.title);
    }
    html.push_str("</ol>\n");
    html
}

/// 一、二、… or 1, 2, …
fn number(index: usize, lang: Lang) -> String {
    const NUMERALS: [&str; 12] = ["一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二"];
    match (lang, NUMERALS.get(index)) {
        (Lang::Zh, Some(numeral)) => format!("{numeral}、"),
        _ => format!("{}.", index + 1),
    }
}

fn annex_number(index: usize, lang: Lang) -> String {
    let letter = char::from(b'A' + u8::try_from(index).unwrap_or(25).min(25));
    say!(lang, "附表 {letter}", "Annex {letter}")
}
