//! The seams: what use cases ask of the world. Adapters in `store` and `connectors` implement
//! these traits; nothing here names a driver, a protocol or a format.

mod message;
mod store;
mod world;

pub use message::{Delivery, Envelope, Messenger, SendFailure, Sending};
pub use store::{Pending, Store, StoreExt, StoreFault, Tx, Verdict, Work};
pub use world::{Clock, Entropy};
