//! What every kind of store must do with customers.

use simurgh_app::ports::{
    AccountEvent, AccountEventKind, Contacts, Credentials, CustomerSearch, Customers,
    IdentityChecks, LogIns, LoginName, SealedDocument, StoreFault, StoredPassword,
};
use simurgh_subscriber::{
    Challenge, ChallengeState, Contact, Customer, EmailContact, EndReason, Failures, IdentityCase,
    IdentityRefusal, LoginStep, Marketing, Network, Person, Proof, Purpose, SecondFactor, Session,
    SessionState, Stage,
};
use simurgh_vocab::{
    CaseId, ChallengeId, CustomerId, Duration, Locale, Msisdn, SessionId, StaffId, Timestamp,
};

use crate::testing::{NOW, Subject, each_store};
use crate::tx::StoreTx;

fn person(phone: &str) -> Person {
    Person {
        name: "Zhang Wei 张伟".parse().unwrap(),
        phone: phone.parse().unwrap(),
        email: Some(EmailContact {
            address: format!("wei{}@example.com", &phone[1..]).parse().unwrap(),
            confirmed_at: None,
        }),
        user_name: Some(format!("wei{}", &phone[1..]).parse().unwrap()),
        locale: Locale::ZhCn,
        time_zone: "Asia/Shanghai".parse().unwrap(),
        marketing: Marketing::Given { at: NOW },
    }
}

fn customer(number: u8) -> Customer {
    let id = CustomerId::from_parts(u64::from(number), &[number; 10]);
    let phone = format!("+86138001380{number:02}");
    Customer::register(id, person(&phone), NOW)
}

fn phone_of(customer: &Customer) -> Msisdn {
    customer.person().unwrap().phone.clone()
}

fn active(number: u8) -> Customer {
    let customer = customer(number);
    let phone = phone_of(&customer);
    customer.confirm_phone(&phone, NOW).unwrap()
}

fn challenge(number: u8, to: &Contact) -> Challenge {
    Challenge {
        id: ChallengeId::from_parts(u64::from(number), &[number; 10]),
        purpose: Purpose::LogIn,
        to: to.clone(),
        customer: None,
        code_digest: [number; 32],
        issued_at: NOW.plus(Duration::minutes(u32::from(number))),
        tries: 0,
        state: ChallengeState::Live,
    }
}

fn session(number: u8, customer: CustomerId) -> Session {
    Session {
        id: SessionId::from_parts(u64::from(number), &[number; 10]),
        customer,
        proof: Proof::Password,
        begun_at: NOW,
        seen_at: NOW.plus(Duration::minutes(u32::from(number))),
        proved_at: NOW,
        device: "Firefox".to_owned(),
        state: SessionState::Open,
    }
}

/// Runs both halves in a transaction each: what is written must be read by another.
fn in_turn(
    subject: &Subject,
    write: impl FnMut(&mut StoreTx<'_>) + Send + 'static,
    read: impl FnMut(&mut StoreTx<'_>) + Send + 'static,
) {
    subject.write(write).unwrap();
    subject.write(read).unwrap();
}

#[test]
fn customers_are_found_by_the_names_they_have_now() {
    each_store(|subject| {
        let write = |tx: &mut StoreTx<'_>| {
            tx.insert_customer(&customer(1)).unwrap();
            tx.insert_customer(&active(2)).unwrap();
            let mut changed = active(2);
            let address = "new@example.com".parse().unwrap();
            let person = changed.active_mut().unwrap();
            person.put_contact(Contact::Email(address), NOW);
            person.user_name = None;
            tx.update_customer(&changed).unwrap();
        };
        in_turn(subject, write, |tx| {
            assert_eq!(tx.customer(customer(1).id).unwrap(), Some(customer(1)));
            assert_eq!(tx.active_person(customer(1).id).unwrap(), None);
            let second = tx.customer(customer(2).id).unwrap().unwrap();
            assert_eq!(
                tx.active_person(second.id).unwrap().as_ref(),
                second.active()
            );
            let named = |tx: &mut StoreTx<'_>, name| tx.customer_named(&name).unwrap();
            let mailbox = LoginName::Email("new@example.com".parse().unwrap());
            assert_eq!(named(tx, mailbox), Some(second.id));
            let given_up = LoginName::UserName("wei8613800138002".parse().unwrap());
            assert_eq!(named(tx, given_up), None);
            let unconfirmed = LoginName::Email("wei8613800138001@example.com".parse().unwrap());
            assert_eq!(named(tx, unconfirmed), None);
            let phone = LoginName::Phone(phone_of(&customer(1)));
            assert_eq!(named(tx, phone), Some(customer(1).id));
            let contact = tx.contact_of(customer(1).id).unwrap().unwrap();
            assert_eq!((contact.phone, contact.email), (None, None));
            let contact = tx.contact_of(second.id).unwrap().unwrap();
            assert!(contact.phone.is_some() && contact.email.is_some());
        });
    });
}

#[test]
fn a_name_belongs_to_one_customer() {
    each_store(|subject| {
        subject
            .write(|tx| tx.insert_customer(&customer(1)).unwrap())
            .unwrap();
        let refused = subject.write(|tx| {
            let mut second = customer(2);
            second = second
                .register_again(customer(1).person().unwrap().clone())
                .unwrap();
            let inserted = tx.insert_customer(&second);
            assert!(matches!(inserted, Err(StoreFault::Conflict(_))));
        });
        assert!(
            matches!(refused, Err(StoreFault::Conflict(_))),
            "{}",
            subject.name
        );
    });
}

#[test]
fn customers_are_searched_by_what_staff_knows() {
    each_store(|subject| {
        let write = |tx: &mut StoreTx<'_>| {
            for number in [1, 2, 12] {
                tx.insert_customer(&active(number)).unwrap();
            }
        };
        in_turn(subject, write, |tx| {
            let mut found = |text: &str| {
                let text = text.to_owned();
                let search = CustomerSearch { text, limit: 2 };
                tx.search_customers(&search).unwrap().len()
            };
            let cases = [
                ("138 0013-8001", 1),
                ("+8613800138002", 1),
                ("WEI86138001380", 2),
                ("wei8613800138012@example.com", 1),
                ("张伟", 2),
                ("zhang wei", 2),
                (&active(12).id.number(), 1),
                ("%", 0),
                ("_ei", 0),
                ("nobody", 0),
                ("", 2),
            ];
            for (text, expected) in cases {
                assert_eq!(found(text), expected, "{text}");
            }
        });
    });
}

#[test]
fn credentials_read_back() {
    each_store(|subject| {
        let id = customer(1).id;
        subject
            .write(|tx| tx.insert_customer(&customer(1)).unwrap())
            .unwrap();
        let sealed_secret = vec![1, 2, 3];
        let factors = [
            SecondFactor::Off,
            SecondFactor::Enrolling {
                sealed_secret: sealed_secret.clone(),
                since: NOW,
            },
            SecondFactor::On {
                sealed_secret: sealed_secret.clone(),
                since: NOW,
                last_step: 59_666_666,
                recovery: vec![[1; 32], [2; 32]],
            },
            SecondFactor::On {
                sealed_secret,
                since: NOW,
                last_step: 0,
                recovery: vec![],
            },
        ];
        for second_factor in factors {
            let credentials = Credentials {
                customer: id,
                password: Some(StoredPassword {
                    digest: "$argon2id$".to_owned(),
                    since: NOW,
                }),
                second_factor,
            };
            let written = credentials.clone();
            let write = move |tx: &mut StoreTx<'_>| tx.put_credentials(&written).unwrap();
            in_turn(subject, write, move |tx| {
                assert!(tx.credentials(id).unwrap() == credentials);
            });
        }
        subject
            .write(|tx| {
                let none = tx.credentials(customer(9).id).unwrap();
                assert!(none.password.is_none() && !none.second_factor.is_on());
            })
            .unwrap();
    });
}

#[test]
fn challenges_are_counted_by_address_and_network() {
    each_store(|subject| {
        let here = Network::of("203.0.113.9".parse().unwrap());
        let there = Network::of("2001:db8::1".parse().unwrap());
        let phone = Contact::Phone(phone_of(&customer(1)));
        let mailbox = Contact::Email("wei@example.com".parse().unwrap());
        let (to, other) = (phone.clone(), mailbox.clone());
        let write = move |tx: &mut StoreTx<'_>| {
            tx.insert_challenge(&challenge(1, &to), here).unwrap();
            tx.insert_challenge(&challenge(2, &to), there).unwrap();
            tx.insert_challenge(&challenge(3, &other), here).unwrap();
            tx.update_challenge(&challenge(1, &to).replaced(NOW))
                .unwrap();
        };
        in_turn(subject, write, move |tx| {
            let issued = |number: u32| NOW.plus(Duration::minutes(number));
            assert_eq!(tx.issued_to(&phone, 9).unwrap(), [issued(2), issued(1)]);
            assert_eq!(tx.issued_to(&mailbox, 9).unwrap(), [issued(3)]);
            assert_eq!(tx.issued_from(here, 1).unwrap(), [issued(3)]);
            let live = tx.live_challenges(Purpose::LogIn, &phone).unwrap();
            assert_eq!(live, [challenge(2, &phone)]);
            let none = tx.live_challenges(Purpose::ConfirmPhone, &phone).unwrap();
            assert!(none.is_empty());
            let replaced = tx.challenge(challenge(1, &phone).id).unwrap().unwrap();
            assert_eq!(replaced.state, ChallengeState::Replaced { at: NOW });
            assert_eq!(tx.forget_before(issued(3), 1), Ok(1), "one at a time");
            assert_eq!(tx.forget_before(issued(3), 9), Ok(1));
            assert!(tx.issued_to(&phone, 9).unwrap().is_empty());
            assert_eq!(tx.issued_to(&mailbox, 9).unwrap().len(), 1);
        });
    });
}

#[test]
fn failures_steps_and_sessions_read_back() {
    each_store(|subject| {
        let id = active(1).id;
        let step = LoginStep {
            id: ChallengeId::from_parts(1, &[1; 10]),
            customer: id,
            stage: Stage::NewPassword,
            proof: Proof::EmailCode,
            begun_at: NOW,
            finished_at: None,
        };
        let stored = step.clone();
        let write = move |tx: &mut StoreTx<'_>| {
            tx.insert_customer(&active(1)).unwrap();
            for count in [1, 2] {
                let failures = Failures {
                    count,
                    last_at: NOW,
                };
                tx.put_failures(&[1; 32], Some(failures)).unwrap();
            }
            tx.insert_step(&stored, &[1; 32]).unwrap();
            for number in [1, 2, 3] {
                tx.insert_session(&session(number, id), &[number; 32])
                    .unwrap();
            }
            tx.update_session(&session(2, id).end(EndReason::LoggedOut, NOW))
                .unwrap();
        };
        in_turn(subject, write, move |tx| {
            assert_eq!(tx.failures(&[1; 32]).unwrap().unwrap().count, 2);
            tx.put_failures(&[1; 32], None).unwrap();
            assert_eq!(tx.failures(&[1; 32]).unwrap(), None);
            let found = tx.step_with(&[1; 32]).unwrap().unwrap();
            assert_eq!(found, step);
            let done = found.finish(Stage::NewPassword, NOW).unwrap();
            tx.update_step(&done).unwrap();
            assert_eq!(tx.step_with(&[1; 32]).unwrap(), Some(done));
            let open = tx.open_sessions_of(id).unwrap();
            assert_eq!(open, [session(3, id), session(1, id)]);
            let ended = tx.session_with(&[2; 32]).unwrap().unwrap();
            assert_eq!(tx.session(ended.id).unwrap(), Some(ended));
            assert_eq!(tx.session_with(&[9; 32]).unwrap(), None);
        });
    });
}

#[test]
fn identity_checks_read_back() {
    each_store(|subject| {
        let id = active(1).id;
        let case = move |number: u8, rule: &str| {
            let case_id = CaseId::from_parts(u64::from(number), &[number; 10]);
            IdentityCase::wanted(case_id, id, rule.to_owned(), NOW)
        };
        let staff = StaffId::from_parts(1, &[1; 10]);
        let mut outside = case(1, "a").submit(Some("ref".to_owned()), NOW).unwrap();
        outside.back_to = Some("/checkout?item=offer:a".to_owned());
        let refusal = Err(IdentityRefusal::Mismatch);
        let by_staff = case(2, "b").submit(None, NOW).unwrap();
        let by_staff = by_staff.decide_staff(staff, refusal, NOW).unwrap();
        let approved = outside
            .clone()
            .decide_outside("ref", Ok(()), NOW.plus(Duration::days(1)))
            .unwrap();
        let states = [case(1, "a"), outside.clone(), approved];
        let (first, second) = (outside, by_staff.clone());
        let write = move |tx: &mut StoreTx<'_>| {
            tx.insert_customer(&active(1)).unwrap();
            tx.put_case(&case(1, "a")).unwrap();
            tx.put_case(&first).unwrap();
            tx.put_case(&second).unwrap();
            tx.insert_document_of_case(&SealedDocument {
                case: first.id,
                position: 0,
                media_type: "image/png".to_owned(),
                sealed: vec![1, 2, 3],
                stored_at: NOW,
            })
            .unwrap();
            tx.note_document_opened(first.id, staff, NOW).unwrap();
            tx.note_document_opened(first.id, staff, NOW).unwrap();
        };
        in_turn(subject, write, move |tx| {
            let outside = states[1].clone();
            assert_eq!(
                tx.cases_of(id).unwrap(),
                [outside.clone(), by_staff.clone()]
            );
            assert_eq!(
                tx.cases_in_review(9).unwrap(),
                std::slice::from_ref(&outside)
            );
            assert_eq!(
                tx.case_with_reference("ref").unwrap(),
                Some(outside.clone())
            );
            assert_eq!(tx.case_of(id, "b").unwrap(), Some(by_staff.clone()));
            for state in &states {
                tx.put_case(state).unwrap();
                assert_eq!(tx.case(state.id).unwrap().as_ref(), Some(state));
            }
            let documents = tx.documents_of_case(outside.id).unwrap();
            assert_eq!(documents, [(0, "image/png".to_owned())]);
            let document = tx.document_of_case(outside.id, 0).unwrap().unwrap();
            assert_eq!(document.sealed, [1, 2, 3]);
            tx.delete_documents_of_case(outside.id).unwrap();
            assert!(tx.document_of_case(outside.id, 0).unwrap().is_none());
        });
    });
}

#[test]
fn a_closed_account_leaves_its_history_only() {
    each_store(|subject| {
        let id = active(1).id;
        let write = move |tx: &mut StoreTx<'_>| {
            tx.insert_customer(&active(1)).unwrap();
            let to = Contact::Phone(phone_of(&customer(1)));
            let own = Challenge {
                customer: Some(id),
                ..challenge(1, &to)
            };
            tx.insert_challenge(&own, Network::of("::1".parse().unwrap()))
                .unwrap();
            tx.insert_session(&session(1, id), &[1; 32]).unwrap();
            for kind in [AccountEventKind::Registered, AccountEventKind::LoggedIn] {
                let customer = id;
                tx.note(&AccountEvent {
                    customer,
                    at: NOW,
                    kind,
                })
                .unwrap();
            }
            let closed: Timestamp = NOW.plus(Duration::days(1));
            tx.update_customer(&active(1).close(closed).unwrap())
                .unwrap();
        };
        in_turn(subject, write, move |tx| {
            let closed = tx.customer(id).unwrap().unwrap();
            assert_eq!(closed.state.code(), "closed");
            assert!(tx.session_with(&[1; 32]).unwrap().is_none());
            assert!(tx.contact_of(id).unwrap().is_none());
            let events = tx.account_events(id, 9).unwrap();
            let kinds: Vec<_> = events.iter().map(|event| event.kind).collect();
            assert_eq!(
                kinds,
                [AccountEventKind::LoggedIn, AccountEventKind::Registered]
            );
            let again = Customer::register(customer(3).id, person("+8613800138001"), NOW);
            tx.insert_customer(&again).unwrap();
        });
        for table in ["person", "login_name", "challenge", "credential"] {
            let left = match table {
                "person" | "login_name" => 1,
                _ => 0,
            };
            let sql: &'static str = match table {
                "person" => "SELECT COUNT(*) FROM person",
                "login_name" => "SELECT COUNT(*) FROM login_name WHERE kind = 'phone'",
                "challenge" => "SELECT COUNT(*) FROM challenge",
                _ => "SELECT COUNT(*) FROM credential",
            };
            assert_eq!(subject.number(sql), left, "{table}");
        }
    });
}
