//! Who may call ES2+ and ES12: operators and other servers, by token or by certificate.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::{constant_time, digest};
use axum::http::{Extensions, HeaderMap, StatusCode, header};
use rustls::pki_types::CertificateDer;
use simurgh_rsp::identity::unhex;
use simurgh_rsp::message::status::Status;

/// The certificates that a caller showed in TLS, its own first; an extension of the request.
pub type PeerCertificates = Arc<[CertificateDer<'static>]>;

/// How a caller proves who it is.
#[derive(Clone, PartialEq, Eq)]
enum Proof {
    /// SHA-256 of a token in `Authorization: Bearer`.
    Token([u8; 32]),
    /// SHA-256 of the certificate it shows in TLS.
    Certificate([u8; 32]),
}

/// One that may call.
#[derive(Clone, PartialEq, Eq)]
pub struct Caller {
    identifier: String,
    proof: Proof,
    profile_types: Option<Vec<String>>,
}

impl fmt::Debug for Caller {
    /// Without its proof.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Caller({})", self.identifier)
    }
}

impl Caller {
    /// A caller with a token. `identifier` is its `functionRequesterIdentifier`.
    #[must_use]
    pub fn with_token(identifier: String, token: &str) -> Self {
        Self {
            identifier,
            proof: Proof::Token(sha256(token.as_bytes())),
            profile_types: None,
        }
    }

    /// A caller with a certificate, by the SHA-256 of it in hexadecimal digits; colons are ignored.
    #[must_use]
    pub fn with_certificate(identifier: String, fingerprint: &str) -> Option<Self> {
        let digits: String = fingerprint.chars().filter(|c| *c != ':').collect();
        let fingerprint = unhex(&digits)?.try_into().ok()?;
        Some(Self {
            identifier,
            proof: Proof::Certificate(fingerprint),
            profile_types: None,
        })
    }

    /// The same for profiles of these types only: such a caller names the type of what it orders.
    #[must_use]
    pub fn for_types(mut self, profile_types: Vec<String>) -> Self {
        self.profile_types = Some(profile_types);
        self
    }

    pub(crate) fn may_order(&self, profile_type: Option<&str>) -> bool {
        match (&self.profile_types, profile_type) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(allowed), Some(wanted)) => allowed.iter().any(|one| one == wanted),
        }
    }

    /// The name under which it calls.
    #[must_use]
    pub fn identifier(&self) -> &str {
        &self.identifier
    }

    fn proves(&self, shown: &Shown) -> bool {
        let (kept, shown) = match (&self.proof, shown) {
            (
                Proof::Token(kept),
                Shown {
                    token: Some(it), ..
                },
            ) => (kept, it),
            (
                Proof::Certificate(kept),
                Shown {
                    certificate: Some(it),
                    ..
                },
            ) => (kept, it),
            (Proof::Token(_) | Proof::Certificate(_), _) => return false,
        };
        constant_time::verify_slices_are_equal(kept, shown).is_ok()
    }
}

/// Digests of what a request shows.
struct Shown {
    token: Option<[u8; 32]>,
    certificate: Option<[u8; 32]>,
}

/// The callers that are known.
#[derive(Debug, Clone, Default)]
pub(crate) struct Callers(Vec<Caller>);

impl Callers {
    pub(crate) const fn new(callers: Vec<Caller>) -> Self {
        Self(callers)
    }

    /// The caller whose proof a request carries.
    pub(crate) fn known(&self, headers: &HeaderMap, extensions: &Extensions) -> Option<&Caller> {
        let bearer = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "));
        let certificate = extensions
            .get::<PeerCertificates>()
            .and_then(|shown| shown.first());
        let shown = Shown {
            token: bearer.map(|token| sha256(token.trim().as_bytes())),
            certificate: certificate.map(|one| sha256(one)),
        };
        // All are compared: how long it takes tells nothing of who is known.
        let mut found = None;
        for caller in &self.0 {
            if caller.proves(&shown) {
                found = Some(caller);
            }
        }
        found
    }
}

/// What somebody is told who is not known.
pub(crate) const UNKNOWN: (StatusCode, Status) =
    (StatusCode::UNAUTHORIZED, Status::FunctionRequesterUnknown);

fn sha256(octets: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    let digest = digest::digest(&digest::SHA256, octets);
    for (to, from) in hash.iter_mut().zip(digest.as_ref()) {
        *to = *from;
    }
    hash
}
