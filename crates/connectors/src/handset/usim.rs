//! What a phone reads from the profile in use when it attaches.

use simurgh_euicc::{Directory, Euicc};
use simurgh_rsp::identity::Imsi;
use simurgh_vocab::Msisdn;

/// Files of a USIM (3GPP TS 31.102 §4.2).
const IMSI: u16 = 0x6F07;
const SERVICE_PROVIDER_NAME: u16 = 0x6F46;
const OWN_NUMBER: u16 = 0x6F40;

/// The subscription that a phone uses. Personal: it is shown on the phone's page and written nowhere.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Subscription {
    pub(super) iccid: String,
    pub(super) imsi: Option<String>,
    pub(super) provider: Option<String>,
    pub(super) number: Option<Msisdn>,
}

impl Subscription {
    /// The one of the profile in use.
    pub(super) fn of(chip: &Euicc) -> Option<Self> {
        let profile = chip.enabled_profile()?;
        let file = |id| {
            let file = profile.file(Directory::Usim, id)?;
            Some(file.content.as_slice())
        };
        Some(Self {
            iccid: profile.iccid().digits(),
            imsi: file(IMSI)
                .and_then(|content| Imsi::from_file(content).ok())
                .map(|imsi| imsi.digits().to_owned()),
            provider: file(SERVICE_PROVIDER_NAME).and_then(provider),
            number: profile
                .file(Directory::Usim, OWN_NUMBER)
                .and_then(|file| file.content.get(..file.record_length?))
                .and_then(number),
        })
    }
}

/// `EF.SPN`: a condition of display, then the name, filled up with `FF`. Source: 3GPP TS 31.102 §4.2.12
fn provider(content: &[u8]) -> Option<String> {
    let (_, name) = content.split_first()?;
    let text = match name {
        // UCS2, big-endian. Source: ETSI TS 102 221 annex A
        [0x80, wide @ ..] => {
            let units: Vec<u16> = wide
                .chunks_exact(2)
                .filter_map(|pair| pair.try_into().ok().map(u16::from_be_bytes))
                .take_while(|unit| *unit != 0xFFFF)
                .collect();
            String::from_utf16(&units).ok()?
        }
        plain => plain
            .iter()
            .take_while(|octet| octet.is_ascii_graphic() || **octet == b' ')
            .map(|octet| char::from(*octet))
            .collect(),
    };
    (!text.is_empty()).then_some(text)
}

/// The first record of `EF.MSISDN`: a name, then length, type of number, digits in swapped pairs, two octets
/// more. Source: 3GPP TS 31.102 §4.2.26, TS 31.102 §4.4.2.3 (`EF.ADN`)
fn number(record: &[u8]) -> Option<Msisdn> {
    let start = record.len().checked_sub(14)?;
    let [length, kind, digits @ ..] = record.get(start..)? else {
        return None;
    };
    let octets = usize::from(*length).checked_sub(1)?;
    let digits: String = digits
        .get(..octets.min(10))?
        .iter()
        .flat_map(|octet| [octet & 0x0F, octet >> 4])
        .filter_map(|digit| char::from_digit(u32::from(digit), 10))
        .collect();
    // International numbers alone are numbers everywhere.
    (*kind & 0x70 == 0x10)
        .then(|| format!("+{digits}").parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_read_as_a_phone_reads_them() {
        let filled = |head: &[u8]| [head, &[0xFF; 12]].concat();
        assert_eq!(
            provider(&filled(b"\x01Simurgh")).as_deref(),
            Some("Simurgh")
        );
        let wide = filled(&[1, 0x80, 0x60, 0x9F, 0x9E, 0x1F]);
        assert_eq!(provider(&wide).as_deref(), Some("\u{609F}\u{9E1F}"));
        assert_eq!(provider(&[0xFF; 17]), None);
        let mut record = vec![0xFF; 10];
        record.extend([8, 0x91, 0x68, 0x31, 0x19, 0x32, 0x54, 0x76, 0xF8]);
        record.resize(24, 0xFF);
        assert_eq!(number(&record).unwrap().as_str(), "+8613912345678");
        assert_eq!(number(&[0xFF; 24]), None);
    }
}
