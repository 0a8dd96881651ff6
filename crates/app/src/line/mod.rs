//! Lines: what is left on them, what time does to them, automatic renewal.
//!
//! | use case | file |
//! |---|---|
//! | what a subscriber sees | `view.rs` |
//! | the network used something | `record_usage.rs` |
//! | what time asks: start, warn, expire, announce, charge, suspend | `advance.rs` |
//! | automatic renewal: turn on and off, charge, failures | `renewal.rs` |

mod advance;
mod record_usage;
mod renewal;
mod view;

pub use record_usage::{UsageRefusal, UsageReport};
pub use renewal::{RenewalChoice, RenewalRefusal};
pub use view::{LineView, PlanView, UsageHistory};
