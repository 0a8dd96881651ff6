//! The pages as HTML. Everything from outside goes through `escape`.

use simurgh_app::ports::RefundStatus;
use simurgh_commerce::{Failure, MethodKind};
use simurgh_vocab::{Locale, Money, Timestamp};

use super::super::book::{Entry, Origin, SandboxBook, Standing};
use super::super::outcome::{Behaviour, Outcome, RefundBehaviour};
use super::text;
use crate::sandbox::html::{self, House, book_head, escape, nothing, say, select, slow_and_odd};

/// How many payments the page over the book shows.
const SHOWN_MAX: usize = 100;

/// What stands on every page.
pub(super) const HOUSE: House = House {
    name: ("沙箱支付平台", "Sandbox payment provider"),
    banner: (
        "沙箱 - 不是真实付款，不会扣款",
        "Sandbox - no real money moves",
    ),
    class: "book-page",
};

/// The payer's page, as the payment stands.
pub(super) fn payer_page(entry: &Entry, merchant: &str, return_url: &str) -> String {
    let locale = match &entry.origin {
        Origin::Page { locale, .. } => *locale,
        Origin::Charge { .. } => Locale::En,
    };
    let title = text::method(locale, entry.method);
    let summary = format!(
        "<dl class=\"summary\"><div><dt>{}</dt><dd>{}</dd></div><div><dt>{}</dt><dd>{}</dd></div>\
         <div><dt>{}</dt><dd class=\"number\">{}</dd></div></dl><p class=\"amount\">{}</p>",
        say(locale, "收款方", "Pay to"),
        escape(merchant),
        say(locale, "商品", "For"),
        escape(&entry.description),
        say(locale, "订单号", "Order number"),
        entry.payment,
        price(entry.amount),
    );
    let (what_next, endings) = match entry.standing {
        Standing::AwaitingPayer => (paying(entry, locale), other_endings(locale)),
        Standing::AwaitingBank => (in_the_bank(locale), String::new()),
        Standing::Processing { .. } | Standing::Silent | Standing::Mute => {
            (undecided(entry, locale, return_url), other_endings(locale))
        }
        Standing::Captured { .. } | Standing::Failed { .. } | Standing::Closed { .. } => {
            (ended(entry, locale, return_url), String::new())
        }
    };
    let main = format!(
        "<main><section class=\"sheet\"><h1><span class=\"mark\" aria-hidden=\"true\">{}</span>\
         {title}</h1>{summary}{what_next}</section>{endings}</main>",
        mark(entry.method),
    );
    HOUSE.page(locale, (title, entry.method.code()), &main)
}

/// The page over the book.
pub(super) fn book_page(book: &SandboxBook, locale: Locale, now: Timestamp) -> String {
    let title = say(locale, HOUSE.name.0, HOUSE.name.1);
    let mut rows = String::new();
    let mut refunds = String::new();
    for entry in book.newest(SHOWN_MAX) {
        rows.push_str(&book_row(entry, locale, now));
        refunds.push_str(&refund_rows(entry, locale, now));
    }
    let none = nothing(locale);
    let payments = if rows.is_empty() { none.clone() } else { rows };
    let refunds = if refunds.is_empty() {
        none
    } else {
        format!("<ul class=\"refunds\">{refunds}</ul>")
    };
    let main = format!(
        "<main class=\"book\">{head}\
         <p class=\"note\">{} {} · <a href=\"/book.json\">JSON</a></p>\
         <h2>{}</h2>{payments}<h2>{}</h2>{refunds}</main>",
        say(locale, "付款笔数：", "Payments:"),
        book.len(),
        say(locale, "付款与已存支付方式", "Payments and stored methods"),
        say(locale, "退款", "Refunds"),
        head = book_head(locale, title),
    );
    HOUSE.page(locale, (title, HOUSE.class), &main)
}

/// The form of a payer who has not acted.
fn paying(entry: &Entry, locale: Locale) -> String {
    let storing = if entry.stores_method() {
        format!(
            "<p class=\"note\">{}</p><label class=\"choice\"><span>{}</span>{}</label>",
            say(
                locale,
                "支付成功后将保存此支付方式，用于自动续费。",
                "This method is stored when the payment succeeds, for automatic renewal.",
            ),
            say(
                locale,
                "下次自动扣款时（测试）",
                "At the next automatic charge (test)",
            ),
            select(
                "behaviour",
                Behaviour::ALL
                    .map(|one| (one.code(), text::behaviour(locale, one)))
                    .into_iter(),
                entry.behaviour.code(),
            ),
        )
    } else {
        String::new()
    };
    format!(
        "{}<form method=\"post\" id=\"pay\">{storing}\
         <button class=\"primary\" name=\"outcome\" value=\"success\">{} {}</button>\
         <button class=\"quiet\" name=\"outcome\" value=\"{}\">{}</button></form>",
        instrument(entry.method, locale),
        say(locale, "确认支付", "Pay"),
        price(entry.amount),
        Outcome::Fail(Failure::Abandoned).code(),
        text::failure(locale, Failure::Abandoned),
    )
}

/// What the payer would pay with: shown, never sent.
fn instrument(method: MethodKind, locale: Locale) -> String {
    match method {
        MethodKind::Card => format!(
            "<dl class=\"instrument\"><div class=\"wide\"><dt>{}</dt><dd>4242 4242 4242 4242</dd></div>\
             <div><dt>{}</dt><dd>12 / 34</dd></div><div><dt>{}</dt><dd>123</dd></div></dl>",
            say(locale, "测试卡号", "Test card number"),
            say(locale, "有效期", "Expires"),
            say(locale, "安全码", "Security code"),
        ),
        MethodKind::Alipay | MethodKind::WechatPay => format!(
            "<dl class=\"instrument\"><div class=\"wide\"><dt>{}</dt><dd>{}</dd></div></dl>",
            say(locale, "付款账户", "Account"),
            match method {
                MethodKind::WechatPay => say(locale, "零钱（测试账户）", "Balance (test account)"),
                MethodKind::Alipay | MethodKind::Card => {
                    say(
                        locale,
                        "账户余额（测试账户）",
                        "Account balance (test account)",
                    )
                }
            },
        ),
    }
}

/// The second page, in the name of the bank.
fn in_the_bank(locale: Locale) -> String {
    let refused = Outcome::Fail(Failure::BankRefused);
    let left = Outcome::Fail(Failure::AuthenticationRequired);
    format!(
        "<section class=\"bank\"><h2>{}</h2><p>{}</p></section><form method=\"post\">\
         <button class=\"primary\" name=\"outcome\" value=\"success\">{}</button>\
         <button name=\"outcome\" value=\"{}\">{}</button>\
         <button class=\"quiet\" name=\"outcome\" value=\"{}\">{}</button></form>",
        say(locale, "银行验证", "Your bank asks"),
        say(
            locale,
            "测试银行需要您确认这笔付款。",
            "The test bank asks you to confirm this payment."
        ),
        say(locale, "在银行确认", "Confirm in the bank"),
        refused.code(),
        say(locale, "银行拒绝", "The bank refuses"),
        left.code(),
        say(locale, "不确认", "Do not confirm"),
    )
}

/// The page of a payment that hangs: the way back, and how to end it.
fn undecided(entry: &Entry, locale: Locale, return_url: &str) -> String {
    format!(
        "<p class=\"state\">{}</p><form method=\"post\" id=\"pay\">\
         <button class=\"primary\" name=\"outcome\" value=\"success\">{}</button></form>{}",
        text::standing(locale, entry.standing),
        say(locale, "现在成功", "Let it succeed now"),
        back(locale, return_url),
    )
}

fn ended(entry: &Entry, locale: Locale, return_url: &str) -> String {
    format!(
        "<p class=\"state\">{}</p>{}",
        text::standing(locale, entry.standing),
        back(locale, return_url)
    )
}

fn back(locale: Locale, return_url: &str) -> String {
    let label = say(locale, "返回商户", "Back to the shop");
    html::back(return_url, label)
}

/// Every other way a payment can go, in groups. The buttons belong to the form above, so that what
/// is chosen there goes with them.
fn other_endings(locale: Locale) -> String {
    let labelled = |outcomes: &[Outcome]| {
        let labelled = |one: &Outcome| (one.code(), text::outcome(locale, *one));
        outcomes.iter().map(labelled).collect()
    };
    let failures: Vec<_> = Failure::ALL
        .into_iter()
        .filter(|failure| *failure != Failure::Abandoned)
        .map(Outcome::Fail)
        .collect();
    let slow = [
        Outcome::NeedsBank,
        Outcome::Delayed,
        Outcome::StaysPending,
        Outcome::NoAnswer,
        Outcome::Closed,
    ];
    let odd = [
        Outcome::Duplicated,
        Outcome::Reordered,
        Outcome::WrongAmount,
        Outcome::OtherMerchant,
    ];
    let (slowly, oddly) = slow_and_odd(locale);
    let groups = [
        (say(locale, "付款失败", "It fails"), labelled(&failures)),
        (slowly, labelled(&slow)),
        (oddly, labelled(&odd)),
    ];
    html::other_endings(locale, "pay", &groups)
}

fn book_row(entry: &Entry, locale: Locale, now: Timestamp) -> String {
    let origin = match &entry.origin {
        Origin::Page { token, .. } => format!(
            "<a href=\"/pay/{}\">{}</a>",
            escape(token),
            say(locale, "付款页面", "Payer's page")
        ),
        Origin::Charge { .. } => say(locale, "自动扣款", "Automatic charge").to_owned(),
    };
    let refunded = entry.refunded(now);
    let refunded = if refunded.is_zero() {
        String::new()
    } else {
        format!(" · {} {}", say(locale, "已退", "refunded"), price(refunded))
    };
    format!(
        "<article class=\"payment\" id=\"p{number}\"><h3><span class=\"dot {method_code}\" \
         aria-hidden=\"true\"></span>{amount} · {method}</h3>\
         <p class=\"state\">{standing}{refunded}</p>\
         <p class=\"note\"><span class=\"number\">{number}</span> · {opened_at} · {origin}</p>\
         <p class=\"note\">{description}</p>{acts}</article>",
        number = entry.payment,
        method_code = entry.method.code(),
        amount = price(entry.amount),
        method = text::method(locale, entry.method),
        standing = text::standing(locale, entry.standing),
        opened_at = entry.opened_at,
        description = escape(&entry.description),
        acts = acts(entry, locale),
    )
}

/// What can be done with a payment of the book.
fn acts(entry: &Entry, locale: Locale) -> String {
    let mut forms = String::new();
    if entry.standing.is_open() {
        let outcomes = Outcome::all()
            .filter(|one| *one != Outcome::NeedsBank || matches!(entry.origin, Origin::Page { .. }))
            .map(|one| (one.code(), text::outcome(locale, one)));
        let label = say(locale, "决定", "Decide");
        forms.push_str(&act(entry, locale, "outcome", (outcomes, "success", label)));
    }
    if entry.stores_method() {
        let all = Behaviour::ALL.map(|one| (one.code(), text::behaviour(locale, one)));
        let label = say(locale, "已存方式的行为", "Stored method");
        let choices = (all.into_iter(), entry.behaviour.code(), label);
        forms.push_str(&act(entry, locale, "behaviour", choices));
    }
    if let Standing::Captured { .. } = entry.standing {
        let all = RefundBehaviour::ALL.map(|one| (one.code(), text::refund_behaviour(locale, one)));
        let label = say(locale, "退款结果", "Refunds");
        let choices = (all.into_iter(), entry.refund_behaviour.code(), label);
        forms.push_str(&act(entry, locale, "refunds", choices));
    }
    forms + &html::send_again(locale, &entry.payment.number())
}

/// One choice of the page over the book: the options, the one that holds, the label.
fn act(
    entry: &Entry,
    locale: Locale,
    action: &str,
    choices: (
        impl Iterator<Item = (&'static str, &'static str)>,
        &str,
        &str,
    ),
) -> String {
    let (options, chosen, label) = choices;
    let address = format!("/book/{}/{action}", entry.payment);
    html::act(locale, &address, label, &select("value", options, chosen))
}

fn refund_rows(entry: &Entry, locale: Locale, now: Timestamp) -> String {
    entry
        .refunds
        .iter()
        .map(|(refund, booked)| {
            let status = match booked.status(now) {
                RefundStatus::Pending => say(locale, "处理中", "Pending"),
                RefundStatus::Succeeded => say(locale, "已退款", "Sent back"),
                RefundStatus::Impossible => say(locale, "无法退款", "Cannot go back"),
            };
            format!(
                "<li>{} · {status}<br><span class=\"note number\">{refund} → {}</span></li>",
                price(booked.amount),
                entry.payment
            )
        })
        .collect()
}

const fn mark(method: MethodKind) -> &'static str {
    match method {
        MethodKind::Card => "▭",
        MethodKind::Alipay => "支",
        MethodKind::WechatPay => "微",
    }
}

fn price(amount: Money) -> String {
    format!("{}{}", amount.currency.symbol(), amount.decimal())
}
