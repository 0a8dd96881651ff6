//! Signatures: HMAC-SHA256 (RFC 2104) with the operator's key over what is sent, in the header
//! `sandbox-signature: t=<unix seconds>,v1=<64 hex digits>`.
//!
//! Three things are signed. Each text begins with the time; what follows tells them apart, so that
//! none can be passed off as another: `\n` and a method in capitals, `\n` and a digest, or `.`.

use aws_lc_rs::hmac;
use simurgh_vocab::{Duration, Timestamp};

use crate::Secret;

/// The header.
pub(crate) const HEADER: &str = "sandbox-signature";

/// How far the two clocks may be apart, and how old a notification may be.
pub(crate) const TOLERANCE: Duration = Duration::minutes(5);

/// What is signed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Signed<'a> {
    /// The operator's request.
    Request {
        method: &'a str,
        path: &'a str,
        body: &'a [u8],
    },
    /// The sandbox's answer, bound to the request it answers by the digest of that.
    Answer {
        request_digest: &'a str,
        status: u16,
        body: &'a [u8],
    },
    /// A notification.
    Notification { body: &'a [u8] },
}

/// Why a signature does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignatureFault {
    /// Missing, garbled or not made with the key.
    Wrong,
    /// Right, but made too long ago, or by a clock that is ahead.
    TooOld,
}

/// Signs and verifies with one key.
#[derive(Debug)]
pub(crate) struct Signer {
    key: hmac::Key,
}

impl Signer {
    pub(crate) fn new(key: &Secret) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, key.reveal().as_bytes()),
        }
    }

    /// The header's value.
    pub(crate) fn sign(&self, signed: Signed<'_>, now: Timestamp) -> String {
        let seconds = now.as_unix_seconds();
        let tag = hmac::sign(&self.key, &text(signed, seconds));
        format!("t={seconds},v1={}", hex(tag.as_ref()))
    }

    /// Checks the header's value, the digest in constant time and before the time.
    pub(crate) fn verify(
        &self,
        signed: Signed<'_>,
        header: &str,
        now: Timestamp,
    ) -> Result<(), SignatureFault> {
        let (seconds, tag) = parse(header).ok_or(SignatureFault::Wrong)?;
        hmac::verify(&self.key, &text(signed, seconds), &tag).map_err(|_| SignatureFault::Wrong)?;
        let made_at = Timestamp::from_micros(seconds.saturating_mul(1_000_000));
        if now.since(made_at) > TOLERANCE || made_at.since(now) > TOLERANCE {
            return Err(SignatureFault::TooOld);
        }
        Ok(())
    }
}

/// The digest in a header's value, to bind an answer to its request.
pub(crate) fn digest(header: &str) -> &str {
    header.split_once(",v1=").map_or("", |(_, digest)| digest)
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn text(signed: Signed<'_>, seconds: i64) -> Vec<u8> {
    let (head, body) = match signed {
        Signed::Request { method, path, body } => (format!("{seconds}\n{method}\n{path}\n"), body),
        Signed::Answer {
            request_digest,
            status,
            body,
        } => (format!("{seconds}\n{request_digest}\n{status}\n"), body),
        Signed::Notification { body } => (format!("{seconds}."), body),
    };
    [head.as_bytes(), body].concat()
}

/// Reads `t=<digits>,v1=<hex>`, exactly.
fn parse(header: &str) -> Option<(i64, [u8; 32])> {
    let (time, digest) = header.strip_prefix("t=")?.split_once(",v1=")?;
    let plain = (1..=12).contains(&time.len()) && time.bytes().all(|b| b.is_ascii_digit());
    if !plain || digest.len() != 64 {
        return None;
    }
    let mut tag = [0u8; 32];
    for (byte, pair) in tag.iter_mut().zip(digest.as_bytes().chunks_exact(2)) {
        match pair {
            [high, low] => *byte = nibble(*high)? << 4 | nibble(*low)?,
            _ => return None,
        }
    }
    Some((time.parse().ok()?, tag))
}

const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

    fn signer() -> Signer {
        Signer::new(&Secret::new("0123456789abcdef"))
    }

    #[test]
    fn the_digest_is_the_one_others_compute() {
        // printf '1790000000.{}' | openssl dgst -sha256 -hmac 0123456789abcdef
        let header = signer().sign(Signed::Notification { body: b"{}" }, AT);
        assert_eq!(
            header,
            "t=1790000000,v1=3d02334942fff50e279f641c1b104ff5f49380d94ff307bb92b1e03f5aee6ff0"
        );
    }

    #[test]
    fn one_kind_is_not_another() {
        let body = b"{}";
        let header = signer().sign(Signed::Notification { body }, AT);
        let request = Signed::Request {
            method: "POST",
            path: "/v1/payments",
            body,
        };
        assert_eq!(
            signer().verify(request, &header, AT),
            Err(SignatureFault::Wrong)
        );
        assert_eq!(
            signer().verify(Signed::Notification { body }, &header, AT),
            Ok(())
        );
    }

    #[test]
    fn five_minutes_either_way_and_no_more() {
        let body = b"{}";
        let header = signer().sign(Signed::Notification { body }, AT);
        let at = |now| signer().verify(Signed::Notification { body }, &header, now);
        assert_eq!(at(AT.plus(TOLERANCE)), Ok(()));
        assert_eq!(at(AT.minus(TOLERANCE)), Ok(()));
        let beyond = Duration::seconds(301);
        assert_eq!(at(AT.plus(beyond)), Err(SignatureFault::TooOld));
        assert_eq!(at(AT.minus(beyond)), Err(SignatureFault::TooOld));
    }

    #[test]
    fn garbled_headers_are_wrong() {
        let good = signer().sign(Signed::Notification { body: b"" }, AT);
        for header in [
            "",
            "t=,v1=",
            "v1=00,t=1",
            &good.to_uppercase(),
            &format!("{good},v1=00"),
            &good.replace("t=1", "t=+1"),
            good.get(..good.len() - 1).unwrap(),
        ] {
            assert_eq!(
                signer().verify(Signed::Notification { body: b"" }, header, AT),
                Err(SignatureFault::Wrong),
                "{header}"
            );
        }
    }
}
