//! Remote SIM provisioning for consumer devices, GSMA SGP.22 v2.5 (fields of v3 are tolerated): from bytes
//! to typed messages and back, and what the two sides compute.
//!
//! Nothing here stores, listens or looks at a clock: time is an argument, and so is randomness (except
//! the nonces of ECDSA, which belong to the signing key and may come from a hardware module).
//!
//! Read in this order: [`tlv`] (BER-TLV), [`key`] and [`certificate`], [`pki`] (who may do what),
//! [`bsp`] and [`bpp`] (how a profile travels), [`message`] (what is said),
//! [`saip`] (what a profile is made of).

pub mod activation_code;
pub mod bpp;
pub mod bsp;
pub mod certificate;
#[doc(hidden)]
pub mod fuzz;
pub mod key;
pub mod message;
pub mod pki;
pub mod saip;
pub mod tlv;

pub use simurgh_vocab::identity;
