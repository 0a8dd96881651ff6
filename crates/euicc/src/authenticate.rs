//! The subscriber's authentication: Milenage, and the sequence numbers of a USIM.
//!
//! Source: 3GPP TS 35.206 §4.1

use std::fmt;

use aws_lc_rs::cipher::{AES_128, EncryptingKey, EncryptionContext, UnboundCipherKey};
use simurgh_rsp::saip::Secret;

/// A key and the operator's value, ready to compute.
pub struct Milenage {
    cipher: EncryptingKey,
    opc: Secret<16>,
}

impl fmt::Debug for Milenage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Milenage(hidden)")
    }
}

/// What one challenge of the network yields.
#[derive(Clone, PartialEq, Eq)]
pub struct MilenageVector {
    /// The code that authenticates the network.
    pub mac_a: [u8; 8],
    /// The code that authenticates a request to resynchronise.
    pub mac_s: [u8; 8],
    /// The answer.
    pub res: [u8; 8],
    /// The cipher key.
    pub ck: [u8; 16],
    /// The integrity key.
    pub ik: [u8; 16],
    /// What hides the sequence number.
    pub ak: [u8; 6],
    /// What hides it in a request to resynchronise.
    pub ak_star: [u8; 6],
}

impl fmt::Debug for MilenageVector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MilenageVector(hidden)")
    }
}

type Block = [u8; 16];

fn xor(a: &Block, b: &Block) -> Block {
    let mut sum = *a;
    for (to, from) in sum.iter_mut().zip(b) {
        *to ^= from;
    }
    sum
}

fn part<const N: usize>(block: &Block, from: usize) -> [u8; N] {
    let mut part = [0; N];
    for (to, from) in part.iter_mut().zip(block.iter().skip(from)) {
        *to = *from;
    }
    part
}

impl Milenage {
    /// Takes key and operator's value; `None` when the cipher cannot be used.
    #[must_use]
    pub fn new(ki: &Secret<16>, opc: Secret<16>) -> Option<Self> {
        let key = UnboundCipherKey::new(&AES_128, ki.as_octets()).ok()?;
        Some(Self {
            cipher: EncryptingKey::ecb(key).ok()?,
            opc,
        })
    }

    fn encrypt(&self, block: &Block) -> Option<Block> {
        let mut out = *block;
        self.cipher
            .less_safe_encrypt(&mut out, EncryptionContext::None)
            .ok()?;
        Some(out)
    }

    /// Everything for a challenge, a sequence number and the management field.
    #[must_use]
    pub fn vector(&self, rand: &Block, sqn: &[u8; 6], amf: &[u8; 2]) -> Option<MilenageVector> {
        let opc = self.opc.as_octets();
        let temp = self.encrypt(&xor(rand, opc))?;
        let mut in1 = [0u8; 16];
        let repeated = sqn.iter().chain(amf).chain(sqn).chain(amf);
        for (to, from) in in1.iter_mut().zip(repeated) {
            *to = *from;
        }
        let mut rotated = xor(&in1, opc);
        rotated.rotate_left(8);
        let out1 = xor(&self.encrypt(&xor(&temp, &rotated))?, opc);
        let out = |rotation: usize, constant: u8| {
            let mut block = xor(&temp, opc);
            block.rotate_left(rotation);
            if let Some(last) = block.last_mut() {
                *last ^= constant;
            }
            self.encrypt(&block).map(|block| xor(&block, opc))
        };
        let (out2, out3, out4, out5) = (out(0, 1)?, out(4, 2)?, out(8, 4)?, out(12, 8)?);
        Some(MilenageVector {
            mac_a: part(&out1, 0),
            mac_s: part(&out1, 8),
            res: part(&out2, 8),
            ck: out3,
            ik: out4,
            ak: part(&out2, 0),
            ak_star: part(&out5, 0),
        })
    }
}

impl Milenage {
    /// The answer and the key for a network of the second generation: SRES and Kc.
    ///
    /// Source: 3GPP TS 33.102 §6.8.1.2, conversion functions c2 and c3
    pub(crate) fn gsm(&self, rand: &Block) -> Option<([u8; 4], [u8; 8])> {
        // Neither RES nor CK nor IK depends on the sequence number.
        let vector = self.vector(rand, &[0; 6], &[0; 2])?;
        let (mut sres, mut kc) = ([0; 4], [0; 8]);
        for (place, octet) in vector.res.iter().enumerate() {
            if let Some(to) = sres.get_mut(place % 4) {
                *to ^= octet;
            }
        }
        for key in [&vector.ck, &vector.ik] {
            for (place, octet) in key.iter().enumerate() {
                if let Some(to) = kc.get_mut(place % 8) {
                    *to ^= octet;
                }
            }
        }
        Some((sres, kc))
    }
}

/// How a challenge ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthenticationOutcome {
    /// The network is who it says: the answer of the command AUTHENTICATE.
    Authenticated(Vec<u8>),
    /// The sequence number was used before: the answer that asks to resynchronise.
    Resynchronise(Vec<u8>),
    /// The network is not who it says.
    Refused,
}

/// How many sequence numbers are remembered: one for each index.
const INDEXES: usize = 32;

/// The sequence numbers that were used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SequenceNumbers([u64; INDEXES]);

impl Default for SequenceNumbers {
    fn default() -> Self {
        Self([0; INDEXES])
    }
}

impl SequenceNumbers {
    /// As they are kept: eight octets each.
    pub(crate) fn to_octets(&self) -> Vec<u8> {
        self.0.iter().flat_map(|one| one.to_be_bytes()).collect()
    }

    /// Takes what [`to_octets`](Self::to_octets) gave.
    pub(crate) fn from_octets(octets: &[u8]) -> Option<Self> {
        let (numbers, rest) = octets.as_chunks::<8>();
        let numbers: Vec<u64> = numbers.iter().map(|one| u64::from_be_bytes(*one)).collect();
        let numbers = numbers.try_into().ok().filter(|_| rest.is_empty());
        numbers.map(Self)
    }

    /// Answers the network's challenge. The index is the lower five bits of the sequence number.
    ///
    /// Source: 3GPP TS 33.102 §6.3.3 and annex C
    pub(crate) fn authenticate(
        &mut self,
        milenage: &Milenage,
        rand: &Block,
        autn: &Block,
    ) -> Option<AuthenticationOutcome> {
        let amf: [u8; 2] = part(autn, 6);
        let mac: [u8; 8] = part(autn, 8);
        let blind = milenage.vector(rand, &[0; 6], &amf)?;
        let mut sqn: [u8; 6] = part(autn, 0);
        for (to, from) in sqn.iter_mut().zip(blind.ak) {
            *to ^= from;
        }
        let vector = milenage.vector(rand, &sqn, &amf)?;
        if aws_lc_rs::constant_time::verify_slices_are_equal(&vector.mac_a, &mac).is_err() {
            return Some(AuthenticationOutcome::Refused);
        }
        let number = sqn
            .iter()
            .fold(0u64, |sum, octet| (sum << 8) | u64::from(*octet));
        let index = usize::try_from(number % 32).ok()?;
        let highest = self.0.iter().copied().max().unwrap_or(0);
        let used = self.0.get_mut(index)?;
        if number <= *used {
            return self.resynchronise(milenage, rand, highest);
        }
        *used = number;
        let mut answer = vec![0xDB, 8];
        answer.extend(vector.res);
        for key in [vector.ck, vector.ik] {
            answer.push(16);
            answer.extend(key);
        }
        Some(AuthenticationOutcome::Authenticated(answer))
    }

    fn resynchronise(
        &self,
        milenage: &Milenage,
        rand: &Block,
        highest: u64,
    ) -> Option<AuthenticationOutcome> {
        let mut sqn = [0u8; 6];
        for (to, from) in sqn.iter_mut().zip(highest.to_be_bytes().iter().skip(2)) {
            *to = *from;
        }
        let vector = milenage.vector(rand, &sqn, &[0, 0])?;
        let mut answer = vec![0xDC, 14];
        answer.extend(sqn.iter().zip(vector.ak_star).map(|(a, b)| a ^ b));
        answer.extend(vector.mac_s);
        Some(AuthenticationOutcome::Resynchronise(answer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use simurgh_rsp::identity::{hex, unhex};

    fn block<const N: usize>(text: &str) -> [u8; N] {
        unhex(text).unwrap().try_into().unwrap()
    }

    fn milenage() -> Milenage {
        let ki = Secret::new(block("465B5CE8B199B49FAA5F0A2EE238A6BC"));
        let opc = Secret::new(block("CD63CB71954A9F4E48A5994E37A02BAF"));
        Milenage::new(&ki, opc).unwrap()
    }

    const RAND: &str = "23553CBE9637A89D218AE64DAE47BF35";

    /// 3GPP TS 35.208 §4.3: test set 1.
    #[test]
    fn ts_35_208_test_set_1() {
        let vector = milenage()
            .vector(&block(RAND), &block("FF9BB4D0B607"), &block("B9B9"))
            .unwrap();
        assert_eq!(hex(&vector.mac_a), "4A9FFAC354DFAFB3");
        assert_eq!(hex(&vector.mac_s), "01CFAF9EC4E871E9");
        assert_eq!(hex(&vector.res), "A54211D5E3BA50BF");
        assert_eq!(hex(&vector.ck), "B40BA9A3C58B2A05BBF0D987B21BF8CB");
        assert_eq!(hex(&vector.ik), "F769BCD751044604127672711C6D3441");
        assert_eq!(hex(&vector.ak), "AA689C648370");
        assert_eq!(hex(&vector.ak_star), "451E8BECA43B");
    }

    /// The same keys in a network of the second generation: c2 of RES, c3 of CK and IK.
    #[test]
    fn ts_33_102_conversion_for_gsm() {
        let (sres, kc) = milenage().gsm(&block(RAND)).unwrap();
        let (res, ck, ik): ([u8; 8], Block, Block) = (
            block("A54211D5E3BA50BF"),
            block("B40BA9A3C58B2A05BBF0D987B21BF8CB"),
            block("F769BCD751044604127672711C6D3441"),
        );
        assert_eq!(sres, std::array::from_fn(|i| res[i] ^ res[i + 4]));
        assert_eq!(
            kc,
            std::array::from_fn(|i| ck[i] ^ ck[i + 8] ^ ik[i] ^ ik[i + 8])
        );
        // 3GPP TS 55.205 §4.1: the same keys by GSM-MILENAGE.
        assert_eq!(hex(&sres), "46F8416A");
        assert_eq!(hex(&kc), "EAE4BE823AF9A08B");
    }

    /// The card's proof of where its sequence number stands is what the network computes of it.
    #[test]
    fn a_resynchronisation_is_believed_by_the_network() {
        let milenage = milenage();
        let mut used = SequenceNumbers::default();
        let highest: [u8; 6] = block("000000000121");
        let rand = block(RAND);
        let challenge = |sqn: &[u8; 6]| {
            let vector = milenage.vector(&rand, sqn, &[0x80, 0]).unwrap();
            let hidden = sqn.iter().zip(vector.ak).map(|(a, b)| a ^ b);
            let all: Vec<u8> = hidden.chain([0x80, 0]).chain(vector.mac_a).collect();
            <Block>::try_from(all).unwrap()
        };
        used.authenticate(&milenage, &rand, &challenge(&highest));
        let again = used.authenticate(&milenage, &rand, &challenge(&highest));
        let Some(AuthenticationOutcome::Resynchronise(answer)) = again else {
            panic!("{again:?}")
        };
        assert_eq!(answer[..2], [0xDC, 14]);
        let expected = milenage.vector(&rand, &highest, &[0, 0]).unwrap();
        let concealed: Vec<u8> = highest
            .iter()
            .zip(expected.ak_star)
            .map(|(a, b)| a ^ b)
            .collect();
        assert_eq!(answer[2..8], concealed);
        assert_eq!(answer[8..], expected.mac_s);
    }

    #[test]
    fn a_sequence_number_is_good_once() {
        let milenage = milenage();
        let rand = block(RAND);
        let challenge = |sqn: &str| {
            let sqn: [u8; 6] = block(sqn);
            let vector = milenage.vector(&rand, &sqn, &[0x80, 0]).unwrap();
            let mut autn = [0u8; 16];
            let hidden = sqn.iter().zip(vector.ak).map(|(a, b)| a ^ b);
            let all = hidden.chain([0x80, 0]).chain(vector.mac_a);
            autn.iter_mut().zip(all).for_each(|(to, from)| *to = from);
            autn
        };
        let mut used = SequenceNumbers::default();
        let mut answer = |autn: &Block| used.authenticate(&milenage, &rand, autn).unwrap();
        let first = challenge("000000000021");
        assert!(matches!(
            answer(&first),
            AuthenticationOutcome::Authenticated(_)
        ));
        assert!(matches!(
            answer(&first),
            AuthenticationOutcome::Resynchronise(_)
        ));
        let mut bent = challenge("000000000041");
        bent[15] ^= 1;
        assert_eq!(answer(&bent), AuthenticationOutcome::Refused);
        let next = challenge("000000000041");
        assert!(matches!(
            answer(&next),
            AuthenticationOutcome::Authenticated(_)
        ));
    }
}
