//! The ISD-R: everything that an LPA may ask of the chip.

use simurgh_rsp::certificate::RevocationList;
use simurgh_rsp::identity::Iccid;
use simurgh_rsp::message::Wire;
use simurgh_rsp::message::es10::{
    self, Addresses, Command, LoadCrlError, ProfileId, ProfileOutcome, ResetOptions, Search,
};
use simurgh_rsp::message::metadata::ProfileClass;
use simurgh_rsp::message::notification::{Event, OtherNotification, PendingNotification};
use simurgh_rsp::message::{Signed, notification::NotificationMetadata};
use simurgh_rsp::tlv::Head;

use crate::apdu::StatusWord;
use crate::chip::{Environment, Euicc};

/// The longest name that a user gives a profile, in octets.
const NICKNAME_MAX: usize = 64;

/// The longest address that is kept, in octets.
const ADDRESS_MAX: usize = 255;

/// The longest list of revoked certificates that is kept, in octets: some hundreds of entries.
const REVOCATIONS_OCTETS_MAX: usize = 24_576;

/// The most notifications that wait; the oldest go first.
const NOTIFICATIONS_MAX: usize = 64;

impl Euicc {
    /// Answers a command.
    pub(crate) fn isd_r(
        &mut self,
        octets: &[u8],
        environment: &mut Environment<'_>,
    ) -> Result<Vec<u8>, StatusWord> {
        if self.rsp.awaits_package() && is_of_package(octets) {
            return self.load_package(octets);
        }
        let command = match Command::from_bytes(octets) {
            Ok(command) => command,
            Err(_) => return es10::malformed_answer(octets).ok_or(StatusWord::WRONG_DATA),
        };
        let tag = command.tag();
        let outcome = |outcome| Ok(es10::outcome_answer(tag, outcome));
        match command {
            Command::GetAddresses => Ok(Addresses {
                default_smdp: self.default_smdp.clone(),
                root_smds: self.settings.root_smds.clone(),
            }
            .encode()),
            Command::SetDefaultAddress(address) => outcome(self.set_default_address(address)),
            Command::GetInfo1 => Ok(self.info1().encode()),
            Command::GetInfo2 => Ok(self.info2().encode()),
            Command::GetChallenge => {
                let mut challenge = [0; 16];
                (environment.random)(&mut challenge);
                self.rsp.challenge(challenge);
                Ok(es10::challenge_answer(&challenge))
            }
            Command::AuthenticateServer(request) => self.authenticate_server(&request),
            Command::PrepareDownload(request) => self.prepare_download(&request, environment),
            Command::CancelSession(request) => self.cancel_session(&request),
            Command::ListNotifications(filter) => {
                let waiting = self.notifications.iter().map(|(_, one)| one.unverified());
                let chosen: Vec<NotificationMetadata> = waiting
                    .filter(|one| filter.covers(one.sequence_number, one.event))
                    .cloned()
                    .collect();
                Ok(es10::notification_list_answer(&chosen))
            }
            Command::RetrieveNotifications(filter) => {
                let waiting = self.notifications.iter().map(|(_, one)| one);
                let chosen: Vec<PendingNotification> = waiting
                    .filter(|one| {
                        let says = one.unverified();
                        filter.covers(says.sequence_number, says.event)
                    })
                    .cloned()
                    .collect();
                Ok(es10::notifications_answer(&chosen))
            }
            Command::RemoveNotification(number) => outcome(self.remove_notification(number)),
            Command::LoadCrl(list) => Ok(es10::load_crl_answer(self.load_crl(list))),
            Command::GetRules => Ok(es10::rules_answer(&self.settings.rules)),
            Command::GetProfiles(search) => Ok(self.list_profiles(&search)),
            Command::Enable { profile, refresh } => outcome(self.enable(&profile, refresh)),
            Command::Disable { profile, refresh } => outcome(self.disable(&profile, refresh)),
            Command::Delete(profile) => outcome(self.delete(&profile)),
            Command::MemoryReset(options) => outcome(self.memory_reset(options)),
            Command::GetEid => Ok(es10::eid_answer(&self.settings.eid)),
            Command::SetNickname { iccid, nickname } => {
                outcome(self.set_nickname(&iccid, nickname))
            }
        }
    }

    /// ES10b.LoadCRL: whole lists of the roots; the chip has no use for parts of one.
    fn load_crl(&mut self, der: Vec<u8>) -> Result<(), LoadCrlError> {
        let issuer = RevocationList::issuer_of(&der).map_err(|_| LoadCrlError::InvalidFormat)?;
        if der.len() > REVOCATIONS_OCTETS_MAX {
            return Err(LoadCrlError::NotEnoughMemory);
        }
        let identities = self.settings.identities.iter();
        let mut roots = identities
            .map(|one| &one.root)
            .filter(|root| root.subject() == issuer)
            .peekable();
        if roots.peek().is_none() {
            return Err(LoadCrlError::VerificationKeyNotFound);
        }
        let list = roots
            .find_map(|root| RevocationList::parse(&der, root).ok())
            .ok_or(LoadCrlError::InvalidSignature)?;
        let mut kept = self.revocations.iter();
        let older = |one: &RevocationList| one.this_update() < list.this_update();
        if kept.any(|(_, one)| list.replaces(one) && !older(one)) {
            return Err(LoadCrlError::FresherCrlLoaded);
        }
        self.keep_revocations(der, list);
        Ok(())
    }

    /// Honours a list from now on, in place of the one before it.
    pub(crate) fn keep_revocations(&mut self, der: Vec<u8>, list: RevocationList) {
        self.revocations.retain(|(_, one)| !list.replaces(one));
        self.revocations.push((der, list));
        let mut trust = self.trust.clone().without_revocations();
        for (_, one) in &self.revocations {
            trust = trust.with_revocations(one.clone());
        }
        self.trust = trust;
    }

    fn set_default_address(&mut self, address: String) -> ProfileOutcome {
        if address.len() > ADDRESS_MAX {
            return ProfileOutcome::Undefined;
        }
        self.default_smdp = Some(address).filter(|address| !address.is_empty());
        ProfileOutcome::Ok
    }

    fn remove_notification(&mut self, number: u64) -> ProfileOutcome {
        let before = self.notifications.len();
        self.notifications.retain(|(one, _)| *one != number);
        if self.notifications.len() == before {
            ProfileOutcome::NotFound
        } else {
            ProfileOutcome::Ok
        }
    }

    fn list_profiles(&self, search: &Search) -> Vec<u8> {
        let found = self.profiles.iter().enumerate().filter(|(place, one)| {
            let by_id = search
                .profile
                .as_ref()
                .is_none_or(|id| self.place_of(id) == Some(*place));
            by_id && search.class.is_none_or(|class| class == one.class())
        });
        let infos: Vec<_> = found
            .map(|(_, one)| one.info().filtered(search.tags.as_deref()))
            .collect();
        es10::profiles_answer(&infos)
    }

    /// ES10c.EnableProfile: the one in use is disabled by it.
    fn enable(&mut self, id: &ProfileId, refresh: bool) -> ProfileOutcome {
        let Some(place) = self.place_of(id) else {
            return ProfileOutcome::NotFound;
        };
        if self.profiles.get(place).is_none_or(|one| one.enabled) {
            return ProfileOutcome::WrongState;
        }
        if refresh && self.toolkit.is_busy() {
            return ProfileOutcome::CatBusy;
        }
        let in_use = self.profiles.iter().position(|one| one.enabled);
        if let Err(refusal) = self.may_give_way(in_use, place) {
            return refusal;
        }
        if let Some(in_use) = in_use {
            self.remember_before_test(in_use, place);
            self.switch(in_use, false);
        }
        self.switch(place, true);
        self.after_switch(refresh);
        ProfileOutcome::Ok
    }

    /// Whether the profile in use may give way to another. After test profiles only the one before them comes;
    /// before test profiles the rules of an operational one do not count.
    ///
    /// Source: SGP.22 v2.5 §5.7.16, §2.4.5.3
    fn may_give_way(&self, in_use: Option<usize>, to: usize) -> Result<(), ProfileOutcome> {
        let at = |place: usize| self.profiles.get(place);
        let (Some(one), Some(next)) = (in_use.and_then(at), at(to)) else {
            return Ok(());
        };
        match (one.is_test(), next.is_test()) {
            (true, false) if self.before_test.is_some_and(|iccid| iccid != *next.iccid()) => {
                Err(ProfileOutcome::WrongReenabling)
            }
            (false, false) if one.forbids_disabling() => Err(ProfileOutcome::DisallowedByPolicy),
            _ => Ok(()),
        }
    }

    fn remember_before_test(&mut self, in_use: usize, next: usize) {
        let is_test = |place: usize| self.profiles.get(place).is_some_and(|one| one.is_test());
        match (is_test(in_use), is_test(next)) {
            (false, true) => {
                let one = self.profiles.get(in_use);
                self.before_test = one.map(|one| *one.iccid());
            }
            (true, false) => self.before_test = None,
            (true, true) | (false, false) => {}
        }
    }

    /// The profile that was in use before test profiles comes back.
    fn leave_tests(&mut self) {
        if let Some(iccid) = self.before_test.take()
            && let Some(place) = self.place_of(&ProfileId::Iccid(iccid))
        {
            self.switch(place, true);
        }
    }

    /// ES10c.DisableProfile
    fn disable(&mut self, id: &ProfileId, refresh: bool) -> ProfileOutcome {
        let Some(place) = self.place_of(id) else {
            return ProfileOutcome::NotFound;
        };
        match self.profiles.get(place) {
            Some(one) if !one.enabled => return ProfileOutcome::WrongState,
            Some(one) if one.forbids_disabling() => return ProfileOutcome::DisallowedByPolicy,
            Some(_) if refresh && self.toolkit.is_busy() => return ProfileOutcome::CatBusy,
            Some(_) => {}
            None => return ProfileOutcome::NotFound,
        }
        let is_test = self.profiles.get(place).is_some_and(|one| one.is_test());
        self.switch(place, false);
        if is_test {
            self.leave_tests();
        }
        self.after_switch(refresh);
        ProfileOutcome::Ok
    }

    fn switch(&mut self, place: usize, on: bool) {
        let Some(profile) = self.profiles.get_mut(place) else {
            return;
        };
        profile.enabled = on;
        let event = if on { Event::Enable } else { Event::Disable };
        self.notify_of(place, event);
    }

    fn after_switch(&mut self, refresh: bool) {
        self.rsp.drop_session();
        self.leave_files();
        self.ask_refresh(refresh);
    }

    fn ask_refresh(&mut self, is_wanted: bool) {
        self.refresh |= is_wanted;
        if is_wanted {
            self.toolkit.refresh();
        }
    }

    /// ES10c.DeleteProfile
    fn delete(&mut self, id: &ProfileId) -> ProfileOutcome {
        let Some(place) = self.place_of(id) else {
            return ProfileOutcome::NotFound;
        };
        match self.profiles.get(place) {
            Some(one) if one.enabled => return ProfileOutcome::WrongState,
            Some(one) if one.forbids_deletion() => return ProfileOutcome::DisallowedByPolicy,
            Some(_) => {}
            None => return ProfileOutcome::NotFound,
        }
        self.notify_of(place, Event::Delete);
        let gone = self.profiles.remove(place);
        self.before_test = self.before_test.filter(|iccid| iccid != gone.iccid());
        ProfileOutcome::Ok
    }

    /// ES10c.eUICCMemoryReset: whatever the rules and states of the profiles are.
    fn memory_reset(&mut self, options: ResetOptions) -> ProfileOutcome {
        let goes = |class| match class {
            ProfileClass::Test => options.test_profiles,
            ProfileClass::Operational => options.operational_profiles,
            ProfileClass::Provisioning | ProfileClass::Other(_) => false,
        };
        let gone: Vec<usize> = (0..self.profiles.len())
            .filter(|place| {
                self.profiles
                    .get(*place)
                    .is_some_and(|one| goes(one.class()))
            })
            .collect();
        let leaves_use = |place: &usize| self.profiles.get(*place).is_some_and(|one| one.enabled);
        let changes_use = gone.iter().any(leaves_use);
        if changes_use && self.toolkit.is_busy() {
            return ProfileOutcome::CatBusy;
        }
        let address = options.default_address && self.default_smdp.take().is_some();
        if gone.is_empty() && !address {
            return ProfileOutcome::NotFound;
        }
        for place in &gone {
            self.notify_of(*place, Event::Delete);
        }
        self.profiles.retain(|one| !goes(one.class()));
        if changes_use {
            self.leave_tests();
            self.leave_files();
        }
        self.ask_refresh(changes_use);
        self.rsp.drop_session();
        ProfileOutcome::Ok
    }

    fn set_nickname(&mut self, iccid: &Iccid, nickname: String) -> ProfileOutcome {
        if nickname.len() > NICKNAME_MAX {
            return ProfileOutcome::Undefined;
        }
        match self.profiles.iter_mut().find(|one| one.iccid() == iccid) {
            Some(profile) => {
                profile.nickname = Some(nickname).filter(|name| !name.is_empty());
                ProfileOutcome::Ok
            }
            None => ProfileOutcome::NotFound,
        }
    }

    /// Tells every receiver that the profile names for an event.
    fn notify_of(&mut self, place: usize, event: Event) {
        let Some(profile) = self.profiles.get(place) else {
            return;
        };
        let iccid = *profile.iccid();
        let receivers = profile.metadata().notifications.iter();
        let addresses: Vec<String> = receivers
            .filter(|one| one.events.has(event.bit()))
            .map(|one| one.address.clone())
            .collect();
        for address in addresses {
            self.notify(event, address, iccid);
        }
    }

    /// Signs a notification with the first identity and keeps it until the LPA has delivered it.
    pub(crate) fn notify(&mut self, event: Event, address: String, iccid: Iccid) {
        let sequence_number = self.next_number();
        let metadata = NotificationMetadata {
            sequence_number,
            event,
            address,
            iccid: Some(iccid),
        };
        let Some(identity) = self.settings.identities.first() else {
            return;
        };
        if let Ok(signed) = Signed::sign(metadata, None, identity.credential.signer()) {
            let other = PendingNotification::Other(Box::new(OtherNotification {
                signed,
                certificate: identity.credential.certificate().clone(),
                eum_certificate: identity.eum.clone(),
            }));
            self.notifications.push((sequence_number, other));
        }
    }

    /// The next sequence number; makes room for its notification.
    pub(crate) fn next_number(&mut self) -> u64 {
        while self.notifications.len() >= NOTIFICATIONS_MAX {
            self.notifications.remove(0);
        }
        let number = self.next_sequence;
        self.next_sequence = self.next_sequence.saturating_add(1);
        number
    }
}

/// Whether a command belongs to a package: its beginning, a list of commands, a segment, or a head alone.
fn is_of_package(octets: &[u8]) -> bool {
    const OF_PACKAGE: [u32; 8] = [0xBF36, 0xA0, 0xA1, 0xA2, 0xA3, 0x86, 0x87, 0x88];
    Head::parse(octets).is_ok_and(|head| OF_PACKAGE.contains(&head.tag.octets()))
}
