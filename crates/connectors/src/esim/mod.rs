//! The servers of remote SIM provisioning, as a phone reaches them.

mod discovery;
mod lpa_transport;
mod progress;

pub use discovery::DiscoveryTeller;
pub use lpa_transport::{LpaTransport, LpaTransportSettings, TransportFault};
pub use progress::{Listener, ProgressTeller};

#[cfg(test)]
mod discovery_tests;
#[cfg(test)]
mod progress_tests;
#[cfg(test)]
mod tests;
