//! Codes of authenticator apps.
//!
//! Source: RFC 6238, with SHA-1, which every app knows.

use simurgh_subscriber::{TOTP_DIGITS, TOTP_STEP_SECONDS, candidate_steps};
use simurgh_vocab::Timestamp;
use totp_rs::{Algorithm, Builder, Secret, Totp};

use aws_lc_rs::constant_time::verify_slices_are_equal;

/// The octets of a secret: as many as the HMAC's output (RFC 4226 §4).
pub(super) const SECRET_LEN: usize = 20;

/// The candidate step at `now` whose code was typed, if it is one of them.
pub(super) fn matched_step(secret: &[u8], typed: &str, now: Timestamp) -> Option<u64> {
    let typed: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
    let totp = totp(secret)?;
    // All candidates are computed: how long it takes tells nothing.
    candidate_steps(now)
        .into_iter()
        .filter(|step| {
            let code = code_of(&totp, *step);
            verify_slices_are_equal(code.as_bytes(), typed.as_bytes()).is_ok()
        })
        .fold(None, |_, step| Some(step))
}

/// The secret as people type it into an app that cannot scan.
pub(super) fn typed_secret(secret: &[u8]) -> String {
    Secret::from(secret.to_vec()).to_base32()
}

/// The address that an app reads from a QR code. `issuer` is the operator's name.
pub(super) fn otpauth_url(secret: &[u8], issuer: &str, name: &str) -> String {
    let issuer = escaped(issuer);
    format!(
        "otpauth://totp/{issuer}:{}?secret={}&issuer={issuer}&algorithm=SHA1\
         &digits={TOTP_DIGITS}&period={TOTP_STEP_SECONDS}",
        escaped(name),
        typed_secret(secret),
    )
}

fn totp(secret: &[u8]) -> Option<Totp> {
    let builder = Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(TOTP_DIGITS)
        .with_step_duration(TOTP_STEP_SECONDS)
        .with_secret(secret.to_vec());
    builder.build().ok()
}

fn code_of(totp: &Totp, step: u64) -> String {
    totp.generate(step.saturating_mul(TOTP_STEP_SECONDS))
        .to_string()
}

/// Percent-encoding of everything but the unreserved characters (RFC 3986 §2.3).
fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of the test vectors.
    const SECRET: &[u8] = b"12345678901234567890";

    #[test]
    fn rfc_6238_appendix_b() {
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
        ] {
            let now = Timestamp::from_micros(seconds * 1_000_000);
            let step = u64::try_from(seconds).unwrap() / 30;
            assert_eq!(matched_step(SECRET, code, now), Some(step), "{seconds}");
            let spaced = format!("{} {}", &code[..3], &code[3..]);
            assert_eq!(matched_step(SECRET, &spaced, now), Some(step));
            assert_eq!(matched_step(SECRET, "000000", now), None);
            assert_eq!(matched_step(SECRET, "", now), None);
        }
    }

    #[test]
    fn a_clock_may_be_off_by_one_step() {
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        for (seconds, matched) in [(0, Some(1)), (59, Some(1)), (89, Some(1)), (90, None)] {
            assert_eq!(
                matched_step(SECRET, "287082", at(seconds)),
                matched,
                "{seconds}"
            );
        }
    }

    #[test]
    fn an_app_reads_the_address_whatever_the_brand() {
        let url = otpauth_url(SECRET, "鸟 & Co", "li.na");
        assert_eq!(
            url,
            "otpauth://totp/%E9%B8%9F%20%26%20Co:li.na?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=%E9%B8%9F%20%26%20Co&algorithm=SHA1&digits=6&period=30"
        );
    }
}
