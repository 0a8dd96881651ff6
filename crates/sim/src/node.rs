//! eSIM in the process that is killed: what its lines' profiles are made of, and its SM-DP+.

use std::sync::Arc;

use simurgh_app::App;
use simurgh_app::esim::inventory::make_up;
use simurgh_app::esim::{EsimFault, Rules};
use simurgh_app::ports::{Hidden, ProfileMaterial, ProfilePackager};
use simurgh_rsp::identity::Iccid;
use simurgh_rsp::key::Curve;
use simurgh_rsp::pki::{Credentials, TestNames, TestPki};
use simurgh_smdp::{Caller, Packager, ServerCredentials, Smdp, SmdpSettings};
use simurgh_vocab::{CustomerId, Msisdn};
use tokio::net::TcpListener;

use crate::SeededEntropy;
use crate::world::BEGIN;
use simurgh_app::ports::Entropy as _;

/// The name under which phones find the SM-DP+.
pub const SMDP_ADDRESS: &str = "smdp.example.com";
/// The name under which they find the SM-DS beside it.
pub const SMDS_ADDRESS: &str = "smds.example.com";
/// Another operator, which orders profiles.
pub const OPERATOR: &str = "mno.example.com";
/// What it shows to be let in.
pub const OPERATOR_TOKEN: &str = "a token for tests only, no secret";
/// What those profiles are called.
const PROFILE_TYPE: &str = "prepaid";

/// The rules of eSIM, with a maker of packages.
pub(crate) fn rules() -> Rules {
    let packager = Packager::new(SMDP_ADDRESS.to_owned(), 1);
    Rules {
        packager: Some(Arc::new(packager) as Arc<dyn ProfilePackager>),
        ..Rules::default()
    }
}

/// The same certificates and keys in every process.
///
/// # Errors
/// What the makers of keys and certificates say.
pub fn esim_pki() -> Result<TestPki, String> {
    let names = TestNames {
        smdp_address: SMDP_ADDRESS.to_owned(),
        smdp_oid: "2.999.10".parse().map_err(said)?,
        smds_address: SMDS_ADDRESS.to_owned(),
        smds_oid: "2.999.20".parse().map_err(said)?,
        ein: "89049032".to_owned(),
    };
    let random = SeededEntropy::new(1);
    TestPki::generate(Curve::P256, &names, BEGIN, &mut |octets| {
        random.fill(octets);
    })
    .map_err(said)
}

/// Subscriptions and numbers for so many lines.
pub(crate) async fn fill(app: &App, lines: u32) -> Result<(), String> {
    let home = "00101".parse().map_err(said)?;
    let sims = make_up(home, 0, lines, app.entropy.as_ref());
    app.add_sims(&sims).await.map_err(said)?;
    let numbers: Result<Vec<Msisdn>, _> = (0..u64::from(lines))
        .map(|place| format!("+{}", 447_700_900_000 + place).parse())
        .collect();
    let added = app.add_numbers(numbers.map_err(said)?).await;
    added.map(drop).map_err(said)
}

/// The token under which the only profile of a customer's only line waits.
pub(crate) async fn token(app: &App, customer: CustomerId) -> Result<String, String> {
    let lines = app.line_views(customer).await.map_err(said)?;
    let line = lines.first().ok_or("no line")?.line.id;
    let view = app.profile_view(customer, line).await.map_err(said)?;
    let manual = view.and_then(|view| view.manual);
    Ok(manual.ok_or("no profile")?.matching_id)
}

/// Puts a profile in stock that others may order.
///
/// # Errors
/// What the maker of packages or the store says.
pub async fn stock(app: &App, iccid: Iccid) -> Result<(), String> {
    let random = SeededEntropy::new(iccid.as_octets().iter().fold(7, |sum, octet| {
        u64::wrapping_mul(sum, 257).wrapping_add(u64::from(*octet))
    }));
    let packager = Packager::new(SMDP_ADDRESS.to_owned(), 1);
    let packed = packager
        .pack(&material(iccid)?, &mut |octets| random.fill(octets))
        .map_err(said)?;
    let stocked = app.stock_profile(iccid, PROFILE_TYPE.to_owned(), &packed);
    stocked
        .await
        .map(drop)
        .map_err(|fault: EsimFault| said(fault))
}

fn material(iccid: Iccid) -> Result<ProfileMaterial, String> {
    let hidden = |text: &str| Hidden::new(text.to_owned());
    Ok(ProfileMaterial {
        iccid,
        imsi: "001010123456789".parse().map_err(said)?,
        home: "00101".parse().map_err(said)?,
        msisdn: None,
        ki: Hidden::new([0x4B; 16]),
        opc: Hidden::new([0x0C; 16]),
        pins: [hidden("1234"), hidden("5678")],
        puks: [hidden("11112222"), hidden("33334444")],
        administrative: hidden("99990000"),
        over_the_air: Vec::new(),
        service_provider_name: "Simurgh".to_owned(),
        profile_name: "Simurgh".to_owned(),
        service_centre: None,
        preferred: Vec::new(),
        forbidden: Vec::new(),
    })
}

/// Serves phones and operators over plain HTTP until the process ends; answers the port.
pub(crate) async fn serve(app: &App) -> Result<String, String> {
    let credentials = Credentials::from_files(&esim_pki()?.files()).map_err(said)?;
    let credentials = ServerCredentials::new(credentials, app.now()).map_err(said)?;
    let settings = SmdpSettings {
        smds_address: Some(SMDS_ADDRESS.to_owned()),
        callers: vec![Caller::with_token(OPERATOR.to_owned(), OPERATOR_TOKEN)],
        ..SmdpSettings::new(SMDP_ADDRESS.to_owned())
    };
    let router = Smdp::new(app.clone(), Arc::new(credentials), settings).router();
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(said)?;
    let port = listener.local_addr().map_err(said)?.port();
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(port.to_string())
}

fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}
