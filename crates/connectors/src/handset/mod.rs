//! Phones for the demo: each is a software eUICC with the LPA that drives it and a page that looks like a
//! phone. They stand for the customers' own devices: they know the operator's servers by what a code names,
//! reach them over the network and nowhere else, and keep what they have in files of their own.
//!
//! What a real phone does by itself (notifications, retrying them, finding a profile that waits) these do too;
//! what befalls real ones (no network, a transfer that breaks at any piece) can be chosen on the page.

mod chip;
mod file;
mod html;
mod phone;
mod radio;
mod server;
mod shelf;
mod text;
mod usim;

#[cfg(test)]
mod tests;

pub use radio::{HttpsRadio, Radio, ShortMessage, ShortMessages};
pub use server::HandsetServer;
pub use shelf::{HandsetFault, HandsetSettings, Shelf};
