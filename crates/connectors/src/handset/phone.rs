//! One phone: its chip, what it shows, and what its owner does with it.
//!
//! The chip is held while something is done with it; pages show [`Look`], which is made anew after every act,
//! so that they never wait for a download.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use simurgh_euicc::lpa::{Consent, Downloaded, Lpa, LpaError, Order, Progress, User};
use simurgh_rsp::activation_code::ActivationCode;
use simurgh_rsp::identity::{Eid, Iccid};
use simurgh_rsp::message::es10::{ProfileInfo, ProfileState};
use simurgh_rsp::message::info::DeviceInfo;
use simurgh_rsp::message::metadata::ProfileMetadata;

use super::chip::{KeptChip, Pulled};
use super::radio::{Radio, Way};
use super::text::Trouble;
use super::usim::Subscription;

/// How long the owner may think about an offer. Servers keep a session for some minutes more.
const ANSWER_MAX: Duration = Duration::from_secs(300);

/// The type allocation code of the phones: one for tests.
const TAC: [u8; 4] = [0x35, 0x29, 0x06, 0x11];

/// E-UTRAN (85), NR in EPC (88) and NR in 5GC (89), release 15 each. Source: SGP.22 v2.5 §4.2
const CAPABILITIES: [u8; 15] = [0x85, 3, 15, 0, 0, 0x88, 3, 15, 0, 0, 0x89, 3, 15, 0, 0];

/// What a phone is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Label {
    Old,
    New,
    Named(String),
}

/// Where the next transfer breaks, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Break {
    #[default]
    Never,
    /// The answer with the package is lost on its way.
    Package,
    /// The chip loses its contacts before it takes this piece, counted from 1.
    Piece(u16),
}

/// What the phone shows an offer as.
#[derive(Clone)]
pub(super) struct Offer {
    pub(super) provider: String,
    pub(super) name: String,
    pub(super) code_needed: bool,
}

/// How far the last download came.
#[derive(Clone, Default)]
pub(super) enum Download {
    #[default]
    None,
    Working(Progress),
    Asking(Offer),
    Installed(Iccid),
    Failed(Trouble),
}

impl Download {
    pub(super) const fn is_under_way(&self) -> bool {
        matches!(self, Self::Working(_) | Self::Asking(_))
    }
}

/// What a phone shows.
#[derive(Clone, Default)]
pub(super) struct Look {
    pub(super) profiles: Vec<ProfileInfo>,
    pub(super) subscription: Option<Subscription>,
    /// Notifications that wait for the network.
    pub(super) untold: usize,
    pub(super) free_octets: usize,
    pub(super) break_at: Break,
    pub(super) download: Download,
    /// The code of the last download, to try it again.
    pub(super) last_code: Option<String>,
    /// Why the last act failed.
    pub(super) trouble: Option<Trouble>,
}

/// What is downloaded.
pub(super) enum Wish {
    Code(ActivationCode),
    /// Whatever waits for this phone.
    Anything,
}

/// What the owner does with the profiles.
pub(super) enum Act {
    Enable(Iccid),
    Disable(Iccid),
    Delete(Iccid),
    Rename(Iccid, String),
    /// Deliver what the chip has to tell.
    Tell,
}

/// The phone is doing something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Busy;

/// A phone.
pub(super) struct Phone {
    pub(super) id: String,
    pub(super) label: Label,
    pub(super) eid: Eid,
    chip: Mutex<KeptChip>,
    look: Mutex<Look>,
    airplane: AtomicBool,
    answer: Mutex<Option<SyncSender<Consent>>>,
    /// How long a piece takes: a real chip is slower than this one.
    pace: Duration,
}

impl Phone {
    pub(super) fn new(id: String, label: Label, eid: Eid, chip: KeptChip, pace: Duration) -> Self {
        let phone = Self {
            id,
            label,
            eid,
            chip: Mutex::new(chip),
            look: Mutex::default(),
            airplane: AtomicBool::new(false),
            answer: Mutex::default(),
            pace,
        };
        let mut chip = hold(&phone.chip);
        phone.look_anew(&mut chip);
        drop(chip);
        phone
    }

    /// Sets the server that it asks when there is no code.
    pub(super) fn set_default_server(&self, address: &str) -> Result<(), LpaError> {
        let mut chip = hold(&self.chip);
        let mut lpa = Lpa::open(&mut *chip)?;
        lpa.set_default_address(address)?;
        lpa.close()
    }

    pub(super) fn look(&self) -> Look {
        hold(&self.look).clone()
    }

    pub(super) fn is_in_airplane_mode(&self) -> bool {
        self.airplane.load(Ordering::Relaxed)
    }

    pub(super) fn set_airplane_mode(&self, on: bool) {
        self.airplane.store(on, Ordering::Relaxed);
    }

    pub(super) fn break_next(&self, at: Break) {
        hold(&self.look).break_at = at;
    }

    /// Begins a download: from now on it is under way. [`download`](Self::download) does it.
    pub(super) fn begin(&self, code: Option<String>) -> Result<(), Busy> {
        let mut look = hold(&self.look);
        if look.download.is_under_way() {
            return Err(Busy);
        }
        look.download = Download::Working(Progress::Authenticating);
        look.last_code = code;
        look.trouble = None;
        Ok(())
    }

    /// Downloads, and tells the server how it went. Blocks until it is over.
    pub(super) fn download(&self, wish: &Wish, radio: &Arc<dyn Radio>) {
        let mut chip = hold(&self.chip);
        let break_at = std::mem::take(&mut hold(&self.look).break_at);
        let mut way = Way::new(radio, &self.airplane);
        way.loses_package = break_at == Break::Package;
        let mut owner = Owner {
            phone: self,
            pulled: chip.pulled(),
            break_at,
        };
        let ended = match fetch(&mut chip, wish, &mut way, &mut owner) {
            Ok(Some(done)) => Download::Installed(*done.iccid()),
            Ok(None) => Download::Failed(Trouble::nothing_waits()),
            Err(error) => {
                chip.restart();
                Download::Failed(Trouble::of(&error))
            }
        };
        hold(&self.answer).take();
        // The owner sees the end when the server has heard of it too, if it can be reached.
        self.tell(&mut chip, radio);
        self.look_anew(&mut chip);
        hold(&self.look).download = ended;
    }

    /// Puts the end of a download aside.
    pub(super) fn put_aside(&self) {
        let mut look = hold(&self.look);
        if !look.download.is_under_way() {
            look.download = Download::None;
        }
    }

    /// What the owner says to the offer.
    pub(super) fn answer(&self, consent: Consent) -> Result<(), Busy> {
        let waiting = hold(&self.answer).take().ok_or(Busy)?;
        let mut look = hold(&self.look);
        if matches!(look.download, Download::Asking(_)) {
            look.download = Download::Working(Progress::Fetching);
        }
        drop(look);
        waiting.send(consent).map_err(|_| Busy)
    }

    /// Ends a question that waits for its answer, since the phone is switched off.
    pub(super) fn hang_up(&self) {
        hold(&self.answer).take();
    }

    /// Does something with the profiles; why it failed is on the phone's page.
    pub(super) fn act(&self, act: &Act, radio: &Arc<dyn Radio>) -> Result<(), Busy> {
        let mut chip = match self.chip.try_lock() {
            Ok(chip) => chip,
            Err(TryLockError::Poisoned(held)) => held.into_inner(),
            Err(TryLockError::WouldBlock) => return Err(Busy),
        };
        let done = change(&mut chip, act);
        if done.is_err() {
            chip.restart();
        }
        self.tell(&mut chip, radio);
        self.look_anew(&mut chip);
        let mut look = hold(&self.look);
        look.trouble = done.err().map(|error| Trouble::of(&error));
        // A change ends what the page says of the last download.
        if !matches!(act, Act::Tell) && !look.download.is_under_way() {
            look.download = Download::None;
        }
        Ok(())
    }

    /// Delivers notifications; what cannot be delivered waits.
    fn tell(&self, chip: &mut KeptChip, radio: &Arc<dyn Radio>) {
        if self.is_in_airplane_mode() {
            return;
        }
        let mut way = Way::new(radio, &self.airplane);
        let told = Lpa::open(chip).and_then(|mut lpa| {
            lpa.deliver_notifications(&mut way)?;
            lpa.close()
        });
        if let Err(error) = told {
            tracing::warn!(%error, "a demo phone cannot deliver its notifications");
            chip.restart();
        }
    }

    fn look_anew(&self, chip: &mut KeptChip) {
        let listed = Lpa::open(chip).and_then(|mut lpa| {
            let listed = (lpa.profiles()?, lpa.notifications()?.len());
            lpa.close()?;
            Ok(listed)
        });
        let mut look = hold(&self.look);
        match listed {
            Ok((profiles, untold)) => {
                look.profiles = profiles;
                look.untold = untold;
            }
            Err(error) => look.trouble = Some(Trouble::of(&error)),
        }
        look.subscription = Subscription::of(chip.euicc());
        look.free_octets = chip.euicc().free_memory_octets();
    }
}

/// Downloads what is wished; `None` when nothing waits.
fn fetch(
    chip: &mut KeptChip,
    wish: &Wish,
    way: &mut Way<'_>,
    owner: &mut Owner<'_>,
) -> Result<Option<Downloaded>, LpaError> {
    let device = DeviceInfo {
        tac: TAC,
        capabilities: CAPABILITIES.to_vec(),
        imei: None,
    };
    let mut lpa = Lpa::open(chip)?;
    let order = match wish {
        Wish::Code(code) => Some(Order::of(code, device)),
        Wish::Anything => lpa.find_orders(&device, way)?.into_iter().next(),
    };
    let Some(order) = order else {
        lpa.close()?;
        return Ok(None);
    };
    let done = lpa.download(&order, way, owner)?;
    lpa.close()?;
    Ok(Some(done))
}

fn change(chip: &mut KeptChip, act: &Act) -> Result<(), LpaError> {
    let in_use = chip.euicc().enabled_profile().map(|one| *one.iccid());
    let mut lpa = Lpa::open(chip)?;
    match act {
        Act::Enable(iccid) => lpa.enable(iccid)?,
        Act::Disable(iccid) => lpa.disable(iccid)?,
        Act::Delete(iccid) => {
            // A chip deletes no profile in use.
            if in_use == Some(*iccid) {
                lpa.disable(iccid)?;
            }
            lpa.delete(iccid)?;
        }
        Act::Rename(iccid, name) => lpa.rename(iccid, name)?,
        Act::Tell => {}
    }
    lpa.close()
}

/// The owner of the phone, as its LPA sees her: by what she does on the page.
struct Owner<'a> {
    phone: &'a Phone,
    pulled: Pulled,
    break_at: Break,
}

impl User for Owner<'_> {
    fn consent(&mut self, profile: &ProfileMetadata, code_needed: bool) -> Consent {
        let (sender, answer) = sync_channel(1);
        *hold(&self.phone.answer) = Some(sender);
        hold(&self.phone.look).download = Download::Asking(Offer {
            provider: profile.service_provider_name.clone(),
            name: profile.profile_name.clone(),
            code_needed,
        });
        answer.recv_timeout(ANSWER_MAX).unwrap_or(Consent::Later)
    }

    fn progress(&mut self, progress: Progress) {
        let taken = match progress {
            Progress::Authenticating | Progress::Asking => None,
            Progress::Fetching => Some(0),
            // There is no further piece.
            Progress::Installing { done, of } if done == of => None,
            Progress::Installing { done, .. } => Some(done),
        };
        if let (Some(taken), Break::Piece(piece)) = (taken, self.break_at)
            && taken + 1 >= usize::from(piece)
        {
            self.pulled.pull();
        }
        // The question shows itself.
        if progress != Progress::Asking {
            hold(&self.phone.look).download = Download::Working(progress);
            std::thread::sleep(self.phone.pace);
        }
    }
}

/// Whether a profile is in use.
pub(super) fn is_enabled(profile: &ProfileInfo) -> bool {
    profile.state == Some(ProfileState::Enabled)
}

/// A panic while a lock was held cannot leave anything half-made that matters more here than going on.
fn hold<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
