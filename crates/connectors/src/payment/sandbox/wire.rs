//! The JSON both sides speak, and its translation from and to the words of the port.
//!
//! Amounts are integers of minor units beside an ISO 4217 code. Unknown members are refused.

use serde::{Deserialize, Serialize};
use simurgh_app::ports::{
    ChargeRequest, MandateGrant, OpenRequest, ProviderReport, RefundRequest, RefundStatus,
};
use simurgh_commerce::{Failure, MethodKind, Observation, ProviderStatus};
use simurgh_vocab::{Money, PaymentId, RefundId};

use super::book::{BookCopy, BookedPayment};
pub(super) use crate::sandbox::wire::{Unreadable, read, write};

/// An amount.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AmountBody {
    minor: i64,
    currency: String,
}

/// `POST /v1/payments`
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OpenBody {
    number: String,
    method: String,
    amount: AmountBody,
    description: String,
    store_method: bool,
    return_url: String,
    locale: String,
}

/// The answer to it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OpenedBody {
    pub(super) redirect_url: String,
}

/// `POST /v1/charges`
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChargeBody {
    number: String,
    token: String,
    method: String,
    amount: AmountBody,
    description: String,
}

/// `POST /v1/refunds`
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefundBody {
    refund: String,
    number: String,
    amount: AmountBody,
}

/// The answer to it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RefundedBody {
    pub(super) refund: String,
    status: String,
}

/// `POST /v1/payments/{number}/outcome`
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OutcomeBody {
    pub(super) outcome: String,
}

/// What the provider says of a payment: the answer to a query or charge, and the content of a
/// notification.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PaymentBody {
    merchant: String,
    number: String,
    status: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    amount: AmountBody,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mandate: Option<MandateBody>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MandateBody {
    token: String,
    display: String,
}

/// A notification.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NotificationBody {
    pub(super) event_id: String,
    pub(super) payment: PaymentBody,
}

/// `GET /v1/book`
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BookBody {
    payments: Vec<BookedPaymentBody>,
    refunds: Vec<BookedRefundBody>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BookedPaymentBody {
    number: String,
    method: String,
    amount: AmountBody,
    status: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    refunded_minor: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BookedRefundBody {
    refund: String,
    number: String,
    amount: AmountBody,
    status: String,
}

impl AmountBody {
    fn new(amount: Money) -> Self {
        Self {
            minor: amount.minor,
            currency: amount.currency.code().to_owned(),
        }
    }

    fn read(&self) -> Result<Money, Unreadable> {
        let currency = self.currency.parse().map_err(|_| "unknown currency")?;
        if self.minor < 0 {
            return Err("an amount below zero");
        }
        Ok(Money::new(self.minor, currency))
    }
}

impl OpenBody {
    pub(super) fn new(request: &OpenRequest) -> Self {
        Self {
            number: request.payment.number(),
            method: request.method.code().to_owned(),
            amount: AmountBody::new(request.amount),
            description: request.description.clone(),
            store_method: request.store_method,
            return_url: request.return_url.clone(),
            locale: request.locale.tag().to_owned(),
        }
    }

    pub(super) fn read(self) -> Result<OpenRequest, Unreadable> {
        Ok(OpenRequest {
            payment: payment_id(&self.number)?,
            method: method(&self.method)?,
            amount: self.amount.read()?,
            description: self.description,
            store_method: self.store_method,
            return_url: self.return_url,
            locale: self.locale.parse().map_err(|_| "unknown locale")?,
        })
    }
}

impl ChargeBody {
    pub(super) fn new(request: &ChargeRequest) -> Self {
        Self {
            number: request.payment.number(),
            token: request.token.clone(),
            method: request.method.code().to_owned(),
            amount: AmountBody::new(request.amount),
            description: request.description.clone(),
        }
    }

    pub(super) fn read(self) -> Result<ChargeRequest, Unreadable> {
        Ok(ChargeRequest {
            payment: payment_id(&self.number)?,
            token: self.token,
            method: method(&self.method)?,
            amount: self.amount.read()?,
            description: self.description,
        })
    }
}

impl RefundBody {
    pub(super) fn new(request: &RefundRequest) -> Self {
        Self {
            refund: request.refund.number(),
            number: request.payment.number(),
            amount: AmountBody::new(request.amount),
        }
    }

    pub(super) fn read(&self) -> Result<RefundRequest, Unreadable> {
        Ok(RefundRequest {
            refund: refund_id(&self.refund)?,
            payment: payment_id(&self.number)?,
            amount: self.amount.read()?,
        })
    }
}

impl RefundedBody {
    pub(super) fn new(refund: RefundId, status: RefundStatus) -> Self {
        Self {
            refund: refund.number(),
            status: refund_code(status).to_owned(),
        }
    }

    pub(super) fn read(&self) -> Result<RefundStatus, Unreadable> {
        refund_status(&self.status)
    }
}

impl PaymentBody {
    /// What is said in the name of `merchant`.
    pub(super) fn new(report: &ProviderReport, merchant: &str) -> Self {
        let seen = &report.observation;
        let (status, failure) = status_codes(seen.status);
        Self {
            merchant: if seen.merchant_is_ours {
                merchant.to_owned()
            } else {
                OTHER_MERCHANT.to_owned()
            },
            number: report.payment.number(),
            status: status.to_owned(),
            failure: failure.map(str::to_owned),
            amount: AmountBody::new(seen.amount),
            mandate: report.mandate.as_ref().map(|grant| MandateBody {
                token: grant.token.clone(),
                display: grant.display.clone(),
            }),
        }
    }

    /// Reads it as what is said to `merchant`.
    pub(super) fn read(self, merchant: &str) -> Result<ProviderReport, Unreadable> {
        let status = status(&self.status, self.failure.as_deref())?;
        let mandate = match self.mandate {
            Some(_) if status != ProviderStatus::Captured => {
                return Err("a stored method without a payment");
            }
            Some(grant) => Some(grant.read()?),
            None => None,
        };
        Ok(ProviderReport {
            payment: payment_id(&self.number)?,
            observation: Observation {
                status,
                amount: self.amount.read()?,
                merchant_is_ours: self.merchant == merchant,
            },
            mandate,
        })
    }
}

/// The merchant that is named when another is to be named. No settings can hold it: `.` is no
/// character of a merchant's id.
const OTHER_MERCHANT: &str = "another.merchant";

const TOKEN_BYTES_MAX: usize = 128;
const DISPLAY_CHARS_MAX: usize = 40;

impl MandateBody {
    fn read(self) -> Result<MandateGrant, Unreadable> {
        let token_ok = !self.token.is_empty()
            && self.token.len() <= TOKEN_BYTES_MAX
            && self.token.bytes().all(|b| b.is_ascii_graphic());
        let display_ok = self.display.chars().count() <= DISPLAY_CHARS_MAX
            && !self.display.chars().any(char::is_control);
        if token_ok && display_ok {
            Ok(MandateGrant {
                token: self.token,
                display: self.display,
            })
        } else {
            Err("a stored method that cannot be one")
        }
    }
}

impl BookBody {
    pub(super) fn new(copy: &BookCopy) -> Self {
        let payments = copy.payments.iter().map(|booked| {
            let (status, failure) = status_codes(booked.status);
            BookedPaymentBody {
                number: booked.payment.number(),
                method: booked.method.code().to_owned(),
                amount: AmountBody::new(booked.amount),
                status: status.to_owned(),
                failure: failure.map(str::to_owned),
                refunded_minor: booked.refunded.minor,
            }
        });
        let refunds = copy
            .refunds
            .iter()
            .map(|(request, status)| BookedRefundBody {
                refund: request.refund.number(),
                number: request.payment.number(),
                amount: AmountBody::new(request.amount),
                status: refund_code(*status).to_owned(),
            });
        Self {
            payments: payments.collect(),
            refunds: refunds.collect(),
        }
    }

    pub(super) fn read(&self) -> Result<BookCopy, Unreadable> {
        let payments = self.payments.iter().map(|booked| {
            let amount = booked.amount.read()?;
            Ok(BookedPayment {
                payment: payment_id(&booked.number)?,
                method: method(&booked.method)?,
                amount,
                status: status(&booked.status, booked.failure.as_deref())?,
                refunded: Money::new(booked.refunded_minor, amount.currency),
            })
        });
        let refunds = self.refunds.iter().map(|booked| {
            let request = RefundRequest {
                refund: refund_id(&booked.refund)?,
                payment: payment_id(&booked.number)?,
                amount: booked.amount.read()?,
            };
            Ok((request, refund_status(&booked.status)?))
        });
        Ok(BookCopy {
            payments: payments.collect::<Result<_, Unreadable>>()?,
            refunds: refunds.collect::<Result<_, Unreadable>>()?,
        })
    }
}

/// Reads an order number.
pub(super) fn payment_id(number: &str) -> Result<PaymentId, Unreadable> {
    PaymentId::from_number(number).ok_or("the order number cannot be read")
}

fn refund_id(number: &str) -> Result<RefundId, Unreadable> {
    RefundId::from_number(number).ok_or("the refund number cannot be read")
}

fn method(code: &str) -> Result<MethodKind, Unreadable> {
    MethodKind::from_code(code).ok_or("unknown method")
}

const fn status_codes(status: ProviderStatus) -> (&'static str, Option<&'static str>) {
    match status {
        ProviderStatus::NotFound => ("not-found", None),
        ProviderStatus::Pending => ("pending", None),
        ProviderStatus::Captured => ("captured", None),
        ProviderStatus::Failed(failure) => ("failed", Some(failure.code())),
        ProviderStatus::Closed => ("closed", None),
    }
}

/// Reads a status. "Not found" is an HTTP status, never a word about a payment.
fn status(status: &str, failure: Option<&str>) -> Result<ProviderStatus, Unreadable> {
    match (status, failure) {
        ("pending", None) => Ok(ProviderStatus::Pending),
        ("captured", None) => Ok(ProviderStatus::Captured),
        ("closed", None) => Ok(ProviderStatus::Closed),
        ("failed", Some(code)) => Failure::from_code(code)
            .map(ProviderStatus::Failed)
            .ok_or("unknown failure"),
        _ => Err("unknown status"),
    }
}

const fn refund_code(status: RefundStatus) -> &'static str {
    match status {
        RefundStatus::Pending => "pending",
        RefundStatus::Succeeded => "succeeded",
        RefundStatus::Impossible => "impossible",
    }
}

fn refund_status(code: &str) -> Result<RefundStatus, Unreadable> {
    match code {
        "pending" => Ok(RefundStatus::Pending),
        "succeeded" => Ok(RefundStatus::Succeeded),
        "impossible" => Ok(RefundStatus::Impossible),
        _ => Err("unknown status of a refund"),
    }
}
