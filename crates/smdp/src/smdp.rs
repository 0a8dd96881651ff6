//! The server: what its functions stand on.

use std::fmt;
use std::sync::Arc;

use simurgh_app::App;
use simurgh_vocab::Duration;

use crate::caller::{Caller, Callers};
use crate::credentials::ServerCredentials;
use crate::recent::RecentSessions;

/// What the operator sets about the server.
#[derive(Debug, Clone)]
pub struct SmdpSettings {
    /// The host name of the SM-DP+, with its port when that is not 443.
    pub address: String,
    /// The host name of the SM-DS, when there is one here.
    pub smds_address: Option<String>,
    /// Who may call ES2+ and ES12.
    pub callers: Vec<Caller>,
    /// How long a phone may take from its first question to its last.
    pub session: Duration,
    /// How long after its confirmation an order of another operator can be downloaded. `None`: for ever.
    pub order_lasts: Option<Duration>,
}

impl SmdpSettings {
    /// How long phones usually have: users are asked in between.
    pub const SESSION: Duration = Duration::minutes(15);

    /// A server of this name with nobody to call it but phones.
    #[must_use]
    pub const fn new(address: String) -> Self {
        Self {
            address,
            smds_address: None,
            callers: Vec::new(),
            session: Self::SESSION,
            order_lasts: None,
        }
    }
}

/// The SM-DP+, and the SM-DS beside it. Cheap to clone.
#[derive(Clone)]
pub struct Smdp(Arc<Inner>);

struct Inner {
    app: App,
    credentials: Arc<ServerCredentials>,
    settings: SmdpSettings,
    callers: Callers,
    recent: RecentSessions,
}

impl fmt::Debug for Smdp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Smdp({})", self.0.settings.address)
    }
}

impl Smdp {
    /// A server over the use cases.
    #[must_use]
    pub fn new(app: App, credentials: Arc<ServerCredentials>, settings: SmdpSettings) -> Self {
        let callers = Callers::new(settings.callers.clone());
        Self(Arc::new(Inner {
            app,
            credentials,
            settings,
            callers,
            recent: RecentSessions::default(),
        }))
    }

    pub(crate) fn app(&self) -> &App {
        &self.0.app
    }

    pub(crate) fn credentials(&self) -> &ServerCredentials {
        &self.0.credentials
    }

    pub(crate) fn settings(&self) -> &SmdpSettings {
        &self.0.settings
    }

    pub(crate) fn callers(&self) -> &Callers {
        &self.0.callers
    }

    pub(crate) fn recent(&self) -> &RecentSessions {
        &self.0.recent
    }

    pub(crate) fn fill(&self, octets: &mut [u8]) {
        self.0.app.entropy.fill(octets);
    }

    pub(crate) fn random_octets<const N: usize>(&self) -> [u8; N] {
        let mut octets = [0; N];
        self.fill(&mut octets);
        octets
    }
}
