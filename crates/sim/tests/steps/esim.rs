//! Flows of profiles: of a line, from the payment to another phone; and of another operator's order.

use simurgh_app::esim::{
    Admission, Asking, Delivery, OrderCall, OrderConfirmation, ReissueRefusal,
};
use simurgh_app::ports::{
    ChipCurve, ChipEvent, ChipEventRecord, ChipFacts, ChipKey, ChipNotification, InstallOutcome,
    RspSession, ServerKind, SessionStep,
};
use simurgh_commerce::Start;
use simurgh_sim::steps::{EID, Play};
use simurgh_sim::{OPERATOR, SMDP_ADDRESS, SMDS_ADDRESS, add_customer, stock};
use simurgh_vocab::identity::{Eid, Iccid};
use simurgh_vocab::{CustomerId, Duration, LineId};

use super::super::{Flow, buy, line_of, owner, plan, text};

fn chip() -> Eid {
    EID.parse().unwrap()
}

fn other_chip() -> Eid {
    let mut octets = *chip().as_octets();
    octets[3] = 0x33;
    Eid::from_octets(octets).unwrap()
}

fn iccid() -> Iccid {
    Iccid::with_check_digit("898601234567890121").unwrap()
}

/// A chip asks, is believed, and gets its package: all anew when any of it fails.
async fn fetch(play: &Play, eid: Eid, token: &str) -> Result<(), String> {
    let app = &play.app;
    let mut transaction = [0; 16];
    app.entropy.fill(&mut transaction);
    let session = RspSession {
        transaction,
        opened_at: app.now(),
        expires_at: app.now().plus(Duration::minutes(15)),
        step: SessionStep::Opened {
            server_challenge: [1; 16],
            root_key_id: vec![2; 20],
            server: ServerKind::SmDp,
        },
    };
    app.open_session(session).await.map_err(text)?;
    let asking = Asking {
        eid,
        matching_id: Some(token.to_owned()),
        facts: ChipFacts {
            profile_version: [2, 3, 1],
            free_memory_octets: Some(100_000),
            forbidden_rules: 0,
        },
    };
    let offer = app.offer(&asking).await.map_err(text)?;
    let admission = Admission {
        transaction,
        chip_key: ChipKey {
            curve: ChipCurve::P256,
            point: [4; 65],
        },
        asking,
        offer,
        server_signature: [3; 64],
    };
    app.admit(admission).await.map_err(text)?;
    let session = app.session(&transaction).await.map_err(text)?;
    let session = session.ok_or("no session")?;
    app.package(&session).await.map_err(text)?;
    let delivery = Delivery {
        transaction,
        chip_one_time_key: [5; 65],
    };
    app.deliver(delivery).await.map_err(text)
}

async fn download(play: &Play, eid: Eid, token: &str) -> Result<(), String> {
    play.step("download", async |play| fetch(play, eid, token).await)
        .await
}

/// A chip's report arrives.
async fn report(
    play: &Play,
    (eid, sequence): (Eid, u64),
    iccid: Iccid,
    event: ChipEvent,
) -> Result<(), String> {
    let news = ChipNotification {
        eid,
        sequence,
        iccid: Some(iccid),
        event,
        outcome: (event == ChipEvent::Install).then_some(InstallOutcome::Installed),
        transaction: None,
    };
    play.step("report", async |play| {
        let heard = play.app.hear(news.clone(), Some(vec![1])).await;
        // News, or known.
        heard.map(drop).map_err(text)
    })
    .await
}

/// Number and token of the newest profile of a line.
async fn code(play: &Play, customer: CustomerId, line: LineId) -> Result<(Iccid, String), String> {
    let view = play.app.profile_view(customer, line).await.map_err(text)?;
    let view = view.ok_or("no line")?;
    let token = view.manual.ok_or("no code")?.matching_id;
    Ok((view.iccid.ok_or("no profile")?, token))
}

/// Bought, downloaded, installed, used; two reports come in the wrong order.
pub(crate) async fn profile_in_use(play: &Play) -> Flow {
    let customer = add_customer(&play.app, 1).await.map_err(text)?;
    play.set_up();
    buy(play, customer, None, plan(Start::Now)).await?;
    let line = line_of(&play.app, customer).await;
    let (iccid, token) = code(play, customer, line).await?;
    download(play, chip(), &token).await?;
    report(play, (chip(), 1), iccid, ChipEvent::Install).await?;
    report(play, (chip(), 2), iccid, ChipEvent::Enable).await?;
    report(play, (chip(), 4), iccid, ChipEvent::Disable).await?;
    report(play, (chip(), 3), iccid, ChipEvent::Enable).await?;
    play.settle().await?;
    Ok(customer)
}

/// Moved to another phone: a new profile there, and the old one is deleted later.
pub(crate) async fn new_phone(play: &Play) -> Flow {
    let (customer, _, line) = owner(play).await?;
    let (old, token) = code(play, customer, line).await?;
    fetch(play, chip(), &token).await?;
    report(play, (chip(), 1), old, ChipEvent::Install).await?;
    play.set_up();
    report(play, (chip(), 2), old, ChipEvent::Enable).await?;
    play.step("issue anew", async |play| {
        match play.app.reissue_profile(customer, line).await {
            // It was asked for before.
            Ok(()) | Err(ReissueRefusal::NotYet) => Ok(()),
            Err(refusal) => Err(text(refusal)),
        }
    })
    .await?;
    play.settle().await?;
    let (new, token) = code(play, customer, line).await?;
    download(play, other_chip(), &token).await?;
    report(play, (other_chip(), 2), new, ChipEvent::Enable).await?;
    report(play, (other_chip(), 1), new, ChipEvent::Install).await?;
    report(play, (chip(), 4), old, ChipEvent::Delete).await?;
    play.settle().await?;
    Ok(customer)
}

fn call(name: &str) -> OrderCall {
    OrderCall {
        requester: OPERATOR.to_owned(),
        call: name.to_owned(),
        request: name.as_bytes().to_vec(),
    }
}

/// Reserves a profile for a chip, and makes its code, of which the SM-DS tells.
async fn ordered(play: &Play) -> Result<String, String> {
    play.step("order", async |play| {
        let ordered = play
            .app
            .download_order(call("order"), Some(chip()), Some(iccid()), None);
        ordered.await.map_err(text)
    })
    .await?;
    play.step("confirm", async |play| {
        let with = OrderConfirmation {
            iccid: iccid(),
            eid: Some(chip()),
            matching_id: None,
            confirmation: None,
            smds: Some((SMDS_ADDRESS.to_owned(), SMDP_ADDRESS.to_owned())),
            expires_at: None,
            release: false,
        };
        let confirmed = play.app.confirm_order(call("confirm"), with).await;
        confirmed.map(|order| order.matching_id).map_err(text)
    })
    .await
}

/// Another operator orders; it is told how the download goes.
pub(crate) async fn operators_order(play: &Play) -> Flow {
    let customer = add_customer(&play.app, 1).await.map_err(text)?;
    stock(&play.app, iccid()).await?;
    play.set_up();
    let token = ordered(play).await?;
    play.step("release", async |play| {
        let released = play.app.release_profile(call("release"), iccid()).await;
        released.map_err(text)
    })
    .await?;
    download(play, chip(), &token).await?;
    report(play, (chip(), 1), iccid(), ChipEvent::Install).await?;
    play.settle().await?;
    Ok(customer)
}

/// Another operator orders and takes it back; somebody else's event for the same chip comes and goes.
pub(crate) async fn cancelled_order(play: &Play) -> Flow {
    let customer = add_customer(&play.app, 1).await.map_err(text)?;
    stock(&play.app, iccid()).await?;
    play.set_up();
    ordered(play).await?;
    play.step("register", async |play| {
        let event = ChipEventRecord {
            eid: chip(),
            event_id: "elsewhere".to_owned(),
            server_address: "dp.example.com".to_owned(),
            registered_by: "dp".to_owned(),
            registered_at: play.app.now(),
        };
        // New, or known.
        play.app.register_event(event).await.map(drop).map_err(text)
    })
    .await?;
    play.step("cancel", async |play| {
        let cancelled = play
            .app
            .cancel_download_order(call("cancel"), iccid(), None, true);
        cancelled.await.map_err(text)
    })
    .await?;
    play.step("forget", async |play| {
        let (by, event) = ("dp".to_owned(), "elsewhere".to_owned());
        let forgotten = play.app.delete_event(by, chip(), event).await;
        // Known, or gone.
        forgotten.map(drop).map_err(text)
    })
    .await?;
    play.settle().await?;
    Ok(customer)
}
