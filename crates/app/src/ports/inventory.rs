//! What lines are made of, waiting to be used: subscriptions with their keys, and numbers.

use std::fmt;

use simurgh_vocab::identity::{Iccid, Imsi, Plmn};
use simurgh_vocab::{LineId, Msisdn, ProfileId, Timestamp};

use super::StoreFault;

/// A subscription that waits for a profile.
#[derive(Clone, PartialEq, Eq)]
pub struct StockedSim {
    /// The profile's number.
    pub iccid: Iccid,
    /// The subscription.
    pub imsi: Imsi,
    /// The home network.
    pub home: Plmn,
    /// Its keys and codes, sealed.
    pub sealed: Vec<u8>,
}

impl fmt::Debug for StockedSim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StockedSim")
    }
}

/// How much is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StockCounts {
    /// Subscriptions that nobody has.
    pub sims_free: u64,
    /// Subscriptions that profiles have.
    pub sims_taken: u64,
    /// Numbers that nobody has.
    pub numbers_free: u64,
    /// Numbers that lines have.
    pub numbers_taken: u64,
}

/// Subscriptions and numbers.
pub trait Inventory {
    /// Adds a subscription; false when its ICCID or IMSI is known.
    fn insert_sim(&mut self, sim: &StockedSim, at: Timestamp) -> Result<bool, StoreFault>;
    /// Takes a free subscription for a profile: the one it took before, if it did. Nobody else gets it any more.
    fn take_sim(&mut self, profile: ProfileId) -> Result<Option<StockedSim>, StoreFault>;
    /// The subscription that a profile took.
    fn sim_of(&mut self, profile: ProfileId) -> Result<Option<StockedSim>, StoreFault>;
    /// Adds a number; false when it is known.
    fn insert_number(&mut self, number: &Msisdn, at: Timestamp) -> Result<bool, StoreFault>;
    /// Takes a free number for a line: the one it has, if it has one.
    fn take_number(&mut self, line: LineId) -> Result<Option<Msisdn>, StoreFault>;
    /// The number of a line.
    fn number_of(&mut self, line: LineId) -> Result<Option<Msisdn>, StoreFault>;
    /// The line that has a number.
    fn line_of_number(&mut self, number: &Msisdn) -> Result<Option<LineId>, StoreFault>;
    /// How much there is.
    fn stock_counts(&mut self) -> Result<StockCounts, StoreFault>;
}
