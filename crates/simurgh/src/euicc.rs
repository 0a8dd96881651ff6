//! `simurgh euicc`: a software eUICC that other programs drive.

use std::io::{BufRead as _, BufReader, Read as _, Write};
use std::net::TcpStream;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use simurgh_app::ports::Clock as _;
use simurgh_euicc::face;
use simurgh_euicc::lpa::Servers as _;

use crate::euicc_chip::{Chip, ChipOptions};
use crate::euicc_files;
use crate::euicc_lpa::{HttpServers, ServerOptions};
use crate::system::SystemClock;

#[derive(clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    chip: ChipOptions,
    #[command(flatten)]
    servers: ServerOptions,
    /// Speak one line of JSON a request on standard input and output, as the stdio drivers of lpac do.
    #[arg(long, conflicts_with = "vpcd", required_unless_present_any = ["vpcd", "program"])]
    stdio: bool,
    /// Be a card in the virtual reader of vsmartcard: pcscd with its driver vpcd listens there.
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "program")]
    vpcd: Option<String>,
    /// An LPA to run with this chip, its stdio drivers chosen; what it says at the end is printed.
    #[arg(last = true, value_name = "PROGRAM")]
    program: Vec<String>,
}

pub(crate) const EXAMPLES: &str = "\
Examples:
  simurgh euicc -- lpac chip info                    run lpac with this chip
  simurgh euicc -- lpac profile download -s smdp.example.com -m TOKEN
  simurgh euicc --connect 127.0.0.1:8443 -- lpac profile download -s localhost -m TOKEN
  simurgh euicc --vpcd 127.0.0.1:35963               a card for pcscd (Debian: pcscd, vsmartcard-vpcd)
  simurgh euicc --stdio                              for a program that starts this one

The chip keeps its profiles in --state and trusts the roots in --certificates, which are made for tests when
the folder does not exist. With --stdio and with a program it also carries the LPA's requests to servers, by
HTTPS with those roots only. With --vpcd the LPA makes its own connections.

`simurgh lpa` downloads and manages profiles on the same chip without another program.";

/// How long to wait before a reader that went away is looked for again.
const READER_PAUSE: Duration = Duration::from_secs(1);

/// Runs the chip until its peer is done.
pub(crate) fn run(options: Options) -> anyhow::Result<ExitCode> {
    let names = euicc_files::local_names()?;
    let dir = &options.chip.certificates;
    let mut credentials = euicc_files::load_or_generate(dir, &names, SystemClock.now())?;
    let mut chip = Chip::open(&options.chip, &mut credentials)?;
    if let Some(place) = &options.vpcd {
        return be_card(&mut chip, place);
    }
    let servers = HttpServers::new(&options.servers, &credentials)?;
    let mut lines = Lines { chip, servers };
    if let Some((program, arguments)) = options.program.split_first() {
        return lines.run(program, arguments);
    }
    let (input, output) = (std::io::stdin().lock(), std::io::stdout().lock());
    lines.serve(input, output, &mut std::io::stderr())?;
    Ok(ExitCode::SUCCESS)
}

/// The one-line protocol: the chip for APDUs, a client for requests to servers.
struct Lines {
    chip: Chip,
    servers: HttpServers,
}

impl Lines {
    /// Answers lines until there are no more; those that need no answer go to `heard`.
    fn serve(
        &mut self,
        input: impl std::io::Read,
        mut output: impl Write,
        heard: &mut dyn Write,
    ) -> anyhow::Result<()> {
        let mut input = BufReader::new(input);
        let limit = u64::try_from(face::HTTP_LINE_MAX).unwrap_or(u64::MAX);
        loop {
            let mut line = String::new();
            if input.by_ref().take(limit).read_line(&mut line)? == 0 {
                return Ok(());
            }
            match self.answer(line.trim_end())? {
                Some(answer) => {
                    output.write_all(format!("{answer}\n").as_bytes())?;
                    output.flush()?;
                }
                None => heard.write_all(line.as_bytes())?,
            }
        }
    }

    fn answer(&mut self, line: &str) -> anyhow::Result<Option<String>> {
        if let Some(request) = face::read_http_line(line) {
            let posted = self
                .servers
                .post(&request.address, &request.path, &request.body);
            let (status, body) = posted.unwrap_or_else(|error| {
                eprintln!("simurgh: {}: {error}", request.address);
                (0, Vec::new())
            });
            return Ok(Some(face::http_answer_line(status, &body)));
        }
        self.chip
            .with(|chip, environment| face::answer_line(chip, line, environment))
    }

    /// Runs an LPA with this chip; its last words go to standard output, its exit status is ours.
    fn run(&mut self, program: &str, arguments: &[String]) -> anyhow::Result<ExitCode> {
        let mut child: Child = Command::new(program)
            .args(arguments)
            .env("LPAC_APDU", "stdio")
            .env("LPAC_HTTP", "stdio")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting {program}"))?;
        let (Some(output), Some(input)) = (child.stdin.take(), child.stdout.take()) else {
            bail!("{program}: no pipes");
        };
        self.serve(input, output, &mut std::io::stdout())?;
        let status = child.wait()?;
        let code = status.code().and_then(|code| u8::try_from(code).ok());
        Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
    }
}

/// Is a card in a virtual reader; comes back when the reader goes and comes.
fn be_card(chip: &mut Chip, place: &str) -> anyhow::Result<ExitCode> {
    let mut stream = TcpStream::connect(place).with_context(|| {
        format!("{place}: no virtual reader; is pcscd running, with vsmartcard-vpcd installed?")
    })?;
    eprintln!("the card is in the reader at {place}; Ctrl-C takes it out");
    loop {
        stream.set_nodelay(true)?;
        if let Err(error) = exchange(chip, &mut stream)? {
            eprintln!("simurgh: {place}: {error}");
        }
        stream = loop {
            std::thread::sleep(READER_PAUSE);
            if let Ok(stream) = TcpStream::connect(place) {
                break stream;
            }
        };
    }
}

/// Answers frames until the reader goes; outside what is wrong with us, inside with the connection.
fn exchange(chip: &mut Chip, stream: &mut TcpStream) -> anyhow::Result<std::io::Result<()>> {
    loop {
        let frame = match face::read_frame(stream) {
            Ok(Some(frame)) => frame,
            Ok(None) => return Ok(Ok(())),
            Err(error) => return Ok(Err(error)),
        };
        let answer =
            chip.with(|chip, environment| face::answer_frame(chip, &frame, environment))?;
        if let Some(answer) = answer
            && let Err(error) = face::write_frame(stream, &answer)
        {
            return Ok(Err(error));
        }
    }
}
