//! Typed identifiers. All are UUIDv7 (RFC 9562 §5.7): they sort by the time they were made.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// Declares one identifier type.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            /// Makes the id for something created at `unix_millis` with ten bytes of entropy.
            #[must_use]
            pub fn from_parts(unix_millis: u64, entropy: &[u8; 10]) -> Self {
                Self(uuid::Builder::from_unix_timestamp_millis(unix_millis, entropy).into_uuid())
            }

            /// Takes an id as it is stored.
            #[must_use]
            pub const fn from_uuid(id: Uuid) -> Self {
                Self(id)
            }

            /// Takes an id from its sixteen bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// The sixteen bytes as they are stored.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// The id as a number for the outside: 26 characters of Crockford base 32, within the
            /// 32 characters payment providers allow for an order number.
            #[must_use]
            pub fn number(&self) -> String {
                crockford(u128::from_be_bytes(*self.0.as_bytes()))
            }

            /// Reads what [`number`](Self::number) wrote; letters of either case.
            #[must_use]
            pub fn from_number(text: &str) -> Option<Self> {
                parse_crockford(text).map(|value| Self(Uuid::from_bytes(value.to_be_bytes())))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.number())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.number())
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::from_number(text).ok_or(ParseIdError)
            }
        }
    )*};
}

ids! {
    /// A customer: the person who registered.
    CustomerId,
    /// A line: one mobile service of a customer.
    LineId,
    /// A subscription: one bought plan on a line, with its own terms and dates.
    SubscriptionId,
    /// A bucket: one allowance of a subscription with its own validity.
    BucketId,
    /// An order.
    OrderId,
    /// A payment attempt; also the idempotency key towards the provider.
    PaymentId,
    /// A refund; also the idempotency key towards the provider.
    RefundId,
    /// A mandate: a stored payment method.
    MandateId,
    /// An invoice or credit note.
    InvoiceId,
    /// A ledger entry.
    EntryId,
    /// A row of the outbox.
    JobId,
    /// A message to a customer.
    MessageId,
    /// A signed-in device.
    SessionId,
    /// A one-time code challenge.
    ChallengeId,
    /// A member of staff.
    StaffId,
    /// A support ticket.
    TicketId,
    /// An identity check.
    CaseId,
    /// An eSIM profile.
    ProfileId,
    /// A charging record.
    RecordId,
    /// A piece of news of an eSIM download.
    ProgressId,
}

/// The text is not 26 characters of Crockford base 32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier: 26 characters of base 32 are expected")]
pub struct ParseIdError;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const DIGITS: usize = 26;

fn crockford(value: u128) -> String {
    (0..DIGITS)
        .rev()
        .map(|digit| {
            let index = usize::try_from((value >> (digit * 5)) & 31).unwrap_or(0);
            char::from(ALPHABET.get(index).copied().unwrap_or(b'0'))
        })
        .collect()
}

fn parse_crockford(text: &str) -> Option<u128> {
    if text.len() != DIGITS {
        return None;
    }
    text.bytes().try_fold(0u128, |value, byte| {
        let digit = ALPHABET
            .iter()
            .position(|c| *c == byte.to_ascii_uppercase())?;
        value
            .checked_mul(32)?
            .checked_add(u128::try_from(digit).ok()?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_reads_back_in_either_case() {
        let id = OrderId::from_parts(1_790_000_000_000, &[7; 10]);
        assert_eq!(id.number().len(), 26);
        assert_eq!(id.number().parse(), Ok(id));
        assert_eq!(id.number().to_lowercase().parse(), Ok(id));
    }

    #[test]
    fn what_does_not_fit_sixteen_bytes_is_refused() {
        assert_eq!(
            "ZZZZZZZZZZZZZZZZZZZZZZZZZZ".parse::<OrderId>(),
            Err(ParseIdError)
        );
        assert_eq!("0".parse::<OrderId>(), Err(ParseIdError));
        assert_eq!(
            "0000000000000000000000000U".parse::<OrderId>(),
            Err(ParseIdError)
        );
    }

    #[test]
    fn later_ids_sort_later() {
        assert!(OrderId::from_parts(1, &[255; 10]) < OrderId::from_parts(2, &[0; 10]));
    }
}
