//! Keys on the two curves of remote provisioning, the seam for signing, and one-time keys.
//!
//! P-256 is computed by aws-lc, brainpoolP256r1 by RustCrypto (aws-lc does not have it). A signature is
//! `r || s` in 64 octets, a public key is the uncompressed point in 65 octets.

use std::fmt;
use std::sync::OnceLock;

use aws_lc_rs::{agreement, rand::SystemRandom, signature};
use bp256::BrainpoolP256r1;
use ecdsa::signature::{Signer as _, Verifier as _};
use zeroize::Zeroizing;

use crate::tlv::{Fields, Oid, Tag, Writer};

mod pem;

pub use pem::{PemBlock, PemError, read_all_pem, read_pem, write_pem};

/// A curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Curve {
    /// NIST P-256 (`secp256r1`).
    P256,
    /// `brainpoolP256r1` of RFC 5639.
    BrainpoolP256r1,
}

/// `1.2.840.10045.3.1.7`
const OID_P256: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07];
/// `1.3.36.3.3.2.8.1.1.7`
const OID_BRAINPOOL: &[u8] = &[0x2B, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x07];
/// `1.2.840.10045.2.1`
const OID_EC_PUBLIC_KEY: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01];

const SEQUENCE: Tag = Tag::new(0x30);
const INTEGER: Tag = Tag::new(0x02);
const BIT_STRING: Tag = Tag::new(0x03);
const OCTET_STRING: Tag = Tag::new(0x04);
const OBJECT_IDENTIFIER: Tag = Tag::new(0x06);

impl Curve {
    /// Both.
    pub const ALL: [Self; 2] = [Self::P256, Self::BrainpoolP256r1];

    /// The octets of its object identifier.
    #[must_use]
    pub const fn oid_octets(self) -> &'static [u8] {
        match self {
            Self::P256 => OID_P256,
            Self::BrainpoolP256r1 => OID_BRAINPOOL,
        }
    }

    /// The curve with this object identifier.
    #[must_use]
    pub fn from_oid_octets(octets: &[u8]) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|curve| curve.oid_octets() == octets)
    }
}

/// What can go wrong with keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The octets are no key on the curve.
    #[error("not a key on this curve")]
    NotAKey,
    /// The signature is not by this key over these bytes. The signer is to blame.
    #[error("the signature does not verify")]
    BadSignature,
    /// Our own key or module could not compute.
    #[error("the key could not be used")]
    Unusable,
    /// The random octets gave no key; other ones will.
    #[error("these random octets make no key")]
    TryOtherRandom,
}

/// A signature: `r || s`.
pub type Signature = [u8; 64];

/// A public key: a point on a curve.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey {
    curve: Curve,
    point: [u8; 65],
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({:?})", self.curve)
    }
}

impl PublicKey {
    /// Takes an uncompressed point that is on the curve.
    ///
    /// # Errors
    /// [`KeyError::NotAKey`].
    pub fn from_point(curve: Curve, point: &[u8]) -> Result<Self, KeyError> {
        let octets: [u8; 65] = point.try_into().map_err(|_| KeyError::NotAKey)?;
        if octets[0] != 4 {
            return Err(KeyError::NotAKey);
        }
        match curve {
            Curve::P256 => {
                let unparsed = agreement::UnparsedPublicKey::new(&agreement::ECDH_P256, octets);
                agreement::ParsedPublicKey::try_from(unparsed)
                    .map(drop)
                    .map_err(|_| KeyError::NotAKey)?;
            }
            Curve::BrainpoolP256r1 => brainpool_verifier(&octets).map(drop)?,
        }
        Ok(Self {
            curve,
            point: octets,
        })
    }

    /// Takes back a point that [`from_point`](Self::from_point) took before, as a store kept it. A key that is none is
    /// found when it is used: nothing verifies by it.
    ///
    /// # Errors
    /// [`KeyError::NotAKey`] when it cannot be an uncompressed point.
    pub const fn from_kept_point(curve: Curve, point: [u8; 65]) -> Result<Self, KeyError> {
        match point {
            [4, ..] => Ok(Self { curve, point }),
            _ => Err(KeyError::NotAKey),
        }
    }

    /// The curve.
    #[must_use]
    pub const fn curve(&self) -> Curve {
        self.curve
    }

    /// The uncompressed point: `04 || x || y`.
    #[must_use]
    pub const fn point(&self) -> &[u8; 65] {
        &self.point
    }

    /// Verifies an ECDSA signature with SHA-256.
    ///
    /// # Errors
    /// [`KeyError::BadSignature`].
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), KeyError> {
        match self.curve {
            Curve::P256 => {
                signature::UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, &self.point)
                    .verify(message, signature)
                    .map_err(|_| KeyError::BadSignature)
            }
            Curve::BrainpoolP256r1 => {
                let signature = ecdsa::Signature::<BrainpoolP256r1>::from_slice(signature)
                    .map_err(|_| KeyError::BadSignature)?;
                brainpool_verifier(&self.point)?
                    .verify(message, &signature)
                    .map_err(|_| KeyError::BadSignature)
            }
        }
    }

    /// The `SubjectPublicKeyInfo` of a certificate.
    #[must_use]
    pub fn to_spki(&self) -> Vec<u8> {
        Writer::nest(SEQUENCE, |w| {
            w.nested(SEQUENCE, |w| {
                w.octets(OBJECT_IDENTIFIER, OID_EC_PUBLIC_KEY)
                    .octets(OBJECT_IDENTIFIER, self.curve.oid_octets());
            });
            w.octets(BIT_STRING, &[&[0], &self.point[..]].concat());
        })
    }

    /// Reads a `SubjectPublicKeyInfo`.
    ///
    /// # Errors
    /// [`KeyError::NotAKey`].
    pub fn from_spki(spki: &[u8]) -> Result<Self, KeyError> {
        let refused = |_| KeyError::NotAKey;
        let fields = Fields::parse(spki, SEQUENCE, "SubjectPublicKeyInfo").map_err(refused)?;
        let algorithm = fields.group(SEQUENCE, "algorithm").map_err(refused)?;
        let curve = algorithm
            .nth(OBJECT_IDENTIFIER, 1)
            .and_then(|oid| Curve::from_oid_octets(oid.value()))
            .ok_or(KeyError::NotAKey)?;
        let bits = fields.octets(BIT_STRING, "key").map_err(refused)?;
        match bits.split_first() {
            Some((0, point)) => Self::from_point(curve, point),
            _ => Err(KeyError::NotAKey),
        }
    }
}

fn brainpool_verifier(point: &[u8; 65]) -> Result<ecdsa::VerifyingKey<BrainpoolP256r1>, KeyError> {
    ecdsa::VerifyingKey::from_sec1_bytes(point).map_err(|_| KeyError::NotAKey)
}

/// Signs with a key that it keeps to itself: a file now, a hardware module later.
pub trait Signer: Send + Sync {
    /// The public half.
    fn public_key(&self) -> PublicKey;

    /// An ECDSA signature with SHA-256 over `message`.
    ///
    /// # Errors
    /// [`KeyError::Unusable`] when the key cannot be used now.
    fn sign(&self, message: &[u8]) -> Result<Signature, KeyError>;
}

/// A private key in memory.
pub struct PrivateKey {
    scalar: Zeroizing<[u8; 32]>,
    public: PublicKey,
    inner: Inner,
}

enum Inner {
    P256 {
        agreement: Box<agreement::PrivateKey>,
        /// Made when it is first needed: one-time keys never sign.
        signing: OnceLock<Option<Box<signature::EcdsaKeyPair>>>,
    },
    Brainpool(Box<ecdsa::SigningKey<BrainpoolP256r1>>),
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({:?}, hidden)", self.public.curve)
    }
}

impl PrivateKey {
    /// The key whose scalar is `scalar`; random octets make a key.
    ///
    /// # Errors
    /// [`KeyError::TryOtherRandom`] when the octets are zero or past the order of the curve, which
    /// random ones practically never are.
    pub fn from_scalar(curve: Curve, scalar: &[u8; 32]) -> Result<Self, KeyError> {
        let (public, inner) = match curve {
            Curve::P256 => p256_pair(scalar)?,
            Curve::BrainpoolP256r1 => {
                let key = ecdsa::SigningKey::<BrainpoolP256r1>::from_slice(scalar)
                    .map_err(|_| KeyError::TryOtherRandom)?;
                let point = key.verifying_key().to_sec1_point(false);
                let public = PublicKey::from_point(curve, point.as_bytes())?;
                (public, Inner::Brainpool(Box::new(key)))
            }
        };
        Ok(Self {
            scalar: Zeroizing::new(*scalar),
            public,
            inner,
        })
    }

    /// A new key from octets that `random` fills.
    ///
    /// # Errors
    /// [`KeyError::TryOtherRandom`] when the source is broken: it gave no key several times.
    pub fn generate(curve: Curve, random: &mut dyn FnMut(&mut [u8])) -> Result<Self, KeyError> {
        let mut scalar = Zeroizing::new([0u8; 32]);
        // A third of all octets lie past the order of the Brainpool curve.
        for _ in 0..128 {
            random(&mut scalar[..]);
            if let Ok(key) = Self::from_scalar(curve, &scalar) {
                return Ok(key);
            }
        }
        Err(KeyError::TryOtherRandom)
    }

    /// Reads a private key: `ECPrivateKey` (RFC 5915) or PKCS #8 (RFC 5958), DER.
    ///
    /// # Errors
    /// [`KeyError::NotAKey`].
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        let refused = |_| KeyError::NotAKey;
        let fields = Fields::parse(der, SEQUENCE, "private key").map_err(refused)?;
        if let Some(algorithm) = fields.find(SEQUENCE) {
            let algorithm = Fields::inside(&algorithm, "algorithm").map_err(refused)?;
            let curve = algorithm
                .nth(OBJECT_IDENTIFIER, 1)
                .and_then(|oid| Curve::from_oid_octets(oid.value()))
                .ok_or(KeyError::NotAKey)?;
            let inner = fields.octets(OCTET_STRING, "key").map_err(refused)?;
            let inner = Fields::parse(inner, SEQUENCE, "ECPrivateKey").map_err(refused)?;
            return Self::from_octets(curve, inner.octets(OCTET_STRING, "key").map_err(refused)?);
        }
        let curve = fields
            .group(Tag::new(0xA0), "parameters")
            .and_then(|parameters| parameters.octets(OBJECT_IDENTIFIER, "curve"))
            .ok()
            .and_then(Curve::from_oid_octets)
            .ok_or(KeyError::NotAKey)?;
        Self::from_octets(curve, fields.octets(OCTET_STRING, "key").map_err(refused)?)
    }

    /// The key as PKCS #8, DER; wiped when dropped.
    #[must_use]
    pub fn to_pkcs8(&self) -> Zeroizing<Vec<u8>> {
        let key = Zeroizing::new(Writer::nest(SEQUENCE, |w| {
            w.integer(INTEGER, 1)
                .octets(OCTET_STRING, &self.scalar[..])
                .nested(Tag::new(0xA1), |w| {
                    w.octets(BIT_STRING, &[&[0], &self.public.point[..]].concat());
                });
        }));
        Zeroizing::new(Writer::nest(SEQUENCE, |w| {
            w.integer(INTEGER, 0);
            w.nested(SEQUENCE, |w| {
                w.octets(OBJECT_IDENTIFIER, OID_EC_PUBLIC_KEY)
                    .octets(OBJECT_IDENTIFIER, self.public.curve.oid_octets());
            });
            w.octets(OCTET_STRING, &key);
        }))
    }

    fn signing_pair(&self) -> Option<Box<signature::EcdsaKeyPair>> {
        let pair = signature::EcdsaKeyPair::from_private_key_and_public_key(
            &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
            &self.scalar[..],
            &self.public.point,
        );
        pair.ok().map(Box::new)
    }

    fn from_octets(curve: Curve, octets: &[u8]) -> Result<Self, KeyError> {
        let mut scalar = Zeroizing::new([0u8; 32]);
        let start = 32usize.checked_sub(octets.len()).ok_or(KeyError::NotAKey)?;
        for (to, from) in scalar.iter_mut().skip(start).zip(octets) {
            *to = *from;
        }
        Self::from_scalar(curve, &scalar).map_err(|_| KeyError::NotAKey)
    }

    /// The secret that both sides of a key agreement compute: the x coordinate.
    ///
    /// Source: BSI TR-03111 v2.10 §4.3.1
    ///
    /// # Errors
    /// [`KeyError::NotAKey`] when `other` is on another curve.
    pub fn agree(&self, other: &PublicKey) -> Result<SharedSecret, KeyError> {
        if other.curve != self.public.curve {
            return Err(KeyError::NotAKey);
        }
        let mut shared = Zeroizing::new([0u8; 32]);
        match &self.inner {
            Inner::P256 { agreement, .. } => {
                let peer = agreement::UnparsedPublicKey::new(&agreement::ECDH_P256, &other.point);
                agreement::agree(agreement, peer, KeyError::NotAKey, |secret| {
                    shared.copy_from_slice(secret);
                    Ok(())
                })?;
            }
            Inner::Brainpool(key) => {
                let peer = brainpool_verifier(&other.point)?;
                let product = *peer.as_affine() * key.as_nonzero_scalar().as_ref();
                let point =
                    ecdsa::VerifyingKey::<BrainpoolP256r1>::from_affine(product.to_affine())
                        .map_err(|_| KeyError::NotAKey)?
                        .to_sec1_point(false);
                let x = point.as_bytes().get(1..33).ok_or(KeyError::NotAKey)?;
                shared.copy_from_slice(x);
            }
        }
        Ok(SharedSecret(shared))
    }
}

fn p256_pair(scalar: &[u8; 32]) -> Result<(PublicKey, Inner), KeyError> {
    let other_random = |_| KeyError::TryOtherRandom;
    let half = agreement::PrivateKey::from_private_key(&agreement::ECDH_P256, scalar)
        .map_err(|_| KeyError::TryOtherRandom)?;
    let point = half.compute_public_key().map_err(other_random)?;
    let point = point.as_ref().try_into().map_err(|_| KeyError::Unusable)?;
    let public = PublicKey::from_kept_point(Curve::P256, point)?;
    let inner = Inner::P256 {
        agreement: Box::new(half),
        signing: OnceLock::new(),
    };
    Ok((public, inner))
}

impl Signer for PrivateKey {
    fn public_key(&self) -> PublicKey {
        self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, KeyError> {
        match &self.inner {
            // The nonce is the library's own: it is never seen and nothing depends on its value.
            Inner::P256 { signing, .. } => signing
                .get_or_init(|| self.signing_pair())
                .as_ref()
                .ok_or(KeyError::Unusable)?
                .sign(&SystemRandom::new(), message)
                .map_err(|_| KeyError::Unusable)?
                .as_ref()
                .try_into()
                .map_err(|_| KeyError::Unusable),
            Inner::Brainpool(key) => {
                let signature: ecdsa::Signature<BrainpoolP256r1> =
                    key.try_sign(message).map_err(|_| KeyError::Unusable)?;
                signature
                    .to_bytes()
                    .as_slice()
                    .try_into()
                    .map_err(|_| KeyError::Unusable)
            }
        }
    }
}

/// What a key agreement yields; wiped when dropped.
pub struct SharedSecret(Zeroizing<[u8; 32]>);

impl SharedSecret {
    /// Takes the 32 octets of a secret that was agreed elsewhere (a hardware module).
    #[must_use]
    pub fn from_octets(octets: [u8; 32]) -> Self {
        Self(Zeroizing::new(octets))
    }

    /// The 32 octets.
    #[must_use]
    pub fn as_octets(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedSecret(hidden)")
    }
}

/// The signature algorithm `ecdsa-with-SHA256` of certificates.
#[must_use]
pub fn ecdsa_with_sha256() -> Option<Oid> {
    Oid::from_octets(&[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02]).ok()
}

/// A signature of a certificate (`SEQUENCE { r, s }`) as `r || s`.
pub(crate) fn signature_from_der(der: &[u8]) -> Option<Signature> {
    let fields = Fields::parse(der, SEQUENCE, "ECDSA-Sig-Value").ok()?;
    let mut signature = [0u8; 64];
    for (place, half) in signature.chunks_exact_mut(32).enumerate() {
        let number = fields.nth(INTEGER, place)?.value();
        let zeros = number.iter().take_while(|o| **o == 0).count();
        let digits = number.get(zeros..)?;
        let start = 32usize.checked_sub(digits.len())?;
        half.get_mut(start..)?.copy_from_slice(digits);
    }
    Some(signature)
}

/// `r || s` as certificates and TLS have it: `SEQUENCE { r INTEGER, s INTEGER }`.
#[must_use]
pub fn signature_to_der(signature: &Signature) -> Vec<u8> {
    Writer::nest(SEQUENCE, |w| {
        for half in signature.chunks_exact(32) {
            let mut digits: Vec<u8> = half.iter().copied().skip_while(|o| *o == 0).collect();
            if digits.first().is_none_or(|first| first & 0x80 != 0) {
                digits.insert(0, 0);
            }
            w.octets(INTEGER, &digits);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Vec<PrivateKey> {
        Curve::ALL
            .into_iter()
            .map(|curve| PrivateKey::from_scalar(curve, &[0x42; 32]).unwrap())
            .collect()
    }

    #[test]
    fn a_signature_holds_for_its_message_and_key_only() {
        for key in keys() {
            let signature = key.sign(b"message").unwrap();
            let public = key.public_key();
            assert_eq!(public.verify(b"message", &signature), Ok(()));
            assert_eq!(
                public.verify(b"massage", &signature),
                Err(KeyError::BadSignature)
            );
            let mut bent = signature;
            bent[40] ^= 1;
            assert_eq!(
                public.verify(b"message", &bent),
                Err(KeyError::BadSignature)
            );
            assert_eq!(
                public.verify(b"message", &signature[..63]),
                Err(KeyError::BadSignature)
            );
            assert_eq!(
                signature_from_der(&signature_to_der(&signature)),
                Some(signature)
            );
        }
    }

    #[test]
    fn both_sides_agree_on_one_secret() {
        for curve in Curve::ALL {
            let one = PrivateKey::from_scalar(curve, &[1; 32]).unwrap();
            let two = PrivateKey::from_scalar(curve, &[2; 32]).unwrap();
            assert_eq!(
                one.agree(&two.public_key()).unwrap().as_octets(),
                two.agree(&one.public_key()).unwrap().as_octets()
            );
        }
        let [nist, brainpool] = keys().try_into().unwrap();
        assert!(nist.agree(&brainpool.public_key()).is_err());
    }

    /// RFC 7027 appendix A.1: the key agreement of brainpoolP256r1.
    #[test]
    fn rfc_7027_brainpool_key_agreement() {
        let scalar = |text| crate::identity::unhex(text).unwrap().try_into().unwrap();
        let a = PrivateKey::from_scalar(
            Curve::BrainpoolP256r1,
            &scalar("81DB1EE100150FF2EA338D708271BE38300CB54241D79950F77B063039804F1D"),
        )
        .unwrap();
        let b = PrivateKey::from_scalar(
            Curve::BrainpoolP256r1,
            &scalar("55E40BC41E37E3E2AD25C3C6654511FFA8474A91A0032087593852D3E7D76BD3"),
        )
        .unwrap();
        assert_eq!(
            crate::identity::hex(a.agree(&b.public_key()).unwrap().as_octets()),
            "89AFC39D41D3B327814B80940B042590F96556EC91E6AE7939BCE31F3A18BF2B"
        );
    }

    #[test]
    fn keys_are_written_and_read_and_never_shown() {
        for key in keys() {
            let pem = write_pem("PRIVATE KEY", &key.to_pkcs8());
            let again = PrivateKey::from_der(&read_pem(&pem, "PRIVATE KEY").unwrap()).unwrap();
            assert_eq!(again.public_key(), key.public_key());
            assert!(!format!("{key:?}").contains("42"));
            let spki = key.public_key().to_spki();
            assert_eq!(PublicKey::from_spki(&spki), Ok(key.public_key()));
        }
    }

    #[test]
    fn points_off_the_curve_are_refused() {
        for curve in Curve::ALL {
            let mut point = *PrivateKey::from_scalar(curve, &[9; 32])
                .unwrap()
                .public_key()
                .point();
            point[64] ^= 1;
            assert!(PublicKey::from_point(curve, &point).is_err());
            assert!(PublicKey::from_point(curve, &[]).is_err());
        }
        assert!(PrivateKey::from_scalar(Curve::P256, &[0; 32]).is_err());
        for curve in Curve::ALL {
            let key = PrivateKey::from_scalar(curve, &[9; 32]).unwrap();
            let mut point = *key.public_key().point();
            point[64] ^= 1;
            let bent = PublicKey::from_kept_point(curve, point).unwrap();
            let signature = key.sign(b"said").unwrap();
            assert!(bent.verify(b"said", &signature).is_err());
            assert!(key.agree(&bent).is_err());
        }
        assert!(PrivateKey::from_scalar(Curve::BrainpoolP256r1, &[0xFF; 32]).is_err());
    }
}
