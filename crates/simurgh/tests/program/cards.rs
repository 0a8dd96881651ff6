//! `simurgh euicc` and `simurgh lpa` as programs: a profile of `simurgh serve` over TLS into a card behind pipes
//! and, with lpac and a virtual reader, into one behind PC/SC.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use simurgh_app::crypto::Keyring;
use simurgh_app::esim::{OrderCall, OrderConfirmation, Rules};
use simurgh_app::ports::{Hidden, ProfileMaterial, ProfilePackager as _};
use simurgh_app::{App, Settings, World};
use simurgh_rsp::identity::{Iccid, unhex};
use simurgh_rsp::message::download::hash_confirmation_code;
use simurgh_sim::{MachineClock, SeededEntropy, Silent};
use simurgh_smdp::Packager;
use simurgh_store::{Database, DatabaseOptions};

use super::process::{Folder, From, KEY, Serving, program, text};

const CODE: &str = "0815";

/// An operator with one ordered profile, served over TLS.
struct Operator {
    folder: Folder,
    address: String,
    token: String,
    iccid: String,
    _serving: Serving,
}

fn operator() -> Operator {
    let folder = Folder::new();
    let port = {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap().port()
    };
    let address = format!("localhost:{port}");
    let iccid = Iccid::with_check_digit("894460123456789012").unwrap();
    let token = order(&folder.0.join("simurgh.db"), &address, iccid);
    let certificates = folder.0.join("certificates");
    let made = program(&["lpa", "--certificates"])
        .arg(&certificates)
        .arg("--state")
        .arg(folder.0.join("unused.state"))
        .arg("info")
        .output();
    assert!(made.unwrap().status.success());
    let settings = format!(
        "master_key_file = '{key}'
[store]
url = 'sqlite:{store}'
[portal]
listen = '127.0.0.1:0'
url = 'http://localhost:8080'
[console]
listen = '127.0.0.1:0'
[admin]
listen = '127.0.0.1:0'
[esim]
address = '{address}'
certificates = '{certificates}'
listen = '127.0.0.1:{port}'
",
        key = folder.file("key", &format!("{KEY}\n")).display(),
        store = folder.0.join("simurgh.db").display(),
        certificates = certificates.display(),
    );
    let config = folder.file("simurgh.toml", &settings);
    let mut command = program(&["serve", "--config"]);
    command.arg(config);
    let mut serving = Serving::start(command, From::Error);
    serving.wait_for("\"serving\"");
    Operator {
        folder,
        address,
        token,
        iccid: iccid.digits(),
        _serving: serving,
    }
}

/// Puts a profile into the store's stock and orders it with a confirmation code, as another operator would.
fn order(store: &Path, address: &str, iccid: Iccid) -> String {
    let url = format!("sqlite:{}", store.display()).parse().unwrap();
    let store = Database::open(&url, DatabaseOptions::default()).unwrap();
    let clock = Arc::new(MachineClock);
    store
        .migrate(simurgh_app::ports::Clock::now(&MachineClock))
        .unwrap();
    let packager = Packager::new(address.to_owned(), 0);
    let packed = packager
        .pack(&material(iccid), &mut |octets| octets.fill(7))
        .unwrap();
    let master_key: [u8; 32] = unhex(KEY).unwrap().try_into().unwrap();
    let world = World {
        store: Arc::new(store),
        clock,
        entropy: Arc::new(SeededEntropy::new(5)),
        messenger: Arc::new(Silent::default()),
        keyring: Keyring::new(&master_key),
        providers: Vec::new(),
        settings: Settings {
            brand: "Simurgh".to_owned(),
            portal_url: "http://localhost:8080".to_owned(),
            document_series: "SIM".to_owned(),
            entity_time_zone: "Asia/Shanghai".parse().unwrap(),
        },
    };
    let rules = Rules {
        packager: Some(Arc::new(packager)),
        ..Rules::default()
    };
    let app = App::with_esim(world, simurgh_app::subscriber::Rules::default(), rules);
    let call = |number: u8| OrderCall {
        requester: "mno".to_owned(),
        call: number.to_string(),
        request: vec![number],
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        app.stock_profile(iccid, "prepaid".to_owned(), &packed)
            .await
            .unwrap();
        app.download_order(call(1), None, Some(iccid), None)
            .await
            .unwrap();
        let confirmation = OrderConfirmation {
            iccid,
            eid: None,
            matching_id: None,
            confirmation: Some(hash_confirmation_code(CODE)),
            smds: None,
            expires_at: None,
            release: true,
        };
        app.confirm_order(call(2), confirmation)
            .await
            .unwrap()
            .matching_id
    })
}

fn material(iccid: Iccid) -> ProfileMaterial {
    let hidden = |text: &str| Hidden::new(text.to_owned());
    ProfileMaterial {
        iccid,
        imsi: "001010123456789".parse().unwrap(),
        home: "00101".parse().unwrap(),
        msisdn: Some("+8613800138000".parse().unwrap()),
        ki: Hidden::new([0x4B; 16]),
        opc: Hidden::new([0x0C; 16]),
        pins: [hidden("1234"), hidden("5678")],
        puks: [hidden("11112222"), hidden("33334444")],
        administrative: hidden("99990000"),
        over_the_air: Vec::new(),
        service_provider_name: "Simurgh".into(),
        profile_name: "Simurgh Global".into(),
        service_centre: None,
        preferred: Vec::new(),
        forbidden: Vec::new(),
    }
}

impl Operator {
    fn state(&self) -> PathBuf {
        self.folder.0.join("card.state")
    }

    fn certificates(&self) -> PathBuf {
        self.folder.0.join("certificates")
    }

    /// Runs our LPA on a card that another process of ours is.
    fn lpa(&self, arguments: &[&str]) -> Output {
        let card = format!(
            "'{}' euicc --stdio --certificates '{}' --state '{}'",
            env!("CARGO_BIN_EXE_simurgh"),
            self.certificates().display(),
            self.state().display(),
        );
        let mut command = program(&["lpa", "--certificates"]);
        command.arg(self.certificates());
        command.args(["--card-command", &card]).args(arguments);
        command.output().unwrap()
    }
}

fn done(output: &Output) -> String {
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn our_lpa_fills_a_card_behind_another_program() {
    let operator = operator();
    let code = format!("LPA:1${}${}", operator.address, operator.token);
    let wrong = operator.lpa(&["download", &code, "--yes", "--confirmation-code", "1234"]);
    assert!(!wrong.status.success());
    assert!(
        text(&wrong.stderr).contains("code"),
        "{}",
        text(&wrong.stderr)
    );
    done(&operator.lpa(&[
        "download",
        &code,
        "--yes",
        "--confirmation-code",
        CODE,
        "--enable",
    ]));
    let listed = done(&operator.lpa(&["list"]));
    assert!(
        listed.starts_with(&format!("{}\tenabled\t", operator.iccid)),
        "{listed}"
    );
    done(&operator.lpa(&["disable", &operator.iccid]));
    done(&operator.lpa(&["delete", &operator.iccid]));
    assert_eq!(done(&operator.lpa(&["list"])), "");
    assert_eq!(
        done(&operator.lpa(&["notifications", "--list"])),
        "",
        "all were delivered"
    );
}

#[test]
fn a_card_that_is_not_there_is_said_so() {
    let folder = Folder::new();
    let mut command = program(&["lpa", "--certificates"]);
    command.arg(folder.0.join("certificates"));
    let output = command
        .args(["--card-command", "exit 3", "info"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(text(&output.stderr).contains("the card does not answer"));
}

/// Runs lpac on the card in the reader, over TLS.
fn run_lpac(arguments: &[&str]) -> Output {
    Command::new("lpac")
        .args(arguments)
        .env("LPAC_APDU", "pcsc")
        .env("LPAC_HTTP", "curl")
        .output()
        .unwrap()
}

/// The same, which must do well; gives what it says at the end.
fn lpac(arguments: &[&str]) -> String {
    let output = run_lpac(arguments);
    let said = text(&output.stdout);
    let last = said.lines().last().unwrap_or_default().to_owned();
    assert!(
        last.contains("\"code\":0"),
        "{arguments:?}: {said}{}",
        text(&output.stderr)
    );
    last
}

/// The daemon looks for new cards a few times a second: asks until it has seen ours.
fn wait_for_reader(mut is_seen: impl FnMut() -> bool) {
    for _ in 0..100 {
        if is_seen() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("the reader does not see the card");
}

#[test]
#[ignore = "needs lpac, and pcscd with the driver vpcd: cargo xtask interop"]
fn lpac_fills_a_card_in_a_reader() {
    let operator = operator();
    let mut card = program(&["euicc", "--vpcd", "127.0.0.1:35963", "--certificates"]);
    card.arg(operator.certificates())
        .arg("--state")
        .arg(operator.state());
    let mut card = Serving::start(card, From::Error);
    card.wait_for("the card is in the reader");
    let (address, token, iccid) = (&*operator.address, &*operator.token, &*operator.iccid);
    wait_for_reader(|| text(&run_lpac(&["chip", "info"]).stdout).contains("\"code\":0"));
    let info = lpac(&["chip", "info"]);
    assert!(info.contains("89049032123451234512345678901235"), "{info}");
    lpac(&[
        "profile", "download", "-s", address, "-m", token, "-c", CODE,
    ]);
    assert!(lpac(&["profile", "list"]).contains("Simurgh Global"));
    lpac(&["profile", "enable", iccid]);
    assert!(lpac(&["profile", "list"]).contains("\"enabled\""));
    lpac(&["profile", "nickname", iccid, "travel"]);
    assert!(lpac(&["profile", "list"]).contains("travel"));
    lpac(&["profile", "disable", iccid]);
    lpac(&["profile", "delete", iccid]);
    assert!(!lpac(&["profile", "list"]).contains("Simurgh Global"));
    lpac(&["notification", "process", "-a", "-r"]);
    assert!(
        !lpac(&["notification", "list"]).contains("seqNumber"),
        "all were delivered"
    );
}

#[cfg(feature = "pcsc")]
#[test]
#[ignore = "needs pcscd with the driver vpcd: cargo xtask interop"]
fn our_lpa_fills_a_card_in_a_reader() {
    let operator = operator();
    // The second slot of the driver: lpac uses the first.
    let mut card = program(&["euicc", "--vpcd", "127.0.0.1:35964", "--certificates"]);
    card.arg(operator.certificates())
        .arg("--state")
        .arg(operator.state());
    let mut card = Serving::start(card, From::Error);
    card.wait_for("the card is in the reader");
    let run = |arguments: &[&str]| {
        let mut command = program(&["lpa", "--certificates"]);
        command.arg(operator.certificates());
        let reader = ["--reader", "Virtual PCD 00 01"];
        command.args(reader).args(arguments).output().unwrap()
    };
    wait_for_reader(|| run(&["info"]).status.success());
    let lpa = |arguments: &[&str]| done(&run(arguments));
    let code = format!("LPA:1${}${}", operator.address, operator.token);
    lpa(&[
        "download",
        &code,
        "--yes",
        "--confirmation-code",
        CODE,
        "--enable",
    ]);
    assert!(lpa(&["list"]).starts_with(&format!("{}\tenabled\t", operator.iccid)));
    lpa(&["disable", &operator.iccid]);
    lpa(&["delete", &operator.iccid]);
    assert_eq!(lpa(&["list"]), "");
}
