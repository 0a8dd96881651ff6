//! What the fuzz targets call; nothing else does. Each entry reads what a peer can send as far as it can be
//! read; none may panic.

use crate::activation_code::ActivationCode;
use crate::bpp::{bpp_commands, bpp_metadata};
use crate::certificate::{Certificate, RevocationList};
use crate::key::{PrivateKey, PublicKey, read_all_pem};
use crate::message::authentication::{AuthenticateServerRequest, AuthenticateServerResponse};
use crate::message::cancel::CancelSessionResponse;
use crate::message::download::{PrepareDownloadRequest, PrepareDownloadResponse};
use crate::message::es9::{self, AuthenticateClient, CancelSession, GetBoundProfilePackage};
use crate::message::es9::{InitiateAuthentication, ProfileOffer, ServerAuthentication};
use crate::message::es10::Command;
use crate::message::info::{EuiccInfo1, EuiccInfo2};
use crate::message::json::Body;
use crate::message::metadata::ProfileMetadata;
use crate::message::notification::PendingNotification;
use crate::message::status::outcome;
use crate::message::{Wire, es2, es12};
use crate::saip::{
    Content, DefaultContent, InstallResponse, Node, Package, check, default_files, file_content,
};
use crate::tlv::{Reader, Tlv};

/// How deep a tree is walked; the reader refuses deeper ones, and this must not be what stops it.
const DEPTH: usize = 64;

/// Objects, certificates, keys, lists, commands of a chip and packages.
pub fn tlv(octets: &[u8]) {
    if let Ok(one) = Tlv::parse(octets) {
        walk(&one, DEPTH);
    }
    let _ = Reader::new(octets).all();
    if let Ok(one) = Certificate::parse(octets) {
        let _ = (one.role(), format!("{one:?}"));
        let _ = RevocationList::parse(octets, &one);
    }
    let _ = RevocationList::issuer_of(octets);
    let _ = PrivateKey::from_der(octets);
    let _ = PublicKey::from_spki(octets);
    let _ = Command::from_bytes(octets).map(|one| one.encode());
    let _ = AuthenticateServerRequest::from_bytes(octets);
    let _ = PrepareDownloadRequest::from_bytes(octets);
    let _ = EuiccInfo1::from_bytes(octets);
    let _ = EuiccInfo2::from_bytes(octets).map(|one| one.free_memory_octets());
    let _ = ProfileMetadata::from_bytes(octets).map(|one| one.encode());
    let _ = bpp_metadata(octets);
    let _ = bpp_commands(octets);
    if let Ok(text) = std::str::from_utf8(octets) {
        let _ = read_all_pem(text);
        let _ = text.parse::<ActivationCode>().map(|code| code.to_string());
    }
}

fn walk(one: &Tlv<'_>, depth: usize) {
    let _ = (one.tag(), one.value(), one.raw());
    if let Ok(all) = one.children().and_then(|children| children.all())
        && depth > 0
    {
        for child in &all {
            walk(child, depth - 1);
        }
    }
}

/// Bodies of ES9+ and ES11, of requests and answers.
pub fn es9_body(octets: &[u8]) {
    let Ok(body) = Body::parse(octets) else {
        return;
    };
    let _ = InitiateAuthentication::read(&body);
    let _ = ServerAuthentication::read(&body);
    let _ = AuthenticateClient::read(&body);
    let _ = ProfileOffer::read(&body);
    let _ = GetBoundProfilePackage::read(&body);
    let _ = es9::read_package(&body).map(|package| bpp_commands(&package));
    let _ = CancelSession::read(&body);
    let _ = es9::read_notification(&body);
    let _ = es9::read_events(&body);
    let _ = outcome(&body.into_value());
}

/// Bodies of ES2+ and ES12.
pub fn es2_body(octets: &[u8]) {
    let Ok(body) = Body::parse(octets) else {
        return;
    };
    let _ = es2::RequestHeader::read(&body);
    let _ = es2::DownloadOrder::read(&body);
    let _ = es2::ConfirmOrder::read(&body);
    let _ = es2::OrderConfirmed::read(&body);
    let _ = es2::CancelOrder::read(&body);
    let _ = es2::read_release(&body);
    let _ = es12::RegisterEvent::read(&body);
    let _ = es12::DeleteEvent::read(&body);
}

/// What a chip tells a server.
pub fn notification(octets: &[u8]) {
    let _ = AuthenticateServerResponse::from_bytes(octets);
    let _ = PrepareDownloadResponse::from_bytes(octets);
    let _ = CancelSessionResponse::from_bytes(octets);
    let _ = InstallResponse::parse(octets).map(|one| one.encode());
    if let Ok(one) = PendingNotification::from_bytes(octets) {
        let _ = (one.unverified(), one.encode());
        let again = PendingNotification::from_bytes(&one.encode());
        assert_eq!(again.as_ref(), Ok(&one), "it is read as it is written");
    }
}

/// Profile packages.
pub fn saip(octets: &[u8]) {
    let Ok(package) = Package::parse(octets) else {
        return;
    };
    let _ = check(&package);
    for element in &package.elements {
        for file in default_files()
            .iter()
            .filter(|one| one.element == element.kind)
        {
            let empty = Node {
                tag: file.tag,
                content: Content::Nodes(Vec::new()),
            };
            let node = element.node.child(file.tag).unwrap_or(&empty);
            if file.content != DefaultContent::Required {
                let _ = file_content(node, Some(file));
            }
        }
    }
    let again = Package::parse(&package.encode());
    assert_eq!(again.as_ref(), Ok(&package), "it is read as it is written");
}
