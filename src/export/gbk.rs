//! Text in GBK, the encoding that Chinese CAD and GIS of the last thirty years expect.

/// Characters that GBK lacks and that have a plain form.
const PLAIN: [(char, &str); 6] =
    [('²', "2"), ('³', "3"), ('−', "-"), ('¥', "￥"), ('\u{a0}', " "), ('•', "·")];

/// Encodes text; what GBK lacks is written in a plain form, or else by `fallback`.
pub(super) fn encode(text: &str, fallback: impl Fn(char) -> String) -> Vec<u8> {
    let (bytes, _, lossy) = encoding_rs::GBK.encode(text);
    if !lossy {
        return bytes.into_owned();
    }
    let mut all = Vec::with_capacity(text.len());
    let mut letters = [0_u8; 4];
    for letter in text.chars() {
        let (bytes, _, lossy) = encoding_rs::GBK.encode(letter.encode_utf8(&mut letters));
        if !lossy {
            all.extend_from_slice(&bytes);
        } else if let Some((_, plain)) = PLAIN.iter().find(|(odd, _)| *odd == letter) {
            all.extend_from_slice(&encoding_rs::GBK.encode(plain).0);
        } else {
            all.extend_from_slice(fallback(letter).as_bytes());
        }
    }
    all
}
