//! Cuts a text into short messages.
//!
//! Source: 3GPP TS 23.038 v17.0.0 §6.2.1 (GSM 7 bit default alphabet and its extension table) and
//! §6.2.3 (UCS2); 3GPP TS 23.040 v17.2.0 §9.2.3.24.1 (concatenation, 8-bit reference).

/// The most parts one message may have. More is a mistake upstream: every part is paid for, and
/// 10 parts hold 670 Chinese or 1,530 Latin characters.
pub const MAX_PARTS: usize = 10;

/// Units in a message of one part, and in each of several parts (140 octets less the header).
const GSM_SINGLE: usize = 160;
const GSM_PART: usize = 153;
const UCS2_SINGLE: usize = 70;
const UCS2_PART: usize = 67;

const ESCAPE: u8 = 0x1B;

/// Position = septet. U+0000 stands where the table has the escape.
const BASIC: [char; 128] = [
    '@', '£', '$', '¥', 'è', 'é', 'ù', 'ì', 'ò', 'Ç', '\n', 'Ø', 'ø', '\r', 'Å', 'å', //
    'Δ', '_', 'Φ', 'Γ', 'Λ', 'Ω', 'Π', 'Ψ', 'Σ', 'Θ', 'Ξ', '\0', 'Æ', 'æ', 'ß', 'É', //
    ' ', '!', '"', '#', '¤', '%', '&', '\'', '(', ')', '*', '+', ',', '-', '.', '/', //
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ':', ';', '<', '=', '>', '?', //
    '¡', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O', //
    'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'Ä', 'Ö', 'Ñ', 'Ü', '§', //
    '¿', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', //
    'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 'ä', 'ö', 'ñ', 'ü', 'à',
];

/// What follows the escape, and what it means.
const EXTENSION: [(u8, char); 10] = [
    (0x0A, '\u{0C}'),
    (0x14, '^'),
    (0x28, '{'),
    (0x29, '}'),
    (0x2F, '\\'),
    (0x3C, '['),
    (0x3D, '~'),
    (0x3E, ']'),
    (0x40, '|'),
    (0x65, '€'),
];

/// How the user data is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alphabet {
    /// GSM 7 bit default alphabet, one septet per octet: the message centre packs it.
    Gsm,
    /// UTF-16 big endian, which phones accept where the standard says UCS2.
    Ucs2,
}

/// A text cut into user data, in order. More than one part carry the concatenation header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segments {
    /// How every part is written.
    pub alphabet: Alphabet,
    /// The user data of each part, header included.
    pub parts: Vec<Vec<u8>>,
}

/// The text cannot be sent as a short message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SegmentError {
    /// There is nothing to send.
    #[error("the text is empty")]
    Empty,
    /// It needs more than [`MAX_PARTS`] parts.
    #[error("the text needs {parts} parts, more than {MAX_PARTS}")]
    TooLong {
        /// So many.
        parts: usize,
    },
}

/// Cuts `text` into parts. `reference` joins them on the phone: the same message sent again with
/// the same reference completes what arrived of it before.
///
/// # Errors
/// [`SegmentError`] when the text is empty or too long.
pub fn segment(text: &str, reference: u8) -> Result<Segments, SegmentError> {
    if text.is_empty() {
        return Err(SegmentError::Empty);
    }
    let gsm: Option<Vec<Vec<u8>>> = text.chars().map(gsm_units).collect();
    let (alphabet, characters, single, part) = match gsm {
        Some(characters) => (Alphabet::Gsm, characters, GSM_SINGLE, GSM_PART),
        None => (
            Alphabet::Ucs2,
            text.chars().map(ucs2_units).collect(),
            UCS2_SINGLE * 2,
            UCS2_PART * 2,
        ),
    };
    let length: usize = characters.iter().map(Vec::len).sum();
    if length <= single {
        return Ok(Segments {
            alphabet,
            parts: vec![characters.concat()],
        });
    }
    let bodies = cut(&characters, part);
    let total = match u8::try_from(bodies.len()) {
        Ok(total) if bodies.len() <= MAX_PARTS => total,
        Ok(_) | Err(_) => {
            return Err(SegmentError::TooLong {
                parts: bodies.len(),
            });
        }
    };
    let parts = (1..=total)
        .zip(bodies)
        .map(|(number, body)| {
            let mut data = vec![0x05, 0x00, 0x03, reference, total, number];
            data.extend(body);
            data
        })
        .collect();
    Ok(Segments { alphabet, parts })
}

/// Joins characters into bodies of at most `limit` octets, never cutting a character: neither an
/// escape from what it escapes nor a surrogate from its other half.
fn cut(characters: &[Vec<u8>], limit: usize) -> Vec<Vec<u8>> {
    let mut bodies = Vec::new();
    let mut body: Vec<u8> = Vec::with_capacity(limit);
    for character in characters {
        if body.len() + character.len() > limit {
            bodies.push(std::mem::take(&mut body));
        }
        body.extend(character);
    }
    bodies.push(body);
    bodies
}

fn gsm_units(character: char) -> Option<Vec<u8>> {
    if character == '\0' {
        return None;
    }
    if let Some(septet) = BASIC.iter().position(|known| *known == character) {
        return u8::try_from(septet).ok().map(|septet| vec![septet]);
    }
    EXTENSION
        .iter()
        .find(|(_, known)| *known == character)
        .map(|(septet, _)| vec![ESCAPE, *septet])
}

fn ucs2_units(character: char) -> Vec<u8> {
    let mut units = [0; 2];
    character
        .encode_utf16(&mut units)
        .iter()
        .flat_map(|unit| unit.to_be_bytes())
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a phone shows: each part decoded alone, in order.
    fn read(segments: &Segments) -> String {
        let total = segments.parts.len();
        let mut text = String::new();
        for (index, part) in segments.parts.iter().enumerate() {
            let body = if total == 1 {
                &part[..]
            } else {
                assert_eq!(part[..3], [5, 0, 3]);
                assert_eq!(part[4..6], [total as u8, index as u8 + 1]);
                &part[6..]
            };
            let budget = if total == 1 { 140 } else { 134 };
            match segments.alphabet {
                Alphabet::Gsm => {
                    assert!(body.len() <= budget * 8 / 7);
                    text.push_str(&read_gsm(body));
                }
                Alphabet::Ucs2 => {
                    assert!(body.len() <= budget);
                    let units = body
                        .chunks(2)
                        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
                    text.extend(char::decode_utf16(units).map(|unit| unit.unwrap()));
                }
            }
        }
        text
    }

    fn read_gsm(body: &[u8]) -> String {
        let mut septets = body.iter();
        let mut text = String::new();
        while let Some(septet) = septets.next() {
            text.push(if *septet == ESCAPE {
                let next = septets.next().expect("an escape ends no part");
                EXTENSION.iter().find(|(code, _)| code == next).unwrap().1
            } else {
                BASIC[usize::from(*septet)]
            });
        }
        text
    }

    fn parts(text: &str) -> (Alphabet, usize) {
        let segments = segment(text, 7).unwrap();
        assert_eq!(read(&segments), text);
        (segments.alphabet, segments.parts.len())
    }

    #[test]
    fn ts_23_040_9_2_3_24_1_lengths_at_the_borders() {
        assert_eq!(parts(&"a".repeat(160)), (Alphabet::Gsm, 1));
        assert_eq!(parts(&"a".repeat(161)), (Alphabet::Gsm, 2));
        assert_eq!(parts(&"a".repeat(306)), (Alphabet::Gsm, 2));
        assert_eq!(parts(&"a".repeat(307)), (Alphabet::Gsm, 3));
        assert_eq!(parts(&"€".repeat(80)), (Alphabet::Gsm, 1));
        assert_eq!(parts(&"€".repeat(81)), (Alphabet::Gsm, 2));
        // 76 pairs and a half fit: the half moves on.
        assert_eq!(parts(&"€".repeat(153)), (Alphabet::Gsm, 3));
        assert_eq!(parts(&"流".repeat(70)), (Alphabet::Ucs2, 1));
        assert_eq!(parts(&"流".repeat(71)), (Alphabet::Ucs2, 2));
        assert_eq!(parts(&"流".repeat(134)), (Alphabet::Ucs2, 2));
        assert_eq!(parts(&"流".repeat(135)), (Alphabet::Ucs2, 3));
        assert_eq!(
            parts(&format!("{}📶{}", "流".repeat(66), "流".repeat(66))),
            (Alphabet::Ucs2, 3)
        );
    }

    #[test]
    fn ts_23_038_6_2_1_the_alphabet_decides() {
        assert_eq!(parts("Prix: 5 € ^_^ [é] {à} ~|\\"), (Alphabet::Gsm, 1));
        assert_eq!(parts("ç"), (Alphabet::Ucs2, 1));
        assert_eq!(parts("`"), (Alphabet::Ucs2, 1));
        assert_eq!(parts("\0"), (Alphabet::Ucs2, 1));
        assert_eq!(segment("@£€", 0).unwrap().parts, [[0x00, 0x01, 0x1B, 0x65]]);
    }

    #[test]
    fn nothing_and_too_much_are_refused() {
        assert_eq!(segment("", 0), Err(SegmentError::Empty));
        assert_eq!(parts(&"a".repeat(1530)), (Alphabet::Gsm, 10));
        assert_eq!(
            segment(&"a".repeat(1531), 0),
            Err(SegmentError::TooLong { parts: 11 })
        );
        assert_eq!(
            segment(&"流".repeat(100_000), 0),
            Err(SegmentError::TooLong { parts: 1493 })
        );
    }

    proptest! {
        #[test]
        fn any_text_reads_back_exactly(text in "\\PC{1,300}", reference: u8) {
            match segment(&text, reference) {
                Ok(segments) => {
                    prop_assert_eq!(read(&segments), text);
                    prop_assert!(segments.parts.len() == 1
                        || segments.parts.iter().all(|part| part[3] == reference));
                }
                Err(error) => prop_assert_ne!(error, SegmentError::Empty),
            }
        }

        #[test]
        fn latin_text_with_extensions_reads_back_exactly(text in "[a-zA-Z0-9€^\\[\\]~ àé\n]{1,500}") {
            let segments = segment(&text, 1).unwrap();
            prop_assert_eq!(segments.alphabet, Alphabet::Gsm);
            prop_assert_eq!(read(&segments), text);
        }
    }
}
