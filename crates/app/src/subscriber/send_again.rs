//! Another code in place of one that did not arrive.

use simurgh_subscriber::ChallengeState;
use simurgh_vocab::{ChallengeId, Timestamp};

use crate::App;
use crate::ports::Tx;
use crate::subscriber::code::{CodeOrder, CodeReader};
use crate::subscriber::{CodeSent, Origin, SendCodeRefusal};

impl App {
    /// Sends a code again, for the same purpose, to the same address, under the same limits;
    /// whoever names the challenge is the browser that asked for it (V6.6.2). Nothing if there is
    /// no such challenge, or it was answered. For nobody's address it only seems to be sent, as
    /// before.
    ///
    /// # Errors
    /// [`SendCodeRefusal`].
    pub async fn send_code_again(
        &self,
        challenge: ChallengeId,
        origin: Origin,
    ) -> Result<Option<CodeSent>, SendCodeRefusal> {
        let app = self.clone();
        let now = self.now();
        let sent = self
            .decide(move |tx| app.send_again(tx, challenge, &origin, now))
            .await?;
        self.wake_runner();
        Ok(sent)
    }

    fn send_again(
        &self,
        tx: &mut dyn Tx,
        challenge: ChallengeId,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<Option<CodeSent>, SendCodeRefusal> {
        let Some(asked) = tx.challenge(challenge)? else {
            return Ok(None);
        };
        match asked.state {
            ChallengeState::Live | ChallengeState::Replaced { .. } => {}
            ChallengeState::Consumed { .. } => return Ok(None),
        }
        let holder = match asked.customer {
            Some(id) => tx.customer(id)?,
            None => None,
        };
        let reader = holder.as_ref().and_then(|holder| {
            holder.person().map(|person| CodeReader {
                customer: holder.id,
                locale: person.locale,
                time_zone: person.time_zone.clone(),
            })
        });
        let order = CodeOrder {
            purpose: asked.purpose,
            to: asked.to,
            reader,
        };
        self.issue_code(tx, order, origin, now).map(Some)
    }
}
