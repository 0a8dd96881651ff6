//! The phones of a demo, and the folder in which they are kept.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use simurgh_app::ports::{Clock, Entropy};
use simurgh_euicc::{EuiccIdentity, EuiccSettings};
use simurgh_rsp::identity::Eid;
use simurgh_rsp::pki::{Credentials, NamedFile};

use super::chip::KeptChip;
use super::file;
use super::phone::{Label, Phone};
use super::radio::{Radio, ShortMessages};

/// How many phones there may be: enough to move between, few enough for one page.
pub(super) const PHONES_MAX: usize = 24;

/// The longest name of a phone, in characters.
pub(super) const NAME_CHARACTERS_MAX: usize = 24;

/// What phones need to know.
pub struct HandsetSettings {
    /// Where they are kept. The files hold keys of profiles.
    pub folder: PathBuf,
    /// Certificates: at least the roots, and the manufacturer's with its key, which certifies the chips.
    pub credentials: Credentials,
    /// What the EIDs begin with: eight digits, the manufacturer's.
    pub issuer: String,
    /// The discovery server that the chips know; empty for none.
    pub smds_address: String,
    /// The server that phones ask when there is no code.
    pub default_smdp_address: Option<String>,
    /// How long a chip takes for a piece of a package, so that a person sees it come.
    pub pace: Duration,
}

/// Why there are no phones.
#[derive(Debug, thiserror::Error)]
pub enum HandsetFault {
    /// A file cannot be read or written.
    #[error("a file of the demo's phones failed: {0}")]
    File(#[from] io::Error),
    /// No chip can be made with these certificates or from its file.
    #[error("a chip of the demo's phones cannot be made: {0}")]
    Chip(String),
    /// There are as many phones as there may be.
    #[error("there are as many phones as there may be ({PHONES_MAX})")]
    Full,
}

/// All phones. Cheap to clone: every clone is the same shelf.
#[derive(Clone)]
pub struct Shelf(Arc<Inner>);

struct Inner {
    settings: HandsetSettings,
    credentials: Mutex<Credentials>,
    phones: Mutex<Vec<Arc<Phone>>>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    radio: Arc<dyn Radio>,
    messages: Arc<dyn ShortMessages>,
}

impl Shelf {
    /// Takes the phones from their folder; a new folder gets an old and a new phone.
    ///
    /// # Errors
    /// [`HandsetFault`].
    pub fn open(
        settings: HandsetSettings,
        nature: (Arc<dyn Clock>, Arc<dyn Entropy>),
        network: (Arc<dyn Radio>, Arc<dyn ShortMessages>),
    ) -> Result<Self, HandsetFault> {
        std::fs::create_dir_all(&settings.folder)?;
        let mut credentials = settings.credentials.clone();
        credentials
            .owned
            .extend(own_credentials(&settings.folder)?.owned);
        let shelf = Self(Arc::new(Inner {
            settings,
            credentials: Mutex::new(credentials),
            phones: Mutex::default(),
            clock: nature.0,
            entropy: nature.1,
            radio: network.0,
            messages: network.1,
        }));
        for one in shelf.written()? {
            let phone = shelf.phone(one)?;
            hold(&shelf.0.phones).push(phone);
        }
        if hold(&shelf.0.phones).is_empty() {
            shelf.add(Label::Old)?;
            shelf.add(Label::New)?;
        }
        Ok(shelf)
    }

    pub(super) fn radio(&self) -> &Arc<dyn Radio> {
        &self.0.radio
    }

    pub(super) fn messages(&self) -> &dyn ShortMessages {
        self.0.messages.as_ref()
    }

    pub(super) fn phones(&self) -> Vec<Arc<Phone>> {
        hold(&self.0.phones).clone()
    }

    pub(super) fn find(&self, id: &str) -> Option<Arc<Phone>> {
        let phones = hold(&self.0.phones);
        phones.iter().find(|phone| phone.id == id).cloned()
    }

    /// Buys another phone.
    pub(super) fn add(&self, label: Label) -> Result<Arc<Phone>, HandsetFault> {
        let mut phones = hold(&self.0.phones);
        if phones.len() >= PHONES_MAX {
            return Err(HandsetFault::Full);
        }
        let (id, name) = match label {
            Label::Old => ("old".to_owned(), None),
            Label::New => ("new".to_owned(), None),
            Label::Named(name) => (format!("phone-{}", phones.len() + 1), Some(name)),
        };
        let eid = self.new_eid()?.digits();
        let phone = self.phone(Written { id, name, eid })?;
        phones.push(Arc::clone(&phone));
        let written: Vec<Written> = phones.iter().map(|phone| Written::of(phone)).collect();
        let content = serde_json::to_vec_pretty(&written).map_err(io::Error::other)?;
        file::write_private(&self.list(), &content)?;
        Ok(phone)
    }

    /// Ends questions that wait for their owners.
    pub(super) fn hang_up(&self) {
        for phone in self.phones() {
            phone.hang_up();
        }
    }

    fn list(&self) -> PathBuf {
        self.0.settings.folder.join("phones.json")
    }

    fn written(&self) -> Result<Vec<Written>, HandsetFault> {
        let Some(content) = file::read_if_there(&self.list())? else {
            return Ok(Vec::new());
        };
        Ok(serde_json::from_slice(&content).map_err(io::Error::from)?)
    }

    fn phone(&self, written: Written) -> Result<Arc<Phone>, HandsetFault> {
        let chip = |error: &dyn std::fmt::Display| HandsetFault::Chip(error.to_string());
        let eid: Eid = written.eid.parse().map_err(|error| chip(&error))?;
        let settings = &self.0.settings;
        let identities = self.identities(&eid)?;
        let made = EuiccSettings::new(eid, identities, settings.smds_address.clone());
        let state = settings.folder.join(format!("{}.state", written.id));
        let (kept, is_new) = KeptChip::open(made, state, Arc::clone(&self.0.entropy))?;
        let label = match (written.name, written.id.as_str()) {
            (Some(name), _) => Label::Named(name),
            (None, "old") => Label::Old,
            (None, _) => Label::New,
        };
        let phone = Phone::new(written.id, label, eid, kept, settings.pace);
        if let Some(address) = settings.default_smdp_address.as_deref().filter(|_| is_new) {
            let set = phone.set_default_server(address);
            set.map_err(|error| chip(&error))?;
        }
        Ok(Arc::new(phone))
    }

    /// The certificates of a chip: made by its manufacturer when it is new, and kept beside it.
    fn identities(&self, eid: &Eid) -> Result<Vec<EuiccIdentity>, HandsetFault> {
        let now = self.0.clock.now();
        let mut credentials = hold(&self.0.credentials);
        let made = credentials
            .certify_euicc(eid, now, &mut |octets| self.0.entropy.fill(octets))
            .map_err(|error| HandsetFault::Chip(error.to_string()))?;
        for one in made {
            file::write_private(&self.0.settings.folder.join(&one.name), &one.content)?;
        }
        EuiccIdentity::of(&credentials, eid, now)
            .map_err(|error| HandsetFault::Chip(error.to_string()))
    }

    /// A number that no other demo has, as far as chance allows.
    fn new_eid(&self) -> Result<Eid, HandsetFault> {
        let mut drawn = [0; 8];
        self.0.entropy.fill(&mut drawn);
        let serial = u64::from_be_bytes(drawn) % 10_u64.pow(17);
        let body = format!("{}00000{serial:017}", self.0.settings.issuer);
        // The two last digits check the others (SGP.02 §2.2.2).
        let mut numbers = (0..100).filter_map(|check| format!("{body}{check:02}").parse().ok());
        numbers
            .find(Eid::is_checked)
            .ok_or_else(|| HandsetFault::Chip("the issuer is not eight digits".to_owned()))
    }
}

/// A phone in the list of them.
#[derive(Serialize, Deserialize)]
struct Written {
    id: String,
    name: Option<String>,
    eid: String,
}

impl Written {
    fn of(phone: &Phone) -> Self {
        Self {
            id: phone.id.clone(),
            name: match &phone.label {
                Label::Old | Label::New => None,
                Label::Named(name) => Some(name.clone()),
            },
            eid: phone.eid.digits(),
        }
    }
}

/// The certificates and keys of chips that are in the folder.
fn own_credentials(folder: &Path) -> Result<Credentials, HandsetFault> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|suffix| suffix == "pem") {
            files.push(NamedFile {
                content: std::fs::read(&path)?,
                name: path.display().to_string(),
            });
        }
    }
    Credentials::from_files(&files).map_err(|error| HandsetFault::Chip(error.to_string()))
}

fn hold<T>(lock: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
