//! ES9+ and ES11: what a phone asks of the SM-DP+ and of the SM-DS, step by step.
//!
//! Every step reads a request, verifies it with what the store knows of the session, and asks the use cases;
//! nothing is answered before they have committed. No signature is made or verified inside a transaction.
//!
//! Source: SGP.22 v2.5 §3.1, §5.6, §5.8

mod authenticate;
mod cancel;
mod initiate;
mod notification;
mod package;

pub(crate) use notification::Told;

use simurgh_app::ports::{ChipCurve, ChipKey, RspSession, SessionStep};
use simurgh_rsp::key::{Curve, PublicKey};
use simurgh_rsp::message::TransactionId;
use simurgh_rsp::message::status::Status;

use crate::answer::Unexecuted;
use crate::credentials::SmdpIdentity;
use crate::smdp::Smdp;

impl Smdp {
    /// The session a request names, as it stands.
    async fn session(&self, id: &TransactionId) -> Result<RspSession, Unexecuted> {
        let unknown = Status::TransactionIdUnknown;
        let octets: [u8; 16] = id.as_octets().try_into().map_err(|_| unknown)?;
        let session = self.app().session(&octets).await?;
        Ok(session.ok_or(unknown)?)
    }

    /// The session a request names, from memory when what is remembered is at a step that `fits`.
    async fn session_at(
        &self,
        id: &TransactionId,
        fits: impl Fn(&SessionStep) -> bool + Send,
    ) -> Result<RspSession, Unexecuted> {
        if let Ok(octets) = id.as_octets().try_into()
            && let Some(session) = self.recent().take(&octets, self.app().now())
            && fits(&session.step)
        {
            return Ok(session);
        }
        self.session(id).await
    }

    /// The certificates that the chip was shown in a session.
    fn identity_in(&self, session: &RspSession) -> Result<&SmdpIdentity, Unexecuted> {
        let identity = self.credentials().smdp_in(&session.transaction);
        Ok(identity.ok_or(Status::TransactionIdUnknown)?)
    }
}

/// A chip's key as the store keeps it.
fn stored_key(key: &PublicKey) -> ChipKey {
    let curve = match key.curve() {
        Curve::P256 => ChipCurve::P256,
        Curve::BrainpoolP256r1 => ChipCurve::BrainpoolP256r1,
    };
    ChipKey {
        curve,
        point: *key.point(),
    }
}

/// A chip's key that the store kept.
fn chip_key(kept: &ChipKey) -> Result<PublicKey, Unexecuted> {
    let curve = match kept.curve {
        ChipCurve::P256 => Curve::P256,
        ChipCurve::BrainpoolP256r1 => Curve::BrainpoolP256r1,
    };
    PublicKey::from_kept_point(curve, kept.point)
        .map_err(|_| Unexecuted::broken("the store holds a chip's key that is none"))
}
