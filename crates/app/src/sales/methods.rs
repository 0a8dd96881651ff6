//! Stored payment methods.

use simurgh_commerce::{Order, Payment};
use simurgh_vocab::{CustomerId, MandateId, Timestamp};

use crate::crypto::Purpose;
use crate::ports::{Mandate, MandateGrant, StoreExt, Tx};
use crate::{App, Fault};

impl App {
    /// A customer's stored methods, newest first.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn stored_methods(&self, customer: CustomerId) -> Result<Vec<Mandate>, Fault> {
        self.store
            .snapshot(move |tx| Ok(tx.mandates_of(customer)?))
            .await
    }

    /// Removes a stored method, and turns off the renewals that use it. False if there is none.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn remove_method(&self, customer: CustomerId, id: MandateId) -> Result<bool, Fault> {
        let now = self.now();
        self.store
            .transact(move |tx| {
                let owned = tx
                    .mandate(id)?
                    .filter(|m| m.customer == customer && m.ended_at.is_none());
                if owned.is_none() {
                    return Ok(false);
                }
                for line in tx.lines_of(customer)? {
                    tx.line(line.id)?;
                    if tx
                        .auto_renewal(line.id)?
                        .is_some_and(|renewal| renewal.mandate == id)
                    {
                        tx.remove_auto_renewal(line.id)?;
                    }
                }
                tx.end_mandate(id, now)?;
                Ok(true)
            })
            .await
    }

    /// Stores the method a payment was made with, if the customer asked for it.
    pub(crate) fn store_mandate(
        &self,
        tx: &mut dyn Tx,
        order: &Order,
        payment: &Payment,
        grant: &MandateGrant,
        now: Timestamp,
    ) -> Result<(), Fault> {
        if !payment.store_method {
            return Ok(());
        }
        let id = self.make(MandateId::from_parts, now);
        let sealed_token = self
            .keyring
            .seal(
                Purpose::MandateToken,
                id.as_bytes(),
                grant.token.as_bytes(),
                self.entropy.as_ref(),
            )
            .map_err(|e| Fault::Invariant(e.to_string()))?;
        tx.insert_mandate(&Mandate {
            id,
            customer: order.customer,
            provider: payment.provider.clone(),
            method: payment.method,
            sealed_token,
            display: grant.display.clone(),
            created_at: now,
            ended_at: None,
        })?;
        Ok(())
    }

    /// The provider's token of a stored method.
    pub(crate) fn open_token(&self, mandate: &Mandate) -> Result<String, Fault> {
        let plain = self
            .keyring
            .open(
                Purpose::MandateToken,
                mandate.id.as_bytes(),
                &mandate.sealed_token,
            )
            .map_err(|e| Fault::Invariant(e.to_string()))?;
        String::from_utf8(plain).map_err(|e| Fault::Invariant(e.to_string()))
    }
}
