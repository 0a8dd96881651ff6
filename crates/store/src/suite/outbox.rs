//! Jobs and messages.

use std::sync::mpsc;

use simurgh_app::ports::{
    CatalogueDocument, Catalogues, Job, Message, MessageState, Outbox, Recipient, Task,
};
use simurgh_vocab::{
    CaseId, CustomerId, JobId, LineId, Locale, MessageId, OrderId, PaymentId, RefundId, Timestamp,
};

use super::make;
use crate::params;
use crate::testing::{NOW, each_store};
use crate::tx::StoreTx;

fn job(number: u8, task: Task, due_at: Timestamp) -> Job {
    Job {
        id: make::id(JobId::from_parts, number),
        task,
        key: format!("job:{number}"),
        due_at,
        attempts: 0,
        last_error: None,
        done_at: None,
    }
}

fn close(number: u8, due_at: Timestamp) -> Job {
    let order = make::id(OrderId::from_parts, number);
    job(number, Task::CloseOrder(order), due_at)
}

fn take(tx: &mut StoreTx<'_>, now: u32, hold: u32, limit: u32) -> Vec<Job> {
    let (now, hold) = (make::second(now), make::second(hold));
    tx.take_due(now, hold, limit).unwrap()
}

#[test]
fn jobs_of_every_task_come_back() {
    each_store(|subject| {
        subject
            .write(|tx| {
                let tasks = [
                    Task::SendMessage(make::id(MessageId::from_parts, 1)),
                    Task::QueryPayment(make::id(PaymentId::from_parts, 1)),
                    Task::CloseOrder(make::id(OrderId::from_parts, 1)),
                    Task::SendRefund(make::id(RefundId::from_parts, 1)),
                    Task::AdvanceLine(make::id(LineId::from_parts, 1)),
                    Task::RenewLine(make::id(LineId::from_parts, 1)),
                    Task::ChargeMandate(make::id(PaymentId::from_parts, 2)),
                    Task::DeleteDocuments(make::id(CaseId::from_parts, 1)),
                    Task::AskIdentity(make::id(CaseId::from_parts, 2)),
                ];
                let jobs: Vec<_> = (1..)
                    .zip(tasks)
                    .map(|(number, task)| job(number, task, make::second(number.into())))
                    .collect();
                for job in jobs.iter().rev() {
                    tx.enqueue(job).unwrap();
                }
                assert_eq!(tx.open_jobs(99), Ok(jobs));
            })
            .unwrap();
    });
}

#[test]
fn two_jobs_of_one_key_are_one() {
    each_store(|subject| {
        subject
            .write(|tx| {
                let first = close(1, NOW);
                let mut second = close(2, NOW);
                second.key.clone_from(&first.key);
                tx.enqueue(&first).unwrap();
                tx.enqueue(&second).unwrap();
                assert_eq!(tx.open_jobs(9), Ok(vec![first.clone()]));
                tx.finish_job(first.id, NOW).unwrap();
                tx.enqueue(&second).unwrap();
                assert_eq!(tx.open_jobs(9), Ok(vec![]), "a key stays used");
            })
            .unwrap();
    });
}

#[test]
fn a_taken_job_is_held_until_it_is_finished_postponed_or_forgotten() {
    each_store(|subject| {
        subject
            .write(|tx| {
                assert_eq!(tx.next_due(), Ok(None));
                for (number, due) in [(1, 10), (2, 5), (3, 100)] {
                    tx.enqueue(&close(number, make::second(due))).unwrap();
                }
                assert_eq!(tx.next_due(), Ok(Some(make::second(5))));
                assert_eq!(take(tx, 4, 60, 9), []);
                let begun = |number, due, attempts| Job {
                    attempts,
                    ..close(number, make::second(due))
                };
                assert_eq!(take(tx, 10, 60, 1), [begun(2, 5, 1)], "the oldest first");
                assert_eq!(take(tx, 10, 60, 9), [begun(1, 10, 1)]);
                assert_eq!(take(tx, 59, 99, 9), [], "both are held");
                assert_eq!(tx.next_due(), Ok(Some(make::second(60))));
                tx.finish_job(begun(1, 10, 1).id, make::second(50)).unwrap();
                let forgotten = begun(2, 5, 2);
                assert_eq!(take(tx, 60, 90, 9), vec![forgotten.clone()]);

                let error = Some("the provider is silent");
                tx.postpone_job(forgotten.id, make::second(70), error)
                    .unwrap();
                let postponed = Job {
                    last_error: error.map(str::to_owned),
                    ..begun(2, 70, 2)
                };
                assert_eq!(tx.next_due(), Ok(Some(make::second(70))));
                let open = [postponed, begun(3, 100, 0)];
                assert_eq!(tx.open_jobs(9).unwrap(), open, "most attempts first");
                assert_eq!(tx.open_jobs(1).unwrap(), open[..1]);
                tx.postpone_job(close(1, NOW).id, NOW, None).unwrap();
                assert_eq!(take(tx, 69, 99, 9), [], "what is done stays done");
            })
            .unwrap();
        let done = "SELECT done_at FROM job WHERE attempts = 1";
        assert_eq!(subject.number(done), make::second(50).as_micros());
    });
}

#[test]
fn done_jobs_are_forgotten_and_open_ones_are_not() {
    each_store(|subject| {
        subject
            .write(|tx| {
                for number in 1..=5 {
                    tx.enqueue(&close(number, NOW)).unwrap();
                }
                for number in 1..=4 {
                    tx.finish_job(close(number, NOW).id, make::second(number.into()))
                        .unwrap();
                }
                assert_eq!(
                    tx.forget_jobs(make::second(4), 2),
                    Ok(2),
                    "the oldest first"
                );
                assert_eq!(tx.forget_jobs(make::second(4), 9), Ok(1));
                assert_eq!(tx.forget_jobs(make::second(4), 9), Ok(0));
                assert_eq!(tx.open_jobs(9), Ok(vec![close(5, NOW)]));
            })
            .unwrap();
        assert_eq!(subject.number("SELECT COUNT(*) FROM job"), 2);
    });
}

#[test]
fn no_job_is_taken_by_two() {
    const JOBS: u8 = 60;
    each_store(|subject| {
        subject
            .write(|tx| {
                for number in 1..=JOBS {
                    tx.enqueue(&close(number, NOW)).unwrap();
                }
            })
            .unwrap();
        let (sender, taken) = mpsc::channel();
        std::thread::scope(|scope| {
            for _ in 0..3 {
                let sender = sender.clone();
                scope.spawn(move || {
                    for _ in 0..JOBS {
                        let sender = sender.clone();
                        let (jobs, answer) = mpsc::channel();
                        // A repeated transaction takes anew: its last answer is the one that counts.
                        subject
                            .write(move |tx| jobs.send(take(tx, 1, 60, 2)).unwrap())
                            .unwrap();
                        for job in answer.try_iter().last().unwrap() {
                            sender.send(job.id).unwrap();
                        }
                    }
                });
            }
        });
        drop(sender);
        let mut ids: Vec<JobId> = taken.iter().collect();
        ids.sort_unstable();
        let expected: Vec<JobId> = (1..=JOBS).map(|number| close(number, NOW).id).collect();
        assert_eq!(ids, expected, "{}", subject.name);
        assert_eq!(subject.number("SELECT MAX(attempts) FROM job"), 1);
    });
}

fn message(number: u8, to: Recipient, state: MessageState) -> Message {
    let argument = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Message {
        id: make::id(MessageId::from_parts, number),
        customer: Some(make::customer()),
        to,
        template: "order-confirmed".to_owned(),
        locale: Locale::ZhCn,
        arguments: vec![argument("名", "\"伟\"\n"), argument("code", "")],
        created_at: make::second(number.into()),
        state,
    }
}

fn sms() -> Recipient {
    Recipient::Sms("+8613800138000".parse().unwrap())
}

fn email() -> Recipient {
    Recipient::Email("wei@example.com".parse().unwrap())
}

fn message_states() -> [MessageState; 4] {
    let at = make::second(5);
    let reference = "7f,80".to_owned();
    let reason = "no such number".to_owned();
    [
        MessageState::Queued,
        MessageState::Sent { at, reference },
        MessageState::Delivered { at },
        MessageState::Failed { at, reason },
    ]
}

#[test]
fn messages_come_back_in_every_state() {
    each_store(|subject| {
        subject
            .write(|tx| {
                let mut newest_first = Vec::new();
                for (number, state) in (1..).zip(message_states()) {
                    let to = if number % 2 == 0 { sms() } else { email() };
                    let message = message(number, to, state);
                    let key = format!("message:{number}");
                    assert_eq!(tx.insert_message(&message, &key), Ok(true));
                    let found = tx.message(message.id);
                    assert_eq!(found.as_ref(), Ok(&Some(message.clone())));
                    newest_first.insert(0, message);
                }
                let again = message(9, sms(), MessageState::Queued);
                assert_eq!(tx.insert_message(&again, "message:1"), Ok(false));
                assert_eq!(tx.message(again.id), Ok(None));
                let mut stranger = again;
                (stranger.customer, stranger.locale) = (None, Locale::En);
                assert_eq!(tx.insert_message(&stranger, "message:9"), Ok(true));
                let customer = make::customer();
                assert_eq!(tx.messages_of(customer, 9), Ok(newest_first.clone()));
                assert_eq!(tx.messages_of(customer, 1).unwrap(), newest_first[..1]);
                let nobody = make::id(CustomerId::from_parts, 7);
                assert_eq!(tx.messages_of(nobody, 9), Ok(vec![]));
                newest_first.insert(0, stranger.clone());
                assert_eq!(tx.recent_messages(9), Ok(newest_first));
                for state in message_states() {
                    if state == MessageState::Queued {
                        continue;
                    }
                    (stranger.state, stranger.arguments) = (state, vec![]);
                    tx.update_message(&stranger).unwrap();
                    assert_eq!(tx.message(stranger.id), Ok(Some(stranger.clone())));
                }
            })
            .unwrap();
    });
}

#[test]
fn a_message_is_found_by_the_reference_of_any_part() {
    let sent = |number, to, reference: &str| {
        let (at, reference) = (NOW, reference.to_owned());
        message(number, to, MessageState::Sent { at, reference })
    };
    let found = |tx: &mut StoreTx<'_>, reference: &str| {
        let message = tx.message_by_reference(reference).unwrap();
        message.map(|message| message.id)
    };
    each_store(|subject| {
        subject
            .write(move |tx| {
                let mut first = message(1, sms(), MessageState::Queued);
                let second = sent(2, sms(), "c,a");
                let mail = sent(3, email(), "b");
                for (message, key) in [(&first, "1"), (&second, "2"), (&mail, "3")] {
                    tx.insert_message(message, key).unwrap();
                }
                first = sent(1, sms(), "a,b,");
                tx.update_message(&first).unwrap();
                tx.update_message(&first).unwrap();
                assert_eq!(found(tx, "b"), Some(first.id));
                assert_eq!(found(tx, "a"), Some(second.id), "the newest");
                assert_eq!(found(tx, "a,b,"), None);
                assert_eq!(found(tx, ""), None);
                first.state = MessageState::Delivered { at: NOW };
                tx.update_message(&first).unwrap();
                assert_eq!(found(tx, "b"), Some(first.id), "receipts may come twice");
            })
            .unwrap();
    });
}

#[test]
fn catalogue_versions_are_kept() {
    each_store(|subject| {
        subject
            .write(|tx| {
                assert_eq!(tx.newest_catalogue_version(), Ok(None));
                let document = |version| CatalogueDocument {
                    version,
                    body: format!("version = {version}\nname = \"套餐\""),
                    applied_at: make::second(version),
                    applied_by: "staff".to_owned(),
                };
                for version in [1, 3, 2] {
                    tx.insert_catalogue(&document(version)).unwrap();
                }
                assert_eq!(tx.newest_catalogue_version(), Ok(Some(3)));
                assert_eq!(tx.catalogue_document(2), Ok(Some(document(2))));
                assert_eq!(tx.catalogue_document(4), Ok(None));
            })
            .unwrap();
        let again = subject.write(|tx| {
            let sql = "INSERT INTO catalogue_document (version, body, applied_at, applied_by)
                       VALUES (3, '', 0, '')";
            assert!(tx.execute(sql, &params![]).is_err());
        });
        assert!(again.is_err(), "{}", subject.name);
    });
}
