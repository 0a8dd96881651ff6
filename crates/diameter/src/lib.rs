//! Diameter: RFC 6733 base, RFC 8506 credit control and the AVPs of 3GPP TS 32.299 that online charging
//! uses (Gy and Ro), from bytes to typed messages and back, and the peer state machine.
//!
//! Nothing here opens a socket, stores anything or looks at a clock: bytes and time are arguments,
//! decisions are results. Decoding allocates nothing: a typed message is a `Copy` view of the bytes it
//! came from, and what repeats is walked again when it is read ([`Repeated`]). Encoding appends to a buffer
//! of the caller and back-patches lengths.
//!
//! Read in this order: [`frame`] (a stream into messages), [`avp`] and [`dictionary`], [`fault`] (who is to
//! blame, and what the answer says), [`value`], [`base`], [`credit_control`], [`charging`],
//! [`message`] (any message; error answers), then [`peer`] with [`watchdog`] and [`transactions`].
//!
//! ```
//! use simurgh_diameter::base::DeviceWatchdogRequest;
//! use simurgh_diameter::frame::{Framing, Ids, Limits, next_frame};
//! use simurgh_diameter::message::{decode, encode};
//!
//! let mut wire = Vec::new();
//! let asked = DeviceWatchdogRequest {
//!     origin_host: "ocs.example.com",
//!     origin_realm: "example.com",
//!     ..Default::default()
//! };
//! encode(&mut wire, Ids { hop_by_hop: 1, end_to_end: 2 }, &asked).unwrap();
//! let Ok(Framing::Whole(frame)) = next_frame(&wire, &Limits::default()) else { unreachable!() };
//! assert_eq!(decode::<DeviceWatchdogRequest<'_>>(&frame).unwrap(), asked);
//! ```

#[macro_use]
mod grammar;

pub mod allowed;
pub mod avp;
pub mod base;
pub mod charging;
pub mod credit_control;
pub mod dictionary;
pub mod encode;
pub mod fault;
pub mod frame;
pub mod fuzz;
pub mod location;
pub mod message;
pub mod peer;
pub mod transactions;
pub mod value;
pub mod watchdog;

pub use fault::{Fault, ResultCode};
pub use value::{Private, Repeated};
