//! Child processes that never outlive this one.
//!
//! Every long-running child is started under a small shell (`keep.sh`) that leads a process group of
//! its own and watches a pipe: when this program lets go of the pipe, or dies in any way, `kill -9`
//! included, the whole group is stopped and its scratch folder removed.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};

use anyhow::Context;

/// How a command wants to be asked to end.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stop {
    /// SIGTERM: the custom.
    Terminate,
    /// SIGINT: PostgreSQL's "fast" stop, which does not wait for its clients.
    Interrupt,
}

/// Numeric ids to run as.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Account {
    /// User id.
    pub(crate) user: u32,
    /// Group id.
    pub(crate) group: u32,
}

/// What to run and how.
pub(crate) struct Job {
    command: Command,
    stop: Stop,
    scratch: Option<PathBuf>,
}

impl Job {
    /// A job for `program`, found on PATH or given with its path.
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new("sh");
        command
            .arg("-c")
            .arg(include_str!("keep.sh"))
            .arg("keep")
            .arg(program);
        command.process_group(0).stdin(Stdio::piped());
        Self {
            command,
            stop: Stop::Terminate,
            scratch: None,
        }
    }

    /// Adds one argument.
    pub(crate) fn argument(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// Adds several arguments.
    pub(crate) fn arguments<A: AsRef<OsStr>>(
        mut self,
        arguments: impl IntoIterator<Item = A>,
    ) -> Self {
        self.command.args(arguments);
        self
    }

    /// Sets environment variables.
    pub(crate) fn environment(mut self, variables: &[(&str, OsString)]) -> Self {
        self.command
            .envs(variables.iter().map(|(name, value)| (name, value)));
        self
    }

    /// Runs in `folder`.
    pub(crate) fn folder(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Stops it by another signal than SIGTERM.
    pub(crate) fn stopped_by(mut self, stop: Stop) -> Self {
        self.stop = stop;
        self
    }

    /// Removes `folder` when the job has ended, however it ended.
    pub(crate) fn scratch(mut self, folder: &Path) -> Self {
        self.scratch = Some(folder.to_path_buf());
        self
    }

    /// Runs as another account; only root can.
    pub(crate) fn account(mut self, account: Option<Account>) -> Self {
        if let Some(Account { user, group }) = account {
            self.command.uid(user).gid(group);
        }
        self
    }

    /// Sends both outputs to a file.
    pub(crate) fn output_to(mut self, path: &Path) -> anyhow::Result<Self> {
        let file = std::fs::File::create(path)
            .with_context(|| format!("cannot write {}", path.display()))?;
        self.command.stderr(file.try_clone()?).stdout(file);
        Ok(self)
    }

    /// Sends its standard output where errors go.
    pub(crate) fn output_to_stderr(mut self) -> anyhow::Result<Self> {
        use std::os::fd::AsFd;

        self.command
            .stdout(std::io::stderr().as_fd().try_clone_to_owned()?);
        Ok(self)
    }

    /// Keeps the standard output for [`Kept::output`].
    pub(crate) fn read_output(mut self) -> Self {
        self.command.stdout(Stdio::piped());
        self
    }
}

/// A running job. Dropping it stops it.
pub(crate) struct Kept {
    shell: Child,
    owner: Option<ChildStdin>,
    ended: bool,
}

impl Kept {
    /// Starts `job`.
    pub(crate) fn start(mut job: Job) -> anyhow::Result<Self> {
        let stop = match job.stop {
            Stop::Terminate => "TERM",
            Stop::Interrupt => "INT",
        };
        job.command.env("KEEP_STOP", stop);
        job.command
            .env("KEEP_SCRATCH", job.scratch.unwrap_or_default());
        let mut shell = job.command.spawn().context("cannot start sh")?;
        let owner = shell.stdin.take();
        Ok(Self {
            shell,
            owner,
            ended: false,
        })
    }

    /// The standard output of a job started with [`Job::read_output`]; once.
    pub(crate) fn output(&mut self) -> Option<ChildStdout> {
        self.shell.stdout.take()
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> anyhow::Result<bool> {
        Ok(self.shell.try_wait()?.is_some())
    }

    /// Waits until it ends by itself.
    pub(crate) fn wait(mut self) -> anyhow::Result<ExitStatus> {
        self.finish()
    }

    fn finish(&mut self) -> anyhow::Result<ExitStatus> {
        let status = self.shell.wait()?;
        self.ended = true;
        self.sweep();
        Ok(status)
    }

    /// Kills what is left of the process group: a grandchild that ignored the polite request.
    fn sweep(&self) {
        let group = format!("-{}", self.shell.id());
        let killed = Command::new("sh")
            .args([
                "-c",
                "kill -s KILL -- \"$1\" 2>/dev/null || :",
                "sweep",
                &group,
            ])
            .status();
        if let Err(error) = killed {
            crate::say::problem(&format!("cannot sweep process group {group}: {error}"));
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        drop(self.owner.take());
        if let Err(error) = self.finish() {
            crate::say::problem(&format!("cannot stop a child process: {error:#}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader, Read};

    /// Runs `script`, which prints its process ids, one a line, then an empty line.
    fn family(script: &str) -> (Kept, BufReader<ChildStdout>, Vec<String>) {
        let job = Job::new("sh").arguments(["-c", script]).read_output();
        let mut kept = Kept::start(job).unwrap();
        let mut output = BufReader::new(kept.output().unwrap());
        let lines = output.by_ref().lines().map(Result::unwrap);
        let pids: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
        assert!(!pids.is_empty(), "{script} should name its processes");
        (kept, output, pids)
    }

    /// Whether the process runs and has not begun to exit.
    ///
    /// The flags stand in the ninth field of `/proc/PID/stat`, the seventh after the name in
    /// parentheses (proc_pid_stat(5)). A process gives up its files after it has set the flag, and is
    /// reaped later, in the time of whoever adopted it.
    fn is_alive(pid: &str) -> bool {
        const EXITING: u32 = 0x4;
        std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
            let (_, fields) = stat.rsplit_once(") ").unwrap();
            let flags: u32 = fields.split(' ').nth(6).unwrap().parse().unwrap();
            flags & EXITING == 0
        })
    }

    /// All holders of the output are gone once it ends.
    fn assert_gone(mut output: BufReader<ChildStdout>, pids: &[String]) {
        output.read_to_end(&mut Vec::new()).unwrap();
        assert!(
            !pids.iter().any(|pid| is_alive(pid)),
            "{pids:?} should be gone"
        );
    }

    #[test]
    fn letting_go_ends_the_command_and_its_children() {
        let (kept, output, pids) = family("sleep 3600 & echo $!; echo $$; echo; wait");
        assert!(pids.iter().all(|pid| is_alive(pid)), "{pids:?} should run");
        drop(kept);
        assert_gone(output, &pids);
    }

    #[test]
    fn what_a_command_leaves_behind_is_killed_even_if_it_ignores_the_request() {
        let script = "trap '' TERM; sleep 3600 & echo $!; echo; exit 3";
        let (kept, output, pids) = family(script);
        assert_eq!(kept.wait().unwrap().code(), Some(3));
        assert_gone(output, &pids);
    }

    #[test]
    fn the_status_is_the_commands_own_and_the_scratch_goes() {
        let scratch = std::env::temp_dir().join(format!("simurgh-keep-{}", std::process::id()));
        std::fs::create_dir_all(&scratch).unwrap();
        let job = Job::new("sh").arguments(["-c", "exit 7"]).scratch(&scratch);
        assert_eq!(Kept::start(job).unwrap().wait().unwrap().code(), Some(7));
        assert!(!scratch.exists(), "the scratch folder should be removed");
    }
}
