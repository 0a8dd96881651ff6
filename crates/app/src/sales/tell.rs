//! What customers are told about their purchases.

use simurgh_charging::SubscriptionState;
use simurgh_commerce::{Catalogue, Failure, Order, Payment, Selection};
use simurgh_vocab::{Locale, Timestamp, Unit};

use crate::message::{Notice, Template};
use crate::ports::{Contact, Tx};
use crate::{App, Fault, text};

impl App {
    pub(crate) fn tell_order_confirmed(
        &self,
        tx: &mut dyn Tx,
        order: &Order,
        bought: SubscriptionState,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let catalogue = self.catalogue_in(tx, order.catalogue_version)?;
        let (start, end) = match bought {
            SubscriptionState::Scheduled { period } => (Some(period.start), Some(period.end)),
            SubscriptionState::AwaitingFirstUse { .. }
            | SubscriptionState::Ended { .. }
            | SubscriptionState::Revoked { .. } => (None, None),
        };
        let is_first = self.waits_for_phone(tx, order)?;
        let key = format!("order-confirmed:{}", order.id);
        let arguments = |contact: &Contact| {
            vec![
                ("order", order.id.number()),
                (
                    "plan",
                    selection_name(&catalogue, &order.selection, contact.locale),
                ),
                ("total", text::money(order.total)),
                ("start", when(start, contact)),
                ("end", when(end, contact)),
                ("first", if is_first { "yes" } else { "no" }.to_owned()),
                ("esim", format!("{}/line/esim", self.settings.portal_url)),
                ("url", self.order_url(order)),
            ]
        };
        self.tell_customer(
            tx,
            Notice {
                customer: order.customer,
                template: Template::OrderConfirmed,
                key,
            },
            arguments,
            now,
        )
    }

    /// Whether the line of an order has an eSIM, or will, that no phone ever said it has.
    fn waits_for_phone(&self, tx: &mut dyn Tx, order: &Order) -> Result<bool, Fault> {
        let (Some(line), Some(_)) = (order.line, &self.esim().packager) else {
            return Ok(false);
        };
        let profiles = tx.profiles_of(line)?;
        Ok(profiles.iter().all(|profile| profile.on_chip.is_none()))
    }

    pub(crate) fn tell_payment_failed(
        &self,
        tx: &mut dyn Tx,
        order: &Order,
        payment: &Payment,
        failure: Failure,
        now: Timestamp,
    ) -> Result<(), Fault> {
        if failure == Failure::Abandoned {
            return Ok(());
        }
        let key = format!("payment-failed:{}", payment.id);
        let arguments = |contact: &Contact| {
            vec![
                ("order", order.id.number()),
                ("total", text::money(order.total)),
                ("reason", reason(failure, contact.locale).to_owned()),
                ("url", self.order_url(order)),
            ]
        };
        self.tell_customer(
            tx,
            Notice {
                customer: order.customer,
                template: Template::PaymentFailed,
                key,
            },
            arguments,
            now,
        )
    }

    pub(crate) fn tell_refund(
        &self,
        tx: &mut dyn Tx,
        order: &Order,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let refunds = tx.refunds_of(order.id)?;
        let key = format!("refund:{}:{}", order.id, refunds.len());
        let arguments = |_: &Contact| {
            vec![
                ("order", order.id.number()),
                ("total", text::money(order.total)),
            ]
        };
        self.tell_customer(
            tx,
            Notice {
                customer: order.customer,
                template: Template::Refund,
                key,
            },
            arguments,
            now,
        )
    }

    pub(crate) fn order_url(&self, order: &Order) -> String {
        format!("{}/orders/{}", self.settings.portal_url, order.id)
    }
}

/// A point in time for a customer, or what is said when it depends on first use.
fn when(at: Option<Timestamp>, contact: &Contact) -> String {
    match (at, contact.locale) {
        (Some(at), locale) => text::date_time(at, &contact.time_zone, locale),
        (None, Locale::ZhCn) => "首次使用时起算".to_owned(),
        (None, Locale::En) => "counted from first use".to_owned(),
    }
}

/// The name of what was bought.
#[must_use]
pub fn selection_name(catalogue: &Catalogue, selection: &Selection, locale: Locale) -> String {
    match selection {
        Selection::Offer(code) => catalogue
            .offer(code)
            .map_or_else(|| code.clone(), |o| o.name.of(locale).to_owned()),
        Selection::AddOn(code) => catalogue
            .add_on(code)
            .map_or_else(|| code.clone(), |a| a.name.of(locale).to_owned()),
        Selection::Mix(mix) => Unit::ALL
            .into_iter()
            .filter(|unit| mix.allowance.of(*unit) > 0)
            .map(|unit| text::quantity(unit, mix.allowance.of(unit), locale))
            .collect::<Vec<_>>()
            .join(" + "),
    }
}

/// Why a payment failed and what to do, in a sentence.
#[must_use]
pub const fn reason(failure: Failure, locale: Locale) -> &'static str {
    match locale {
        Locale::ZhCn => match failure {
            Failure::InsufficientFunds => "余额不足，请充值或更换付款方式。",
            Failure::LimitExceeded => "超过银行卡或账户限额，请更换付款方式或明天再试。",
            Failure::Expired => "银行卡已过期，请更新银行卡。",
            Failure::DetailsWrong => "请检查卡号、有效期和安全码。",
            Failure::AuthenticationRequired => "银行需要您确认这笔付款，请重新付款并完成验证。",
            Failure::BankRefused => "发卡行拒绝了付款，请联系银行或更换付款方式。",
            Failure::Risk => "付款未被接受，请更换付款方式。",
            Failure::MethodUnsupported => "不支持此卡或币种，请更换付款方式。",
            Failure::AccountLimited => "付款账户需实名或状态异常，请更换付款方式。",
            Failure::MandateEnded => "自动扣款授权已失效，请重新授权或更换付款方式。",
            Failure::Abandoned => "付款未完成，可以重新付款。",
        },
        Locale::En => match failure {
            Failure::InsufficientFunds => "Not enough money. Top up or choose another way to pay.",
            Failure::LimitExceeded => {
                "A limit of your card or account was exceeded. Choose another way to pay, or try again tomorrow."
            }
            Failure::Expired => "The card has expired. Use another card.",
            Failure::DetailsWrong => "Check the card number, expiry date and security code.",
            Failure::AuthenticationRequired => {
                "Your bank wants you to confirm. Pay again and complete its check."
            }
            Failure::BankRefused => "Your bank refused. Ask the bank or choose another way to pay.",
            Failure::Risk => "The payment was not accepted. Choose another way to pay.",
            Failure::MethodUnsupported => {
                "This card or currency is not supported. Choose another way to pay."
            }
            Failure::AccountLimited => {
                "The payment account is limited or not verified. Choose another way to pay."
            }
            Failure::MandateEnded => {
                "The permission to charge you has ended. Store the method again or pay another way."
            }
            Failure::Abandoned => "The payment was not completed. You can pay again.",
        },
    }
}
