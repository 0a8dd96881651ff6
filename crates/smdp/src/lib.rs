//! The SM-DP+: the server from which phones download profiles, and a small SM-DS beside it.
//!
//! An inward edge: it reads what phones (ES9+, ES11) and operators (ES2+, ES12) say, verifies it, asks one use
//! case, and answers. All bytes and all cryptography of SGP.22 stay here and in `simurgh-rsp`; the states of a
//! profile and what is decided about it are in `simurgh-app`.
//!
//! Start with [`Smdp::new`] and [`Smdp::router`]; [`tls_config`] makes what a TLS listener needs, and [`Packager`]
//! makes the packages of profiles.

mod answer;
mod caller;
mod credentials;
mod es2;
mod es9;
mod http;
mod package;
mod recent;
mod refusal;
mod smdp;
mod tls;

pub use caller::{Caller, PeerCertificates};
pub use credentials::{CredentialsFault, ServerCredentials};
pub use http::REQUEST_OCTETS_MAX;
pub use package::Packager;
pub use smdp::{Smdp, SmdpSettings};
pub use tls::{TlsFault, tls_config, tls_identity};
