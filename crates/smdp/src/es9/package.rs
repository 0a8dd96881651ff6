//! GetBoundProfilePackage: the profile, bound to the chip.

use simurgh_app::esim::{CodeTries, Delivery, PackageToBind};
use simurgh_app::ports::{RspSession, SessionStep};
use simurgh_rsp::bpp::{Binding, Content};
use simurgh_rsp::identity::Eid;
use simurgh_rsp::key::{PrivateKey, PublicKey};
use simurgh_rsp::message::download::{EuiccSigned2, PrepareDownloadResponse, hash_for_session};
use simurgh_rsp::message::es9::{GetBoundProfilePackage, package_answer};
use simurgh_rsp::message::json::Body;
use simurgh_rsp::message::status::Status;

use super::chip_key;
use crate::answer::Unexecuted;
use crate::package::stored_package;
use crate::refusal::withdrawn;
use crate::smdp::Smdp;

/// Who we are in the derivation of keys; public.
const HOST_ID: &[u8] = b"simurgh";

impl Smdp {
    /// Checks the confirmation code and binds the package to the chip's one-time key.
    ///
    /// Our own one-time key is new for every package that leaves, also for a repeated download by the same chip.
    ///
    /// Source: SGP.22 v2.5 §5.6.2 and §5.7.6
    pub(crate) async fn bound_profile_package(&self, body: &Body) -> Result<String, Unexecuted> {
        let request = GetBoundProfilePackage::read(body)?;
        let admitted = |step: &SessionStep| matches!(step, SessionStep::Authenticated { .. });
        let session = self.session_at(&request.transaction_id, admitted).await?;
        let SessionStep::Authenticated {
            eid,
            chip_key: chip,
            profile: profile_id,
            server_signature,
            code_required,
            ..
        } = &session.step
        else {
            return Err(Status::TransactionIdUnknown.into());
        };
        let PrepareDownloadResponse::Ok(signed) = request.response else {
            return Err(Unexecuted::because(
                Status::EuiccVerificationFailed,
                "the eUICC did not accept the offer",
            ));
        };
        let key = chip_key(chip)?;
        let says = signed
            .verify(&key, Some(server_signature))
            .map_err(|_| Status::EuiccVerificationFailed)?;
        if says.transaction_id != request.transaction_id {
            return Err(Status::EuiccVerificationFailed.into());
        }
        let one_time = PublicKey::from_point(key.curve(), &says.one_time_key)
            .map_err(|_| Status::EuiccVerificationFailed)?;
        let kept = self.app().package(&session).await.map_err(withdrawn)?;
        if *code_required {
            self.check_code(&session.transaction, says, kept.confirmation.as_ref())
                .await?;
        }
        let package = self.bind(&session, (eid, &one_time), &kept)?;
        self.app()
            .deliver(Delivery {
                transaction: session.transaction,
                chip_one_time_key: says.one_time_key,
            })
            .await
            .map_err(withdrawn)?;
        let delivered = SessionStep::Delivered {
            eid: *eid,
            chip_key: chip.clone(),
            profile: *profile_id,
        };
        self.recent().remember(RspSession {
            step: delivered,
            ..session
        });
        Ok(package_answer(&request.transaction_id, &package))
    }

    /// Binds the package to the chip's one-time key, with one of ours that is used for nothing else.
    fn bind(
        &self,
        session: &RspSession,
        (eid, one_time): (&Eid, &PublicKey),
        kept: &PackageToBind,
    ) -> Result<Vec<u8>, Unexecuted> {
        let own = PrivateKey::generate(one_time.curve(), &mut |octets| self.fill(octets))?;
        let (keys, segments) = stored_package(&kept.protected)?;
        let binding = Binding {
            transaction_id: &session.transaction,
            eid,
            euicc_key: one_time,
            one_time_key: &own,
            host_id: HOST_ID,
            proprietary_oid: None,
        };
        let signer = self.identity_in(session)?.binder.signer();
        binding
            .bind(&kept.metadata, Content::Stored(&keys, segments), signer)
            .map_err(|error| Unexecuted::broken(&error.to_string()))
    }

    /// Compares what the chip signed with the code that was ordered; counts what is wrong.
    async fn check_code(
        &self,
        transaction: &[u8; 16],
        says: &EuiccSigned2,
        kept: Option<&[u8; 32]>,
    ) -> Result<(), Unexecuted> {
        let Some(kept) = kept else {
            return Err(Unexecuted::broken("a code is required and none is kept"));
        };
        let Some(shown) = says.hashed_code else {
            return Err(Status::ConfirmationCodeMissing.into());
        };
        let expected = hash_for_session(kept, &says.transaction_id);
        if aws_lc_rs::constant_time::verify_slices_are_equal(&expected, &shown).is_ok() {
            return Ok(());
        }
        Err(match self.app().wrong_code(transaction).await? {
            CodeTries::Left(_) => Status::ConfirmationCodeRefused,
            CodeTries::Exceeded => Status::ConfirmationCodeRetriesExceeded,
        }
        .into())
    }
}
