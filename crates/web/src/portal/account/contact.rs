//! Changing the number and the mailbox, and confirming the mailbox.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use simurgh_app::App;
use simurgh_app::subscriber::{
    CodeRefusal, ConfirmContactRefusal, ConfirmEmailRefusal, Origin, RequestContactRefusal,
};
use simurgh_subscriber::{Contact, ContactChangeRefusal, RiskyAction, country_of, display_phone};

use super::{fresh, logged_out, not_fresh, profile_of};
use crate::frame::{Form, Nav, Page, Refusal};
use crate::i18n::Text;
use crate::portal::detour::{Detour, Done};
use crate::portal::entry::{code, kept, refused};
use crate::portal::fields::{Fields, Sent};
use crate::portal::pending::{Awaited, Begun, Pending, Place};
use crate::portal::{phone as numbers, refusals};
use crate::session::{Caller, Holder};

#[derive(Template)]
#[template(path = "portal/contact.html")]
struct ContactPage {
    page: Page,
    form: Form,
    place: Place,
    /// The present number or mailbox; empty when there is none.
    present: String,
    /// Calling codes with their countries, for a number.
    countries: Vec<(String, &'static str)>,
}

impl ContactPage {
    const fn is_phone(&self) -> bool {
        matches!(self.place, Place::Phone)
    }

    async fn of(
        app: &App,
        who: Holder,
        (page, form): (Page, Form),
        place: Place,
    ) -> Result<Self, Detour> {
        let person = profile_of(app, who).await?.person;
        let (present, countries) = if place == Place::Phone {
            let own = country_of(&person.phone);
            let countries = numbers::calling_codes(own.as_slice(), page.t.locale());
            (display_phone(&person.phone), countries)
        } else {
            let address = person.email.as_ref().map(|mail| mail.address.as_str());
            (address.unwrap_or("").to_owned(), Vec::new())
        };
        Ok(Self {
            page: page.at(Nav::Account),
            form,
            place,
            present,
            countries,
        })
    }
}

/// `GET /account/phone`.
pub(super) async fn show_phone(
    State(app): State<App>,
    page: Page,
    who: Holder,
) -> Result<Response, Detour> {
    fresh(&app, who, RiskyAction::ChangePhone, Place::Phone.start()).await?;
    let person = profile_of(&app, who).await?.person;
    let prefix = numbers::prefix(country_of(&person.phone));
    let form = Form::new().fill("phone_country", prefix);
    let page = ContactPage::of(&app, who, (page, form), Place::Phone).await?;
    Ok(Page::answer(&page))
}

/// `POST /account/phone`: a code goes to the new number.
pub(super) async fn phone(
    State(app): State<App>,
    page: Page,
    who: Holder,
    Caller(origin): Caller,
    Sent(fields): Sent,
) -> Result<Response, Detour> {
    let number = numbers::read(fields.text("phone_country"), fields.text("phone"));
    let typed = number
        .map(Contact::Phone)
        .map_err(|refusal| refusals::phone(&page.t, refusal));
    let form = kept(&fields, &["phone", "phone_country"]);
    let change = Change {
        place: Place::Phone,
        field: "phone",
        typed,
    };
    ask(&app, who, origin, (page, form, &fields), change).await
}

/// `GET /account/email`.
pub(super) async fn show_email(
    State(app): State<App>,
    page: Page,
    who: Holder,
) -> Result<Response, Detour> {
    fresh(&app, who, RiskyAction::ChangeEmail, Place::Email.start()).await?;
    let form = Form::new();
    let page = ContactPage::of(&app, who, (page, form), Place::Email).await?;
    Ok(Page::answer(&page))
}

/// `POST /account/email`: a code goes to the new mailbox.
pub(super) async fn email(
    State(app): State<App>,
    page: Page,
    who: Holder,
    Caller(origin): Caller,
    Sent(fields): Sent,
) -> Result<Response, Detour> {
    let mailbox = fields.text("email").parse();
    let typed = mailbox
        .map(Contact::Email)
        .map_err(|_| page.t.msg("entry-bad-email"));
    let form = kept(&fields, &["email"]);
    let change = Change {
        place: Place::Email,
        field: "email",
        typed,
    };
    ask(&app, who, origin, (page, form, &fields), change).await
}

/// A change that is asked for.
struct Change {
    place: Place,
    /// The form's field that says why not.
    field: &'static str,
    /// What was typed, or what is wrong with it.
    typed: Result<Contact, String>,
}

/// Sends a code to what was typed, or shows the form again.
async fn ask(
    app: &App,
    who: Holder,
    origin: Origin,
    (page, mut form, fields): (Page, Form, &Fields),
    change: Change,
) -> Result<Response, Detour> {
    let Change {
        place,
        field,
        typed,
    } = change;
    let reason = match typed {
        Ok(contact) => {
            let asked = app.request_contact_change(who.session, contact, origin);
            match asked.await {
                Ok(sent) => {
                    let awaited = Awaited::sent(sent, place, "/account");
                    return Ok(Pending::Code(awaited).begin());
                }
                Err(refusal) => not_asked(&page, fields, refusal, place)?,
            }
        }
        Err(reason) => reason,
    };
    form.refuse(field, reason);
    let page = ContactPage::of(app, who, (page, form), place).await?;
    Ok(refused(&page))
}

fn not_asked(
    page: &Page,
    fields: &Fields,
    refusal: RequestContactRefusal,
    place: Place,
) -> Result<String, Detour> {
    match refusal {
        RequestContactRefusal::LoggedOut => Err(logged_out(place.start())),
        RequestContactRefusal::NotFresh => Err(not_fresh(place.start())),
        RequestContactRefusal::Contact(ContactChangeRefusal::NotActive) => {
            Err(Refusal::NotFound.into())
        }
        RequestContactRefusal::Contact(ContactChangeRefusal::Same) => {
            Ok(page.t.msg("account-contact-same"))
        }
        RequestContactRefusal::Code(refusal) => refusals::no_code(page, fields, refusal),
        RequestContactRefusal::Fault(fault) => Err(fault.into()),
    }
}

/// `POST /account/phone/code`.
pub(super) async fn take_phone_code(
    State(app): State<App>,
    page: Page,
    who: Holder,
    Begun(pending): Begun,
    Sent(fields): Sent,
) -> Result<Response, Detour> {
    let (awaited, typed) = code::answer(pending, Place::Phone, &fields)?;
    take_code(&app, (page, who), awaited, typed, Done::PhoneChanged).await
}

/// `POST /account/email/code`.
pub(super) async fn take_email_code(
    State(app): State<App>,
    page: Page,
    who: Holder,
    Begun(pending): Begun,
    Sent(fields): Sent,
) -> Result<Response, Detour> {
    let (awaited, typed) = code::answer(pending, Place::Email, &fields)?;
    take_code(&app, (page, who), awaited, typed, Done::EmailChanged).await
}

async fn take_code(
    app: &App,
    (page, who): (Page, Holder),
    awaited: Awaited,
    typed: String,
    done: Done,
) -> Result<Response, Detour> {
    if !code::is_code(&typed) {
        return Ok(code::no_code(page, &awaited));
    }
    let changed = app
        .confirm_contact_change(who.session, awaited.challenge, typed)
        .await;
    match changed {
        Ok(Contact::Phone(_) | Contact::Email(_)) => {
            let mut response = done.at("/account");
            Pending::end(&mut response);
            Ok(response)
        }
        Err(ConfirmContactRefusal::LoggedOut) => Err(logged_out(awaited.place.path())),
        Err(ConfirmContactRefusal::NotFresh) => Err(not_fresh(awaited.place.start())),
        Err(ConfirmContactRefusal::Code(refusal)) => Ok(code::not_taken(page, &awaited, refusal)),
        Err(ConfirmContactRefusal::Taken) => {
            let reason = page.t.msg("account-contact-taken");
            Ok(code::refuse(page, &awaited, reason))
        }
        Err(ConfirmContactRefusal::Fault(fault)) => Err(fault.into()),
    }
}

/// `POST /account/email/send`: a code goes to the mailbox on the account.
pub(super) async fn send_own_email_code(
    State(app): State<App>,
    page: Page,
    who: Holder,
    Caller(origin): Caller,
    Sent(fields): Sent,
) -> Result<Response, Detour> {
    match app.send_email_code(who.customer, origin).await {
        Ok(Some(sent)) => {
            let awaited = Awaited::sent(sent, Place::OwnEmail, "/account");
            Ok(Pending::Code(awaited).begin())
        }
        // It was confirmed in another window.
        Ok(None) => Err(Detour::to("/account")),
        Err(refusal) => {
            let mut form = Form::new();
            form.refuse("email", refusals::no_code(&page, &fields, refusal)?);
            let page = ContactPage::of(&app, who, (page, form), Place::Email).await?;
            Ok(refused(&page))
        }
    }
}

/// `POST /account/email/confirm`.
pub(super) async fn take_own_email_code(
    State(app): State<App>,
    page: Page,
    who: Holder,
    Begun(pending): Begun,
    Sent(fields): Sent,
) -> Result<Response, Detour> {
    let (awaited, typed) = code::answer(pending, Place::OwnEmail, &fields)?;
    match confirm_own_email(&app, who, &awaited, typed).await? {
        Ok(()) => {
            let mut response = Done::EmailConfirmed.at("/account");
            Pending::end(&mut response);
            Ok(response)
        }
        Err(reason) => {
            let reason = reason.said(&page.t);
            Ok(code::refuse(page, &awaited, reason))
        }
    }
}

/// Why a mailbox is not confirmed.
pub(in crate::portal) enum NotConfirmed {
    NoCode,
    Code(CodeRefusal),
    OtherAddress,
    Taken,
}

impl NotConfirmed {
    /// What the page says.
    pub(in crate::portal) fn said(self, t: &Text) -> String {
        match self {
            Self::NoCode => t.msg("entry-code-form"),
            Self::Code(refusal) => refusals::code(t, refusal),
            Self::OtherAddress => t.msg("account-email-other"),
            Self::Taken => t.msg("account-contact-taken"),
        }
    }
}

/// Takes the code that was sent to the mailbox on the account.
///
/// # Errors
/// [`Detour`] for a fault; inside, why the mailbox is not confirmed.
pub(in crate::portal) async fn confirm_own_email(
    app: &App,
    who: Holder,
    awaited: &Awaited,
    typed: String,
) -> Result<Result<(), NotConfirmed>, Detour> {
    if !code::is_code(&typed) {
        return Ok(Err(NotConfirmed::NoCode));
    }
    let confirmed = app.confirm_email(who.customer, awaited.challenge, typed);
    Ok(match confirmed.await {
        Ok(()) => Ok(()),
        Err(ConfirmEmailRefusal::Code(refusal)) => Err(NotConfirmed::Code(refusal)),
        Err(ConfirmEmailRefusal::OtherAddress) => Err(NotConfirmed::OtherAddress),
        Err(ConfirmEmailRefusal::Taken) => Err(NotConfirmed::Taken),
        Err(ConfirmEmailRefusal::Fault(fault)) => return Err(fault.into()),
    })
}
