//! The two languages that people read.

/// Language of reports, messages and maps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lang {
    /// 中文.
    #[default]
    Zh,
    /// English.
    En,
}

impl Lang {
    /// The text in this language.
    ///
    /// ```
    /// # use gridplan::model::Lang;
    /// assert_eq!(Lang::Zh.pick("网格", "grids"), "网格");
    /// ```
    #[must_use]
    pub const fn pick<'a>(self, zh: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }

    /// The tag of BCP 47 used in pages.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Zh => "zh-CN",
            Self::En => "en",
        }
    }
}

/// One text in both languages, so that whoever shows it picks and nobody translates again.
///
/// ```
/// # use gridplan::model::{Lang, Text};
/// let text = Text::from((format!("{} 户", 3), "3 households"));
/// assert_eq!(text.get(Lang::Zh), "3 户");
/// assert_eq!(Text::same("A-1").get(Lang::En), "A-1");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text {
    /// 中文.
    pub zh: String,
    /// English.
    pub en: String,
}

impl Text {
    /// What reads alike in both languages: a name, a number, words that a user typed.
    #[must_use]
    pub fn same(text: impl Into<String>) -> Self {
        let zh = text.into();
        Self { en: zh.clone(), zh }
    }

    /// The text in a language.
    #[must_use]
    pub fn get(&self, lang: Lang) -> &str {
        lang.pick(&self.zh, &self.en)
    }

    /// Whether there is nothing to read.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.zh.is_empty() && self.en.is_empty()
    }
}

/// English: what an error or a test prints. Whoever knows the reader's language calls [`Text::get`].
impl std::fmt::Display for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.en)
    }
}

/// An error that people read: its `Display` is English, this is the same in the language asked for.
pub trait Tell: std::error::Error {
    /// The message in Chinese.
    fn chinese(&self) -> String;

    /// The message in a language.
    fn tell(&self, lang: Lang) -> String {
        match lang {
            Lang::Zh => self.chinese(),
            Lang::En => self.to_string(),
        }
    }
}

/// `(中文, English)`.
impl<Zh: Into<String>, En: Into<String>> From<(Zh, En)> for Text {
    fn from((zh, en): (Zh, En)) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }
}
