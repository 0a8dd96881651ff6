//! Staff, log and tickets on every kind of store.

use simurgh_app::ports::{
    Author, Desk, DeskSince, StaffAccount, StaffAction, StaffLogEntry, StaffLogFilter,
    StaffSession, StaffSubject, Ticket, TicketMessage, TicketQueue, TicketState,
};
use simurgh_subscriber::SecondFactor;
use simurgh_vocab::{CustomerId, Duration, StaffId, TicketId, Timestamp};

use crate::testing::{NOW, each_store};

fn later(minutes: u32) -> Timestamp {
    NOW.plus(Duration::minutes(minutes))
}

fn account(byte: u8) -> StaffAccount {
    StaffAccount {
        id: StaffId::from_parts(1, &[byte; 10]),
        name: format!("staff-{byte}"),
        password_digest: "digest".to_owned(),
        second_factor: SecondFactor::On {
            sealed_secret: vec![byte],
            since: NOW,
            last_step: 7,
            recovery: Vec::new(),
        },
        created_at: NOW,
        closed_at: None,
    }
}

fn entry(position: u64, staff: Option<StaffId>, action: StaffAction) -> StaffLogEntry {
    StaffLogEntry {
        position,
        at: NOW,
        staff,
        action,
        subject: StaffSubject::Customer(customer(1)),
        detail: "why".to_owned(),
        digest: [9; 32],
    }
}

fn customer(byte: u8) -> CustomerId {
    CustomerId::from_parts(1, &[byte; 10])
}

fn ticket(byte: u8, state: TicketState, changed_at: Timestamp) -> Ticket {
    Ticket {
        id: TicketId::from_parts(1, &[byte; 10]),
        customer: customer(1),
        subject: "没有网络".to_owned(),
        state,
        opened_at: NOW,
        changed_at,
        messages: 1,
    }
}

#[test]
fn staff_and_sessions_read_back() {
    each_store(|subject| {
        subject
            .write(|tx| {
                let mut one = account(1);
                tx.insert_staff(&one).unwrap();
                tx.insert_staff(&account(2)).unwrap();
                one.closed_at = Some(later(1));
                tx.update_staff(&one).unwrap();
                assert!(tx.staff_named("staff-1").unwrap() == Some(one.clone()));
                assert!(tx.staff(one.id).unwrap() == Some(one));
                assert!(tx.staff_named("nobody").unwrap().is_none());
                let names = tx.staff_names().unwrap();
                assert_eq!(names[1], (account(2).id, "staff-2".to_owned()));

                let session = StaffSession {
                    staff: account(2).id,
                    begun_at: NOW,
                    seen_at: NOW,
                    ended_at: None,
                };
                tx.insert_staff_session(&session, &[1; 32]).unwrap();
                tx.insert_staff_session(&session, &[2; 32]).unwrap();
                tx.touch_staff_session(&[1; 32], later(5)).unwrap();
                tx.touch_staff_session(&[1; 32], later(4)).unwrap();
                tx.end_staff_session(&[1; 32], later(6)).unwrap();
                tx.end_staff_sessions(account(2).id, later(7)).unwrap();
                let ended = tx.staff_session(&[1; 32]).unwrap().unwrap();
                assert_eq!((ended.seen_at, ended.ended_at), (later(5), Some(later(6))));
                let ended = tx.staff_session(&[2; 32]).unwrap().unwrap();
                assert_eq!(ended.ended_at, Some(later(7)));
                assert_eq!(tx.staff_session(&[3; 32]).unwrap(), None);
            })
            .unwrap();
        let taken = subject.write(|tx| drop(tx.insert_staff(&account(1))));
        assert!(taken.is_err(), "{}: a name is taken once", subject.name);
    });
}

#[test]
fn the_log_is_filtered_and_never_changed() {
    each_store(|subject| {
        let staff = account(1).id;
        subject
            .write(move |tx| {
                assert_eq!(tx.newest_staff_log_entry().unwrap(), None);
                let written = [
                    entry(1, None, StaffAction::AccountCreated),
                    entry(2, Some(staff), StaffAction::CustomerViewed),
                    entry(3, Some(staff), StaffAction::ContactRevealed),
                ];
                for entry in &written {
                    tx.append_staff_log(entry).unwrap();
                }
                assert_eq!(
                    tx.newest_staff_log_entry().unwrap().as_ref(),
                    written.last()
                );
                let mut positions = |filter: StaffLogFilter| -> Vec<u64> {
                    let found = tx
                        .staff_log(&StaffLogFilter { limit: 2, ..filter })
                        .unwrap();
                    found.into_iter().map(|entry| entry.position).collect()
                };
                let all = StaffLogFilter::default;
                let number = customer(1).number();
                assert_eq!(positions(all()), [3, 2]);
                assert_eq!(
                    positions(StaffLogFilter {
                        before: Some(3),
                        ..all()
                    }),
                    [2, 1]
                );
                assert_eq!(
                    positions(StaffLogFilter {
                        staff: Some(staff),
                        ..all()
                    }),
                    [3, 2]
                );
                let filter = StaffLogFilter {
                    action: Some(StaffAction::CustomerViewed),
                    subject_number: Some(number),
                    staff: Some(staff),
                    before: Some(3),
                    limit: 0,
                };
                assert_eq!(positions(filter), [2]);
                let other = Some(customer(2).number());
                assert!(
                    positions(StaffLogFilter {
                        subject_number: other,
                        ..all()
                    })
                    .is_empty()
                );
                assert_eq!(tx.staff_log_after(1, 1).unwrap(), [written[1].clone()]);
            })
            .unwrap();
        for sql in ["UPDATE staff_log SET detail = 'x'", "DELETE FROM staff_log"] {
            let changed = subject.write(move |tx| drop(tx.execute(sql, &[])));
            assert!(changed.is_err(), "{}: {sql}", subject.name);
        }
        let taken = subject.write(|tx| {
            drop(tx.append_staff_log(&entry(3, None, StaffAction::LoggedIn)));
        });
        assert!(taken.is_err(), "{}: a position is taken once", subject.name);
    });
}

#[test]
fn tickets_wait_in_their_queues() {
    each_store(|subject| {
        subject
            .write(|tx| {
                let closed = TicketState::Closed { at: later(9) };
                let mut old = ticket(1, TicketState::Open, later(1));
                for one in [
                    &old,
                    &ticket(2, TicketState::Open, later(2)),
                    &ticket(3, TicketState::Answered, later(3)),
                    &ticket(4, closed, later(9)),
                ] {
                    tx.insert_ticket(one).unwrap();
                }
                let ids = |tickets: Vec<Ticket>| -> Vec<u8> {
                    tickets.iter().map(|t| t.id.as_bytes()[15]).collect()
                };
                assert_eq!(ids(tx.tickets_in(TicketQueue::Open, 9).unwrap()), [1, 2]);
                assert_eq!(ids(tx.tickets_in(TicketQueue::Answered, 9).unwrap()), [3]);
                assert_eq!(ids(tx.tickets_in(TicketQueue::Closed, 9).unwrap()), [4]);
                assert_eq!(ids(tx.tickets_of(customer(1), 3).unwrap()), [4, 3, 2]);
                assert_eq!(tx.open_tickets_of(customer(1)).unwrap(), 2);
                let since = DeskSince {
                    since: NOW,
                    stuck_attempts: 6,
                };
                assert_eq!(tx.desk_counts(&since).unwrap().open_tickets, 2);

                let texts = [Author::Customer, Author::Staff(account(1).id)];
                let messages = texts.map(|author| TicketMessage {
                    author,
                    text: "早上好\n\nHello".to_owned(),
                    at: NOW,
                });
                for (position, message) in (1..).zip(&messages) {
                    tx.insert_ticket_message(old.id, position, message).unwrap();
                }
                assert!(tx.ticket_messages(old.id).unwrap() == messages);
                old.state = TicketState::Closed { at: later(4) };
                (old.changed_at, old.messages) = (later(4), 2);
                tx.update_ticket(&old).unwrap();
                assert!(tx.ticket(old.id).unwrap() == Some(old.clone()));
                assert!(tx.payments_in_doubt(NOW, 9).unwrap().is_empty());
                assert!(tx.unsettled_refunds(9).unwrap().is_empty());
                assert!(tx.odd_payment_events(9).unwrap().is_empty());
            })
            .unwrap();
    });
}
