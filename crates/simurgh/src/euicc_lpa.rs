//! An LPA at the command line, over a software eUICC in this process.

use std::io::{IsTerminal as _, Write as _};
use std::net::SocketAddr;

use anyhow::{Context, bail};
use clap::Subcommand;
use simurgh_connectors::esim::{LpaTransport, LpaTransportSettings};
use simurgh_euicc::lpa::{Consent, HttpAnswer, Lpa, LpaError, Order, Progress, Servers, User};
use simurgh_rsp::activation_code::ActivationCode;
use simurgh_rsp::identity::Iccid;
use simurgh_rsp::message::es9::PROTOCOL_HEADER;
use simurgh_rsp::message::es10::{ProfileInfo, ProfileState, ResetOptions};
use simurgh_rsp::message::info::DeviceInfo;
use simurgh_rsp::message::metadata::ProfileMetadata;
use simurgh_rsp::pki::Credentials;
use tokio::runtime::Runtime;

use crate::euicc_card::CardOptions;
use crate::euicc_chip::ChipOptions;
use crate::euicc_files;
use crate::system::SystemClock;
use simurgh_app::ports::Clock as _;

#[derive(clap::Args)]
pub(crate) struct LpaOptions {
    #[command(flatten)]
    chip: ChipOptions,
    #[command(flatten)]
    card: CardOptions,
    #[command(flatten)]
    servers: ServerOptions,
    #[command(subcommand)]
    command: LpaCommand,
}

#[derive(clap::Args)]
pub(crate) struct ServerOptions {
    /// Where every connection to a server goes, whatever its name is; the name is checked all the same.
    #[arg(long, value_name = "HOST:PORT")]
    connect: Option<SocketAddr>,
    /// Speak HTTP without TLS: for tests with a server that has none.
    #[arg(long)]
    plain_http: bool,
}

#[derive(Subcommand)]
enum LpaCommand {
    /// Say what the chip is: EID, memory, addresses.
    Info,
    /// List the profiles.
    List,
    /// Download a profile: by its activation code, or what waits for this chip.
    Download {
        /// The activation code, such as 'LPA:1$smdp.example.com$TOKEN' (in quotes: the shell eats `$`).
        code: Option<String>,
        /// The confirmation code, when the profile needs one.
        #[arg(long, value_name = "CODE")]
        confirmation_code: Option<String>,
        /// Download without asking.
        #[arg(long)]
        yes: bool,
        /// Take the profile in use at once.
        #[arg(long)]
        enable: bool,
    },
    /// Ask the discovery server what waits for this chip.
    Discover,
    /// Take a profile in use, in place of the one that is.
    Enable {
        /// The profile's number.
        iccid: String,
    },
    /// Take a profile out of use.
    Disable {
        /// The profile's number.
        iccid: String,
    },
    /// Delete a profile that is not in use.
    Delete {
        /// The profile's number.
        iccid: String,
    },
    /// Give a profile a name of your own.
    Rename {
        /// The profile's number.
        iccid: String,
        /// The name; empty to forget it.
        name: String,
    },
    /// Set the server to ask when there is no activation code.
    SetDefault {
        /// Its host name; empty to forget it.
        address: String,
    },
    /// Deliver what the chip has to tell its servers (every change does it too).
    Notifications {
        /// Only list it.
        #[arg(long)]
        list: bool,
    },
    /// Delete all profiles and the default address.
    Reset,
}

pub(crate) const LPA_EXAMPLES: &str = "\
Examples:
  simurgh lpa info
  simurgh lpa download 'LPA:1$smdp.example.com$TOKEN' --enable
  simurgh lpa --connect 127.0.0.1:8443 download 'LPA:1$localhost$TOKEN' --yes
  simurgh lpa list
  simurgh lpa --card-command 'simurgh euicc --stdio' list

The chip is a software eUICC in a file (--state), unless --card-command or --reader names another. It believes servers below the roots in --certificates only,
and so does TLS.";

/// Reaches servers by HTTPS.
pub(crate) struct HttpServers {
    runtime: Runtime,
    transport: LpaTransport,
}

impl HttpServers {
    /// Trusts the roots in the folder.
    pub(crate) fn new(options: &ServerOptions, credentials: &Credentials) -> anyhow::Result<Self> {
        let settings = LpaTransportSettings {
            roots: credentials
                .roots
                .iter()
                .map(|root| root.der().to_vec())
                .collect(),
            connect_to: options.connect,
            danger_plain_http: options.plain_http,
            ..LpaTransportSettings::default()
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("starting the runtime")?;
        Ok(Self {
            runtime,
            transport: LpaTransport::new(&settings)?,
        })
    }
}

impl Servers for HttpServers {
    fn post(&mut self, address: &str, path: &str, body: &[u8]) -> Result<HttpAnswer, LpaError> {
        let post = self
            .transport
            .post(address, path, PROTOCOL_HEADER, body.to_vec());
        self.runtime
            .block_on(post)
            .map_err(|error| LpaError::Unreachable(error.to_string()))
    }
}

/// The person at the terminal.
struct Person {
    confirmation_code: Option<String>,
    consents: bool,
}

impl User for Person {
    fn consent(&mut self, profile: &ProfileMetadata, code_needed: bool) -> Consent {
        eprintln!(
            "{}: {}",
            profile.service_provider_name, profile.profile_name
        );
        if !self.consents && !ask("Download it? [y/N] ").is_some_and(|one| is_yes(&one)) {
            return Consent::No;
        }
        let typed = self.confirmation_code.take();
        let confirmation_code = match (code_needed, typed) {
            (true, None) => ask("Confirmation code: ").filter(|code| !code.is_empty()),
            (_, typed) => typed,
        };
        Consent::Yes { confirmation_code }
    }

    fn progress(&mut self, progress: Progress) {
        match progress {
            Progress::Authenticating => {
                eprintln!("the server and the chip authenticate each other")
            }
            Progress::Asking => {}
            Progress::Fetching => eprintln!("the package is fetched"),
            Progress::Installing { done, of } => {
                let end = if done == of { "\n" } else { "" };
                eprint!("\rinstalling: {done} of {of}{end}");
            }
        }
    }
}

fn is_yes(text: &str) -> bool {
    matches!(text.to_ascii_lowercase().as_str(), "y" | "yes")
}

/// An answer from the terminal; `None` when there is none to ask.
fn ask(question: &str) -> Option<String> {
    if !std::io::stdin().is_terminal() {
        return None;
    }
    eprint!("{question}");
    std::io::stderr().flush().ok()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).ok()?;
    Some(answer.trim().to_owned())
}

/// Does one command.
pub(crate) fn run(options: LpaOptions) -> anyhow::Result<()> {
    let names = euicc_files::local_names()?;
    let now = SystemClock.now();
    let dir = &options.chip.certificates;
    let mut credentials = euicc_files::load_or_generate(dir, &names, now)?;
    let mut servers = HttpServers::new(&options.servers, &credentials)?;
    let mut card = options.card.open(&options.chip, &mut credentials)?;
    let mut lpa = Lpa::open(card.as_mut())?;
    let done = act(&mut lpa, options.command, &mut servers);
    let closed = lpa.close();
    done?;
    Ok(closed?)
}

fn act(lpa: &mut Lpa<'_>, command: LpaCommand, servers: &mut HttpServers) -> anyhow::Result<()> {
    match command {
        LpaCommand::Info => return info(lpa),
        LpaCommand::List => return list(lpa),
        LpaCommand::Discover => {
            for event in lpa.discover(servers)? {
                println!("{}\t{}", event.server_address, event.event_id);
            }
            return Ok(());
        }
        LpaCommand::Notifications { list: true } => {
            for one in lpa.notifications()? {
                println!("{}\t{:?}\t{}", one.sequence_number, one.event, one.address);
            }
            return Ok(());
        }
        LpaCommand::Download {
            code,
            confirmation_code,
            yes,
            enable,
        } => {
            let mut person = Person {
                confirmation_code,
                consents: yes,
            };
            download(lpa, code, enable, &mut person, servers)?;
        }
        LpaCommand::Enable { iccid } => lpa.enable(&parse(&iccid)?)?,
        LpaCommand::Disable { iccid } => lpa.disable(&parse(&iccid)?)?,
        LpaCommand::Delete { iccid } => lpa.delete(&parse(&iccid)?)?,
        LpaCommand::Rename { iccid, name } => return Ok(lpa.rename(&parse(&iccid)?, &name)?),
        LpaCommand::SetDefault { address } => return Ok(lpa.set_default_address(&address)?),
        LpaCommand::Notifications { list: false } => {}
        LpaCommand::Reset => lpa.reset_memory(ResetOptions {
            operational_profiles: true,
            test_profiles: true,
            default_address: true,
        })?,
    }
    deliver(lpa, servers)
}

/// Servers hear of a change; what does not reach them now goes with the next one.
fn deliver(lpa: &mut Lpa<'_>, servers: &mut HttpServers) -> anyhow::Result<()> {
    let delivered = lpa.deliver_notifications(servers)?;
    let left = lpa.notifications()?.len();
    if delivered + left > 0 {
        eprintln!("notifications: {delivered} delivered, {left} left for later");
    }
    Ok(())
}

fn parse(iccid: &str) -> anyhow::Result<Iccid> {
    iccid.parse().with_context(|| iccid.to_owned())
}

fn info(lpa: &mut Lpa<'_>) -> anyhow::Result<()> {
    let (eid, info, addresses) = (lpa.eid()?, lpa.info()?, lpa.addresses()?);
    println!("EID             {}", eid.digits());
    println!("SGP.22          {}", info.svn);
    println!("profile version {}", info.profile_version);
    if let Some(free) = info.free_memory_octets() {
        println!("free memory     {free} octets");
    }
    let default = addresses.default_smdp.as_deref().unwrap_or("-");
    println!("default SM-DP+  {default}");
    println!("SM-DS           {}", addresses.root_smds);
    Ok(())
}

fn list(lpa: &mut Lpa<'_>) -> anyhow::Result<()> {
    for one in lpa.profiles()? {
        let state = match one.state {
            Some(ProfileState::Enabled) => "enabled",
            Some(ProfileState::Disabled) => "disabled",
            Some(ProfileState::Other(_)) | None => "?",
        };
        let iccid = one.iccid.map(|iccid| iccid.digits()).unwrap_or_default();
        println!("{iccid}\t{state}\t{}", name_of(&one));
    }
    Ok(())
}

fn name_of(profile: &ProfileInfo) -> String {
    let own = [&profile.service_provider_name, &profile.profile_name];
    let own: Vec<&str> = own.into_iter().filter_map(|one| one.as_deref()).collect();
    match &profile.nickname {
        Some(nickname) => format!("{nickname} ({})", own.join(" ")),
        None => own.join(" "),
    }
}

fn download(
    lpa: &mut Lpa<'_>,
    code: Option<String>,
    enable: bool,
    person: &mut Person,
    servers: &mut HttpServers,
) -> anyhow::Result<()> {
    let device = DeviceInfo::default();
    let orders = match code {
        Some(code) => {
            let code: ActivationCode = code.parse()?;
            vec![Order::of(&code, device)]
        }
        None => lpa.find_orders(&device, servers)?,
    };
    if orders.is_empty() {
        bail!("nothing waits for this chip; give an activation code");
    }
    for order in orders {
        let downloaded = lpa.download(&order, servers, person)?;
        println!("{}", downloaded.iccid().digits());
        if enable {
            lpa.enable(downloaded.iccid())?;
        }
    }
    Ok(())
}
