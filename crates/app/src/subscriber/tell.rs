//! What customers are told about their account.

use simurgh_subscriber::{Contact, Person};
use simurgh_vocab::{CustomerId, Locale, Timestamp};

use crate::message::{Draft, Template};
use crate::ports::{AccountEvent, AccountEventKind, Tx};
use crate::subscriber::code::recipient;
use crate::{App, Fault};

/// A change that a customer is told about at an address the change did not touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Phone,
    Email,
    UserName,
    Password,
    SecondFactorOn,
    SecondFactorOff,
    RecoveryCodeUsed,
    ProfileReissued,
    ProfileWithdrawn,
    ProfileProtected,
    Closed,
}

impl Change {
    /// The change in words, for the middle of a sentence.
    const fn words(self, locale: Locale) -> &'static str {
        match (self, locale) {
            (Self::Phone, Locale::ZhCn) => "手机号码",
            (Self::Phone, Locale::En) => "phone number",
            (Self::Email, Locale::ZhCn) => "电子邮箱",
            (Self::Email, Locale::En) => "e-mail address",
            (Self::UserName, Locale::ZhCn) => "用户名",
            (Self::UserName, Locale::En) => "user name",
            (Self::Password, Locale::ZhCn) => "密码",
            (Self::Password, Locale::En) => "password",
            (Self::SecondFactorOn, Locale::ZhCn) => "两步验证已开启",
            (Self::SecondFactorOn, Locale::En) => "two-step verification turned on",
            (Self::SecondFactorOff, Locale::ZhCn) => "两步验证已关闭",
            (Self::SecondFactorOff, Locale::En) => "two-step verification turned off",
            (Self::RecoveryCodeUsed, Locale::ZhCn) => "使用了一个恢复代码",
            (Self::RecoveryCodeUsed, Locale::En) => "a recovery code was used",
            (Self::ProfileReissued, Locale::ZhCn) => "重新签发了 eSIM 配置，旧的已作废",
            (Self::ProfileReissued, Locale::En) => {
                "a new eSIM profile was issued, the old one is void"
            }
            (Self::ProfileWithdrawn, Locale::ZhCn) => "客服已将 eSIM 作废",
            (Self::ProfileWithdrawn, Locale::En) => "the eSIM was made void by our staff",
            (Self::ProfileProtected, Locale::ZhCn) => {
                "安装 eSIM 时需要确认码，登录后可在 eSIM 页面查看"
            }
            (Self::ProfileProtected, Locale::En) => {
                "your eSIM now asks for a confirmation code, which is on its page in your account"
            }
            (Self::Closed, Locale::ZhCn) => "账户已注销",
            (Self::Closed, Locale::En) => "account closed",
        }
    }
}

impl App {
    /// Writes down what happened to an account.
    pub(super) fn note(
        &self,
        tx: &mut dyn Tx,
        customer: CustomerId,
        kind: AccountEventKind,
        at: Timestamp,
    ) -> Result<(), Fault> {
        tracing::info!(customer = %customer, event = kind.code(), "account event");
        Ok(tx.note(&AccountEvent { customer, at, kind })?)
    }

    /// Tells a person about a change, at `to` or at every confirmed address.
    pub(crate) fn tell_change(
        &self,
        tx: &mut dyn Tx,
        (customer, person): (CustomerId, &Person),
        change: Change,
        to: Option<Contact>,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let addresses = to.map_or_else(|| confirmed(person), |contact| vec![contact]);
        for contact in addresses {
            let words = change.words(person.locale).to_owned();
            let channel = contact.channel().code();
            let draft = Draft {
                customer: match change {
                    // Nothing of a closed account names its customer.
                    Change::Closed => None,
                    Change::Phone
                    | Change::Email
                    | Change::UserName
                    | Change::Password
                    | Change::SecondFactorOn
                    | Change::SecondFactorOff
                    | Change::RecoveryCodeUsed
                    | Change::ProfileReissued
                    | Change::ProfileWithdrawn
                    | Change::ProfileProtected => Some(customer),
                },
                to: recipient(&contact),
                template: Template::SecurityChange,
                locale: person.locale,
                time_zone: person.time_zone.clone(),
                arguments: vec![("what", words), ("url", self.portal_page("/recover"))],
                key: format!("security:{customer}:{}:{channel}", now.as_micros()),
            };
            self.queue_message(tx, draft, now)?;
        }
        Ok(())
    }

    /// Tells whoever reads an address that it has an account already.
    pub(super) fn tell_account_exists(
        &self,
        tx: &mut dyn Tx,
        (customer, person): (CustomerId, &Person),
        to: &Contact,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let draft = Draft {
            customer: Some(customer),
            to: recipient(to),
            template: Template::AccountExists,
            locale: person.locale,
            time_zone: person.time_zone.clone(),
            arguments: vec![("url", self.portal_page("/login"))],
            key: format!("exists:{customer}:{}", now.as_micros()),
        };
        self.queue_message(tx, draft, now)
    }
}

fn confirmed(person: &Person) -> Vec<Contact> {
    let phone = Contact::Phone(person.phone.clone());
    let email = person.confirmed_email().cloned().map(Contact::Email);
    std::iter::once(phone).chain(email).collect()
}
