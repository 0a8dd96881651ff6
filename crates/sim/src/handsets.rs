//! Phones with software chips in the world of a seed: they download, break off, try again, use and delete profiles,
//! and what they report arrives late, twice and in any order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::body::Body as HttpBody;
use axum::http::Request;
use simurgh_app::App;
use simurgh_app::ports::{Entropy, StoreExt, StoreFault};
use simurgh_euicc::lpa::{
    Card, CardError, Consent, HttpAnswer, Lpa, LpaError, Order, Progress, Servers, User,
};
use simurgh_euicc::{Environment, Euicc, EuiccIdentity, EuiccSettings};
use simurgh_rsp::bpp::bpp_parts;
use simurgh_rsp::identity::{Eid, Iccid};
use simurgh_rsp::message::es9;
use simurgh_rsp::message::info::DeviceInfo;
use simurgh_rsp::message::json::Body;
use simurgh_rsp::message::metadata::ProfileMetadata;
use simurgh_rsp::pki::{Credentials, TestPki};
use simurgh_rsp::tlv::Tlv;
use simurgh_smdp::{ServerCredentials, Smdp, SmdpSettings};
use simurgh_subscriber::{OnChip, Profile, ProfileState};
use simurgh_vocab::{CustomerId, LineId};
use tower::ServiceExt as _;

use crate::node::{self, SMDP_ADDRESS, SMDS_ADDRESS};
use crate::wait::wait;
use crate::{Chance, SeededEntropy};

/// Phones of a world: fewer than lines, so that some hold several profiles.
const PHONES: u64 = 4;
/// How many nodes serve them, each with a memory of its own.
const NODES: usize = 2;
/// Profiles that are looked at in the end.
const PROFILES_MAX: u32 = 10_000;
/// More steps than a download shows.
const STEPS_MAX: usize = 40;

/// A phone with its chip.
struct Handset {
    eid: Eid,
    chip: Euicc,
    random: SeededEntropy,
    /// Whether the chip does not answer any more: pulled out, or without power.
    gone: Arc<AtomicBool>,
}

impl Card for Handset {
    fn transmit(&mut self, apdu: &[u8]) -> Result<Vec<u8>, CardError> {
        if self.gone.load(Ordering::SeqCst) {
            return Err(CardError::Gone);
        }
        let random = &self.random;
        let mut environment = Environment {
            random: &mut |octets| random.fill(octets),
        };
        Ok(self.chip.transmit(apdu, &mut environment))
    }
}

/// A user who says so, and whose phone loses its chip after so many steps of a download.
struct Person {
    says: Consent,
    left: usize,
    gone: Arc<AtomicBool>,
}

impl User for Person {
    fn consent(&mut self, _: &ProfileMetadata, _: bool) -> Consent {
        self.says.clone()
    }

    fn progress(&mut self, _: Progress) {
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            self.gone.store(true, Ordering::SeqCst);
        }
    }
}

/// What a chip reported, on its way.
#[derive(Clone)]
struct Letter {
    from: Eid,
    sequence: u64,
    body: Vec<u8>,
}

/// The net between phones and nodes.
struct Net {
    nodes: Vec<Router>,
    chance: Chance,
    /// Questions and answers that are lost, in percent.
    losses_percent: usize,
    /// Who speaks.
    from: Option<Eid>,
    letters: Vec<Letter>,
    /// What was acknowledged, by chip and number.
    acknowledged: BTreeSet<(Eid, u64)>,
    /// The server's one-time keys that were seen.
    keys: BTreeSet<Vec<u8>>,
    findings: Vec<String>,
}

impl Servers for Net {
    fn post(&mut self, address: &str, path: &str, body: &[u8]) -> Result<HttpAnswer, LpaError> {
        if path == es9::path::HANDLE_NOTIFICATION {
            return Ok(self.take_letter(body));
        }
        if address != SMDP_ADDRESS {
            let what = format!("a phone asks at {address}");
            self.findings.push(what);
        }
        let lost = || LpaError::Unreachable("lost on its way".to_owned());
        if self.chance.percent(self.losses_percent) {
            return Err(lost());
        }
        if self.chance.percent(self.losses_percent) {
            // It comes twice; the phone hears the second answer.
            self.ask(path, body);
        }
        let answer = self.ask(path, body);
        if self.chance.percent(self.losses_percent) {
            return Err(lost());
        }
        Ok(answer)
    }
}

impl Net {
    /// The phone's system takes reports over, and brings them when it likes.
    fn take_letter(&mut self, body: &[u8]) -> HttpAnswer {
        let read = Body::parse(body).ok();
        let read = read.and_then(|body| es9::read_notification(&body).ok());
        match (read, self.from) {
            (Some(says), Some(from)) => self.letters.push(Letter {
                from,
                sequence: says.unverified().sequence_number,
                body: body.to_vec(),
            }),
            (None, _) | (_, None) => self.findings.push("a report that is none".to_owned()),
        }
        (204, Vec::new())
    }

    /// Asks any of the nodes.
    fn ask(&mut self, path: &str, body: &[u8]) -> HttpAnswer {
        let answered = match self.chance.pick(&self.nodes).cloned() {
            Some(node) => wait(answered(node, path, body.to_vec())),
            None => Err("there is no node".to_owned()),
        };
        let (status, answer) = answered.unwrap_or_else(|error| {
            self.findings.push(format!("{path}: {error}"));
            (500, Vec::new())
        });
        if path == es9::path::BOUND_PROFILE_PACKAGE {
            self.note_key(&answer);
        }
        (status, answer)
    }

    /// No one-time key of the server serves two packages. Source: SGP.22 v2.5 §5.6.2
    fn note_key(&mut self, answer: &[u8]) {
        let body = Body::parse(answer).ok();
        let Some(package) = body.and_then(|body| es9::read_package(&body).ok()) else {
            return;
        };
        let is_new = one_time_key(&package).map(|key| self.keys.insert(key));
        match is_new {
            Some(true) => {}
            Some(false) => {
                let what = "a one-time key was used twice".to_owned();
                self.findings.push(what);
            }
            None => self.findings.push("a package without a key".to_owned()),
        }
    }

    /// Brings a report, and says whether it was acknowledged; after that it may be gone.
    fn bring(&mut self, place: usize) -> bool {
        let Some(letter) = self.letters.get(place).cloned() else {
            return false;
        };
        let (status, _) = self.ask(es9::path::HANDLE_NOTIFICATION, &letter.body);
        if status != 204 {
            return false;
        }
        self.acknowledged.insert((letter.from, letter.sequence));
        if self.chance.percent(50) {
            self.letters.swap_remove(place);
        }
        true
    }
}

/// The server's one-time key in a package.
fn one_time_key(package: &[u8]) -> Option<Vec<u8>> {
    const KEY: [u8; 3] = [0x5F, 0x49, 0x41];
    const POINT_OCTETS: usize = 65;
    let whole = Tlv::parse(package).ok()?;
    let channel = bpp_parts(&whole).ok()?.secure_channel.raw();
    let head = channel.windows(KEY.len()).position(|three| three == KEY)?;
    let begin = head + KEY.len();
    Some(channel.get(begin..begin + POINT_OCTETS)?.to_vec())
}

async fn answered(node: Router, path: &str, body: Vec<u8>) -> Result<HttpAnswer, String> {
    let request = Request::post(path)
        .header("content-type", "application/json")
        .body(HttpBody::from(body))
        .map_err(|error| error.to_string())?;
    let Ok(response) = node.oneshot(request).await;
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await;
    Ok((status, body.map_err(|error| error.to_string())?.to_vec()))
}

/// The phones of a world.
pub(crate) struct Handsets {
    credentials: Arc<ServerCredentials>,
    phones: Vec<Handset>,
    /// Tokens that somebody saw once; who has one may try it anywhere.
    tokens: Vec<String>,
    chance: Chance,
    net: Net,
}

impl Handsets {
    /// Phones before the SM-DP+ of `app`, and what its lines' profiles are made of.
    ///
    /// # Errors
    /// What the makers of certificates or the store say.
    pub(crate) async fn new(
        app: &App,
        seed: u64,
        lines: u32,
        losses_percent: usize,
    ) -> Result<Self, String> {
        node::fill(app, lines).await?;
        let mut pki = node::esim_pki()?;
        let credentials = Credentials::from_files(&pki.files()).map_err(said)?;
        let credentials = ServerCredentials::new(credentials, app.now()).map_err(said)?;
        let phones: Result<Vec<_>, String> = (0..PHONES)
            .map(|number| handset(&mut pki, number))
            .collect();
        let mut handsets = Self {
            credentials: Arc::new(credentials),
            phones: phones?,
            tokens: Vec::new(),
            chance: Chance::new(seed ^ 0xe51),
            net: Net {
                nodes: Vec::new(),
                chance: Chance::new(seed ^ 0x9e7),
                losses_percent,
                from: None,
                letters: Vec::new(),
                acknowledged: BTreeSet::new(),
                keys: BTreeSet::new(),
                findings: Vec::new(),
            },
        };
        handsets.connect(app);
        Ok(handsets)
    }

    /// The program was started anew.
    pub(crate) fn connect(&mut self, app: &App) {
        let settings = SmdpSettings {
            smds_address: Some(SMDS_ADDRESS.to_owned()),
            ..SmdpSettings::new(SMDP_ADDRESS.to_owned())
        };
        let node = || {
            let credentials = Arc::clone(&self.credentials);
            Smdp::new(app.clone(), credentials, settings.clone()).router()
        };
        self.net.nodes = (0..NODES).map(|_| node()).collect();
    }

    /// Somebody does something with a phone.
    pub(crate) async fn step(&mut self, app: &App, customers: &[CustomerId]) {
        let customer = self.chance.pick(customers).copied();
        match (self.chance.below(12), customer) {
            (0..=4, Some(customer)) => self.download(app, customer).await,
            (5..=7, _) => self.use_one(),
            (8, Some(customer)) => self.ask_anew(app, customer).await,
            _ => {
                self.hand_over();
                for _ in 0..3 {
                    let place = self.chance.below(self.net.letters.len());
                    self.net.bring(place);
                }
            }
        }
    }

    /// Downloads with the code of a line, or with one that was seen before, on any phone.
    async fn download(&mut self, app: &App, customer: CustomerId) {
        let token = if self.chance.percent(80) {
            self.read_code(app, customer).await
        } else {
            self.chance.pick(&self.tokens).cloned()
        };
        let Some(token) = token else { return };
        let says = match self.chance.below(20) {
            0 => Consent::No,
            1 | 2 => Consent::Later,
            _ => Consent::Yes {
                confirmation_code: None,
            },
        };
        let breaks = self.chance.percent(40);
        let left = 1 + self.chance.below(STEPS_MAX);
        let place = self.chance.below(self.phones.len());
        let Some(phone) = self.phones.get_mut(place) else {
            return;
        };
        let mut person = Person {
            says,
            left: if breaks { left } else { usize::MAX },
            gone: Arc::clone(&phone.gone),
        };
        let order = Order {
            address: SMDP_ADDRESS.to_owned(),
            matching_id: Some(token),
            smdp_oid: None,
            device: DeviceInfo::default(),
        };
        // Whatever comes of it, the user may try again.
        if let Ok(mut lpa) = Lpa::open(phone) {
            let _ = lpa.download(&order, &mut self.net, &mut person);
        }
        if phone.gone.swap(false, Ordering::SeqCst) || self.chance.percent(20) {
            phone.chip.reset();
        }
    }

    /// The code that the page of a customer's line shows.
    async fn read_code(&mut self, app: &App, customer: CustomerId) -> Option<String> {
        let line = self.any_line(app, customer).await?;
        let view = app.profile_view(customer, line).await.ok()??;
        let Some(manual) = view.manual else {
            // It is being made, perhaps.
            let _ = app.run_due_jobs().await;
            return None;
        };
        if !self.tokens.contains(&manual.matching_id) {
            self.tokens.push(manual.matching_id.clone());
        }
        Some(manual.matching_id)
    }

    async fn any_line(&mut self, app: &App, customer: CustomerId) -> Option<LineId> {
        let views = app.line_views(customer).await.ok()?;
        self.chance.pick(&views).map(|view| view.line.id)
    }

    /// Takes a profile in use, out of it, or away.
    fn use_one(&mut self) {
        let place = self.chance.below(self.phones.len());
        let Some(phone) = self.phones.get_mut(place) else {
            return;
        };
        let held: Vec<(Iccid, bool)> = holds(&phone.chip).collect();
        let Some((iccid, is_enabled)) = self.chance.pick(&held).copied() else {
            return;
        };
        let deletes = self.chance.percent(40);
        let done = Lpa::open(phone).and_then(|mut lpa| match (is_enabled, deletes) {
            (true, _) => lpa.disable(&iccid),
            (false, true) => lpa.delete(&iccid),
            (false, false) => lpa.enable(&iccid),
        });
        if let Err(error) = done {
            self.net.findings.push(format!("a chip refuses: {error}"));
        }
    }

    /// The profile is lost, void, or to move to another phone: a new one takes its place.
    async fn ask_anew(&mut self, app: &App, customer: CustomerId) {
        let Some(line) = self.any_line(app, customer).await else {
            return;
        };
        let _ = app.reissue_profile(customer, line).await;
        if self.chance.percent(20) {
            let _ = app.reissue_profile(customer, line).await;
        }
    }

    /// Every phone's system takes what its chip has to tell.
    fn hand_over(&mut self) {
        for phone in &mut self.phones {
            self.net.from = Some(phone.eid);
            let told =
                Lpa::open(phone).and_then(|mut lpa| lpa.deliver_notifications(&mut self.net));
            if let Err(error) = told {
                self.net.findings.push(format!("a chip tells: {error}"));
            }
        }
    }

    /// Nothing is lost any more, and every report arrives.
    pub(crate) fn settle(&mut self, app: &App) {
        self.connect(app);
        self.net.losses_percent = 0;
        self.hand_over();
        while !self.net.letters.is_empty() {
            let place = self.chance.below(self.net.letters.len());
            if !self.net.bring(place) {
                self.net.findings.push("a report is not taken".to_owned());
                return;
            }
        }
    }

    /// What is wrong between the chips and the store, a line each.
    ///
    /// # Errors
    /// The store's fault.
    pub(crate) async fn findings(&self, app: &App) -> Result<Vec<String>, String> {
        let (profiles, heard) = app
            .store
            .snapshot(|tx| -> Result<_, StoreFault> {
                let profiles = tx.profiles_after(None, PROFILES_MAX)?;
                let mut heard = Vec::new();
                for profile in &profiles {
                    for one in tx.chip_notifications_of(profile.id)? {
                        heard.push((one.notification.eid, one.notification.sequence));
                    }
                }
                Ok((profiles, heard))
            })
            .await
            .map_err(said)?;
        let mut findings = self.net.findings.clone();
        findings.extend(self.on_wrong_chips(&profiles));
        let once: BTreeSet<_> = heard.iter().copied().collect();
        if once.len() != heard.len() || once != self.net.acknowledged {
            let acknowledged = self.net.acknowledged.len();
            findings.push(format!(
                "{acknowledged} reports acknowledged, {} heard, {} of them different",
                heard.len(),
                once.len()
            ));
        }
        let made = profiles.iter().filter(|one| one.line.is_some()).count();
        let stock = app.stock().await.map_err(said)?;
        if usize::try_from(stock.sims_taken) != Ok(made) {
            let taken = stock.sims_taken;
            findings.push(format!("{taken} subscriptions taken for {made} profiles"));
        }
        Ok(findings)
    }

    /// What chips hold is what the store says of them, and no two hold the same.
    fn on_wrong_chips(&self, profiles: &[Profile]) -> Vec<String> {
        let mut findings = Vec::new();
        let mut held = BTreeMap::new();
        for phone in &self.phones {
            for (iccid, is_enabled) in holds(&phone.chip) {
                if held
                    .insert(iccid.digits(), (phone.eid, is_enabled))
                    .is_some()
                {
                    findings.push("two chips hold one profile".to_owned());
                }
            }
        }
        for profile in profiles {
            let eid = profile.chip.as_ref().map(|chip| chip.eid);
            let (state, on_chip) = (profile.state, profile.on_chip);
            let says = match on_chip {
                Some(OnChip::Enabled) => Some((eid, true)),
                Some(OnChip::Disabled) => Some((eid, false)),
                Some(OnChip::Deleted) | None => None,
            };
            let is = held.remove(&profile.iccid.digits());
            let is = is.map(|(eid, is_enabled)| (Some(eid), is_enabled));
            // One that was withdrawn before its chip reported it is nobody's any more.
            let is_settled = matches!(state, ProfileState::Installed | ProfileState::Unavailable);
            let unreported = state == ProfileState::Unavailable && on_chip.is_none();
            if is.is_some() && !is_settled {
                findings.push(format!("a chip holds a profile that is {state:?}"));
            }
            if is != says && !unreported {
                findings.push(format!("{state:?} and {on_chip:?}, on a chip {is:?}"));
            }
        }
        if !held.is_empty() {
            findings.push(format!("{} profiles on chips are unknown", held.len()));
        }
        findings
    }

    /// How many profiles were deleted by phones, or replaced.
    ///
    /// # Errors
    /// The store's fault.
    pub(crate) async fn replaced(&self, app: &App) -> Result<usize, String> {
        let profiles = app
            .store
            .snapshot(|tx| tx.profiles_after(None, PROFILES_MAX));
        let profiles = profiles.await.map_err(|fault: StoreFault| said(fault))?;
        let is_gone = |one: &&Profile| {
            one.state == ProfileState::Unavailable || one.on_chip == Some(OnChip::Deleted)
        };
        Ok(profiles.iter().filter(is_gone).count())
    }

    /// How many profiles the chips hold.
    pub(crate) fn held(&self) -> usize {
        self.phones
            .iter()
            .map(|one| one.chip.profiles().len())
            .sum()
    }
}

fn holds(chip: &Euicc) -> impl Iterator<Item = (Iccid, bool)> {
    let profiles = chip.profiles().iter();
    profiles.map(|one| (*one.iccid(), one.is_enabled()))
}

fn handset(pki: &mut TestPki, number: u64) -> Result<Handset, String> {
    let eid = eid(number)?;
    let random = SeededEntropy::new(number ^ 0xc41f);
    let credential = pki.euicc(&eid, &mut |octets| random.fill(octets));
    let identity = EuiccIdentity {
        credential: credential.map_err(said)?,
        eum: pki.eum().clone(),
        root: pki.root().clone(),
    };
    let settings = EuiccSettings::new(eid, vec![identity], SMDS_ADDRESS.to_owned());
    Ok(Handset {
        eid,
        chip: Euicc::new(settings).map_err(said)?,
        random,
        gone: Arc::new(AtomicBool::new(false)),
    })
}

/// The number of a chip, with its check digits. Source: SGP.29 v1.0 (remainder by 97)
fn eid(number: u64) -> Result<Eid, String> {
    let digits = format!("8904903212345123451234567{number:05}");
    let sum = |sum: u32, digit: u8| (sum * 10 + u32::from(digit.saturating_sub(b'0'))) % 97;
    let remainder = digits.bytes().chain(*b"00").fold(0, sum);
    let check = 98 - remainder;
    format!("{digits}{check:02}").parse().map_err(said)
}

fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}
