//! The protection of a profile on its way into a chip: AES-128 in CBC mode with a counted initial vector,
//! and AES-CMAC over a chain of segments.
//!
//! Source: SGP.22 v2.5 §2.5.3, §2.5.4 and annex G

use std::fmt;

use aws_lc_rs::cipher::{
    AES_128, DecryptingKey, DecryptionContext, EncryptingKey, EncryptionContext, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::{cmac, constant_time, digest};
use zeroize::Zeroizing;

use crate::identity::Eid;
use crate::key::SharedSecret;
use crate::tlv::{Head, Tag, Tlv, Writer};

/// The longest segment with tag, length and MAC.
pub const SEGMENT_MAX: usize = 1_020;

/// The longest segment that is taken. Servers exist that count the padding beside the 1020 octets; a chip that
/// refused them would refuse their profiles.
pub const SEGMENT_TAKEN_MAX: usize = SEGMENT_MAX + BLOCK;

/// What a segment adds to the text of `88`: tag, length of three octets, MAC.
const OVERHEAD: usize = 1 + 3 + MAC_LENGTH;

/// The most text in a segment that is only authenticated.
pub const AUTHENTICATED_MAX: usize = SEGMENT_MAX - OVERHEAD;

/// The most text in an encrypted segment: at least one octet of padding follows it.
pub const ENCRYPTED_MAX: usize = AUTHENTICATED_MAX - 1;

/// How much of the MAC is sent.
const MAC_LENGTH: usize = 8;

/// The length of a block and of a key.
const BLOCK: usize = 16;

/// AES, in the key agreement (GlobalPlatform Card Specification v2.3 table 11-16).
pub const KEY_TYPE_AES: u8 = 0x88;

/// The length of the keys that are agreed, in octets.
pub const KEY_LENGTH: u8 = 16;

/// Encrypted segments of a profile.
pub const TAG_PROFILE: Tag = Tag::new(0x86);
/// Encrypted commands.
pub const TAG_COMMAND: Tag = Tag::new(0x87);
/// Authenticated metadata.
pub const TAG_METADATA: Tag = Tag::new(0x88);

/// A segment cannot be protected or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BspError {
    /// The segment has another form. The sender is to blame.
    #[error("the segment is not well formed")]
    Structure,
    /// The MAC is not right: other keys, another order, or bent bits. The sender is to blame.
    #[error("the segment does not verify")]
    Security,
    /// The cipher could not compute; our own fault.
    #[error("the cipher could not be used")]
    Unusable,
}

/// The three values of a protection: two keys and where the chain of MACs begins. Wiped when dropped.
#[derive(Clone)]
pub struct SessionKeys {
    octets: Zeroizing<[u8; 48]>,
}

impl fmt::Debug for SessionKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKeys(hidden)")
    }
}

impl SessionKeys {
    /// The keys of a session between a server and a chip.
    ///
    /// # Errors
    /// [`BspError::Structure`] when `host_id` has not 1 to 16 octets.
    pub fn derive(secret: &SharedSecret, host_id: &[u8], eid: &Eid) -> Result<Self, BspError> {
        if !(1..=16).contains(&host_id.len()) {
            return Err(BspError::Structure);
        }
        let host_length = u8::try_from(host_id.len()).map_err(|_| BspError::Structure)?;
        let mut shared_info = vec![KEY_TYPE_AES, KEY_LENGTH, host_length];
        shared_info.extend_from_slice(host_id);
        shared_info.push(16);
        shared_info.extend_from_slice(eid.as_octets());
        let mut octets = Zeroizing::new([0u8; 48]);
        x963_kdf(secret.as_octets(), &shared_info, &mut octets[..]);
        Ok(Self { octets })
    }

    /// New keys for one profile package; never used for another.
    #[must_use]
    pub fn random(random: &mut dyn FnMut(&mut [u8])) -> Self {
        let mut octets = Zeroizing::new([0u8; 48]);
        random(&mut octets[..]);
        Self { octets }
    }

    /// Takes what [`as_octets`](Self::as_octets) gave.
    #[must_use]
    pub fn from_octets(octets: &[u8; 48]) -> Self {
        Self {
            octets: Zeroizing::new(*octets),
        }
    }

    /// Initial chaining value, encryption key, MAC key: what is stored (encrypted) beside a protected
    /// profile.
    #[must_use]
    pub fn as_octets(&self) -> &[u8; 48] {
        &self.octets
    }

    fn part(&self, place: usize) -> [u8; BLOCK] {
        let mut part = [0u8; BLOCK];
        let octets = self.octets.iter().skip(place * BLOCK);
        for (to, from) in part.iter_mut().zip(octets) {
            *to = *from;
        }
        part
    }

    /// Where the chain of MACs begins.
    #[must_use]
    pub fn initial_chaining_value(&self) -> [u8; 16] {
        self.part(0)
    }

    /// The key of the cipher.
    #[must_use]
    pub fn encryption_key(&self) -> Zeroizing<[u8; 16]> {
        Zeroizing::new(self.part(1))
    }

    /// The key of the MAC.
    #[must_use]
    pub fn mac_key(&self) -> Zeroizing<[u8; 16]> {
        Zeroizing::new(self.part(2))
    }
}

/// The key derivation of ANSI X9.63 with SHA-256: as many octets as `out` has.
///
/// Source: BSI TR-03111 v2.10 §4.3.3
pub fn x963_kdf(secret: &[u8], shared_info: &[u8], out: &mut [u8]) {
    for (chunk, counter) in out.chunks_mut(32).zip(1u32..) {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(secret);
        context.update(&counter.to_be_bytes());
        context.update(shared_info);
        for (to, from) in chunk.iter_mut().zip(context.finish().as_ref()) {
            *to = *from;
        }
    }
}

/// One chain of protected segments, on either side.
pub struct Bsp {
    encrypt: EncryptingKey,
    decrypt: DecryptingKey,
    counter_key: EncryptingKey,
    mac: cmac::Key,
    chaining_value: Zeroizing<[u8; BLOCK]>,
    counter: u64,
}

impl fmt::Debug for Bsp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bsp(segment {})", self.counter)
    }
}

impl Bsp {
    /// A chain at its beginning.
    ///
    /// # Errors
    /// [`BspError::Unusable`].
    pub fn new(keys: &SessionKeys) -> Result<Self, BspError> {
        let unusable = |_| BspError::Unusable;
        let cipher_key =
            || UnboundCipherKey::new(&AES_128, &keys.encryption_key()[..]).map_err(unusable);
        Ok(Self {
            encrypt: EncryptingKey::cbc(cipher_key()?).map_err(unusable)?,
            decrypt: DecryptingKey::cbc(cipher_key()?).map_err(unusable)?,
            counter_key: EncryptingKey::ecb(cipher_key()?).map_err(unusable)?,
            mac: cmac::Key::new(cmac::AES_128, &keys.mac_key()[..]).map_err(unusable)?,
            chaining_value: Zeroizing::new(keys.initial_chaining_value()),
            counter: 1,
        })
    }

    /// Encrypts `text` into as many segments as it needs.
    ///
    /// # Errors
    /// [`BspError::Unusable`].
    pub fn encrypt(&mut self, tag: Tag, text: &[u8]) -> Result<Vec<u8>, BspError> {
        let mut segments = Vec::with_capacity(text.len() + text.len() / 64 + 32);
        for part in parts(text, ENCRYPTED_MAX) {
            let mut padded = Zeroizing::new(Vec::with_capacity(part.len() + BLOCK));
            padded.extend_from_slice(part);
            padded.push(0x80);
            let length = padded.len().next_multiple_of(BLOCK);
            padded.resize(length, 0);
            let vector = EncryptionContext::Iv128(self.initial_vector()?);
            self.encrypt
                .less_safe_encrypt(&mut padded, vector)
                .map_err(|_| BspError::Unusable)?;
            self.seal(tag, &padded, &mut segments)?;
        }
        Ok(segments)
    }

    /// Authenticates `text` in as many segments as it needs.
    ///
    /// # Errors
    /// [`BspError::Unusable`].
    pub fn authenticate(&mut self, tag: Tag, text: &[u8]) -> Result<Vec<u8>, BspError> {
        let mut segments = Vec::with_capacity(text.len() + 2 * OVERHEAD);
        for part in parts(text, AUTHENTICATED_MAX) {
            self.seal(tag, part, &mut segments)?;
        }
        Ok(segments)
    }

    /// Verifies and decrypts a segment.
    ///
    /// # Errors
    /// [`BspError`].
    pub fn decrypt(&mut self, segment: &Tlv<'_>) -> Result<Zeroizing<Vec<u8>>, BspError> {
        let vector = DecryptionContext::Iv128(self.initial_vector()?);
        let body = self.verify(segment)?;
        if body.is_empty() || body.len() % BLOCK != 0 {
            return Err(BspError::Structure);
        }
        let mut text = Zeroizing::new(body.to_vec());
        self.decrypt
            .decrypt(&mut text, vector)
            .map_err(|_| BspError::Unusable)?;
        let filled = text.iter().rev().take_while(|octet| **octet == 0).count();
        let end = text.len().checked_sub(filled + 1);
        match end {
            Some(end) if text.get(end) == Some(&0x80) => text.truncate(end),
            _ => return Err(BspError::Structure),
        }
        Ok(text)
    }

    /// Verifies a segment and gives what is in it beside the MAC.
    ///
    /// # Errors
    /// [`BspError`].
    pub fn verify<'a>(&mut self, segment: &Tlv<'a>) -> Result<&'a [u8], BspError> {
        if segment.raw().len() > SEGMENT_TAKEN_MAX {
            return Err(BspError::Structure);
        }
        let (body, mac) = segment
            .value()
            .split_last_chunk::<MAC_LENGTH>()
            .ok_or(BspError::Structure)?;
        let full = self.mac_of(segment.head(), body)?;
        let expected = full.get(..MAC_LENGTH).ok_or(BspError::Unusable)?;
        constant_time::verify_slices_are_equal(expected, mac).map_err(|_| BspError::Security)?;
        self.advance(full);
        Ok(body)
    }

    /// Writes tag, length, body and MAC, and moves on.
    fn seal(&mut self, tag: Tag, body: &[u8], out: &mut Vec<u8>) -> Result<(), BspError> {
        let mut head = Writer::new();
        head.head(tag, body.len() + MAC_LENGTH);
        let head = head.finish();
        let full = self.mac_of(&head, body)?;
        out.extend_from_slice(&head);
        out.extend_from_slice(body);
        out.extend(full.iter().take(MAC_LENGTH));
        self.advance(full);
        Ok(())
    }

    fn mac_of(&self, head: &[u8], body: &[u8]) -> Result<[u8; BLOCK], BspError> {
        let unusable = |_| BspError::Unusable;
        let mut context = cmac::Context::with_key(&self.mac);
        for part in [&self.chaining_value[..], head, body] {
            context.update(part).map_err(unusable)?;
        }
        let tag = context.sign().map_err(unusable)?;
        tag.as_ref().try_into().map_err(|_| BspError::Unusable)
    }

    /// Every segment counts, encrypted or not.
    fn advance(&mut self, mac: [u8; BLOCK]) {
        self.chaining_value = Zeroizing::new(mac);
        self.counter = self.counter.saturating_add(1);
    }

    fn initial_vector(&self) -> Result<FixedLength<BLOCK>, BspError> {
        let mut block = u128::from(self.counter).to_be_bytes();
        self.counter_key
            .less_safe_encrypt(&mut block, EncryptionContext::None)
            .map_err(|_| BspError::Unusable)?;
        Ok(FixedLength::from(block))
    }
}

/// Parts of at most `length` octets; one empty part of an empty text.
fn parts(text: &[u8], length: usize) -> impl Iterator<Item = &[u8]> {
    let empty = text.is_empty().then_some(text);
    empty.into_iter().chain(text.chunks(length))
}

/// The segments that lie one after the other in `bytes`.
///
/// # Errors
/// [`BspError::Structure`].
pub fn segments(bytes: &[u8]) -> Result<Vec<Tlv<'_>>, BspError> {
    crate::tlv::Reader::new(bytes)
        .all()
        .map_err(|_| BspError::Structure)
}

/// Where the next object in `bytes` ends, if it has a head at all.
pub(crate) fn object_length(bytes: &[u8]) -> Result<usize, BspError> {
    let head = Head::parse(bytes).map_err(|_| BspError::Structure)?;
    head.octets
        .checked_add(head.length)
        .ok_or(BspError::Structure)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{hex, unhex};
    use proptest::prelude::*;

    fn keys() -> SessionKeys {
        let secret = SharedSecret::from_octets([0x5A; 32]);
        let eid = "89049032123451234512345678901235".parse().unwrap();
        SessionKeys::derive(&secret, b"host", &eid).unwrap()
    }

    /// NIST CAVP, ANSI X9.63-2001 with SHA-256: the first example.
    #[test]
    fn x963_kdf_of_the_nist_examples() {
        let secret = unhex("96C05619D56C328AB95FE84B18264B08725B85E33FD34F08").unwrap();
        let mut out = [0u8; 16];
        x963_kdf(&secret, &[], &mut out);
        assert_eq!(hex(&out), "443024C3DAE66B95E6F5670601558F71");
    }

    /// RFC 4493 §4, examples 1 to 4.
    #[test]
    fn aes_cmac_of_rfc_4493() {
        let message = unhex(concat!(
            "6BC1BEE22E409F96E93D7E117393172AAE2D8A571E03AC9C9EB76FAC45AF8E51",
            "30C81C46A35CE411E5FBC1191A0A52EFF69F2445DF4F9B17AD2B417BE66C3710"
        ))
        .unwrap();
        let key = unhex("2B7E151628AED2A6ABF7158809CF4F3C").unwrap();
        let key = cmac::Key::new(cmac::AES_128, &key).unwrap();
        for (length, mac) in [
            (0, "BB1D6929E95937287FA37D129B756746"),
            (16, "070A16B46B4D4144F79BDD9DD04A287C"),
            (40, "DFA66747DE9AE63030CA32611497C827"),
            (64, "51F0BEBF7E3B9D92FC49741779363CFE"),
        ] {
            let signed = cmac::sign(&key, &message[..length]).unwrap();
            assert_eq!(hex(signed.as_ref()), mac);
        }
    }

    #[test]
    fn segments_are_as_long_as_they_may_be() {
        for (length, expected) in [
            (0, vec![26]),
            (1, vec![26]),
            (15, vec![26]),
            (16, vec![42]),
            (1006, vec![1020]),
            (1007, vec![1020]),
            (1008, vec![1020, 26]),
            (2014, vec![1020, 1020]),
        ] {
            let mut bsp = Bsp::new(&keys()).unwrap();
            let bytes = bsp.encrypt(TAG_PROFILE, &vec![1; length]).unwrap();
            let sizes: Vec<usize> = segments(&bytes)
                .unwrap()
                .iter()
                .map(|one| one.raw().len())
                .collect();
            assert_eq!(sizes, expected, "{length}");
        }
        let mut bsp = Bsp::new(&keys()).unwrap();
        let bytes = bsp.authenticate(TAG_METADATA, &[1; 1009]).unwrap();
        let sizes: Vec<usize> = segments(&bytes)
            .unwrap()
            .iter()
            .map(|one| one.raw().len())
            .collect();
        assert_eq!(sizes, [1020, 11]);
    }

    #[test]
    fn a_segment_may_be_longer_by_its_padding_and_no_more() {
        for (length, taken) in [(1_007, true), (1_023, true), (1_024, false)] {
            let mut sender = Bsp::new(&keys()).unwrap();
            let mut body = vec![1; length];
            body.push(0x80);
            body.resize(body.len().next_multiple_of(BLOCK), 0);
            let mut segment = Vec::new();
            sender.seal(TAG_PROFILE, &body, &mut segment).unwrap();
            let segment = Tlv::parse(&segment).unwrap();
            let opened = Bsp::new(&keys()).unwrap().verify(&segment).is_ok();
            assert_eq!(opened, taken, "{}", segment.raw().len());
        }
    }

    #[test]
    fn the_order_of_segments_matters_and_all_kinds_count() {
        let mut sender = Bsp::new(&keys()).unwrap();
        let first = sender.encrypt(TAG_COMMAND, b"one").unwrap();
        let second = sender.authenticate(TAG_METADATA, b"two").unwrap();
        let third = sender.encrypt(TAG_PROFILE, b"three").unwrap();
        let [first, second, third] = [&first, &second, &third].map(|b| Tlv::parse(b).unwrap());

        let mut receiver = Bsp::new(&keys()).unwrap();
        assert_eq!(receiver.decrypt(&first).unwrap().as_slice(), b"one");
        assert_eq!(receiver.decrypt(&third), Err(BspError::Security));
        assert_eq!(receiver.verify(&second), Ok(&b"two"[..]));
        assert_eq!(receiver.decrypt(&third).unwrap().as_slice(), b"three");
        assert_eq!(receiver.decrypt(&third), Err(BspError::Security));
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens(text in proptest::collection::vec(any::<u8>(), 0..4000)) {
            let (mut sender, mut receiver) = (Bsp::new(&keys()).unwrap(), Bsp::new(&keys()).unwrap());
            let bytes = sender.encrypt(TAG_PROFILE, &text).unwrap();
            let mut opened = Vec::new();
            for one in segments(&bytes).unwrap() {
                opened.extend_from_slice(&receiver.decrypt(&one).unwrap());
            }
            prop_assert_eq!(opened, text);
        }

        #[test]
        fn a_bent_bit_is_refused(at in any::<prop::sample::Index>(), bit in 0u8..8) {
            let mut bytes = Bsp::new(&keys()).unwrap().encrypt(TAG_PROFILE, &[7; 300]).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            let opened = segments(&bytes).ok().and_then(|found| {
                let mut receiver = Bsp::new(&keys()).unwrap();
                found.first().and_then(|one| receiver.decrypt(one).ok())
            });
            prop_assert_eq!(opened, None);
        }
    }
}
