//! AuthenticateClient: the chip shows who it is, and hears what waits for it.

use simurgh_app::esim::{Admission, Asking, EsimFault};
use simurgh_app::ports::{ChipFacts, RspSession, ServerKind, SessionStep};
use simurgh_rsp::message::authentication::{
    AuthenticateServerResponse, AuthenticatedEuicc, EuiccSigned1,
};
use simurgh_rsp::message::download::SmdpSigned2;
use simurgh_rsp::message::es9::{self, AuthenticateClient, EventEntry, ProfileOffer};
use simurgh_rsp::message::json::Body;
use simurgh_rsp::message::metadata::{ProfileMetadata, rule};
use simurgh_rsp::message::status::Status;
use simurgh_rsp::message::{Signed, TransactionId, Wire};
use simurgh_rsp::pki::VerifiedEuicc;

use super::stored_key;
use crate::answer::{Executed, Unexecuted};
use crate::refusal::failure;
use crate::smdp::Smdp;

/// How often an offer is made anew when the order changed while it was signed.
const OFFERS_MAX: u8 = 4;

/// A chip whose chain and signature hold, in a session of ours.
struct Chip {
    transaction: TransactionId,
    verified: VerifiedEuicc,
    signed: Signed<EuiccSigned1>,
}

impl Smdp {
    /// Verifies the chip and offers its profile, or its events when it asks the SM-DS.
    ///
    /// Source: SGP.22 v2.5 §5.6.3 and §5.8.2
    pub(crate) async fn authenticate_client(&self, body: &Body) -> Executed {
        let request = AuthenticateClient::read(body)?;
        let opened = |step: &SessionStep| matches!(step, SessionStep::Opened { .. });
        let session = self.session_at(&request.transaction_id, opened).await?;
        let AuthenticateServerResponse::Ok(euicc) = request.response else {
            return Err(Unexecuted::because(
                Status::EuiccVerificationFailed,
                "the eUICC did not accept this server",
            ));
        };
        let (chip, server) = self.verify_chip(*euicc, request.transaction_id, &session)?;
        match server {
            ServerKind::SmDp => self.offer_profile(&chip, session).await,
            ServerKind::SmDs => self.tell_events(&chip).await,
        }
    }

    /// Verifies chain, signature and challenge.
    fn verify_chip(
        &self,
        euicc: AuthenticatedEuicc,
        transaction: TransactionId,
        session: &RspSession,
    ) -> Result<(Chip, ServerKind), Unexecuted> {
        let SessionStep::Opened {
            server_challenge,
            root_key_id,
            server,
        } = &session.step
        else {
            // It was authenticated before: a challenge is answered once.
            return Err(Status::TransactionIdUnknown.into());
        };
        let verified = self.credentials().verify_chip(
            &euicc.certificate,
            &euicc.eum_certificate,
            self.app().now(),
        )?;
        if verified.root_key_id() != root_key_id.as_slice() {
            return Err(Status::CiPublicKeyUnknown.into());
        }
        let says = euicc
            .signed
            .verify(verified.public_key(), None)
            .map_err(|_| Status::EuiccVerificationFailed)?;
        let about_us = says.transaction_id == transaction
            && says.server_challenge == *server_challenge
            && self.is_at(*server, &says.server_address);
        if !about_us {
            return Err(Status::EuiccVerificationFailed.into());
        }
        let chip = Chip {
            transaction,
            verified,
            signed: euicc.signed,
        };
        Ok((chip, *server))
    }

    /// Binds the profile to the chip and offers it.
    async fn offer_profile(&self, chip: &Chip, session: RspSession) -> Executed {
        let identity = self.identity_in(&session)?;
        let asking = asking(chip);
        for _ in 0..OFFERS_MAX {
            let offer = match self.app().offer(&asking).await {
                Ok(offer) => offer,
                Err(EsimFault::Refused(refusal)) => {
                    let key = stored_key(chip.verified.public_key());
                    self.app()
                        .refuse_chip(session.transaction, asking, key, failure(refusal))
                        .await?;
                    return Err(EsimFault::Refused(refusal).into());
                }
                Err(other) => return Err(other.into()),
            };
            let says = SmdpSigned2 {
                transaction_id: chip.transaction,
                confirmation_code_required: offer.code_required,
                bound_key: offer.bound_key,
            };
            let after = Some(chip.signed.signature());
            let smdp = Signed::sign(says, after, identity.binder.signer())?;
            let metadata = ProfileMetadata::from_bytes(&offer.metadata)
                .map_err(|_| Unexecuted::broken("stored metadata cannot be read"))?;
            let admitted = SessionStep::Authenticated {
                eid: asking.eid,
                chip_key: stored_key(chip.verified.public_key()),
                profile: offer.profile.id,
                variant: offer.variant.clone(),
                server_signature: *smdp.signature(),
                code_required: offer.code_required,
                bound_key: offer.bound_key,
            };
            let admission = Admission {
                transaction: session.transaction,
                chip_key: stored_key(chip.verified.public_key()),
                asking: asking.clone(),
                offer,
                server_signature: *smdp.signature(),
            };
            match self.app().admit(admission).await {
                Ok(()) => {
                    self.recent().remember(RspSession {
                        step: admitted,
                        ..session
                    });
                    let answer = ProfileOffer {
                        metadata,
                        smdp,
                        certificate: identity.binder.certificate().clone(),
                    };
                    return Ok(answer.body());
                }
                Err(EsimFault::Changed) => {}
                Err(other) => return Err(other.into()),
            }
        }
        Err(EsimFault::Changed.into())
    }

    /// Whether a server of ours goes by this name.
    fn is_at(&self, server: ServerKind, address: &str) -> bool {
        let settings = self.settings();
        let own = match server {
            ServerKind::SmDp => Some(&settings.address),
            ServerKind::SmDs => settings.smds_address.as_ref(),
        };
        own.is_some_and(|own| own.eq_ignore_ascii_case(address))
    }

    /// What waits for the chip elsewhere; one event when it asks for one.
    async fn tell_events(&self, chip: &Chip) -> Executed {
        let asked = chip.signed.unverified().params.matching_id.as_deref();
        let asked = asked.filter(|id| !id.is_empty());
        let events: Vec<EventEntry> = self
            .app()
            .chip_events(*chip.verified.eid())
            .await?
            .into_iter()
            .filter(|event| asked.is_none_or(|asked| asked == event.event_id))
            .map(|event| EventEntry {
                event_id: event.event_id,
                server_address: event.server_address,
            })
            .collect();
        if asked.is_some() && events.is_empty() {
            return Err(Status::EventRecordUnknown.into());
        }
        Ok(es9::events_body(&chip.transaction, &events))
    }
}

/// What the use cases must know of the chip.
fn asking(chip: &Chip) -> Asking {
    let says = chip.signed.unverified();
    let forbidden = says.info.forbidden_rules;
    let rules = [rule::UPDATE_CONTROL, rule::PPR1, rule::PPR2];
    let forbidden_rules = rules
        .into_iter()
        .filter(|bit| forbidden.is_some_and(|forbidden| forbidden.has(*bit)))
        .fold(0, |bits, bit| bits | 1 << bit);
    Asking {
        eid: *chip.verified.eid(),
        matching_id: says.params.matching_id.clone(),
        facts: ChipFacts {
            profile_version: says.info.profile_version.0,
            free_memory_octets: says.info.free_memory_octets(),
            forbidden_rules,
        },
    }
}
