//! Our own templates: a USIM for 3G, 4G and (where the chip knows the files) 5G. Numbers and keys in them are
//! placeholders; [`super::personalise`] replaces every one.

use super::ElementKind;
use crate::message::info::{EuiccInfo2, Version};
use crate::tlv::{Tag, Writer};

/// Which template fits a chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TemplateVariant {
    /// Version 2.1 of the format: no directory for 5G. 5G works with what the phone keeps itself.
    Basic,
    /// Version 2.3 of the format, with the directory for 5G.
    FiveG,
}

impl TemplateVariant {
    /// The best template that a chip understands.
    #[must_use]
    pub fn for_euicc(info: &EuiccInfo2) -> Self {
        if info.profile_version >= Version([2, 3, 0]) {
            Self::FiveG
        } else {
            Self::Basic
        }
    }

    const fn minor_version(self) -> u64 {
        match self {
            Self::Basic => 1,
            Self::FiveG => 3,
        }
    }

    /// The last number of the templates' identifiers below `2.23.143.1.2`.
    const fn templates(self) -> &'static [u8] {
        match self {
            Self::Basic => &[1, 4, 5],
            Self::FiveG => &[1, 4, 5, 13],
        }
    }

    /// The services of the USIM (3GPP TS 31.102 §4.2.8): messages, names, number, network lists, EPS, 5GS.
    const fn services(self) -> &'static [usize] {
        match self {
            Self::Basic => &[10, 12, 19, 21, 33, 42, 43, 71, 85],
            Self::FiveG => &[10, 12, 19, 21, 33, 42, 43, 71, 85, 122, 123, 124, 126],
        }
    }
}

/// The application identifier of the USIM (ETSI TS 101 220 §D.2).
const USIM_AID: [u8; 16] = [
    0xA0, 0x00, 0x00, 0x00, 0x87, 0x10, 0x02, 0xFF, 0xFF, 0xFF, 0xFF, 0x89, 0x03, 0x02, 0x00, 0x00,
];

const OCTETS: Tag = Tag::new(0x04);
const OBJECT_IDENTIFIER: Tag = Tag::new(0x06);
const SEQUENCE: Tag = Tag::new(0x30);
const AID: Tag = Tag::new(0x4F);

/// The length of the service table in octets: services 1 to 136.
const SERVICE_TABLE_OCTETS: usize = 17;

/// The length of an access rule.
const RULE_OCTETS: u8 = 33;

/// Writes elements and counts them.
struct Elements {
    writer: Writer,
    next: u64,
}

impl Elements {
    /// An element with its header, mandated.
    fn add(&mut self, kind: ElementKind, fill: impl FnOnce(&mut Writer)) {
        let number = self.next;
        self.next += 1;
        self.writer.nested(kind.tag(), |w| {
            w.nested(Tag::new(0xA0), |w| {
                w.octets(Tag::new(0x80), &[])
                    .integer(Tag::new(0x81), number);
            });
            fill(w);
        });
    }
}

/// Our template for a variant.
#[must_use]
pub fn standard_template(variant: TemplateVariant) -> Vec<u8> {
    let mut elements = Elements {
        writer: Writer::new(),
        next: 1,
    };
    elements.writer.raw(&header(variant));
    elements.add(ElementKind::MasterFile, master_file);
    elements.add(ElementKind::PukCodes, puk_codes);
    elements.add(ElementKind::PinCodes, global_pins);
    elements.add(ElementKind::Usim, |w| usim(w, variant));
    elements.add(ElementKind::OptUsim, opt_usim);
    elements.add(ElementKind::PinCodes, |w| {
        pins(w, |w| pin(w, 0x81, Some(0x81), 0x03));
    });
    elements.add(ElementKind::AkaParameter, milenage);
    if variant == TemplateVariant::FiveG {
        elements.add(ElementKind::Df5gs, df_5gs);
    }
    elements.add(ElementKind::SecurityDomain, security_domain);
    elements.add(ElementKind::RemoteFileManagement, |w| {
        remote_files(w, 1, [0xB0, 0x01, 0x20], false);
    });
    elements.add(ElementKind::RemoteFileManagement, |w| {
        remote_files(w, 2, [0xB0, 0x01, 0x40], true);
    });
    elements.add(ElementKind::End, |_| {});
    elements.writer.finish()
}

fn header(variant: TemplateVariant) -> Vec<u8> {
    Writer::nest(ElementKind::Header.tag(), |w| {
        w.integer(Tag::new(0x80), 2)
            .integer(Tag::new(0x81), variant.minor_version())
            .octets(Tag::new(0x82), b"Simurgh")
            .octets(
                Tag::new(0x83),
                &PLACEHOLDER_ICCID.map(|octet| octet.rotate_left(4)),
            );
        w.nested(Tag::new(0xA5), |w| {
            // usim, milenage
            w.octets(Tag::new(0x81), &[]).octets(Tag::new(0x84), &[]);
        });
        w.nested(Tag::new(0xA6), |w| {
            for last in variant.templates() {
                w.octets(OBJECT_IDENTIFIER, &template_id(*last));
            }
        });
    })
}

/// Ten octets that are the number 9999999999999999999: no profile's.
const PLACEHOLDER_ICCID: [u8; 10] = [0x99, 0x99, 0x99, 0x99, 0x99, 0x99, 0x99, 0x99, 0x99, 0xF9];

/// `2.23.143.1.2.<last>`
const fn template_id(last: u8) -> [u8; 6] {
    [0x67, 0x81, 0x0F, 0x01, 0x02, last]
}

/// A file with content only: the template says the rest.
fn file(w: &mut Writer, tag: u32, content: &[u8]) {
    w.nested(Tag::new(tag), |w| {
        w.octets(Tag::new(0x83), content);
    });
}

/// A file of another size than the template's.
fn sized_file(w: &mut Writer, tag: u32, content: &[u8]) {
    w.nested(Tag::new(tag), |w| {
        w.nested(Tag::new(0xA1), |w| {
            w.octets(Tag::new(0x80), &super::file::shortest(content.len()));
        });
        w.octets(Tag::new(0x83), content);
    });
}

/// A file of records of one length.
fn record_file(w: &mut Writer, tag: u32, length: u8, content: &[u8]) {
    w.nested(Tag::new(tag), |w| {
        w.nested(Tag::new(0xA1), |w| {
            // A linear file of records that may be shared (ETSI TS 102 222 §6.3.2.2.3).
            w.octets(Tag::new(0x82), &[0x42, 0x21, 0x00, length])
                .octets(Tag::new(0x80), &super::file::shortest(content.len()));
        });
        w.octets(Tag::new(0x83), content);
    });
}

fn template_element(w: &mut Writer, last: u8) {
    w.octets(Tag::new(0x81), &template_id(last));
}

fn master_file(w: &mut Writer) {
    template_element(w, 1);
    w.nested(Tag::new(0xA2), |w| {
        w.nested(Tag::new(0xA1), |w| {
            w.octets(Tag::new(0xC6), &[0x01, 0x0A]);
        });
    });
    file(w, 0xA4, &PLACEHOLDER_ICCID);
    let directory = Writer::nest(Tag::new(0x61), |w| {
        w.octets(AID, &USIM_AID).octets(Tag::new(0x50), b"USIM");
    });
    let length = u8::try_from(directory.len()).unwrap_or(u8::MAX);
    record_file(w, 0xA5, length, &directory);
    record_file(w, 0xA6, RULE_OCTETS, &access_rules());
}

/// Who may do something with a file.
#[derive(Clone, Copy)]
enum Who {
    Always,
    Never,
    Pin(u8),
}

const PIN1: Who = Who::Pin(0x01);
const PIN2: Who = Who::Pin(0x81);
const ADMIN: Who = Who::Pin(0x0A);

/// Reading and searching.
const READ: u8 = 0x01;
/// Updating.
const UPDATE: u8 = 0x02;
/// Activating, deactivating, deleting: the operator's business.
const MANAGE: u8 = 0x58;

/// The access rules by the numbers that the templates use. Those that no file of ours uses are the
/// operator's alone.
fn access_rules() -> Vec<u8> {
    let manage = (MANAGE, ADMIN);
    let write = (UPDATE | MANAGE, ADMIN);
    let private: &[(u8, Who)] = &[(READ | UPDATE | MANAGE, ADMIN)];
    let rules: [&[(u8, Who)]; 14] = [
        &[(READ, Who::Always), (UPDATE, PIN1), manage],
        &[(READ, PIN1), write],
        private,
        private,
        &[(READ | UPDATE, PIN1), manage],
        private,
        &[(READ | UPDATE, PIN1), manage],
        &[(READ, PIN1), (UPDATE, PIN2), manage],
        &[(READ, Who::Always), (UPDATE, PIN1), manage],
        &[(READ, Who::Always), write],
        &[(READ, Who::Always), (UPDATE | MANAGE, Who::Never)],
        private,
        private,
        // Directories: deleting and creating in them.
        &[(0x5E, ADMIN)],
    ];
    rules.into_iter().flat_map(access_rule).collect()
}

/// One record of EF.ARR.
///
/// Source: ETSI TS 102 221 §9.2
fn access_rule(conditions: &[(u8, Who)]) -> Vec<u8> {
    let mut w = Writer::new();
    for (mode, who) in conditions {
        w.octets(Tag::new(0x80), &[*mode]);
        match who {
            Who::Always => w.octets(Tag::new(0x90), &[]),
            Who::Never => w.octets(Tag::new(0x97), &[]),
            Who::Pin(reference) => w.nested(Tag::new(0xA4), |w| {
                w.octets(Tag::new(0x83), &[*reference])
                    .octets(Tag::new(0x95), &[0x08]);
            }),
        };
    }
    let mut record = w.finish();
    record.resize(usize::from(RULE_OCTETS), 0xFF);
    record
}

fn puk_codes(w: &mut Writer) {
    w.nested(Tag::new(0xA1), |w| {
        for reference in [0x01, 0x81] {
            w.nested(SEQUENCE, |w| {
                w.integer(Tag::new(0x80), reference)
                    .octets(Tag::new(0x81), b"00000000");
            });
        }
    });
}

fn global_pins(w: &mut Writer) {
    pins(w, |w| {
        // PIN 1 is there and switched off, as phones expect of a new profile.
        pin(w, 0x01, Some(0x01), 0x06);
        pin(w, 0x0A, None, 0x03);
    });
}

fn pins(w: &mut Writer, fill: impl FnOnce(&mut Writer)) {
    w.nested(Tag::new(0xA1), |w| {
        w.nested(Tag::new(0xA0), fill);
    });
}

fn pin(w: &mut Writer, reference: u64, puk: Option<u64>, attributes: u64) {
    w.nested(SEQUENCE, |w| {
        w.integer(Tag::new(0x80), reference)
            .octets(Tag::new(0x81), b"00000000");
        if let Some(puk) = puk {
            w.integer(Tag::new(0x82), puk);
        }
        w.integer(Tag::new(0x83), attributes);
        if puk.is_none() {
            // Ten tries for the administrative code.
            w.integer(Tag::new(0x84), 0xAA);
        }
    });
}

fn usim(w: &mut Writer, variant: TemplateVariant) {
    template_element(w, 4);
    w.nested(Tag::new(0xA2), |w| {
        w.nested(Tag::new(0xA1), |w| {
            w.octets(Tag::new(0x83), &[0x7F, 0xF0])
                .octets(Tag::new(0x84), &USIM_AID)
                .octets(Tag::new(0xC6), &[0x01, 0x81, 0x0A]);
        });
    });
    file(
        w,
        0xA3,
        &[0x08, 0x99, 0x99, 0x99, 0x99, 0x99, 0x99, 0x99, 0x99],
    );
    record_file(w, 0xA4, RULE_OCTETS, &access_rules());
    let mut services = [0u8; SERVICE_TABLE_OCTETS];
    for service in variant.services() {
        if let Some(octet) = services.get_mut((service - 1) / 8) {
            *octet |= 1 << ((service - 1) % 8);
        }
    }
    sized_file(w, 0xA8, &services);
    file(w, 0xAB, &[0xFF; 38]);
    file(w, 0xAD, &[0xFF; 17]);
    file(w, 0xAE, &[0x00]);
    file(w, 0xB2, &[0x00, 0x01]);
    file(w, 0xB3, &[0xFF; 12]);
    file(w, 0xB5, &[0x00, 0x00, 0x00, 0x02]);
    // 112 for all services.
    file(w, 0xB6, &[0x11, 0xF2, 0xFF, 0x00]);
}

fn opt_usim(w: &mut Writer) {
    template_element(w, 5);
    file(w, 0xA7, &[0xFF; 24]);
    file(w, 0xB0, &[0xFF; 40]);
    file(w, 0xB1, &[0xFF; 5]);
    file(w, 0xBF3A, &[0xFF; 15]);
}

fn milenage(w: &mut Writer) {
    w.nested(Tag::new(0xA1), |w| {
        w.nested(Tag::new(0xA1), |w| {
            w.integer(Tag::new(0x80), 1)
                // RES of 64 bits, MAC of 64 bits, CK and IK of 128 bits.
                .octets(Tag::new(0x81), &[0x01])
                .octets(Tag::new(0x82), &[0; 16])
                .octets(Tag::new(0x83), &[0; 16]);
        });
    });
}

fn df_5gs(w: &mut Writer) {
    template_element(w, 13);
    w.nested(Tag::new(0xA2), |w| {
        w.nested(Tag::new(0xA1), |w| {
            w.octets(Tag::new(0xC6), &[0x01, 0x81, 0x0A]);
        });
    });
    for tag in [0xA3, 0xA5] {
        w.nested(Tag::new(tag), |_| {});
    }
    file(w, 0xA7, &[0xFF; 110]);
    file(w, 0xA8, &[0x00; 4]);
    // The null scheme: the network hides the identity by other means or not at all.
    sized_file(w, 0xA9, &[0xA0, 0x02, 0x00, 0x00, 0xA1, 0x00]);
    file(w, 0xAC, &[0xF0, 0xFF, 0xFF, 0xFF]);
}

/// The operator's security domain, which receives commands over the air (SCP80 with AES).
///
/// Source: ETSI TS 102 226 §8
fn security_domain(w: &mut Writer) {
    w.nested(Tag::new(0xA1), |w| {
        w.octets(AID, &[0xA0, 0x00, 0x00, 0x01, 0x51, 0x53, 0x50])
            .octets(AID, &[0xA0, 0x00, 0x00, 0x01, 0x51, 0x53, 0x50, 0x41])
            .octets(AID, &[0xA0, 0x00, 0x00, 0x01, 0x51, 0x00, 0x00, 0x00])
            .octets(Tag::new(0x82), &[0x82, 0xDC, 0x00])
            .octets(Tag::new(0x83), &[0x0F])
            .octets(
                Tag::new(0xC9),
                &[
                    0x81, 0x02, 0x80, 0x00, 0x82, 0x01, 0xF0, 0x83, 0x01, 0xF0, 0x87, 0x01, 0xF0,
                ],
            );
        w.nested(Tag::new(0xEA), |w| {
            // One TAR, B20100; counter and cryptographic checksum at least.
            w.octets(
                Tag::new(0x80),
                &[
                    0x01, 0x00, 0x00, 0x00, 0x00, 0x02, 0x01, 0x16, 0x03, 0xB2, 0x01, 0x00, 0x00,
                    0x00,
                ],
            );
        });
    });
    w.nested(Tag::new(0xA2), |w| {
        // KIc enciphers, KID authenticates, DEK enciphers keys (GlobalPlatform §11.1.9).
        for (identifier, usage) in [(1, 0x18), (2, 0x14), (3, 0x48)] {
            w.nested(SEQUENCE, |w| {
                w.octets(Tag::new(0x95), &[usage])
                    .octets(Tag::new(0x82), &[identifier])
                    .octets(Tag::new(0x83), &[0x01])
                    .nested(SEQUENCE, |w| {
                        w.nested(SEQUENCE, |w| {
                            w.octets(Tag::new(0x80), &[0x88])
                                .octets(Tag::new(0x86), &[0; 16]);
                        });
                    });
            });
        }
    });
}

/// Files can be changed over the air: with a counter, a checksum and encryption.
fn remote_files(w: &mut Writer, instance: u8, tar: [u8; 3], of_usim: bool) {
    const MINIMUM_SECURITY: u8 = 0x16;
    let aid = [0xA0, 0x00, 0x00, 0x05, 0x59, 0x10, 0x10, 0x00, instance];
    w.octets(AID, &aid);
    w.nested(Tag::new(0xA0), |w| {
        w.octets(OCTETS, &tar);
    });
    w.octets(Tag::new(0x81), &[MINIMUM_SECURITY])
        .octets(OCTETS, &[0x00])
        .octets(OCTETS, &[0x00]);
    if of_usim {
        w.nested(SEQUENCE, |w| {
            w.octets(Tag::new(0x80), &USIM_AID)
                .octets(Tag::new(0x81), &[0x00])
                .octets(Tag::new(0x82), &[0x00]);
        });
    }
}
