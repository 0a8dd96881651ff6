//! A bill as PDF. No font is embedded: Latin text stands in Helvetica, which every viewer has, and
//! Chinese text in STSong-Light with Adobe's predefined map from UTF-16.
//!
//! Source: ISO 32000-1 §9.6.2.2 (standard fonts), §9.7.5.2 (predefined CMaps).

use pdf_writer::types::{CidFontType, FontFlags, SystemInfo};
use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref, Str};

use super::bills::Bill;
use crate::i18n::Text;

/// A4 in points.
const PAGE_WIDTH: i32 = 595;
const PAGE_HEIGHT: i32 = 842;
const LEFT: i32 = 56;
const RIGHT: i32 = PAGE_WIDTH - 56;
const TOP: i32 = PAGE_HEIGHT - 72;
/// Below this a new page begins.
const BOTTOM: i32 = 96;

/// What a text looks like.
#[derive(Clone, Copy)]
struct Style {
    size: i32,
    bold: bool,
    grey: bool,
}

const TITLE: Style = Style {
    size: 22,
    bold: true,
    grey: false,
};
const BODY: Style = Style {
    size: 10,
    bold: false,
    grey: false,
};
const STRONG: Style = Style {
    size: 12,
    bold: true,
    grey: false,
};
const FINE: Style = Style {
    size: 9,
    bold: false,
    grey: true,
};

/// The bill as a PDF file.
pub(super) fn write(t: &Text, bill: &Bill) -> Vec<u8> {
    let mut sheets = Sheets::new();
    head(&mut sheets, t, bill);
    for row in &bill.rows {
        sheets.feed(22);
        let label = if row.note.is_empty() {
            row.label.clone()
        } else {
            format!("{}  {}", row.label, row.note)
        };
        sheets.left(&label, LEFT, BODY);
        sheets.right(&t.money(row.amount), RIGHT, BODY);
        sheets.rule(7, false);
    }
    sheets.feed(30);
    let net = t.msg("bills-net");
    sheets.left(&net, LEFT + 220, BODY);
    sheets.right(&t.money(bill.net), RIGHT, BODY);
    sheets.feed(18);
    let tax = t.with("bills-tax", "rate", &bill.rate).to_string();
    sheets.left(&tax, LEFT + 220, BODY);
    sheets.right(&t.money(bill.tax), RIGHT, BODY);
    sheets.feed(26);
    sheets.left(&t.msg("bills-total"), LEFT + 220, STRONG);
    sheets.right(&t.money(bill.total), RIGHT, STRONG);
    sheets.feed(40);
    sheets.left(&t.msg("bills-included"), LEFT, FINE);
    sheets.finish(&bill.number)
}

fn head(sheets: &mut Sheets, t: &Text, bill: &Bill) {
    let title = if bill.credit {
        t.msg("bills-credit-note")
    } else {
        t.msg("bills-invoice")
    };
    sheets.left(&title, LEFT, TITLE);
    sheets.right(&bill.seller, RIGHT, STRONG);
    sheets.feed(16);
    sheets.right(&bill.contact, RIGHT, FINE);
    sheets.feed(34);
    let facts = [
        (t.msg("bills-number"), bill.number.clone()),
        (t.msg("bills-date"), t.date(bill.issued_at)),
        (t.msg("bills-order"), bill.order.clone()),
        (t.msg("bills-buyer"), bill.buyer.clone()),
    ];
    for (label, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        sheets.left(label, LEFT, FINE);
        sheets.left(value, LEFT + 110, BODY);
        sheets.feed(18);
    }
    sheets.feed(18);
    sheets.left(&t.msg("bills-item"), LEFT, FINE);
    sheets.right(&t.msg("bills-amount"), RIGHT, FINE);
    sheets.rule(7, true);
}

/// The sheets written so far, and where on the last one the next line goes.
struct Sheets {
    done: Vec<pdf_writer::Buf>,
    now: Content,
    y: i32,
}

impl Sheets {
    fn new() -> Self {
        Self {
            done: Vec::new(),
            now: Content::new(),
            y: TOP,
        }
    }

    /// Moves down; begins a new sheet when this one is full.
    fn feed(&mut self, points: i32) {
        self.y -= points;
        if self.y < BOTTOM {
            let full = std::mem::replace(&mut self.now, Content::new());
            self.done.push(full.finish());
            self.y = TOP;
        }
    }

    /// Writes `text` that begins at `x`.
    fn left(&mut self, text: &str, x: i32, style: Style) {
        let runs = runs(text);
        self.now.begin_text();
        if style.grey {
            self.now.set_fill_rgb(0.36, 0.4, 0.41);
        } else {
            self.now.set_fill_rgb(0.09, 0.13, 0.14);
        }
        self.now.next_line(points(x), points(self.y));
        for run in &runs {
            let font = match (run.chinese, style.bold) {
                (true, _) => Name(b"C"),
                (false, true) => Name(b"B"),
                (false, false) => Name(b"L"),
            };
            self.now.set_font(font, points(style.size));
            self.now.show(Str(&run.bytes));
        }
        self.now.end_text();
    }

    /// Writes `text` that ends at `x`.
    fn right(&mut self, text: &str, x: i32, style: Style) {
        let thousandths: i32 = runs(text).iter().map(|run| run.width).sum();
        self.left(text, x - thousandths * style.size / 1_000, style);
    }

    /// Draws a line across the sheet, so many points below the text.
    fn rule(&mut self, below: i32, strong: bool) {
        let y = points(self.y - below);
        let (shade, width) = if strong { (0.2, 1.0) } else { (0.85, 0.5) };
        self.now
            .set_stroke_gray(shade)
            .set_line_width(width)
            .move_to(points(LEFT), y)
            .line_to(points(RIGHT), y)
            .stroke();
    }

    fn finish(mut self, title: &str) -> Vec<u8> {
        self.done.push(self.now.finish());
        let mut pdf = Pdf::new();
        let (catalog, tree, info) = (Ref::new(1), Ref::new(2), Ref::new(3));
        let fonts = Fonts::at(4);
        let sheets: Vec<_> = (10..)
            .step_by(2)
            .map(|number| (Ref::new(number), Ref::new(number + 1)))
            .zip(&self.done)
            .collect();
        pdf.catalog(catalog).pages(tree);
        pdf.document_info(info).title(pdf_writer::TextStr(title));
        pdf.pages(tree)
            .kids(sheets.iter().map(|((page, _), _)| *page))
            .count(i32::try_from(sheets.len()).unwrap_or(1));
        for ((page, content), written) in &sheets {
            let mut sheet = pdf.page(*page);
            let area = Rect::new(0.0, 0.0, points(PAGE_WIDTH), points(PAGE_HEIGHT));
            sheet.parent(tree).media_box(area).contents(*content);
            let mut resources = sheet.resources();
            let mut named = resources.fonts();
            named.pair(Name(b"L"), fonts.latin);
            named.pair(Name(b"B"), fonts.bold);
            named.pair(Name(b"C"), fonts.chinese);
            named.finish();
            resources.finish();
            sheet.finish();
            pdf.stream(*content, written.as_slice());
        }
        fonts.write(&mut pdf);
        pdf.finish()
    }
}

/// Whole points as the writer takes them.
fn points(whole: i32) -> f32 {
    // Every length here is below 1,000, which f32 holds exactly.
    f32::from(i16::try_from(whole).unwrap_or(0))
}

struct Fonts {
    latin: Ref,
    bold: Ref,
    chinese: Ref,
    cid: Ref,
    descriptor: Ref,
}

impl Fonts {
    fn at(first: i32) -> Self {
        Self {
            latin: Ref::new(first),
            bold: Ref::new(first + 1),
            chinese: Ref::new(first + 2),
            cid: Ref::new(first + 3),
            descriptor: Ref::new(first + 4),
        }
    }

    fn write(&self, pdf: &mut Pdf) {
        for (font, name) in [(self.latin, "Helvetica"), (self.bold, "Helvetica-Bold")] {
            pdf.type1_font(font)
                .base_font(Name(name.as_bytes()))
                .encoding_predefined(Name(b"WinAnsiEncoding"));
        }
        let song = Name(b"STSong-Light");
        pdf.type0_font(self.chinese)
            .base_font(Name(b"STSong-Light-UniGB-UTF16-H"))
            .encoding_predefined(Name(b"UniGB-UTF16-H"))
            .descendant_font(self.cid);
        let mut cid = pdf.cid_font(self.cid);
        cid.subtype(CidFontType::Type0)
            .base_font(song)
            .system_info(SystemInfo {
                registry: Str(b"Adobe"),
                ordering: Str(b"GB1"),
                supplement: 4,
            })
            .font_descriptor(self.descriptor)
            .default_width(1_000.0);
        cid.finish();
        pdf.font_descriptor(self.descriptor)
            .name(song)
            .flags(FontFlags::SYMBOLIC | FontFlags::SERIF)
            .bbox(Rect::new(-25.0, -254.0, 1_000.0, 880.0))
            .italic_angle(0.0)
            .ascent(880.0)
            .descent(-120.0)
            .cap_height(880.0)
            .stem_v(93.0);
    }
}

/// Text of one font.
struct Run {
    chinese: bool,
    bytes: Vec<u8>,
    /// In thousandths of the size.
    width: i32,
}

/// Cuts a text where the font changes.
fn runs(text: &str) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for letter in text.chars() {
        let latin = win_ansi(letter);
        let chinese = latin.is_none();
        if runs.last().is_none_or(|run| run.chinese != chinese) {
            runs.push(Run {
                chinese,
                bytes: Vec::new(),
                width: 0,
            });
        }
        let Some(run) = runs.last_mut() else { continue };
        match latin {
            Some(byte) => {
                run.bytes.push(byte);
                run.width += latin_width(byte);
            }
            None => {
                let mut units = [0; 2];
                for unit in letter.encode_utf16(&mut units) {
                    run.bytes.extend(unit.to_be_bytes());
                }
                run.width += 1_000;
            }
        }
    }
    runs
}

/// The letter in WinAnsiEncoding (ISO 32000-1 annex D.2), if it is there.
fn win_ansi(letter: char) -> Option<u8> {
    match letter {
        ' '..='~' => u8::try_from(letter).ok(),
        '\u{a0}' => Some(b' '),
        '\u{2212}' => Some(b'-'),
        '\u{20ac}' => Some(0x80),
        '\u{2019}' => Some(0x92),
        '\u{2022}' => Some(0x95),
        '\u{2013}' => Some(0x96),
        '\u{a1}'..='\u{ff}' => u8::try_from(u32::from(letter)).ok(),
        _ => None,
    }
}

/// The width of a letter of Helvetica in thousandths of the size. What stands at the right edge is
/// digits and signs, which are as wide in bold; other letters need not be exact.
///
/// Source: Adobe's metrics of the standard fonts.
const fn latin_width(byte: u8) -> i32 {
    match byte {
        b'i' | b'j' | b'l' | b'\'' => 222,
        b' ' | b'!' | b',' | b'.' | b'/' | b':' | b';' | b'I' | b'[' | b']' | b'\\' | b'f'
        | b't' | 0xb7 => 278,
        b'(' | b')' | b'-' | b'`' | b'r' => 333,
        b'*' => 389,
        b'c' | b'k' | b's' | b'v' | b'x' | b'y' | b'z' | b'J' => 500,
        b'+' | b'<' | b'=' | b'>' => 584,
        b'F' | b'T' | b'Z' => 611,
        b'&' | b'A' | b'B' | b'E' | b'K' | b'P' | b'S' | b'V' | b'X' | b'Y' => 667,
        b'C' | b'D' | b'H' | b'N' | b'R' | b'U' | b'w' => 722,
        b'G' | b'O' | b'Q' => 778,
        b'M' | b'm' => 833,
        b'%' => 889,
        b'W' => 944,
        b'@' => 1_015,
        _ => 556,
    }
}
