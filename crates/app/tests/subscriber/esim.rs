//! A line gets its profile, and a new one when the old one is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use simurgh_app::Fault;
use simurgh_app::desk::{ProfileDeed, ProfileDeskRefusal, Reason};
use simurgh_app::esim::inventory::{ImportRefusal, NewSim, make_up, read_file};
use simurgh_app::esim::{
    Admission, Asking, CodeTries, Delivery, EsimFault, Heard, ProfileStage, ProfileUpdate,
    ProfileView, REISSUES_PER_YEAR, ReissueRefusal, Rules as EsimRules,
};
use simurgh_app::ports::{
    ChipCurve, ChipEvent, ChipFacts, ChipKey, ChipNotification, InstallOutcome, Line, LineState,
    PackagingFault, PackedProfile, PackedVariant, ProfileMaterial, ProfilePackager, ProfileShelf,
    ProgressFailure, RspSession, ServerKind, SessionStep, ShownCode, StaffAction, StoreExt as _,
};
use simurgh_app::subscriber::Rules;
use simurgh_subscriber::{ProfileError, ProfilePolicy, ProfileRefusal, ProfileState};
use simurgh_vocab::identity::Eid;
use simurgh_vocab::{CustomerId, Duration, LineId, SessionId};

use crate::world::{PHONE, Stage, registration};

/// Packs nothing but what it was asked for.
struct Packager(AtomicU32);

impl ProfilePackager for Packager {
    fn address(&self) -> &str {
        "smdp.example.com"
    }

    fn version(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }

    fn pack(
        &self,
        material: &ProfileMaterial,
        random: &mut dyn FnMut(&mut [u8]),
    ) -> Result<PackedProfile, PackagingFault> {
        let mut protected = material.imsi.digits().as_bytes().to_vec();
        random(protected.as_mut_slice());
        Ok(PackedProfile {
            metadata: material.iccid.as_octets().to_vec(),
            rules: 0,
            version: self.version(),
            variants: vec![PackedVariant {
                variant: "only".to_owned(),
                least_version: [2, 0, 0],
                size_octets: 1_000,
                protected: protected.into(),
            }],
        })
    }

    fn activation_code(&self, token: &str, _: bool) -> Result<ShownCode, PackagingFault> {
        let code = format!("LPA:1$smdp.example.com${token}");
        Ok(ShownCode {
            ios_link: format!("ios?{code}"),
            android_link: format!("android?{code}"),
            code,
        })
    }
}

/// A customer with a line, and the phone in the customer's hand.
struct Story {
    stage: Stage,
    session: SessionId,
    packager: Arc<Packager>,
    customer: CustomerId,
    line: LineId,
    sequence: u64,
    sessions: u8,
}

impl Story {
    async fn begin() -> Self {
        let packager = Arc::new(Packager(AtomicU32::new(1)));
        let esim = EsimRules {
            packager: Some(packager.clone() as Arc<dyn ProfilePackager>),
            ..EsimRules::default()
        };
        let stage = Stage::with_esim(Rules::default(), esim);
        let session = stage.registered(registration(PHONE)).await;
        let customer = session.customer;
        let now = stage.app.now();
        let line = Line {
            id: stage.app.make(LineId::from_parts, now),
            customer,
            state: LineState::Active,
            opened_at: now,
        };
        let id = line.id;
        let stored = stage
            .store
            .transact(move |tx| -> Result<(), Fault> { Ok(tx.insert_line(&line)?) });
        stored.await.unwrap();
        Self {
            stage,
            session: session.session,
            packager,
            customer,
            line: id,
            sequence: 0,
            sessions: 0,
        }
    }

    async fn stocked() -> Self {
        let story = Self::begin().await;
        story.add_stock(0, 20).await;
        assert_eq!(story.prepare().await, Ok(true));
        story
    }

    async fn add_stock(&self, first: u32, count: u32) {
        let app = &self.stage.app;
        let sims = make_up("00101".parse().unwrap(), first, count, app.entropy.as_ref());
        assert_eq!(app.add_sims(&sims).await.unwrap().added, sims.len());
        let numbers = (0..count).map(|n| format!("+44770090{:04}", first + n).parse().unwrap());
        app.add_numbers(numbers.collect()).await.unwrap();
    }

    async fn prepare(&self) -> Result<bool, Fault> {
        self.stage.app.prepare_profile(self.line).await
    }

    async fn view(&self) -> ProfileView {
        let view = self.stage.app.profile_view(self.customer, self.line).await;
        view.unwrap().unwrap()
    }

    /// The chip fetches the profile and says that it is there.
    async fn install(&mut self, eid: Eid) {
        let transaction = self.authenticate(eid).await.unwrap();
        let app = &self.stage.app;
        app.deliver(Delivery {
            transaction,
            chip_one_time_key: [4; 65],
        })
        .await
        .unwrap();
        assert_eq!(self.view().await.stage, ProfileStage::Downloaded);
        self.say(eid, ChipEvent::Install).await;
    }

    /// The chip proves who it is and gets the profile promised.
    async fn authenticate(&mut self, eid: Eid) -> Result<[u8; 16], EsimFault> {
        let app = &self.stage.app;
        self.sessions += 1;
        let transaction = [self.sessions; 16];
        let now = app.now();
        app.open_session(RspSession {
            transaction,
            opened_at: now,
            expires_at: now.plus(Duration::minutes(5)),
            step: SessionStep::Opened {
                server_challenge: [1; 16],
                root_key_id: vec![2; 20],
                server: ServerKind::SmDp,
            },
        })
        .await
        .unwrap();
        let asking = Asking {
            eid,
            matching_id: self.view().await.manual.map(|manual| manual.matching_id),
            facts: ChipFacts {
                profile_version: [2, 3, 0],
                free_memory_octets: Some(100_000),
                forbidden_rules: 0,
            },
        };
        let offer = app.offer(&asking).await?;
        app.admit(Admission {
            transaction,
            chip_key: ChipKey {
                curve: ChipCurve::P256,
                point: [4; 65],
            },
            asking,
            offer,
            server_signature: [3; 64],
        })
        .await?;
        Ok(transaction)
    }

    /// The chip says that it could not install what it got.
    async fn fail(&mut self, eid: Eid, transaction: [u8; 16]) {
        self.sequence += 1;
        let notification = ChipNotification {
            eid,
            sequence: self.sequence,
            iccid: self.view().await.iccid,
            event: ChipEvent::Install,
            outcome: Some(InstallOutcome::Failed {
                command: 4,
                reason: 11,
                response: Vec::new(),
            }),
            transaction: Some(transaction),
        };
        self.stage.app.hear(notification, None).await.unwrap();
    }

    async fn say(&mut self, eid: Eid, event: ChipEvent) -> Heard {
        self.sequence += 1;
        let notification = ChipNotification {
            eid,
            sequence: self.sequence,
            iccid: self.view().await.iccid,
            event,
            outcome: (event == ChipEvent::Install).then_some(InstallOutcome::Installed),
            transaction: None,
        };
        self.stage.app.hear(notification, None).await.unwrap()
    }
}

fn phone() -> Eid {
    "89049032123451234512345678901235".parse().unwrap()
}

fn other_phone() -> Eid {
    let mut octets = *phone().as_octets();
    octets[3] = 0x33;
    Eid::from_octets(octets).unwrap()
}

#[tokio::test]
async fn a_line_gets_one_profile_however_often_it_is_made() {
    let story = Story::stocked().await;
    let first = story.view().await;
    assert_eq!(first.stage, ProfileStage::Ready);
    assert!(first.code.is_some() && first.number.is_some());
    assert_eq!(story.prepare().await, Ok(true));
    let (one, two) = tokio::join!(story.prepare(), story.prepare());
    assert_eq!((one, two), (Ok(true), Ok(true)));
    assert_eq!(story.view().await, first);
    let counts = story.stage.app.stock().await.unwrap();
    assert_eq!((counts.sims_taken, counts.numbers_taken), (1, 1));
}

#[tokio::test]
async fn an_empty_stock_makes_it_wait_and_nothing_is_lost() {
    let story = Story::begin().await;
    assert_eq!(story.prepare().await, Ok(false));
    assert_eq!(story.view().await.update, ProfileUpdate::Preparing);
    story.add_stock(0, 1).await;
    assert_eq!(story.prepare().await, Ok(true));
    assert_eq!(story.view().await.stage, ProfileStage::Ready);
}

#[tokio::test]
async fn a_chip_that_nothing_was_sent_to_has_nothing_to_say() {
    let mut story = Story::stocked().await;
    story.authenticate(phone()).await.unwrap();
    for event in [ChipEvent::Install, ChipEvent::Enable, ChipEvent::Delete] {
        assert_eq!(story.say(phone(), event).await, Heard::NotOurs);
    }
    assert_eq!(story.view().await.stage, ProfileStage::Ready);
    story.install(phone()).await;
    assert_eq!(
        story.say(other_phone(), ChipEvent::Delete).await,
        Heard::NotOurs
    );
    assert_eq!(story.view().await.stage, ProfileStage::Installed);
}

/// What a chip reports of a profile, numbered in the order in which it happened.
async fn stage_after(reports: &[(u64, ChipEvent)]) -> ProfileStage {
    let mut story = Story::stocked().await;
    story.install(phone()).await;
    for (sequence, event) in reports {
        story.sequence = sequence - 1;
        story.say(phone(), *event).await;
    }
    story.view().await.stage
}

#[tokio::test]
async fn of_reports_that_come_in_another_order_the_newest_counts() {
    use ChipEvent::{Delete, Disable, Enable, Install};
    let late_enabling = stage_after(&[(3, Disable), (2, Enable)]).await;
    assert_eq!(late_enabling, ProfileStage::Installed);
    let late_disabling = stage_after(&[(4, Enable), (2, Enable), (3, Disable)]).await;
    assert_eq!(late_disabling, ProfileStage::Enabled);
    let late_use = stage_after(&[(4, Delete), (2, Enable), (3, Disable)]).await;
    assert_eq!(late_use, ProfileStage::Deleted);
    // Deleted and downloaded once more, before the server heard of the first time.
    let again = [(2, Delete), (3, Install)];
    assert_eq!(stage_after(&again).await, ProfileStage::Installed);
    let again = [(3, Install), (2, Delete)];
    assert_eq!(stage_after(&again).await, ProfileStage::Installed);
}

#[tokio::test]
async fn a_deleted_profile_is_not_replaced_before_that_is_asked_for() {
    let mut story = Story::stocked().await;
    story.install(phone()).await;
    story.say(phone(), ChipEvent::Delete).await;
    // The work that made it comes once more: that it was done was not recorded.
    assert_eq!(story.prepare().await, Ok(true));
    assert_eq!(story.view().await.issued, 1);
}

#[tokio::test]
async fn a_session_that_was_promised_a_profile_does_not_lose_it_to_a_refusal() {
    let mut story = Story::stocked().await;
    let transaction = story.authenticate(phone()).await.unwrap();
    let key = ChipKey {
        curve: ChipCurve::P256,
        point: [5; 65],
    };
    let app = &story.stage.app;
    let asking = Asking {
        eid: other_phone(),
        matching_id: None,
        facts: ChipFacts {
            profile_version: [2, 3, 0],
            free_memory_octets: None,
            forbidden_rules: 0,
        },
    };
    let why = ProgressFailure {
        subject: "8.2.6".to_owned(),
        reason: "3.8".to_owned(),
    };
    let refused = app.refuse_chip(transaction, asking, key, why).await;
    assert_eq!(refused, Err(EsimFault::UnknownSession));
    let delivery = Delivery {
        transaction,
        chip_one_time_key: [4; 65],
    };
    assert_eq!(app.deliver(delivery).await, Ok(()));
}

#[tokio::test]
async fn what_the_phone_says_is_what_is_shown() {
    let mut story = Story::stocked().await;
    story.install(phone()).await;
    let installed = story.view().await;
    assert_eq!(installed.stage, ProfileStage::Installed);
    assert_eq!(installed.code, None);
    story.say(phone(), ChipEvent::Enable).await;
    let enabled = story.view().await;
    assert_eq!(enabled.stage, ProfileStage::Enabled);
    assert_eq!(enabled.update, ProfileUpdate::NothingNew);
    assert_eq!(enabled.heard.len(), 2);

    story.packager.0.store(2, Ordering::SeqCst);
    assert_eq!(story.view().await.update, ProfileUpdate::NewerWaiting);
    story.say(phone(), ChipEvent::Delete).await;
    let deleted = story.view().await;
    assert_eq!(deleted.stage, ProfileStage::Deleted);
    assert_eq!(deleted.update, ProfileUpdate::DeletedOnPhone);
}

#[tokio::test]
async fn a_new_profile_withdraws_the_old_one_and_keeps_the_number() {
    let mut story = Story::stocked().await;
    let old = story.view().await;
    story.install(phone()).await;
    let app = story.stage.app.clone();
    story.stage.delivered().await;
    app.reissue_profile(story.customer, story.line)
        .await
        .unwrap();
    let told = story.stage.delivered().await;
    assert!(
        told.iter()
            .any(|(to, text)| to == PHONE && text.contains("new eSIM profile")),
        "{told:?}"
    );
    let new = story.view().await;
    assert_eq!(new.stage, ProfileStage::Ready);
    assert_eq!(new.number, old.number);
    assert_ne!(new.iccid, old.iccid);
    assert_ne!(new.code, old.code);
    let asking = Asking {
        eid: phone(),
        matching_id: old.manual.map(|manual| manual.matching_id),
        facts: ChipFacts {
            profile_version: [2, 3, 0],
            free_memory_octets: None,
            forbidden_rules: 0,
        },
    };
    assert!(app.offer(&asking).await.is_err(), "the old code is void");
}

#[tokio::test]
async fn new_profiles_are_limited_within_a_year() {
    let story = Story::stocked().await;
    let app = &story.stage.app;
    for _ in 0..REISSUES_PER_YEAR {
        let issued = app.reissue_profile(story.customer, story.line);
        issued.await.unwrap();
        story.stage.delivered().await;
        assert_eq!(story.view().await.stage, ProfileStage::Ready);
    }
    let refused = app.reissue_profile(story.customer, story.line).await;
    let Err(ReissueRefusal::TooMany { next_at }) = refused else {
        panic!("{refused:?}");
    };
    story.stage.wait(Duration::days(365));
    assert!(next_at <= app.now());
    let issued = app.reissue_profile(story.customer, story.line).await;
    assert_eq!(issued, Ok(()));
    let stranger = app.make(CustomerId::from_parts, app.now());
    assert_eq!(
        app.reissue_profile(stranger, story.line).await,
        Err(ReissueRefusal::UnknownLine)
    );
}

#[tokio::test]
async fn subscriptions_are_added_once_and_their_keys_are_sealed() {
    let story = Story::begin().await;
    let app = &story.stage.app;
    let sims = make_up("00101".parse().unwrap(), 0, 3, app.entropy.as_ref());
    assert_eq!(app.add_sims(&sims).await.unwrap().added, 3);
    let again = app.add_sims(&sims).await.unwrap();
    assert_eq!((again.added, again.known), (0, 3));
    story.add_stock(3, 1).await;
    assert_eq!(story.prepare().await, Ok(true));
    let debug = format!("{sims:?}");
    assert!(debug.contains("Hidden") && !debug.contains("00101000000"));
}

/// Three fields that a row needs, wrapped by the transport key of [`FILE`]: RFC 3394 §4.1 wraps exactly this key
/// with that one.
const KEK: &str = "000102030405060708090A0B0C0D0E0F";
const WRAPPED: &str = "1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5";

fn file(row: &str) -> Result<Vec<NewSim>, ImportRefusal> {
    let heading = "ICCID,IMSI,Ki,OPc,PIN1,PUK1,PIN2,PUK2,ADM";
    read_file(&format!("{heading}\r\n{row}\n\n"), KEK, 5)
}

#[test]
fn operator_files_are_read() {
    let row = format!(
        "8900101000000000004,001010000000000,{WRAPPED},{WRAPPED},1234,12345678,4321,87654321,11112222"
    );
    let iccid = simurgh_vocab::identity::Iccid::with_check_digit("890010100000000000").unwrap();
    let row = row.replace("8900101000000000004", &iccid.digits());
    let sims = file(&row).unwrap();
    let [sim] = sims.as_slice() else {
        panic!("one row was expected");
    };
    assert_eq!(sim.home.to_string(), "00101");
    let key: [u8; 16] = std::array::from_fn(|at| u8::try_from(at * 0x11).unwrap());
    assert_eq!(sim.secrets.ki.show(), &key);

    let field = |row: String| match file(&row) {
        Err(ImportRefusal::Field { line, column, .. }) => (line, column),
        other => panic!("{other:?}"),
    };
    assert_eq!(field(row.replace(WRAPPED, "00")), (2, "ki"));
    assert_eq!(field(row.replace(",1234,", ",12x4,")), (2, "pin1"));
    assert_eq!(field(row.replace(&iccid.digits(), "1")), (2, "iccid"));
    assert_eq!(file(""), Err(ImportRefusal::Empty));
    assert_eq!(
        read_file("iccid,imsi\n", KEK, 5),
        Err(ImportRefusal::Column("ki"))
    );
    let other_key = KEK.replace("0F", "10");
    let refused = read_file(
        &format!("iccid,imsi,ki,opc,pin1,puk1,pin2,puk2,adm\n{row}"),
        &other_key,
        5,
    );
    assert!(matches!(
        refused,
        Err(ImportRefusal::Field { column: "ki", .. })
    ));
    assert_eq!(
        read_file("iccid,imsi,ki,opc,pin1,puk1,pin2,puk2,adm\nx", "0102", 5),
        Err(ImportRefusal::TransportKey)
    );
}

#[tokio::test]
async fn staff_finds_a_profile_by_whatever_is_known_of_it_and_withdraws_it() {
    let mut story = Story::stocked().await;
    let view = story.view().await;
    story.install(phone()).await;
    let app = &story.stage.app;
    let staff = app.create_staff("li.na", "correct horse battery").await;
    let staff = staff.unwrap().id;
    let ours = app
        .profiles_for_staff(staff, ProfileShelf::All)
        .await
        .unwrap();
    let id = ours[0].profile.id;
    let known = [
        view.iccid.unwrap().digits(),
        phone().digits(),
        view.number.unwrap().as_str().to_owned(),
        story.line.number(),
        view.manual.unwrap().matching_id.to_lowercase(),
        id.number(),
    ];
    for text in known {
        let found = app.search_profiles(staff, text.clone()).await.unwrap();
        assert_eq!(
            found.iter().map(|one| one.profile.id).collect::<Vec<_>>(),
            [id],
            "{text}"
        );
    }
    for text in ["", "nothing", &other_phone().digits(), "+447700900019"] {
        let found = app.search_profiles(staff, text.to_owned()).await.unwrap();
        assert!(found.is_empty(), "{text}");
    }

    let file = app.profile_file(staff, id).await.unwrap().unwrap();
    assert_eq!((file.customer, file.heard.len()), (Some(story.customer), 1));
    assert!(file.possible.withdraw && file.possible.reissue && !file.possible.release);
    let why = || Reason::parse("the phone was stolen").unwrap();
    let release = app
        .change_profile_by_staff(staff, id, ProfileDeed::Release, why())
        .await;
    assert_eq!(release, Err(ProfileDeskRefusal::State));
    let withdraw = || app.change_profile_by_staff(staff, id, ProfileDeed::Withdraw, why());
    assert_eq!(withdraw().await, Ok(()));
    assert_eq!(withdraw().await, Err(ProfileDeskRefusal::State));
    assert_eq!(story.view().await.stage, ProfileStage::Void);
    let file = app.profile_file(staff, id).await.unwrap().unwrap();
    assert!(file.packages.is_empty(), "nothing is left to give out");
    let said = file
        .staff_log
        .iter()
        .find(|one| one.action == StaffAction::ProfileWithdrawn);
    assert_eq!(
        said.map(|one| one.detail.as_str()),
        Some("the phone was stolen")
    );
}

#[tokio::test]
async fn staff_lets_a_code_that_was_given_up_serve_its_own_phone_again() {
    let mut story = Story::stocked().await;
    let staff = story
        .stage
        .app
        .create_staff("li.na", "correct horse battery")
        .await;
    let staff = staff.unwrap().id;
    let tries = ProfilePolicy::default().downloads;
    for _ in 0..tries {
        let transaction = story.authenticate(phone()).await.unwrap();
        let delivery = Delivery {
            transaction,
            chip_one_time_key: [4; 65],
        };
        story.stage.app.deliver(delivery).await.unwrap();
        story.fail(phone(), transaction).await;
    }
    assert_eq!(story.view().await.stage, ProfileStage::Void);
    let app = &story.stage.app;
    let given_up = app
        .profiles_for_staff(staff, ProfileShelf::GivenUp)
        .await
        .unwrap();
    assert_eq!(given_up.len(), 1);
    let id = given_up[0].profile.id;
    let why = Reason::parse("the update of the phone helped").unwrap();
    let done = app
        .change_profile_by_staff(staff, id, ProfileDeed::Release, why)
        .await;
    assert_eq!(done, Ok(()));
    assert_eq!(story.view().await.stage, ProfileStage::Ready);
    let refused = story.authenticate(other_phone()).await;
    assert_eq!(
        refused,
        Err(ProfileRefusal::OtherChip.into()),
        "it stays bound"
    );
    story.install(phone()).await;
    assert_eq!(story.view().await.stage, ProfileStage::Installed);
    let audit = story.stage.app.audit().await.unwrap();
    assert!(audit.findings.is_empty(), "{:?}", audit.findings);
}

#[tokio::test]
async fn staff_issues_anew_past_the_customers_limit_and_never_a_second_one() {
    let story = Story::stocked().await;
    let app = &story.stage.app;
    let staff = app.create_staff("li.na", "correct horse battery").await;
    let staff = staff.unwrap().id;
    for _ in 0..REISSUES_PER_YEAR {
        app.reissue_profile(story.customer, story.line)
            .await
            .unwrap();
        assert_eq!(story.prepare().await, Ok(true));
    }
    let all = app.profiles_for_staff(staff, ProfileShelf::All).await;
    let all: Vec<_> = all.unwrap().into_iter().map(|one| one.profile).collect();
    let in_state = |state| all.iter().find(|one| one.state == state).unwrap().id;
    let old = in_state(ProfileState::Unavailable);
    let id = in_state(ProfileState::Released);
    let reissue = |id| {
        let why = Reason::parse("the customer is abroad").unwrap();
        app.change_profile_by_staff(staff, id, ProfileDeed::Reissue, why)
    };
    assert_eq!(reissue(old).await, Err(ProfileDeskRefusal::Replaced));
    assert_eq!(reissue(id).await, Ok(()));
    assert_eq!(story.prepare().await, Ok(true));
    assert_eq!(story.view().await.issued, REISSUES_PER_YEAR + 2);
    let stock = app.stock_for_staff().await.unwrap().unwrap();
    assert!(
        stock.few_sims() && stock.few_numbers(),
        "the stage has twenty"
    );
}

#[tokio::test]
async fn a_closed_account_leaves_no_profile_to_be_downloaded() {
    let story = Story::stocked().await;
    let token = story.view().await.manual.map(|manual| manual.matching_id);
    story.stage.app.close_account(story.session).await.unwrap();
    let asking = Asking {
        eid: phone(),
        matching_id: token,
        facts: ChipFacts {
            profile_version: [2, 3, 0],
            free_memory_octets: None,
            forbidden_rules: 0,
        },
    };
    let offered = story.stage.app.offer(&asking).await;
    assert!(matches!(offered, Err(EsimFault::Refused(_))), "{offered:?}");
    assert_ne!(story.prepare().await, Ok(false), "and none is waited for");
    let line = story.line;
    let profiles = story
        .stage
        .app
        .store
        .snapshot(move |tx| tx.profiles_of(line));
    assert_eq!(profiles.await.unwrap().len(), 1, "no new one is made");
}

#[tokio::test]
async fn staff_asks_for_a_confirmation_code_that_only_the_customer_reads() {
    let mut story = Story::stocked().await;
    let app = story.stage.app.clone();
    let staff = app.create_staff("li.na", "correct horse battery").await;
    let staff = staff.unwrap().id;
    let found = app
        .profiles_for_staff(staff, ProfileShelf::All)
        .await
        .unwrap();
    let id = found[0].profile.id;
    let protect = || {
        let why = Reason::parse("the code was sent to a stranger").unwrap();
        app.change_profile_by_staff(staff, id, ProfileDeed::Protect, why)
    };
    assert!(!story.view().await.code_required);
    assert_eq!(protect().await, Ok(()));
    assert_eq!(protect().await, Err(ProfileDeskRefusal::State), "once");
    let view = story.view().await;
    let code = view.confirmation.clone().unwrap();
    assert!(view.code_required && view.tries_left.is_none());
    assert_eq!(code.reveal().len(), 6);
    assert!(!format!("{view:?}").contains(code.reveal()));

    let transaction = story.authenticate(phone()).await.unwrap();
    let session = app.session(&transaction).await.unwrap().unwrap();
    let package = app.package(&session).await.unwrap();
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, code.reveal().as_bytes());
    assert_eq!(package.confirmation.unwrap(), hash.as_ref());
    let tries = ProfilePolicy::default().code_tries;
    for left in (1..tries).rev() {
        assert_eq!(
            app.wrong_code(&transaction).await,
            Ok(CodeTries::Left(left))
        );
        assert_eq!(story.view().await.tries_left, Some(left));
    }
    assert_eq!(app.wrong_code(&transaction).await, Ok(CodeTries::Exceeded));
    let view = story.view().await;
    assert_eq!(view.stage, ProfileStage::Void);
    assert_eq!(view.given_up, Some(ProfileError::CodeTries));
    assert_eq!(view.confirmation, None);
}

#[tokio::test]
async fn a_profile_that_a_phone_has_asked_for_is_not_protected_any_more() {
    let mut story = Story::stocked().await;
    let app = story.stage.app.clone();
    let staff = app.create_staff("li.na", "correct horse battery").await;
    let staff = staff.unwrap().id;
    let found = app
        .profiles_for_staff(staff, ProfileShelf::All)
        .await
        .unwrap();
    let id = found[0].profile.id;
    story.authenticate(phone()).await.unwrap();
    let file = app.profile_file(staff, id).await.unwrap().unwrap();
    assert!(!file.possible.protect && file.possible.reissue);
    let why = Reason::parse("the code was sent to a stranger").unwrap();
    let late = app.change_profile_by_staff(staff, id, ProfileDeed::Protect, why);
    assert_eq!(late.await, Err(ProfileDeskRefusal::State));
}
