//! The servers of remote SIM provisioning, as a phone reaches them.

mod lpa_transport;

pub use lpa_transport::{LpaTransport, LpaTransportSettings, TransportFault};

#[cfg(test)]
mod tests;
