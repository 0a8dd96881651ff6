//! Numbers that identify a chip, a profile and a subscription. They are personal data: `Debug` hides them.

use std::fmt;
use std::str::FromStr;

/// The text or the octets are no such number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// An EID has 32 digits.
    #[error("not an EID: 32 digits are expected")]
    Eid,
    /// An ICCID has 18 to 20 digits.
    #[error("not an ICCID: 18 to 20 digits are expected")]
    Iccid,
    /// An IMSI has 6 to 15 digits.
    #[error("not an IMSI: 6 to 15 digits are expected")]
    Imsi,
    /// A network is three digits of the country and two or three of the network.
    #[error("not a network: 5 or 6 digits are expected")]
    Plmn,
}

/// The identifier of an eUICC: 32 digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Eid([u8; 16]);

impl Eid {
    /// Takes the 16 octets, two digits each.
    ///
    /// # Errors
    /// [`IdentityError::Eid`] when one is no digit.
    pub fn from_octets(octets: [u8; 16]) -> Result<Self, IdentityError> {
        let digits = octets.iter().all(|o| o >> 4 < 10 && o & 0x0F < 10);
        digits.then_some(Self(octets)).ok_or(IdentityError::Eid)
    }

    /// The 16 octets, two digits each.
    #[must_use]
    pub const fn as_octets(&self) -> &[u8; 16] {
        &self.0
    }

    /// The 32 digits.
    #[must_use]
    pub fn digits(&self) -> String {
        hex(&self.0)
    }

    /// Whether the two check digits at the end are right.
    ///
    /// Source: GSMA SGP.29 v1.0
    #[must_use]
    pub fn is_checked(&self) -> bool {
        let rest = self.digits().bytes().fold(0u32, |rest, digit| {
            (rest * 10 + u32::from(digit & 0x0F)) % 97
        });
        rest == 1
    }
}

impl FromStr for Eid {
    type Err = IdentityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let octets = unhex(text).ok_or(IdentityError::Eid)?;
        Self::from_octets(octets.try_into().map_err(|_| IdentityError::Eid)?)
    }
}

impl fmt::Debug for Eid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Eid(hidden)")
    }
}

/// The number of a profile: 18 to 20 digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Iccid([u8; 10]);

impl Iccid {
    /// Takes the ten octets as a card stores them: digits swapped in pairs, `F` at the end.
    ///
    /// Source: ETSI TS 102 221 §13.2
    ///
    /// # Errors
    /// [`IdentityError::Iccid`].
    pub fn from_octets(octets: [u8; 10]) -> Result<Self, IdentityError> {
        let nibbles: Vec<u8> = octets.iter().flat_map(|o| [o & 0x0F, o >> 4]).collect();
        let count = nibbles.iter().take_while(|n| **n < 10).count();
        let padded = nibbles.iter().skip(count).all(|n| *n == 0x0F);
        (count >= 18 && padded)
            .then_some(Self(octets))
            .ok_or(IdentityError::Iccid)
    }

    /// The ten octets as a card stores them.
    #[must_use]
    pub const fn as_octets(&self) -> &[u8; 10] {
        &self.0
    }

    /// The ten octets as the header of a profile package has them: digits in their order, `F` at the end.
    #[must_use]
    pub fn to_plain_octets(&self) -> [u8; 10] {
        self.0.map(|octet| octet.rotate_left(4))
    }

    /// Takes the ten octets of [`to_plain_octets`](Self::to_plain_octets).
    ///
    /// # Errors
    /// [`IdentityError::Iccid`].
    pub fn from_plain_octets(octets: [u8; 10]) -> Result<Self, IdentityError> {
        Self::from_octets(octets.map(|octet| octet.rotate_left(4)))
    }

    /// The digits.
    #[must_use]
    pub fn digits(&self) -> String {
        swapped_digits(&self.0)
    }

    /// Whether the last digit is the check digit of the others.
    ///
    /// Source: ITU-T E.118 §4
    #[must_use]
    pub fn is_checked(&self) -> bool {
        luhn_sum(&self.digits(), false).is_multiple_of(10)
    }

    /// The number that consists of `body` and its check digit.
    ///
    /// # Errors
    /// [`IdentityError::Iccid`] when `body` is not 17 to 19 digits.
    pub fn with_check_digit(body: &str) -> Result<Self, IdentityError> {
        let check = (10 - luhn_sum(body, true) % 10) % 10;
        format!("{body}{check}").parse()
    }
}

/// The sum of digits where every second one, counted from the right, is doubled.
fn luhn_sum(digits: &str, double_the_last: bool) -> u32 {
    digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let digit = u32::from(byte & 0x0F);
            if (place % 2 == 0) == double_the_last {
                digit * 2 / 10 + digit * 2 % 10
            } else {
                digit
            }
        })
        .sum()
}

impl FromStr for Iccid {
    type Err = IdentityError;

    /// Digits; a last `F` that some systems write is left out.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_suffix(['F', 'f']).unwrap_or(text);
        if !(18..=20).contains(&digits.len()) {
            return Err(IdentityError::Iccid);
        }
        let octets = swap_digits(digits, 10).ok_or(IdentityError::Iccid)?;
        Self::from_octets(octets.try_into().map_err(|_| IdentityError::Iccid)?)
    }
}

impl fmt::Debug for Iccid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Iccid(hidden)")
    }
}

/// The identity of a subscription: 6 to 15 digits.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Imsi(String);

impl Imsi {
    /// The digits.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.0
    }

    /// The content of the file `EF.IMSI`: length, then the digits in pairs behind a parity nibble.
    ///
    /// Source: 3GPP TS 31.102 §4.2.2
    #[must_use]
    pub fn to_file(&self) -> [u8; 9] {
        let parity = if self.0.len() % 2 == 1 { '9' } else { '1' };
        let digits = swap_digits(&format!("{parity}{}", self.0), 8).unwrap_or_default();
        let mut file = [0xFF; 9];
        let length = self.0.len() / 2 + 1;
        file[0] = u8::try_from(length).unwrap_or(8);
        for (to, from) in file.iter_mut().skip(1).zip(digits) {
            *to = from;
        }
        file
    }

    /// Reads the content of the file `EF.IMSI`.
    ///
    /// # Errors
    /// [`IdentityError::Imsi`].
    pub fn from_file(file: &[u8]) -> Result<Self, IdentityError> {
        let (length, digits) = file.split_first().ok_or(IdentityError::Imsi)?;
        let digits = digits
            .get(..usize::from(*length))
            .ok_or(IdentityError::Imsi)?;
        let text = swapped_digits(digits);
        text.get(1..).ok_or(IdentityError::Imsi)?.parse()
    }
}

impl FromStr for Imsi {
    type Err = IdentityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = (6..=15).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        digits
            .then(|| Self(text.to_owned()))
            .ok_or(IdentityError::Imsi)
    }
}

impl fmt::Debug for Imsi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Imsi(hidden)")
    }
}

/// A network: the codes of its country and of itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Plmn([u8; 3]);

impl Plmn {
    /// Takes the three octets of the radio interface; `E` stands for any digit.
    #[must_use]
    pub const fn from_octets(octets: [u8; 3]) -> Self {
        Self(octets)
    }

    /// The three octets of the radio interface.
    ///
    /// Source: 3GPP TS 24.008 §10.5.1.13
    #[must_use]
    pub const fn as_octets(&self) -> &[u8; 3] {
        &self.0
    }

    /// Whether a network `other` is meant by this one, in which `E` stands for any digit.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.0.iter().zip(other.0).all(|(mine, theirs)| {
            [(mine >> 4, theirs >> 4), (mine & 0x0F, theirs & 0x0F)]
                .iter()
                .all(|(mine, theirs)| *mine == 0x0E || mine == theirs)
        })
    }
}

impl FromStr for Plmn {
    type Err = IdentityError;

    /// Five or six digits: `46000`, `310410`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits: Vec<u8> = text
            .bytes()
            .map(|b| b.is_ascii_digit().then_some(b & 0x0F))
            .collect::<Option<_>>()
            .ok_or(IdentityError::Plmn)?;
        let (c, n, third) = match digits.as_slice() {
            [a, b, c, d, e] => ([a, b, c], [d, e], 0x0F),
            [a, b, c, d, e, f] => ([a, b, c], [d, e], *f),
            _ => return Err(IdentityError::Plmn),
        };
        Ok(Self([
            (c[1] << 4) | c[0],
            (third << 4) | c[2],
            (n[1] << 4) | n[0],
        ]))
    }
}

impl fmt::Display for Plmn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c] = self.0;
        for nibble in [a & 0x0F, a >> 4, b & 0x0F, c & 0x0F, c >> 4, b >> 4] {
            if nibble != 0x0F {
                write!(f, "{nibble:X}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Plmn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Plmn({self})")
    }
}

/// Digits in pairs with the first in the lower half, filled up to `octets` with `F`; `None` when one is no
/// digit or there are too many.
///
/// Source: ETSI TS 102 221 §13.2
#[must_use]
pub fn swap_digits(digits: &str, octets: usize) -> Option<Vec<u8>> {
    if digits.len() > octets * 2 {
        return None;
    }
    let mut nibbles = digits
        .bytes()
        .map(|b| b.is_ascii_digit().then_some(b & 0x0F))
        .collect::<Option<Vec<u8>>>()?;
    nibbles.resize(octets * 2, 0x0F);
    let mut swapped = Vec::with_capacity(octets);
    let mut pairs = nibbles.into_iter();
    while let (Some(low), Some(high)) = (pairs.next(), pairs.next()) {
        swapped.push((high << 4) | low);
    }
    Some(swapped)
}

/// The digits of [`swap_digits`], up to the filling.
fn swapped_digits(octets: &[u8]) -> String {
    octets
        .iter()
        .flat_map(|o| [o & 0x0F, o >> 4])
        .take_while(|nibble| *nibble < 10)
        .map(|nibble| char::from(b'0' + nibble))
        .collect()
}

/// Octets as capital hexadecimal digits.
#[must_use]
pub fn hex(octets: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    octets
        .iter()
        .flat_map(|o| [o >> 4, o & 0x0F])
        .filter_map(|nibble| DIGITS.get(usize::from(nibble)).copied().map(char::from))
        .collect()
}

/// Octets from hexadecimal digits of either case.
#[must_use]
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let mut digits = text.bytes().map(|b| char::from(b).to_digit(16));
    let mut octets = Vec::with_capacity(text.len() / 2);
    while let (Some(high), Some(low)) = (digits.next(), digits.next()) {
        octets.push(u8::try_from(high? * 16 + low?).ok()?);
    }
    Some(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_iccid_is_stored_with_its_digits_swapped() {
        let iccid: Iccid = "8986012345678901239".parse().unwrap();
        assert_eq!(hex(iccid.as_octets()), "986810325476981032F9");
        assert_eq!(iccid.digits(), "8986012345678901239");
        assert_eq!(Iccid::from_octets(*iccid.as_octets()), Ok(iccid));
        assert_eq!(hex(&iccid.to_plain_octets()), "8986012345678901239F");
        assert_eq!(Iccid::from_plain_octets(iccid.to_plain_octets()), Ok(iccid));
        let checked = Iccid::with_check_digit("894460123456789012").unwrap();
        assert!(checked.is_checked());
        // ITU-T E.118: the example number of the Luhn formula.
        assert_eq!(luhn_sum("79927398713", false) % 10, 0);
        for text in [
            "",
            "898601234567890",
            "89860123456789012390F1",
            "8986O12345678901239",
        ] {
            assert_eq!(text.parse::<Iccid>(), Err(IdentityError::Iccid), "{text}");
        }
        assert!(Iccid::from_octets([0xFF; 10]).is_err());
        assert!(!format!("{iccid:?}").contains("8986"));
    }

    #[test]
    fn an_imsi_is_stored_behind_its_parity() {
        let odd: Imsi = "460001234567890".parse().unwrap();
        assert_eq!(hex(&odd.to_file()), "084906002143658709");
        let even: Imsi = "46000123456789".parse().unwrap();
        assert_eq!(hex(&even.to_file()), "0841060021436587F9");
        for imsi in [odd, even, "460001".parse().unwrap()] {
            assert_eq!(Imsi::from_file(&imsi.to_file()), Ok(imsi));
        }
        assert!("46000".parse::<Imsi>().is_err());
        assert!(Imsi::from_file(&[9, 0]).is_err());
    }

    #[test]
    fn networks_of_two_and_three_digits() {
        let two: Plmn = "46000".parse().unwrap();
        assert_eq!(two.as_octets(), &[0x64, 0xF0, 0x00]);
        let three: Plmn = "310410".parse().unwrap();
        assert_eq!(three.as_octets(), &[0x13, 0x00, 0x14]);
        assert_eq!(
            (two.to_string(), three.to_string()),
            ("46000".into(), "310410".into())
        );
        assert!(Plmn::from_octets([0xEE; 3]).covers(&two));
        assert!(!three.covers(&two));
    }

    #[test]
    fn an_eid_has_check_digits() {
        let eid: Eid = "89049032123451234512345678901235".parse().unwrap();
        assert!(eid.is_checked());
        let other: Eid = "89049032123451234512345678901236".parse().unwrap();
        assert!(!other.is_checked());
        assert!("8904903212345123451234567890123F".parse::<Eid>().is_err());
    }
}
