//! Folders of certificates and keys: made once for tests, or somebody else's.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use simurgh_rsp::key::Curve;
use simurgh_rsp::pki::{Credentials, NamedFile, TestNames, TestPki};
use simurgh_vocab::Timestamp;

use crate::system::{SystemClock, SystemEntropy};
use aws_lc_rs::rand::SystemRandom;
use simurgh_app::ports::{Clock as _, Entropy as _};

/// What the EIDs of test chips begin with: the manufacturer of GSMA SGP.26.
const TEST_EIN: &str = "89049032";

/// Files that may lie in a folder of certificates; others, such as notes, are left alone.
const SUFFIXES: [&str; 6] = ["pem", "der", "crt", "cer", "key", "crl"];

/// The largest file that is read, in octets. Revocation lists are the largest.
const FILE_OCTETS_MAX: u64 = 1_048_576;

/// How deep folders in the folder are read: SGP.26 has one for each role and variant.
const DEPTH_MAX: usize = 3;

#[derive(clap::Args)]
pub(crate) struct PkiOptions {
    /// The folder to make; it must be empty or not exist.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The host name of the SM-DP+: what its TLS certificate says.
    #[arg(long, value_name = "HOST", default_value = "localhost")]
    smdp_address: String,
    /// The object identifier of the SM-DP+: its certificates share it.
    #[arg(long, value_name = "OID", default_value = "2.999.10")]
    smdp_oid: String,
    /// The host name of the SM-DS.
    #[arg(long, value_name = "HOST", default_value = "localhost")]
    smds_address: String,
    /// The object identifier of the SM-DS.
    #[arg(long, value_name = "OID", default_value = "2.999.20")]
    smds_oid: String,
    /// The first eight digits of the EIDs that the manufacturer may certify.
    #[arg(long, value_name = "DIGITS", default_value = TEST_EIN)]
    ein: String,
}

pub(crate) const PKI_EXAMPLES: &str = "\
Examples:
  simurgh pki --out certificates
  simurgh pki --out certificates --smdp-address rsp.example.com --smdp-oid 2.999.10

Makes CERT_*.pem and SK_*.pem (keys, readable by you alone) of a root (CI), a chip manufacturer (EUM), an
SM-DP+ (DPauth, DPpb, TLS) and an SM-DS, on NIST P-256 and on brainpoolP256r1. Real phones trust none of
them. A folder of other certificates, such as those of GSMA SGP.26, can stand wherever this one can: PEM or
DER, any names, also in folders within; what is what is seen from the content.";

/// Makes a folder of test certificates.
pub(crate) fn make(options: &PkiOptions) -> anyhow::Result<()> {
    ensure!(
        options.ein.len() == 8 && options.ein.bytes().all(|b| b.is_ascii_digit()),
        "--ein: eight digits are expected"
    );
    let oid = |name: &str, text: &str| {
        text.parse()
            .with_context(|| format!("{name}: {text} is no object identifier such as 2.999.10"))
    };
    let names = TestNames {
        smdp_address: options.smdp_address.clone(),
        smdp_oid: oid("--smdp-oid", &options.smdp_oid)?,
        smds_address: options.smds_address.clone(),
        smds_oid: oid("--smds-oid", &options.smds_oid)?,
        ein: options.ein.clone(),
    };
    let written = generate(&options.out, &names, SystemClock.now())?;
    println!(
        "{}: {written} certificates with their keys",
        options.out.display()
    );
    Ok(())
}

/// The names of test servers on this machine.
pub(crate) fn local_names() -> anyhow::Result<TestNames> {
    Ok(TestNames {
        smdp_address: "localhost".to_owned(),
        smdp_oid: "2.999.10".parse()?,
        smds_address: "localhost".to_owned(),
        smds_oid: "2.999.20".parse()?,
        ein: TEST_EIN.to_owned(),
    })
}

/// Makes test certificates on both curves in an empty folder; gives how many.
pub(crate) fn generate(dir: &Path, names: &TestNames, now: Timestamp) -> anyhow::Result<usize> {
    fs::create_dir_all(dir).with_context(|| format!("making {}", dir.display()))?;
    let empty = fs::read_dir(dir)
        .with_context(|| format!("reading {}", dir.display()))?
        .next()
        .is_none();
    ensure!(
        empty,
        "{} is not empty: certificates that are in use would be lost; choose another folder",
        dir.display()
    );
    let entropy = SystemEntropy(SystemRandom::new());
    let mut made = Vec::new();
    for curve in Curve::ALL {
        let pki = TestPki::generate(curve, names, now, &mut |octets| entropy.fill(octets))?;
        made.extend(pki.files());
    }
    keep(dir, &made)?;
    Ok(made.len() / 2)
}

/// Writes files of certificates and keys, readable by their owner alone.
pub(crate) fn keep(dir: &Path, files: &[NamedFile]) -> anyhow::Result<()> {
    for file in files {
        let path = dir.join(&file.name);
        write_private(&path, &file.content)
            .with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

/// Replaces a file at once: whoever reads it sees the old content or the new one, also after a power failure.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = PathBuf::from(name);
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&new)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    match path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
        Some(dir) => fs::File::open(dir)?.sync_all(),
        None => Ok(()),
    }
}

/// Reads a folder of certificates and keys.
pub(crate) fn load(dir: &Path) -> anyhow::Result<Credentials> {
    let mut files = Vec::new();
    gather(dir, DEPTH_MAX, &mut files)?;
    // What is found first is used first: the order must not depend on the file system.
    files.sort_by(|one, other| one.name.cmp(&other.name));
    let credentials = Credentials::from_files(&files).with_context(|| dir.display().to_string())?;
    if credentials.roots.is_empty() {
        bail!(
            "{}: there is no root certificate (CERT.CI) in it; `simurgh pki --out DIR` makes a folder of test \
             certificates",
            dir.display()
        );
    }
    Ok(credentials)
}

/// Reads a folder; makes one with test certificates when there is none.
pub(crate) fn load_or_generate(
    dir: &Path,
    names: &TestNames,
    now: Timestamp,
) -> anyhow::Result<Credentials> {
    if !dir.exists() {
        generate(dir, names, now)?;
    }
    load(dir)
}

fn gather(dir: &Path, depth: usize, files: &mut Vec<NamedFile>) -> anyhow::Result<()> {
    let reading = || format!("reading {}", dir.display());
    for entry in fs::read_dir(dir).with_context(reading)? {
        let path = entry.with_context(reading)?.path();
        if path.is_dir() {
            if depth > 0 {
                gather(&path, depth - 1, files)?;
            }
            continue;
        }
        let suffix = path.extension().and_then(|one| one.to_str()).unwrap_or("");
        if !SUFFIXES.iter().any(|one| suffix.eq_ignore_ascii_case(one)) {
            continue;
        }
        let reading = || format!("reading {}", path.display());
        let size = fs::metadata(&path).with_context(reading)?.len();
        ensure!(size <= FILE_OCTETS_MAX, "{}: too large", path.display());
        files.push(NamedFile {
            content: fs::read(&path).with_context(reading)?,
            name: path.display().to_string(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use simurgh_rsp::certificate::Role;

    const NOW: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

    fn folder(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("simurgh-{name}-{}", std::process::id()));
        drop(fs::remove_dir_all(&dir));
        dir
    }

    #[test]
    fn a_folder_is_made_once_and_read_again() {
        let dir = folder("pki");
        let names = local_names().unwrap();
        let made = load_or_generate(&dir, &names, NOW).unwrap();
        assert_eq!((made.roots.len(), made.owned.len()), (2, 14));
        fs::write(dir.join("README.txt"), "notes are left alone").unwrap();
        fs::create_dir(dir.join("more")).unwrap();
        fs::rename(
            dir.join("CERT_S_SM_DP_TLS_NIST.pem"),
            dir.join("more/server.crt"),
        )
        .unwrap();
        let again = load_or_generate(&dir, &names, NOW).unwrap();
        assert_eq!(again.owned.len(), 14);
        let tls = again.find(Role::DpTls, made.roots[0].key_id()).unwrap();
        assert_eq!(tls.certificate().dns_names(), ["localhost"]);
        assert!(generate(&dir, &names, NOW).is_err());
        fs::remove_dir_all(&dir).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn keys_are_readable_by_their_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;

        let dir = folder("modes");
        generate(&dir, &local_names().unwrap(), NOW).unwrap();
        for entry in fs::read_dir(&dir).unwrap() {
            let mode = entry.unwrap().metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn a_folder_without_a_root_says_what_to_do() {
        let dir = folder("empty");
        fs::create_dir_all(&dir).unwrap();
        let error = load(&dir).unwrap_err().to_string();
        assert!(error.contains("simurgh pki --out"), "{error}");
        fs::write(dir.join("broken.pem"), "hello").unwrap();
        let error = format!("{:#}", load(&dir).unwrap_err());
        assert!(error.contains("broken.pem"), "{error}");
        fs::remove_dir_all(&dir).unwrap();
    }
}
