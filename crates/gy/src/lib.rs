//! Gy: the network asks over Diameter before each slice of use, and is answered when the answer is durable.
//!
//! [`Server`] listens; `link` reads and writes one connection; `peers` knows who may connect and is the way
//! out for requests of ours (re-authorisation); `translate` is the only place that knows the words of both
//! sides. What a request means for balances is `simurgh_charging`'s to say, by way of
//! [`simurgh_app::charge`].

mod country;
pub mod fuzz;
mod link;
mod peers;
mod restarts;
mod server;
mod settings;
mod slots;
mod tls;
mod translate;

pub use country::country_of;
pub use peers::Peers;
pub use server::Server;
pub use settings::{AtTheEnd, LimitTold, Settings, StoreDown};
pub use tls::{TlsFault, tls_config};
