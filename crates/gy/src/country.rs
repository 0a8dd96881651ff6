//! The country of a mobile network.

use simurgh_vocab::CountryCode;

/// The country that a mobile country code belongs to; none for codes that belong to none, such as those of
/// ships, aeroplanes and satellites.
///
/// Source: `ITU-T E.212`, list of mobile country codes
#[must_use]
pub fn country_of(mcc: u16) -> Option<CountryCode> {
    let place = COUNTRIES
        .binary_search_by_key(&mcc, |(code, _)| *code)
        .ok()?;
    let (_, name) = COUNTRIES.get(place)?;
    std::str::from_utf8(name).ok()?.parse().ok()
}

/// By ascending code.
#[rustfmt::skip]
const COUNTRIES: &[(u16, [u8; 2])] = &[
    (202, *b"GR"), (204, *b"NL"), (206, *b"BE"), (208, *b"FR"), (212, *b"MC"), (213, *b"AD"),
    (214, *b"ES"), (216, *b"HU"), (218, *b"BA"), (219, *b"HR"), (220, *b"RS"), (221, *b"XK"),
    (222, *b"IT"), (225, *b"VA"), (226, *b"RO"), (228, *b"CH"), (230, *b"CZ"), (231, *b"SK"),
    (232, *b"AT"), (234, *b"GB"), (235, *b"GB"), (238, *b"DK"), (240, *b"SE"), (242, *b"NO"),
    (244, *b"FI"), (246, *b"LT"), (247, *b"LV"), (248, *b"EE"), (250, *b"RU"), (255, *b"UA"),
    (257, *b"BY"), (259, *b"MD"), (260, *b"PL"), (262, *b"DE"), (266, *b"GI"), (268, *b"PT"),
    (270, *b"LU"), (272, *b"IE"), (274, *b"IS"), (276, *b"AL"), (278, *b"MT"), (280, *b"CY"),
    (282, *b"GE"), (283, *b"AM"), (284, *b"BG"), (286, *b"TR"), (288, *b"FO"), (290, *b"GL"),
    (292, *b"SM"), (293, *b"SI"), (294, *b"MK"), (295, *b"LI"), (297, *b"ME"), (302, *b"CA"),
    (308, *b"PM"), (310, *b"US"), (311, *b"US"), (312, *b"US"), (313, *b"US"), (314, *b"US"),
    (315, *b"US"), (316, *b"US"), (330, *b"PR"), (332, *b"VI"), (334, *b"MX"), (338, *b"JM"),
    (340, *b"GP"), (342, *b"BB"), (344, *b"AG"), (346, *b"KY"), (348, *b"VG"), (350, *b"BM"),
    (352, *b"GD"), (354, *b"MS"), (356, *b"KN"), (358, *b"LC"), (360, *b"VC"), (362, *b"CW"),
    (363, *b"AW"), (364, *b"BS"), (365, *b"AI"), (366, *b"DM"), (368, *b"CU"), (370, *b"DO"),
    (372, *b"HT"), (374, *b"TT"), (376, *b"TC"), (400, *b"AZ"), (401, *b"KZ"), (402, *b"BT"),
    (404, *b"IN"), (405, *b"IN"), (406, *b"IN"), (410, *b"PK"), (412, *b"AF"), (413, *b"LK"),
    (414, *b"MM"), (415, *b"LB"), (416, *b"JO"), (417, *b"SY"), (418, *b"IQ"), (419, *b"KW"),
    (420, *b"SA"), (421, *b"YE"), (422, *b"OM"), (424, *b"AE"), (425, *b"IL"), (426, *b"BH"),
    (427, *b"QA"), (428, *b"MN"), (429, *b"NP"), (430, *b"AE"), (431, *b"AE"), (432, *b"IR"),
    (434, *b"UZ"), (436, *b"TJ"), (437, *b"KG"), (438, *b"TM"), (440, *b"JP"), (441, *b"JP"),
    (450, *b"KR"), (452, *b"VN"), (454, *b"HK"), (455, *b"MO"), (456, *b"KH"), (457, *b"LA"),
    (460, *b"CN"), (461, *b"CN"), (466, *b"TW"), (467, *b"KP"), (470, *b"BD"), (472, *b"MV"),
    (502, *b"MY"), (505, *b"AU"), (510, *b"ID"), (514, *b"TL"), (515, *b"PH"), (520, *b"TH"),
    (525, *b"SG"), (528, *b"BN"), (530, *b"NZ"), (536, *b"NR"), (537, *b"PG"), (539, *b"TO"),
    (540, *b"SB"), (541, *b"VU"), (542, *b"FJ"), (543, *b"WF"), (544, *b"AS"), (545, *b"KI"),
    (546, *b"NC"), (547, *b"PF"), (548, *b"CK"), (549, *b"WS"), (550, *b"FM"), (551, *b"MH"),
    (552, *b"PW"), (553, *b"TV"), (554, *b"TK"), (555, *b"NU"), (602, *b"EG"), (603, *b"DZ"),
    (604, *b"MA"), (605, *b"TN"), (606, *b"LY"), (607, *b"GM"), (608, *b"SN"), (609, *b"MR"),
    (610, *b"ML"), (611, *b"GN"), (612, *b"CI"), (613, *b"BF"), (614, *b"NE"), (615, *b"TG"),
    (616, *b"BJ"), (617, *b"MU"), (618, *b"LR"), (619, *b"SL"), (620, *b"GH"), (621, *b"NG"),
    (622, *b"TD"), (623, *b"CF"), (624, *b"CM"), (625, *b"CV"), (626, *b"ST"), (627, *b"GQ"),
    (628, *b"GA"), (629, *b"CG"), (630, *b"CD"), (631, *b"AO"), (632, *b"GW"), (633, *b"SC"),
    (634, *b"SD"), (635, *b"RW"), (636, *b"ET"), (637, *b"SO"), (638, *b"DJ"), (639, *b"KE"),
    (640, *b"TZ"), (641, *b"UG"), (642, *b"BI"), (643, *b"MZ"), (645, *b"ZM"), (646, *b"MG"),
    (647, *b"RE"), (648, *b"ZW"), (649, *b"NA"), (650, *b"MW"), (651, *b"LS"), (652, *b"BW"),
    (653, *b"SZ"), (654, *b"KM"), (655, *b"ZA"), (657, *b"ER"), (658, *b"SH"), (659, *b"SS"),
    (702, *b"BZ"), (704, *b"GT"), (706, *b"SV"), (708, *b"HN"), (710, *b"NI"), (712, *b"CR"),
    (714, *b"PA"), (716, *b"PE"), (722, *b"AR"), (724, *b"BR"), (730, *b"CL"), (732, *b"CO"),
    (734, *b"VE"), (736, *b"BO"), (738, *b"GY"), (740, *b"EC"), (742, *b"GF"), (744, *b"PY"),
    (746, *b"SR"), (748, *b"UY"), (750, *b"FK"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_found_in_an_ascending_table() {
        assert!(COUNTRIES.is_sorted_by(|(a, _), (b, _)| a < b));
        for (code, country) in [
            (460, "CN"),
            (234, "GB"),
            (310, "US"),
            (202, "GR"),
            (750, "FK"),
        ] {
            assert_eq!(country_of(code), country.parse().ok(), "{code}");
        }
        for code in [0, 201, 901, 999] {
            assert_eq!(country_of(code), None, "{code}");
        }
    }
}
