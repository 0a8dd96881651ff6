//! The entries of the fuzz targets over their corpus and pseudo-random mutations of it, in every
//! run of the tests and with the usual compiler. The seeds are fixed: a failure comes again.

#[cfg(test)]
#[expect(
    unreachable_pub,
    reason = "the fuzz targets use the same file as a library"
)]
#[path = "../../../fuzz/src/lib.rs"]
mod entries;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::entries;

    /// Mutations of each file of the corpus.
    const MUTATIONS: u64 = 2_000;

    /// splitmix64.
    struct Chance(u64);

    impl Chance {
        fn next(&mut self) -> u64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        }

        fn below(&mut self, count: usize) -> usize {
            usize::try_from(self.next() % u64::try_from(count.max(1)).unwrap()).unwrap()
        }
    }

    /// Pieces that have broken parsers.
    const PIECES: [&[u8]; 14] = [
        b"\0",
        b"\xff",
        b"%",
        b"%00",
        b"%FF",
        b"&",
        b"=",
        b"-1",
        b"99999999999999999999",
        b"\xe6\x96\xb0",
        b"\xf0\x9f\xa7\xbf",
        b"\"",
        b"\r\n",
        b"\x7f\xff\xff\xff",
    ];

    fn mutate(octets: &mut Vec<u8>, chance: &mut Chance) {
        for _ in 0..=chance.below(6) {
            let at = chance.below(octets.len() + 1);
            match chance.below(6) {
                0 if at < octets.len() => octets[at] ^= 1 << chance.below(8),
                1 if at < octets.len() => octets[at] = chance.next().to_le_bytes()[0],
                2 => octets.truncate(at),
                3 if at < octets.len() => {
                    octets.remove(at);
                }
                4 => {
                    let copy = octets[at..].to_vec();
                    octets.extend(copy.into_iter().take(64));
                }
                _ => {
                    let piece = PIECES[chance.below(PIECES.len())];
                    octets.splice(at..at, piece.iter().copied());
                }
            }
        }
    }

    fn run(name: &str, entry: fn(&[u8])) {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
        let mut files = 0;
        for file in fs::read_dir(corpus.join(name)).unwrap() {
            let whole = fs::read(file.unwrap().path()).unwrap();
            entry(&whole);
            files += 1;
            for seed in 0..MUTATIONS {
                let mut octets = whole.clone();
                mutate(&mut octets, &mut Chance(seed));
                entry(&octets);
            }
        }
        assert!(files > 0, "{name} has a corpus");
        entry(b"");
    }

    #[test]
    fn forms() {
        run("form", entries::form);
    }

    #[test]
    fn languages() {
        run("languages", entries::languages);
    }

    #[test]
    fn addresses() {
        run("address", entries::address);
    }

    #[test]
    fn notifications() {
        run("notification", entries::notification);
    }

    #[test]
    fn short_message_pdus() {
        run("smpp", entries::smpp);
    }

    #[test]
    fn catalogues() {
        run("catalogue", entries::catalogue);
    }

    #[test]
    fn phone_numbers() {
        run("phone", entries::phone);
    }

    #[test]
    fn words() {
        run("words", entries::words);
    }

    #[test]
    fn tlv() {
        run("tlv", entries::tlv);
    }

    #[test]
    fn bodies_of_lpas() {
        run("es9_body", entries::es9_body);
    }

    #[test]
    fn bodies_of_operators() {
        run("es2_body", entries::es2_body);
    }

    #[test]
    fn notifications_of_chips() {
        run("rsp_notification", entries::rsp_notification);
    }

    #[test]
    fn profile_packages() {
        run("saip", entries::saip);
    }

    #[test]
    fn apdus() {
        run("apdu", entries::apdu);
    }

    #[test]
    fn streams_of_diameter() {
        run("diameter_stream", entries::diameter_stream);
    }

    #[test]
    fn messages_of_diameter() {
        run("diameter_message", entries::diameter_message);
    }

    #[test]
    fn avps_of_diameter() {
        run("diameter_avps", entries::diameter_avps);
    }

    #[test]
    fn requests_of_credit_control() {
        run("credit_control", entries::credit_control);
    }
}
