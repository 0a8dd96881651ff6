//! eSIM: orders of profiles, sessions with chips, what chips report.
//!
//! Signatures are made and verified by the caller, outside of transactions; what is decided here is decided by
//! what the store holds. Whatever was offered is looked at again before it is promised.

mod confirmation;
mod discovery;
mod hear;
pub mod inventory;
mod issue;
mod order;
mod progress;
mod session;
mod view;

use std::fmt;
use std::sync::Arc;

use simurgh_subscriber::{Profile, ProfilePolicy, ProfileRefusal};
use simurgh_vocab::identity::{Eid, Plmn};
use simurgh_vocab::{Duration, Msisdn};

pub use confirmation::ConfirmationCode;
pub use hear::Heard;
pub(crate) use issue::{CODE_LASTS, Reissue};
pub use issue::{REISSUES_PER_YEAR, ReissueRefusal};
pub use order::{ConfirmedOrder, OrderCall, OrderConfirmation};
pub use view::{ManualCode, ProfileStage, ProfileUpdate, ProfileView};

use crate::Fault;
use crate::ports::{
    ChipFacts, ChipKey, DiscoveryServers, ProfilePackager, ProgressListener, StoreFault,
    Transaction,
};

/// What an operator decides about eSIM.
#[derive(Clone, Default)]
pub struct Rules {
    /// How often things may be tried.
    pub policy: ProfilePolicy,
    /// Networks and service centre that profiles are made with.
    pub networks: Networks,
    /// The maker of packages; without one no profile is made here.
    pub packager: Option<Arc<dyn ProfilePackager>>,
    /// Operators who want to know how the downloads of their orders go.
    pub listener: Option<Arc<dyn ProgressListener>>,
    /// The SM-DS elsewhere that this server may tell of what waits for a chip.
    pub discovery: Option<Arc<dyn DiscoveryServers>>,
}

/// What profiles say of networks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Networks {
    /// Networks that are preferred, best first.
    pub preferred: Vec<Plmn>,
    /// Networks that may not be used.
    pub forbidden: Vec<Plmn>,
    /// The centre for short messages.
    pub service_centre: Option<Msisdn>,
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rules")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// How long a session is kept after its end, so that a phone which comes late hears why.
pub(crate) const SESSIONS_KEPT: Duration = Duration::minutes(10);

/// How long calls of other operators are kept, to answer them the same again.
pub(crate) const CALLS_KEPT: Duration = Duration::days(30);

/// Why something about a profile was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EsimFault {
    /// A named "no".
    #[error(transparent)]
    Refused(#[from] ProfileRefusal),
    /// There is no such session, or it is not at this step.
    #[error("no such session")]
    UnknownSession,
    /// What was offered has changed in between: ask again.
    #[error("the order changed in between")]
    Changed,
    /// The call's name was used for something else before.
    #[error("the call's identifier was used for another request")]
    CallReused,
    /// We failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<StoreFault> for EsimFault {
    fn from(fault: StoreFault) -> Self {
        Self::Fault(fault.into())
    }
}

/// A chip that was authenticated asks for its profile.
#[derive(Clone, PartialEq, Eq)]
pub struct Asking {
    /// The chip.
    pub eid: Eid,
    /// The token of the activation code; `None` asks for what was ordered for this chip.
    pub matching_id: Option<String>,
    /// What the chip can do.
    pub facts: ChipFacts,
}

impl fmt::Debug for Asking {
    /// Without the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asking")
            .field("facts", &self.facts)
            .finish_non_exhaustive()
    }
}

/// What a chip is offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The profile.
    pub profile: Profile,
    /// The package that fits the chip.
    pub variant: String,
    /// Whether a confirmation code is needed.
    pub code_required: bool,
    /// The chip's one-time key that a package was bound to before.
    pub bound_key: Option<[u8; 65]>,
    /// `StoreMetadataRequest`
    pub metadata: Vec<u8>,
}

/// A chip takes an offer: its profile shall be bound to it.
#[derive(Debug, Clone)]
pub struct Admission {
    /// The session.
    pub transaction: Transaction,
    /// The key by which the chip signs.
    pub chip_key: ChipKey,
    /// What it asked.
    pub asking: Asking,
    /// What it was offered.
    pub offer: Offer,
    /// Our signature under the offer.
    pub server_signature: [u8; 64],
}

/// A package to bind to a chip.
pub struct PackageToBind {
    /// The protected package with its keys.
    pub protected: zeroize::Zeroizing<Vec<u8>>,
    /// `StoreMetadataRequest`
    pub metadata: Vec<u8>,
    /// SHA-256 of the confirmation code, when one is needed.
    pub confirmation: Option<[u8; 32]>,
}

impl fmt::Debug for PackageToBind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PackageToBind")
    }
}

/// A package is about to leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The session.
    pub transaction: Transaction,
    /// The chip's one-time key that it is bound to.
    pub chip_one_time_key: [u8; 65],
}

/// What is left after a wrong confirmation code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeTries {
    /// So many more.
    Left(u8),
    /// None: the activation code is void.
    Exceeded,
}
