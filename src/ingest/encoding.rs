//! Text of unknown encoding: declared, marked, or detected from which characters come out common.

use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, Encoding, GB18030, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252,
};

use super::error::IngestError;
use crate::model::Text;

/// Encodings tried where UTF-8 does not fit; the first of equals wins.
const CANDIDATES: &[&Encoding] = &[GB18030, SHIFT_JIS, BIG5, EUC_KR, EUC_JP];

/// Bytes looked at for detection.
const SAMPLE: usize = 1 << 20;

/// An encoding by its label, as users write it.
pub(super) fn by_label(label: &str) -> Result<&'static Encoding, IngestError> {
    let plain = label.trim().to_ascii_lowercase();
    let label_known = match plain.as_str() {
        "cp936" | "936" | "ansi936" | "windows-936" => Some(GB18030),
        "cp932" | "932" | "ms932" => Some(SHIFT_JIS),
        "cp950" | "950" => Some(BIG5),
        "cp949" | "949" => Some(EUC_KR),
        "65001" | "cp65001" => Some(UTF_8),
        _ => Encoding::for_label(plain.as_bytes()),
    };
    label_known.ok_or_else(|| IngestError::UnknownEncoding { label: label.to_owned() })
}

/// Name of an encoding for GDAL's `ENCODING` open option.
#[cfg(feature = "gdal")]
pub(super) fn gdal_name(encoding: &'static Encoding) -> &'static str {
    if encoding == SHIFT_JIS {
        "CP932"
    } else if encoding == GB18030 {
        "GB18030"
    } else if encoding == BIG5 {
        "CP950"
    } else if encoding == EUC_KR {
        "CP949"
    } else if encoding == WINDOWS_1252 {
        "CP1252"
    } else {
        encoding.name()
    }
}

/// The encoding of bytes that no one declares.
pub(super) fn detect(bytes: &[u8]) -> &'static Encoding {
    let mut sample = &bytes[..bytes.len().min(SAMPLE)];
    // A sample must not cut a character in two: end it at a line.
    if sample.len() < bytes.len() {
        let end = sample.iter().rposition(|&byte| byte == b'\n').unwrap_or(sample.len());
        sample = &sample[..end];
    }
    if std::str::from_utf8(sample).is_ok() {
        return UTF_8;
    }
    let scored = CANDIDATES.iter().map(|&encoding| (encoding, score(encoding, sample)));
    let mut best = (WINDOWS_1252, 0);
    for (encoding, score) in scored {
        if best.1 < score {
            best = (encoding, score);
        }
    }
    best.0
}

/// Common characters minus ten times the broken and three times the rare ones.
fn score(encoding: &'static Encoding, sample: &[u8]) -> i64 {
    let (text, _) = encoding.decode_without_bom_handling(sample);
    let mut score = 0;
    for c in text.chars() {
        score += match c {
            '\u{FFFD}' => -10,
            '\u{E000}'..='\u{F8FF}' | '\u{80}'..='\u{9F}' => -10,
            c if c.is_ascii() => 0,
            // Half-width katakana: nobody's names are spelt in them.
            '\u{FF61}'..='\u{FF9F}' => -3,
            c if is_common(encoding, c) => 2,
            _ => -3,
        };
    }
    score
}

/// Whether a character belongs to the everyday part of its encoding.
fn is_common(encoding: &'static Encoding, c: char) -> bool {
    if matches!(c, '\u{3000}'..='\u{30FF}' | '\u{FF01}'..='\u{FF5E}' | '·' | '—' | '…' | '“' | '”' | '℃' | '㎡' | '×')
    {
        return encoding != EUC_KR;
    }
    let mut buffer = [0; 4];
    let (bytes, _, unknown) = encoding.encode(c.encode_utf8(&mut buffer));
    if unknown || bytes.len() != 2 {
        return false;
    }
    let lead = bytes[0];
    if encoding == GB18030 {
        // Level 1 of GB 2312.
        (0xB0..=0xD7).contains(&lead) && 0xA1 <= bytes[1]
    } else if encoding == SHIFT_JIS {
        // Level 1 of JIS X 0208.
        (0x88..=0x98).contains(&lead)
    } else if encoding == BIG5 {
        (0xA4..=0xC6).contains(&lead)
    } else if encoding == EUC_KR {
        (0xB0..=0xC8).contains(&lead)
    } else {
        (0xB0..=0xCF).contains(&lead)
    }
}

/// Text of a whole file, and its encoding with how it is known.
///
/// # Errors
/// [`IngestError::UnknownEncoding`]; [`IngestError::Encoding`] with the first line that cannot be read.
pub(super) fn decode(
    file: &str,
    bytes: Vec<u8>,
    declared: Option<&str>,
) -> Result<(String, TextEncoding), IngestError> {
    let (encoding, how) = match (Encoding::for_bom(&bytes), declared) {
        (_, Some(label)) => (by_label(label)?, How::Declared),
        (Some((encoding, _)), None) => (encoding, How::Marked),
        (None, None) => (detect(&bytes), How::Detected),
    };
    if encoding == UTF_8 && !bytes.starts_with(b"\xEF\xBB\xBF") {
        return match String::from_utf8(bytes) {
            Ok(text) => Ok((text, TextEncoding::of(encoding, how, ""))),
            Err(error) => Err(broken(file, error.as_bytes(), error.utf8_error().valid_up_to(), encoding)),
        };
    }
    let (text, used, broke) = encoding.decode(&bytes);
    if broke {
        let at = first_broken(encoding, &bytes);
        return Err(broken(file, &bytes, at, encoding));
    }
    let shown = TextEncoding::of(used, how, &text);
    Ok((text.into_owned(), shown))
}

/// How an encoding is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// The user says so.
    Declared,
    /// The file starts with a byte order mark.
    Marked,
    /// The `.cpg` beside the file says so.
    #[cfg(feature = "gdal")]
    Stated,
    /// The characters that come out are common ones.
    Detected,
    /// The same, although a `.cpg` says otherwise.
    #[cfg(feature = "gdal")]
    Overruled,
}

impl How {
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Declared => ("指定", "declared"),
            Self::Marked => ("字节顺序标记", "byte order mark"),
            #[cfg(feature = "gdal")]
            Self::Stated => (".cpg 标明", "stated by .cpg"),
            Self::Detected => ("检测", "detected"),
            #[cfg(feature = "gdal")]
            Self::Overruled => ("检测；.cpg 不符", "detected; the .cpg does not fit"),
        }
    }

    const fn is_guess(self) -> bool {
        match self {
            Self::Declared | Self::Marked => false,
            Self::Detected => true,
            #[cfg(feature = "gdal")]
            Self::Stated => false,
            #[cfg(feature = "gdal")]
            Self::Overruled => true,
        }
    }
}

/// The encoding of a source's text, as it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct TextEncoding {
    /// Name, how it is known, and the first foreign word as a preview.
    pub words: Text,
    /// It was found out and is not UTF-8: worth a finding.
    pub guessed: bool,
}

impl TextEncoding {
    /// An encoding with how it is known; `text` gives the preview.
    pub(super) fn of(encoding: &'static Encoding, how: How, text: &str) -> Self {
        let preview: String = text
            .chars()
            .skip_while(|c| c.is_ascii())
            .take_while(|c| !c.is_ascii() && !c.is_control())
            .take(12)
            .collect();
        let (name, (zh, en)) = (encoding.name(), how.words());
        let words = if preview.is_empty() {
            Text::from((format!("{name}（{zh}）"), format!("{name} ({en})")))
        } else {
            Text::from((
                format!("{name}（{zh}；读作“{preview}”）"),
                format!("{name} ({en}; reads as {preview})"),
            ))
        };
        Self { words, guessed: how.is_guess() && encoding != UTF_8 }
    }

    /// An encoding that the format leaves no choice about.
    pub(super) fn fixed(name: &str) -> Self {
        let words = Text::from((format!("{name}（格式规定）"), format!("{name} (fixed by the format)")));
        Self { words, guessed: false }
    }
}

/// Byte position of the first line that does not decode.
fn first_broken(encoding: &'static Encoding, bytes: &[u8]) -> usize {
    if encoding == UTF_16LE || encoding == UTF_16BE {
        return 0;
    }
    let mut start = 0;
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        if encoding.decode_without_bom_handling(line).1 {
            return start;
        }
        start += line.len();
    }
    0
}

fn broken(file: &str, bytes: &[u8], at: usize, encoding: &'static Encoding) -> IngestError {
    let line = 1 + bytes[..at.min(bytes.len())].iter().filter(|&&byte| byte == b'\n').count();
    IngestError::Encoding { file: file.to_owned(), line, encoding: encoding.name().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everyday_text_is_told_apart() {
        let chinese = "小区名称,户数\n幸福小区一号楼,36\n滨海路街道办事处,120\n";
        let japanese = "町名,世帯数\n鳥取県鳥取市立川町３丁目,114\nわかばだい,20\n";
        let taiwanese = "社區名稱,戶數\n光復里民活動中心,36\n國光新村,20\n";
        for (text, encoding) in [
            (chinese, UTF_8),
            (chinese, GB18030),
            (japanese, SHIFT_JIS),
            (taiwanese, BIG5),
            (japanese, UTF_8),
        ] {
            let (bytes, _, unknown) = encoding.encode(text);
            assert!(!unknown);
            assert_eq!(detect(&bytes), encoding, "{text}");
        }
    }

    #[test]
    fn a_declared_encoding_that_does_not_fit_names_the_line() {
        let (bytes, ..) = GB18030.encode("id,name\n1,ok\n2,小区\n");
        let error = decode("b.csv", bytes.into_owned(), Some("utf-8")).expect_err("it is GBK");
        assert!(error.to_string().contains("b.csv, line 3"), "{error}");
    }
}
