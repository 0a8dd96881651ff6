use super::testing::{NOW, counting, names};
use super::*;
use crate::certificate::NameConstraint;
use crate::key::{Curve, PrivateKey, Signer as _};
use proptest::prelude::*;
use simurgh_vocab::Duration;

const EID: &str = "89049032123451234512345678901235";

fn pki(curve: Curve) -> TestPki {
    TestPki::generate(curve, &names(), NOW, &mut counting()).unwrap()
}

fn trust(pki: &TestPki) -> Trust {
    Trust::nobody().with_root(pki.root().clone()).unwrap()
}

#[test]
fn chains_of_both_curves_are_accepted() {
    for curve in Curve::ALL {
        let mut pki = pki(curve);
        let euicc = pki.euicc(&EID.parse().unwrap(), &mut counting()).unwrap();
        let trust = trust(&pki);
        let eum = trust.verify_eum(pki.eum(), NOW).unwrap();
        let euicc = trust.verify_euicc(euicc.certificate(), &eum, NOW).unwrap();
        assert_eq!(euicc.eid().digits(), EID);
        for role in [
            Role::DpAuth,
            Role::DpPb,
            Role::DpTls,
            Role::DsAuth,
            Role::DsTls,
        ] {
            let server = pki.server(role).unwrap();
            let server = trust
                .verify_server(server.certificate(), role, NOW)
                .unwrap();
            assert_eq!(server.root_key_id(), pki.root().key_id());
        }
    }
}

#[test]
fn a_foreign_root_and_another_role_are_refused() {
    let pki = pki(Curve::P256);
    let auth = pki.server(Role::DpAuth).unwrap();
    let nobody = Trust::nobody();
    assert_eq!(
        nobody.verify_server(auth.certificate(), Role::DpAuth, NOW),
        Err(ChainError::UnknownRoot)
    );
    assert_eq!(
        trust(&pki).verify_server(auth.certificate(), Role::DpPb, NOW),
        Err(ChainError::Invalid {
            role: Role::DpPb,
            why: Flaw::Role
        })
    );
    assert!(
        Trust::nobody()
            .with_root(auth.certificate().clone())
            .is_err()
    );
}

#[test]
fn validity_is_judged_at_the_given_time() {
    let pki = pki(Curve::P256);
    let tls = pki.server(Role::DpTls).unwrap();
    let verify = |at| trust(&pki).verify_server(tls.certificate(), Role::DpTls, at);
    let expired = Err(ChainError::Expired { role: Role::DpTls });
    assert!(verify(NOW.plus(Duration::days(396))).is_ok());
    assert_eq!(verify(NOW.plus(Duration::days(398))), expired);
    assert_eq!(verify(NOW.minus(Duration::days(2))), expired);
    assert!(verify(tls.certificate().not_after()).is_ok());
}

#[test]
fn a_revoked_certificate_is_refused() {
    let pki = pki(Curve::P256);
    let auth = pki.server(Role::DpAuth).unwrap();
    let list = pki
        .root_issuer()
        .revoke(&[auth.certificate()], NOW, NOW.plus(Duration::days(1)))
        .unwrap();
    let list = RevocationList::parse(&list, pki.root()).unwrap();
    let trust = trust(&pki).with_revocations(list);
    assert_eq!(
        trust.verify_server(auth.certificate(), Role::DpAuth, NOW),
        Err(ChainError::Revoked { role: Role::DpAuth })
    );
    let other = pki.server(Role::DpPb).unwrap();
    assert!(
        trust
            .verify_server(other.certificate(), Role::DpPb, NOW)
            .is_ok()
    );
    let forged = pki
        .eum_issuer()
        .revoke(&[], NOW, NOW.plus(Duration::days(1)))
        .unwrap();
    assert!(RevocationList::parse(&forged, pki.root()).is_err());
}

/// A manufacturer with these constraints, and whether it may certify the EID.
fn permits(names: Vec<NameConstraint>, eins: &[&str], organisation: &str) -> bool {
    let pki = pki(Curve::P256);
    let key = PrivateKey::from_scalar(Curve::P256, &[7; 32]).unwrap();
    let subject = |organisation: &str, serial: Option<&str>| Name {
        organisation: Some(organisation.into()),
        serial: serial.map(Into::into),
        ..Name::default()
    };
    let mut eum = Request::new(Role::Eum, subject("Maker", None), 77, NOW);
    eum.names = names;
    eum.permitted_eins = eins.iter().map(ToString::to_string).collect();
    let eum = pki.root_issuer().issue(&eum, &key.public_key()).unwrap();
    let euicc = Request::new(Role::Euicc, subject(organisation, Some(EID)), 78, NOW);
    let issuer = Issuer {
        certificate: Some(&eum),
        signer: &key,
    };
    let euicc = issuer.issue(&euicc, &key.public_key()).unwrap();
    let trust = trust(&pki);
    let eum = trust.verify_eum(&eum, NOW).unwrap();
    trust.verify_euicc(&euicc, &eum, NOW).is_ok()
}

#[test]
fn a_manufacturer_certifies_only_its_own_chips() {
    let name = |organisation: Option<&str>, ein: Option<&str>| NameConstraint {
        organisation: organisation.map(Into::into),
        ein: ein.map(Into::into),
    };
    assert!(permits(
        vec![name(Some("Maker"), Some("89049032"))],
        &[],
        "Maker"
    ));
    assert!(permits(vec![], &["89099999", "89049032"], "Maker"));
    assert!(!permits(vec![], &[], "Maker"));
    assert!(!permits(
        vec![name(Some("Maker"), Some("89049033"))],
        &[],
        "Maker"
    ));
    assert!(!permits(
        vec![name(Some("Other"), Some("89049032"))],
        &[],
        "Maker"
    ));
    assert!(!permits(vec![name(Some("Maker"), None)], &[], "Maker"));
    assert!(!permits(vec![], &["89049032"], "Other"));
    assert!(!permits(vec![], &[""], "Maker"));
}

#[test]
fn files_find_their_keys_again() {
    let pki = pki(Curve::BrainpoolP256r1);
    let loaded = Credentials::from_files(&pki.files()).unwrap();
    assert_eq!(loaded.roots.len(), 1);
    assert_eq!(loaded.owned.len(), 7);
    let found = loaded.find(Role::DpPb, pki.root().key_id()).unwrap();
    assert_eq!(found.certificate().role(), Some(Role::DpPb));
    let broken = NamedFile {
        name: "notes.txt".into(),
        content: b"hello".to_vec(),
    };
    assert_eq!(
        Credentials::from_files(&[broken]).unwrap_err().to_string(),
        "notes.txt: neither a certificate nor a key on a curve that eSIM uses"
    );
}

#[test]
fn a_folder_of_any_form_is_understood() {
    let pki = pki(Curve::P256);
    let auth = pki.server(Role::DpAuth).unwrap();
    let list = pki
        .root_issuer()
        .revoke(&[auth.certificate()], NOW, NOW.plus(Duration::days(1)))
        .unwrap();
    let file = |name: &str, content: Vec<u8>| NamedFile {
        name: name.into(),
        content,
    };
    // A chain in one file, the same certificate in DER, a list, parameters beside a key.
    let pem = |label: &str, der: &[u8]| crate::key::write_pem(label, der);
    let chain = pem("CERTIFICATE", pki.root().der()) + &pem("CERTIFICATE", pki.eum().der());
    let key = pki
        .files()
        .into_iter()
        .find(|one| one.name.starts_with("SK_EUM"));
    let key = String::from_utf8(key.unwrap().content).unwrap();
    let key = pem("EC PARAMETERS", &[5, 0]) + &key;
    let files = [
        file("chain.pem", chain.into_bytes()),
        file("eum.der", pki.eum().der().to_vec()),
        file("eum.key", key.into_bytes()),
        file("ci.crl", list),
    ];
    let loaded = Credentials::from_files(&files).unwrap();
    assert_eq!((loaded.roots.len(), loaded.owned.len()), (1, 1));
    assert_eq!(
        loaded
            .trust()
            .unwrap()
            .verify_server(auth.certificate(), Role::DpAuth, NOW),
        Err(ChainError::Revoked { role: Role::DpAuth })
    );
}

#[test]
fn a_chip_is_certified_once_below_every_manufacturer() {
    let mut files = pki(Curve::P256).files();
    files.extend(pki(Curve::BrainpoolP256r1).files());
    let eid = EID.parse().unwrap();
    let mut loaded = Credentials::from_files(&files).unwrap();
    let made = loaded.certify_euicc(&eid, NOW, &mut counting()).unwrap();
    assert_eq!(made.len(), 4);
    assert_eq!(made[0].name, format!("CERT_EUICC_ECDSA_NIST_{EID}.pem"));
    assert!(
        loaded
            .certify_euicc(&eid, NOW, &mut counting())
            .unwrap()
            .is_empty()
    );
    files.extend(made);
    let loaded = Credentials::from_files(&files).unwrap();
    let trust = loaded.trust().unwrap();
    assert_eq!(loaded.euicc(&eid).count(), 2);
    for one in loaded.euicc(&eid) {
        let eum = loaded.eum_of(one.certificate()).unwrap();
        let eum = trust.verify_eum(eum, NOW).unwrap();
        assert!(trust.verify_euicc(one.certificate(), &eum, NOW).is_ok());
    }
}

#[test]
fn other_servers_of_a_folder_are_left_out() {
    let one = pki(Curve::P256);
    let mut names = names();
    names.smdp_oid = "2.999.12".parse().unwrap();
    let other = TestPki::generate(Curve::P256, &names, NOW, &mut counting()).unwrap();
    let files = [other.files(), one.files()].concat();
    let loaded = Credentials::from_files(&files).unwrap();
    let ours = loaded.of_server(&"2.999.10".parse().unwrap());
    let found = ours.find(Role::DpPb, one.root().key_id()).unwrap();
    assert_eq!(
        found.certificate().registered_id().unwrap().to_string(),
        "2.999.10"
    );
    assert!(
        ours.owned
            .iter()
            .any(|one| one.certificate().role() == Some(Role::Eum))
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn any_bent_bit_of_a_certificate_is_refused(at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let pki = pki(Curve::P256);
        let auth = pki.server(Role::DpAuth).unwrap();
        let mut der = auth.certificate().der().to_vec();
        let at = at.index(der.len());
        der[at] ^= 1 << bit;
        let accepted = Certificate::parse(&der)
            .ok()
            .and_then(|one| trust(&pki).verify_server(&one, Role::DpAuth, NOW).ok());
        prop_assert_eq!(accepted, None);
    }
}
