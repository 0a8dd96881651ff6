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
