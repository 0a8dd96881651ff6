//! Tickets, from both sides.

use simurgh_app::desk::{NewTicket, TicketRefusal, TicketSubject, TicketText, TicketWriter};
use simurgh_app::ports::{Author, StaffAction, TicketQueue, TicketState};
use simurgh_sim::add_customer;
use simurgh_vocab::{Duration, TicketId};

use crate::stage::Stage;

fn text(text: &str) -> TicketText {
    TicketText::parse(text).unwrap()
}

fn question(stage: &Stage) -> NewTicket {
    NewTicket {
        id: stage.make(TicketId::from_parts, stage.now()),
        subject: TicketSubject::parse("No network").unwrap(),
        text: text("Since this morning.\n\nI have restarted the phone."),
    }
}

#[tokio::test]
async fn a_question_is_answered_and_the_customer_is_told_once_per_answer() {
    let stage = Stage::new().await;
    let (staff, customer) = (stage.staff.id, stage.customer);
    let new = question(&stage);
    let id = stage.open_ticket(customer, new.clone()).await.unwrap();
    assert_eq!(
        stage.open_ticket(customer, new).await,
        Ok(id),
        "the form came twice"
    );
    assert_eq!(stage.tickets_of(customer).await.unwrap().len(), 1);

    let answer =
        |seen, words: &str| stage.answer_ticket(TicketWriter::Staff(staff), id, seen, text(words));
    answer(1, "Please turn roaming on.").await.unwrap();
    answer(1, "Please turn roaming on.").await.unwrap();
    let moved_on = answer(1, "And restart again.").await;
    assert_eq!(moved_on, Err(TicketRefusal::MovedOn));
    let customers = TicketWriter::Customer(customer);
    stage
        .answer_ticket(customers, id, 2, text("It works."))
        .await
        .unwrap();

    let talk = stage.conversation(customer, id).await.unwrap().unwrap();
    let authors: Vec<Author> = talk.messages.iter().map(|message| message.author).collect();
    assert_eq!(
        authors,
        [Author::Customer, Author::Staff(staff), Author::Customer]
    );
    assert_eq!(talk.ticket.state, TicketState::Open);
    let told = stage.messages(Some(customer), 9).await.unwrap();
    let [told] = told.as_slice() else {
        panic!("one message was expected, not {}", told.len());
    };
    assert_eq!(told.template, "ticket-answered");
    let argument = |name: &str| told.arguments.iter().find(|(own, _)| own == name).unwrap();
    assert_eq!(argument("url").1, format!("http://localhost/support/{id}"));
    assert_eq!(stage.logged(StaffAction::TicketAnswered).await.len(), 1);

    stage.close_ticket(customers, id).await.unwrap();
    stage
        .close_ticket(TicketWriter::Staff(staff), id)
        .await
        .unwrap();
    for seen in [1, 3] {
        let late = answer(seen, "Good.").await;
        assert_eq!(late, Err(TicketRefusal::Closed), "{seen}");
    }
    assert!(
        stage.logged(StaffAction::TicketClosed).await.is_empty(),
        "it was closed already"
    );
}

#[tokio::test]
async fn nobody_reaches_another_customers_ticket() {
    let stage = Stage::new().await;
    let new = question(&stage);
    let id = stage
        .open_ticket(stage.customer, new.clone())
        .await
        .unwrap();
    let other = add_customer(&stage, 2).await.unwrap();
    let nothing = || Err(TicketRefusal::NoSuchTicket);
    assert_eq!(
        stage.open_ticket(other, new).await,
        Err(TicketRefusal::NoSuchTicket)
    );
    assert!(stage.conversation(other, id).await.unwrap().is_none());
    let writer = TicketWriter::Customer(other);
    assert_eq!(
        stage.answer_ticket(writer, id, 1, text("mine")).await,
        nothing()
    );
    assert_eq!(stage.close_ticket(writer, id).await, nothing());
    let unknown = TicketId::from_parts(9, &[9; 10]);
    let staff = TicketWriter::Staff(stage.staff.id);
    assert_eq!(stage.close_ticket(staff, unknown).await, nothing());
}

#[tokio::test]
async fn questions_wait_in_line_and_not_too_many_of_one_customer() {
    let stage = Stage::new().await;
    let mut opened = Vec::new();
    for _ in 0..10 {
        stage.world.clock.advance(Duration::minutes(1));
        opened.push(
            stage
                .open_ticket(stage.customer, question(&stage))
                .await
                .unwrap(),
        );
    }
    let one_more = stage.open_ticket(stage.customer, question(&stage)).await;
    assert_eq!(one_more, Err(TicketRefusal::TooManyOpen));
    let staff = TicketWriter::Staff(stage.staff.id);
    stage
        .answer_ticket(staff, opened[3], 1, text("Yes."))
        .await
        .unwrap();
    assert!(
        stage
            .open_ticket(stage.customer, question(&stage))
            .await
            .is_ok()
    );

    let waiting = stage.tickets_in(TicketQueue::Open).await.unwrap();
    assert_eq!(waiting.len(), 10);
    assert_eq!(waiting[0].id, opened[0], "the longest waiting first");
    let answered = stage.tickets_in(TicketQueue::Answered).await.unwrap();
    assert_eq!(answered[0].id, opened[3]);
    assert_eq!(stage.desk_overview().await.unwrap().counts.open_tickets, 10);
}
