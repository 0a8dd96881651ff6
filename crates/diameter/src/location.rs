//! Where a device is, out of what gateways send: the operator (and so the country) that serves it.

/// A public land mobile network: three digits of country, two or three of network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Plmn {
    /// Mobile country code, 0 to 999.
    pub mcc: u16,
    /// Mobile network code, 0 to 999.
    pub mnc: u16,
    /// How many digits the network code is written with: 2 or 3.
    pub mnc_digits: u8,
}

impl Plmn {
    /// From 3GPP-SGSN-MCC-MNC and its like: five or six digits.
    ///
    /// Source: 3GPP TS 29.061 §16.4.7.2 (18)
    #[must_use]
    pub fn from_digits(text: &str) -> Option<Self> {
        let digits = text.bytes().all(|octet| octet.is_ascii_digit());
        let (mcc, mnc) = text.split_at_checked(3)?;
        let mnc_digits = u8::try_from(mnc.len())
            .ok()
            .filter(|count| (2..=3).contains(count))?;
        Some(Self {
            mcc: mcc.parse().ok().filter(|_| digits)?,
            mnc: mnc.parse().ok()?,
            mnc_digits,
        })
    }

    /// From three octets of swapped digits, as the radio network writes it.
    ///
    /// Source: 3GPP TS 24.008 §10.5.1.13
    #[must_use]
    pub fn from_bcd(octets: [u8; 3]) -> Option<Self> {
        let digit = |value: u8| (value < 10).then_some(u16::from(value));
        let [first, second, third] = octets;
        let (m1, m2, m3) = (digit(first & 15)?, digit(first >> 4)?, digit(second & 15)?);
        let (n1, n2) = (digit(third & 15)?, digit(third >> 4)?);
        let mcc = m1 * 100 + m2 * 10 + m3;
        Some(match second >> 4 {
            0xf => Self {
                mcc,
                mnc: n1 * 10 + n2,
                mnc_digits: 2,
            },
            n3 => Self {
                mcc,
                mnc: n1 * 100 + n2 * 10 + digit(n3)?,
                mnc_digits: 3,
            },
        })
    }

    /// From 3GPP-User-Location-Info: one octet that says what follows, then the network first in every kind
    /// that begins with an area or a cell.
    ///
    /// Source: 3GPP TS 29.061 §16.4.7.2 (22)
    #[must_use]
    pub fn from_user_location(value: &[u8]) -> Option<Self> {
        match value {
            // CGI, SAI, RAI, TAI, ECGI, TAI and ECGI, NCGI, 5GS TAI, 5GS TAI and NCGI
            [0 | 1 | 2 | 128 | 129 | 130 | 135 | 136 | 137, a, b, c, ..] => {
                Self::from_bcd([*a, *b, *c])
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ts_29_061_networks_are_read_in_both_forms() {
        let china = Plmn {
            mcc: 460,
            mnc: 1,
            mnc_digits: 2,
        };
        assert_eq!(Plmn::from_digits("46001"), Some(china));
        assert_eq!(Plmn::from_bcd([0x64, 0xf0, 0x10]), Some(china));
        let place = [
            130, 0x13, 0x00, 0x14, 0x12, 0x34, 0x13, 0x00, 0x14, 0, 0, 0, 1,
        ];
        let network = Plmn::from_user_location(&place).unwrap();
        assert_eq!(
            (network.mcc, network.mnc, network.mnc_digits),
            (310, 410, 3)
        );
        for wrong in ["4600", "4600123", "46oo1", "４６０"] {
            assert_eq!(Plmn::from_digits(wrong), None, "{wrong}");
        }
        assert_eq!(Plmn::from_bcd([0xaa, 0, 0]), None);
        assert_eq!(Plmn::from_user_location(&[7, 1, 2, 3]), None);
        assert_eq!(Plmn::from_user_location(&[]), None);
    }
}
