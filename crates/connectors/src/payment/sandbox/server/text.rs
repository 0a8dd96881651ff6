//! What the provider's pages say. The provider is an outside company: its words are its own.

use simurgh_commerce::{Failure, MethodKind};
use simurgh_vocab::Locale;

use super::super::book::Standing;
use super::super::outcome::{Behaviour, Outcome, RefundBehaviour};
use crate::sandbox::html::say;

/// The name of a way to pay.
pub(super) const fn method(locale: Locale, method: MethodKind) -> &'static str {
    match method {
        MethodKind::Card => say(locale, "银行卡", "Bank card"),
        MethodKind::Alipay => say(locale, "支付宝", "Alipay"),
        MethodKind::WechatPay => say(locale, "微信支付", "WeChat Pay"),
    }
}

/// The label of a button or choice.
pub(super) const fn outcome(locale: Locale, outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Success => say(locale, "支付成功", "Payment succeeds"),
        Outcome::Fail(reason) => failure(locale, reason),
        Outcome::NeedsBank => say(locale, "需要银行确认", "Bank asks to confirm"),
        Outcome::Delayed => say(
            locale,
            "延迟到账（20 秒后成功）",
            "Delayed (succeeds after 20 s)",
        ),
        Outcome::Duplicated => say(
            locale,
            "成功，通知重复三次",
            "Succeeds, notified three times",
        ),
        Outcome::Reordered => say(
            locale,
            "成功，随后收到过期通知",
            "Succeeds, outdated notifications follow",
        ),
        Outcome::WrongAmount => say(
            locale,
            "成功，通知金额有误",
            "Succeeds, notification names a wrong amount",
        ),
        Outcome::OtherMerchant => say(
            locale,
            "成功，通知商户有误",
            "Succeeds, notification names another merchant",
        ),
        Outcome::StaysPending => say(
            locale,
            "一直处理中，无通知",
            "Stays pending, no notification",
        ),
        Outcome::NoAnswer => say(
            locale,
            "无通知，查询无响应",
            "No notification, queries get no answer",
        ),
        Outcome::Closed => say(locale, "平台关闭交易", "Provider closes the payment"),
    }
}

/// Why a payment fails.
pub(super) const fn failure(locale: Locale, failure: Failure) -> &'static str {
    match failure {
        Failure::InsufficientFunds => say(locale, "余额不足", "Not enough money"),
        Failure::LimitExceeded => say(locale, "超过限额", "Limit exceeded"),
        Failure::Expired => say(locale, "卡已过期", "Card expired"),
        Failure::DetailsWrong => say(locale, "卡信息有误", "Card details wrong"),
        Failure::AuthenticationRequired => {
            say(locale, "未完成银行验证", "Bank confirmation not done")
        }
        Failure::BankRefused => say(locale, "银行拒绝", "Bank refuses"),
        Failure::Risk => say(locale, "风险控制拒绝", "Stopped by risk control"),
        Failure::MethodUnsupported => say(locale, "不支持此方式或币种", "Method not supported"),
        Failure::AccountLimited => say(locale, "账户受限", "Account limited"),
        Failure::MandateEnded => say(locale, "授权已解除", "Authorisation ended"),
        Failure::Abandoned => say(locale, "取消支付", "Cancel payment"),
    }
}

/// What a stored method will do.
pub(super) const fn behaviour(locale: Locale, behaviour: Behaviour) -> &'static str {
    match behaviour {
        Behaviour::Works => say(locale, "扣款成功", "Works"),
        Behaviour::InsufficientFundsOnce => {
            say(locale, "下次余额不足，之后成功", "Not enough money once")
        }
        Behaviour::InsufficientFunds => say(locale, "总是余额不足", "Never enough money"),
        Behaviour::Expired => say(locale, "卡已过期", "Card expired"),
        Behaviour::Revoked => say(locale, "用户已解约", "Revoked by the payer"),
        Behaviour::NeedsAuthentication => say(locale, "需要银行验证", "Bank wants confirmation"),
        Behaviour::Delayed => say(locale, "延迟到账", "Delayed"),
        Behaviour::NoAnswer => say(locale, "平台无响应", "Provider does not answer"),
    }
}

/// What becomes of refunds.
pub(super) const fn refund_behaviour(locale: Locale, behaviour: RefundBehaviour) -> &'static str {
    match behaviour {
        RefundBehaviour::Succeeds => say(locale, "立即退款", "Succeed at once"),
        RefundBehaviour::Waits => say(locale, "稍后退款", "Wait a while"),
        RefundBehaviour::Impossible => say(locale, "无法退款", "Cannot go back"),
    }
}

/// Where a payment stands.
pub(super) fn standing(locale: Locale, standing: Standing) -> String {
    match standing {
        Standing::AwaitingPayer => say(locale, "等待付款", "Waiting for the payer").to_owned(),
        Standing::AwaitingBank => say(locale, "等待银行确认", "Waiting for the bank").to_owned(),
        Standing::Processing { .. } => say(locale, "处理中", "Processing").to_owned(),
        Standing::Silent => say(locale, "处理中（无通知）", "Processing (silent)").to_owned(),
        Standing::Mute => say(locale, "无响应", "Not answering").to_owned(),
        Standing::Captured { .. } => say(locale, "已付款", "Paid").to_owned(),
        Standing::Failed { failure: why, .. } => {
            let failed = say(locale, "失败：", "Failed: ");
            format!("{failed}{}", failure(locale, why))
        }
        Standing::Closed { .. } => say(locale, "已关闭", "Closed").to_owned(),
    }
}
