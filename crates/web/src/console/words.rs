//! Names of what staff deals with, and how each is meant.

use simurgh_app::Fault;
use simurgh_app::ports::{
    AccountEventKind, ChipEvent, HeardNotification, InstallOutcome, LineState, Message,
    MessageState, Recipient, StaffAction, StaffSubject, Task, TicketState,
};
use simurgh_charging::SubscriptionState;
use simurgh_commerce::{
    CloseReason, MethodKind, OrderState, Payment, PaymentState, RefundReason, RefundState,
};
use simurgh_subscriber::{
    CustomerState, IdentityState, OnChip, Profile, ProfileError, ProfileState,
};
use simurgh_vocab::StaffId;

use crate::frame::{Refusal, Tone};
use crate::i18n::{Text, key};

/// A state in a word, and how it is meant.
pub(super) struct Mark {
    pub(super) tone: Tone,
    pub(super) text: String,
}

fn mark(t: &Text, tone: Tone, key: &str) -> Mark {
    let text = t.msg(key);
    Mark { tone, text }
}

/// What staff is told of a fault; the log has the rest.
pub(super) fn failed(fault: &Fault) -> Refusal {
    tracing::error!(%fault, "a page of the console could not be made");
    match fault {
        Fault::Store(_) | Fault::NoCatalogue => Refusal::Unavailable,
        Fault::Invariant(_) => Refusal::Internal,
    }
}

pub(super) fn order(t: &Text, state: OrderState) -> Mark {
    match state {
        OrderState::AwaitingPayment => mark(t, Tone::Warning, key("desk-order-awaiting")),
        OrderState::Fulfilled { .. } => mark(t, Tone::Success, key("desk-order-fulfilled")),
        OrderState::Closed {
            reason: CloseReason::Expired,
            ..
        } => mark(t, Tone::Muted, key("desk-order-expired")),
        OrderState::Closed {
            reason: CloseReason::Cancelled,
            ..
        } => mark(t, Tone::Muted, key("desk-order-cancelled")),
        OrderState::Refunded { .. } => mark(t, Tone::Info, key("desk-order-refunded")),
    }
}

pub(super) fn payment(t: &Text, state: &PaymentState) -> Mark {
    match state {
        PaymentState::Created => mark(t, Tone::Info, key("desk-payment-created")),
        PaymentState::ActionRequired { .. } => mark(t, Tone::Info, key("desk-payment-action")),
        PaymentState::Processing => mark(t, Tone::Info, key("desk-payment-processing")),
        PaymentState::Unknown => mark(t, Tone::Warning, key("desk-payment-unknown")),
        PaymentState::Captured { .. } => mark(t, Tone::Success, key("desk-payment-captured")),
        PaymentState::Failed { .. } => mark(t, Tone::Danger, key("desk-payment-failed")),
        PaymentState::Closed { .. } => mark(t, Tone::Muted, key("desk-payment-closed")),
    }
}

/// Why a payment failed; empty when it did not.
pub(super) fn failure(t: &Text, payment: &Payment) -> String {
    match payment.state {
        PaymentState::Failed { failure, .. } => {
            simurgh_app::sales::reason(failure, t.locale()).to_owned()
        }
        PaymentState::Created
        | PaymentState::ActionRequired { .. }
        | PaymentState::Processing
        | PaymentState::Unknown
        | PaymentState::Captured { .. }
        | PaymentState::Closed { .. } => String::new(),
    }
}

pub(super) fn method(t: &Text, kind: MethodKind) -> String {
    t.msg(match kind {
        MethodKind::Card => key("desk-method-card"),
        MethodKind::Alipay => key("desk-method-alipay"),
        MethodKind::WechatPay => key("desk-method-wechat"),
    })
}

pub(super) fn refund(t: &Text, state: RefundState) -> Mark {
    match state {
        RefundState::Requested => mark(t, Tone::Info, key("desk-refund-requested")),
        RefundState::Succeeded { .. } => mark(t, Tone::Success, key("desk-refund-sent")),
        RefundState::NeedsStaff { .. } => mark(t, Tone::Danger, key("desk-refund-needs-staff")),
    }
}

pub(super) fn refund_reason(t: &Text, reason: RefundReason) -> String {
    t.msg(match reason {
        RefundReason::NoOpenOrder => key("desk-refund-no-open-order"),
        RefundReason::UnusedPlan => key("desk-refund-unused-plan"),
        RefundReason::Staff => key("desk-refund-by-staff"),
    })
}

pub(super) fn ticket(t: &Text, state: TicketState) -> Mark {
    match state {
        TicketState::Open => mark(t, Tone::Warning, key("desk-ticket-open")),
        TicketState::Answered => mark(t, Tone::Success, key("desk-ticket-answered")),
        TicketState::Closed { .. } => mark(t, Tone::Muted, key("desk-ticket-closed")),
    }
}

pub(super) fn customer(t: &Text, state: &CustomerState) -> Mark {
    match state {
        CustomerState::Unconfirmed { .. } => {
            mark(t, Tone::Warning, key("desk-customer-unconfirmed"))
        }
        CustomerState::Active { .. } => mark(t, Tone::Success, key("desk-customer-active")),
        CustomerState::Closed { .. } => mark(t, Tone::Muted, key("desk-customer-closed")),
    }
}

pub(super) fn line(t: &Text, state: LineState) -> Mark {
    match state {
        LineState::Active => mark(t, Tone::Success, key("desk-line-active")),
        LineState::Grace { .. } => mark(t, Tone::Warning, key("desk-line-grace")),
        LineState::Suspended { .. } => mark(t, Tone::Danger, key("desk-line-suspended")),
        LineState::Closed { .. } => mark(t, Tone::Muted, key("desk-line-closed")),
    }
}

pub(super) fn subscription(t: &Text, state: SubscriptionState) -> String {
    match state {
        SubscriptionState::AwaitingFirstUse { activate_by, .. } => {
            let by = t.date_time(activate_by);
            t.with("desk-plan-awaits", "by", by).to_string()
        }
        SubscriptionState::Scheduled { period } => {
            let (start, end) = (t.date_time(period.start), t.date_time(period.end));
            t.with("desk-plan-runs", "start", start)
                .and("end", end)
                .to_string()
        }
        SubscriptionState::Ended { at } => {
            t.with("desk-plan-ended", "at", t.date_time(at)).to_string()
        }
        SubscriptionState::Revoked { at } => t
            .with("desk-plan-revoked", "at", t.date_time(at))
            .to_string(),
    }
}

/// Where a profile stands, on the server and on its chip.
pub(super) fn profile(t: &Text, profile: &Profile) -> Mark {
    let (tone, key) = match (profile.state, profile.on_chip) {
        (ProfileState::Available, _) => (Tone::Muted, key("desk-esim-available")),
        (ProfileState::Allocated, _) => (Tone::Info, key("desk-esim-allocated")),
        (ProfileState::Linked, _) => (Tone::Info, key("desk-esim-linked")),
        (ProfileState::Confirmed, _) => (Tone::Info, key("desk-esim-confirmed")),
        (ProfileState::Released, _) => (Tone::Info, key("desk-esim-released")),
        (ProfileState::Downloaded, _) => (Tone::Warning, key("desk-esim-downloaded")),
        (ProfileState::Installed, Some(OnChip::Enabled)) => {
            (Tone::Success, key("desk-esim-enabled"))
        }
        (ProfileState::Installed, Some(OnChip::Deleted)) => {
            (Tone::Warning, key("desk-esim-deleted"))
        }
        (ProfileState::Installed, Some(OnChip::Disabled) | None) => {
            (Tone::Success, key("desk-esim-installed"))
        }
        (ProfileState::Error(_), _) => (Tone::Danger, key("desk-esim-given-up")),
        (ProfileState::Unavailable, _) => (Tone::Muted, key("desk-esim-withdrawn")),
    };
    mark(t, tone, key)
}

/// What a profile's state means and what to do, in a sentence or two.
pub(super) fn profile_advice(t: &Text, profile: &Profile) -> String {
    t.msg(match (profile.state, profile.on_chip) {
        (ProfileState::Available, _) => key("desk-esim-advice-available"),
        (ProfileState::Allocated | ProfileState::Linked | ProfileState::Confirmed, _) => {
            key("desk-esim-advice-ordered")
        }
        (ProfileState::Released, _) => key("desk-esim-advice-released"),
        (ProfileState::Downloaded, _) => key("desk-esim-advice-downloaded"),
        (ProfileState::Installed, Some(OnChip::Enabled)) => key("desk-esim-advice-enabled"),
        (ProfileState::Installed, Some(OnChip::Deleted)) => key("desk-esim-advice-deleted"),
        (ProfileState::Installed, Some(OnChip::Disabled) | None) => {
            key("desk-esim-advice-installed")
        }
        (ProfileState::Error(ProfileError::CodeTries), _) => key("desk-esim-advice-code-tries"),
        (ProfileState::Error(ProfileError::Downloads), _) => key("desk-esim-advice-downloads"),
        (ProfileState::Error(ProfileError::Rejected), _) => key("desk-esim-advice-rejected"),
        (ProfileState::Error(ProfileError::RulesNotAllowed), _) => key("desk-esim-advice-rules"),
        (ProfileState::Unavailable, _) => key("desk-esim-advice-withdrawn"),
    })
}

/// What a chip reported.
pub(super) fn chip(t: &Text, heard: &HeardNotification) -> Mark {
    let said = &heard.notification;
    let (tone, key) = match (said.event, &said.outcome) {
        (ChipEvent::Install, Some(InstallOutcome::Failed { .. })) => {
            (Tone::Danger, key("desk-esim-heard-failed"))
        }
        (ChipEvent::Install, Some(InstallOutcome::Installed) | None) => {
            (Tone::Success, key("desk-esim-heard-installed"))
        }
        (ChipEvent::Enable, _) => (Tone::Success, key("desk-esim-heard-enabled")),
        (ChipEvent::Disable, _) => (Tone::Muted, key("desk-esim-heard-disabled")),
        (ChipEvent::Delete, _) => (Tone::Warning, key("desk-esim-heard-deleted")),
    };
    mark(t, tone, key)
}

/// Why a chip did not install a profile and what to do, by its `ErrorReason`; empty when it did.
///
/// Source: SGP.22 v2.5 §5.7.2
pub(super) fn chip_failure(t: &Text, heard: &HeardNotification) -> String {
    let Some(InstallOutcome::Failed { reason, .. }) = &heard.notification.outcome else {
        return String::new();
    };
    t.msg(match reason {
        // incorrectInputValues, invalidSignature, invalidTransactionId, unsupportedCrtValues
        1..=4 => key("desk-esim-why-server"),
        // unsupportedRemoteOperationType, unsupportedProfileClass
        5 | 6 => key("desk-esim-why-class"),
        // bspStructureError, bspSecurityError
        7 | 8 => key("desk-esim-why-transfer"),
        // installFailedDueToIccidAlreadyExistsOnEuicc
        9 => key("desk-esim-why-there"),
        // installFailedDueToInsufficientMemoryForProfile
        10 => key("desk-esim-why-memory"),
        // installFailedDueToInterruption
        11 => key("desk-esim-why-interrupted"),
        // installFailedDueToPEProcessingError
        12 => key("desk-esim-why-element"),
        // installFailedDueToIccidMismatch
        13 => key("desk-esim-why-iccid"),
        // testProfileInstallFailedDueToInvalidNaaKey
        14 => key("desk-esim-why-test-key"),
        // pprNotAllowed
        15 => key("desk-esim-why-rules"),
        _ => key("desk-esim-why-unknown"),
    })
}

pub(super) fn identity(t: &Text, state: &IdentityState) -> Mark {
    match state {
        IdentityState::Wanted { .. } => mark(t, Tone::Warning, key("desk-identity-wanted")),
        IdentityState::InReview { .. } => mark(t, Tone::Info, key("desk-identity-in-review")),
        IdentityState::Approved { .. } => mark(t, Tone::Success, key("desk-identity-approved")),
        IdentityState::Refused { .. } => mark(t, Tone::Danger, key("desk-identity-refused")),
    }
}

pub(super) fn message(t: &Text, state: &MessageState) -> Mark {
    match state {
        MessageState::Queued => mark(t, Tone::Info, key("desk-message-queued")),
        MessageState::Sent { .. } => mark(t, Tone::Success, key("desk-message-sent")),
        MessageState::Delivered { .. } => mark(t, Tone::Success, key("desk-message-delivered")),
        MessageState::Failed { .. } => mark(t, Tone::Danger, key("desk-message-failed")),
    }
}

/// Where a message goes, masked.
pub(super) fn recipient(message: &Message) -> String {
    match &message.to {
        Recipient::Sms(number) => number.masked(),
        Recipient::Email(address) => address.masked(),
    }
}

/// What a message says, by its template.
pub(super) fn template(t: &Text, code: &str) -> String {
    match simurgh_app::message::Template::from_code(code) {
        Some(template) => t.msg(&format!("desk-template-{}", template.code())),
        None => code.to_owned(),
    }
}

/// What a job does, and the number of what it does it to.
pub(super) fn task(t: &Text, task: Task) -> (String, String) {
    let (key, number) = match task {
        Task::SendMessage(id) => (key("desk-task-send-message"), id.number()),
        Task::QueryPayment(id) => (key("desk-task-query-payment"), id.number()),
        Task::CloseOrder(id) => (key("desk-task-close-order"), id.number()),
        Task::SendRefund(id) => (key("desk-task-send-refund"), id.number()),
        Task::AdvanceLine(id) => (key("desk-task-advance-line"), id.number()),
        Task::RenewLine(id) => (key("desk-task-renew-line"), id.number()),
        Task::ChargeMandate(id) => (key("desk-task-charge-mandate"), id.number()),
        Task::DeleteDocuments(id) => (key("desk-task-delete-documents"), id.number()),
        Task::AskIdentity(id) => (key("desk-task-ask-identity"), id.number()),
        Task::PrepareProfile(id) => (key("desk-task-prepare-profile"), id.number()),
        Task::TellProgress(id) => (key("desk-task-tell-progress"), id.number()),
        Task::WithdrawEvents(id) => (key("desk-task-withdraw-events"), id.number()),
        Task::TellSessions(id) => (key("desk-task-tell-sessions"), id.number()),
    };
    (t.msg(key), number)
}

pub(super) fn account_event(t: &Text, kind: AccountEventKind) -> String {
    t.msg(&format!("desk-event-{}", kind.code().replace('_', "-")))
}

pub(super) fn action(t: &Text, action: StaffAction) -> String {
    t.msg(&format!("desk-did-{}", action.code()))
}

/// What a provider's notification did.
pub(super) fn effect(t: &Text, effect: &str) -> String {
    match effect {
        "fulfilled" => t.msg("desk-effect-fulfilled"),
        "moved" => t.msg("desk-effect-moved"),
        "ignored" => t.msg("desk-effect-ignored"),
        "returned" => t.msg("desk-effect-returned"),
        "mismatch" => t.msg("desk-effect-mismatch"),
        "unknown-payment" => t.msg("desk-effect-unknown-payment"),
        other => other.to_owned(),
    }
}

/// Where the page of a subject is; empty when it has none.
pub(super) fn subject_href(subject: StaffSubject) -> String {
    match subject {
        StaffSubject::Customer(id) => format!("/customers/{id}"),
        StaffSubject::Order(id) => format!("/orders/{id}"),
        StaffSubject::Ticket(id) => format!("/tickets/{id}"),
        StaffSubject::Case(_) => "/identity".to_owned(),
        StaffSubject::Profile(id) => format!("/esim/{id}"),
        StaffSubject::Nothing
        | StaffSubject::Staff(_)
        | StaffSubject::Refund(_)
        | StaffSubject::Job(_) => String::new(),
    }
}

/// The name of a member of staff.
pub(super) fn staff(t: &Text, names: &[(StaffId, String)], id: Option<StaffId>) -> String {
    let Some(id) = id else {
        return t.msg("desk-nobody");
    };
    let found = names.iter().find(|(own, _)| *own == id);
    found.map_or_else(|| id.number(), |(_, name)| name.clone())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use simurgh_vocab::Locale;

    use super::*;
    use crate::i18n::{I18n, default_zone};

    #[test]
    fn whatever_is_named_by_its_code_has_a_name() {
        let i18n = Arc::new(I18n::load("Simurgh").unwrap());
        for t in Locale::ALL.map(|locale| i18n.text(locale, default_zone())) {
            let names = StaffAction::ALL.into_iter().map(|it| action(&t, it));
            let events = AccountEventKind::ALL
                .into_iter()
                .map(|it| account_event(&t, it));
            let templates = simurgh_app::message::Template::ALL;
            let templates = templates.into_iter().map(|it| template(&t, it.code()));
            for name in names.chain(events).chain(templates) {
                assert!(!name.starts_with("desk-"), "{name}");
            }
        }
    }
}
