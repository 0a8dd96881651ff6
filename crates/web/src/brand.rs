//! What makes the portal one operator's own: name, colours, contacts and legal texts. Filled from
//! the configuration; every field has a default that works.

use std::fmt;
use std::str::FromStr;

use simurgh_vocab::Locale;

/// The same thing in every language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Localised<T> {
    /// Simplified Chinese.
    pub zh_cn: T,
    /// English.
    pub en: T,
}

impl<T> Localised<T> {
    /// The one for `locale`.
    pub const fn of(&self, locale: Locale) -> &T {
        match locale {
            Locale::ZhCn => &self.zh_cn,
            Locale::En => &self.en,
        }
    }
}

/// An operator's brand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brand {
    /// The name in the page header, in messages and on the home screen.
    pub name: String,
    /// The company that sells, named in the footer and on bills.
    pub legal_entity: String,
    /// The one accent colour.
    pub accent: Accent,
    /// A logo of the operator's own as SVG, at least as wide as high; `None` shows the bird and the
    /// name.
    pub logo_svg: Option<String>,
    /// How a customer reaches a person.
    pub support: Support,
    /// Terms of service, shown at `/legal/terms`.
    pub terms: LegalText,
    /// Privacy notice, shown at `/legal/privacy`.
    pub privacy: LegalText,
}

/// How a customer reaches a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Support {
    /// E-mail address.
    pub email: String,
    /// Telephone number as it is dialled from abroad.
    pub phone: String,
    /// When somebody answers.
    pub hours: Localised<String>,
}

/// A legal text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LegalText {
    /// It stands on another site; the address starts with `https://`.
    Link(Localised<String>),
    /// Its paragraphs, plain text.
    Paragraphs(Localised<Vec<String>>),
}

impl Default for Brand {
    fn default() -> Self {
        let words = |zh_cn: &str, en: &str| {
            LegalText::Paragraphs(Localised {
                zh_cn: zh_cn.split('\n').map(str::to_owned).collect(),
                en: en.split('\n').map(str::to_owned).collect(),
            })
        };
        Self {
            name: "Simurgh".to_owned(),
            legal_entity: "Simurgh Mobile".to_owned(),
            accent: Accent::default(),
            logo_svg: None,
            support: Support {
                email: "help@simurgh.example".to_owned(),
                phone: "+86 400 000 0000".to_owned(),
                hours: Localised {
                    zh_cn: "每天 8:00–22:00（北京时间）".to_owned(),
                    en: "every day, 8:00–22:00 Beijing time".to_owned(),
                },
            },
            terms: words(TERMS_ZH_CN, TERMS_EN),
            privacy: words(PRIVACY_ZH_CN, PRIVACY_EN),
        }
    }
}

const TERMS_ZH_CN: &str = "套餐的流量、语音、短信数量、有效期、适用地区和价格，以购买前确认页上显示的为准；确认页上的到期时间就是实际到期时间。\n\
套餐到期后未用完的部分失效，除非续费时选择了“加到当前套餐”。\n\
尚未使用的套餐可以全额退款，款项退回原付款方式。";
const TERMS_EN: &str = "The data, calls, texts, validity, countries and price of a plan are those shown on the confirmation page before you pay. The end date shown there is the date on which the plan ends.\n\
What is left when a plan ends is lost, unless you chose “add to my current plan” when renewing.\n\
A plan that has not been used can be refunded in full, to the method it was paid with.";
const PRIVACY_ZH_CN: &str = "我们只保存提供服务所需的资料：姓名、联系方式、订单、账单和用量记录。证件资料加密保存，到期自动删除。\n\
您可以随时在“账户”中导出自己的资料，或注销账户。法律要求保留的账务记录会去除个人身份后保留。";
const PRIVACY_EN: &str = "We keep only what the service needs: your name, your contact details, orders, bills and usage records. Identity documents are encrypted and deleted automatically after their term.\n\
You can export your data or close your account at any time under “Account”. Accounting records that the law requires are kept without your identity.";

/// A colour in sRGB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour {
    red: u8,
    green: u8,
    blue: u8,
}

/// The text is no colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a colour: six hexadecimal digits such as #0b6467 are expected")]
pub struct ParseColourError;

impl FromStr for Colour {
    type Err = ParseColourError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix('#').ok_or(ParseColourError)?;
        if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(ParseColourError);
        }
        let value = u32::from_str_radix(digits, 16).map_err(|_| ParseColourError)?;
        let [_, red, green, blue] = value.to_be_bytes();
        Ok(Self { red, green, blue })
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }
}

impl Colour {
    const fn new(red: u8, green: u8, blue: u8) -> Self {
        Self { red, green, blue }
    }

    /// This colour with `parts` of 100 of `other` in it.
    fn mixed(self, other: Self, parts: u16) -> Self {
        let channel = |own: u8, added: u8| {
            let sum = u16::from(own) * (100 - parts) + u16::from(added) * parts;
            u8::try_from(sum / 100).unwrap_or(u8::MAX)
        };
        Self {
            red: channel(self.red, other.red),
            green: channel(self.green, other.green),
            blue: channel(self.blue, other.blue),
        }
    }

    /// The contrast with `other` in hundredths: 450 is 4.5:1.
    ///
    /// Source: WCAG 2.2, "contrast ratio" and "relative luminance".
    #[must_use]
    #[expect(
        clippy::float_arithmetic,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a ratio of two luminances between 1 and 21, defined with a real exponent"
    )]
    pub fn contrast_hundredths(self, other: Self) -> u32 {
        let (one, two) = (self.luminance(), other.luminance());
        let (lighter, darker) = (one.max(two), one.min(two));
        (100.0 * (lighter + 0.05) / (darker + 0.05)) as u32
    }

    #[expect(
        clippy::float_arithmetic,
        reason = "luminance is defined with a real exponent; it is no amount or quantity"
    )]
    fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.04045 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * linear(self.red) + 0.7152 * linear(self.green) + 0.0722 * linear(self.blue)
    }
}

/// The surfaces text stands on, as in `assets/app.css`.
const PAPER: Colour = Colour::new(0xf5, 0xf3, 0xee);
const NIGHT: Colour = Colour::new(0x1a, 0x22, 0x24);
const WHITE: Colour = Colour::new(0xff, 0xff, 0xff);
const INK: Colour = Colour::new(0x06, 0x18, 0x1a);
/// The contrast that text needs (WCAG 2.2, 1.4.3, level AA).
const TEXT_CONTRAST_HUNDREDTHS: u32 = 450;

/// The accent colour, once for light and once for dark surfaces; readable on both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accent {
    light: Colour,
    dark: Colour,
}

/// The accent colour cannot be read on the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AccentError {
    /// Too pale for light pages.
    #[error("the accent for light pages has too little contrast with them: choose a darker one")]
    TooPale,
    /// Too dark for dark pages.
    #[error("the accent for dark pages has too little contrast with them: choose a lighter one")]
    TooDark,
}

impl Default for Accent {
    /// Peacock, the colour of the bird's tail.
    fn default() -> Self {
        Self {
            light: Colour::new(0x0b, 0x64, 0x67),
            dark: Colour::new(0x6c, 0xd0, 0xcb),
        }
    }
}

impl Accent {
    /// An accent that text can be written in and on.
    ///
    /// # Errors
    /// [`AccentError`] when either colour has a contrast below 4.5:1 with its page.
    pub fn new(light: Colour, dark: Colour) -> Result<Self, AccentError> {
        if light.contrast_hundredths(PAPER) < TEXT_CONTRAST_HUNDREDTHS {
            return Err(AccentError::TooPale);
        }
        if dark.contrast_hundredths(NIGHT) < TEXT_CONTRAST_HUNDREDTHS {
            return Err(AccentError::TooDark);
        }
        Ok(Self { light, dark })
    }

    /// The colour on light pages.
    #[must_use]
    pub const fn light(self) -> Colour {
        self.light
    }

    /// The style sheet that gives the accent to the design system.
    #[must_use]
    pub fn style_sheet(self) -> String {
        let deep = NIGHT.mixed(self.dark, 18);
        let light = tokens(self.light, WHITE, WHITE, INK, self.light);
        let dark = tokens(self.dark, NIGHT, INK, WHITE, deep);
        format!(
            ":root,[data-theme=light]{{{light}}}\
             @media (prefers-color-scheme:dark){{:root{{{dark}}}[data-theme=light]{{{light}}}}}\
             [data-theme=dark]{{{dark}}}"
        )
    }
}

/// The tokens for one colour on one `surface`; `text` stands on the accent, `strong` is mixed in
/// for the pressed state, `deep` fills large areas, which a bright accent would make glare at night.
fn tokens(accent: Colour, surface: Colour, text: Colour, strong: Colour, deep: Colour) -> String {
    let pressed = accent.mixed(strong, 18);
    let soft = surface.mixed(accent, 13);
    let mist = surface.mixed(accent, 40);
    format!(
        "--accent:{accent};--accent-strong:{pressed};--on-accent:{text};\
         --accent-soft:{soft};--accent-mist:{mist};--deep:{deep};--on-deep:#ffffff"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wcag_contrast_of_known_pairs() {
        let black: Colour = "#000000".parse().unwrap();
        let grey: Colour = "#767676".parse().unwrap();
        assert_eq!(black.contrast_hundredths(WHITE), 2100);
        assert_eq!(grey.contrast_hundredths(WHITE), 454);
        assert_eq!("767676".parse::<Colour>(), Err(ParseColourError));
        assert_eq!("#76767é".parse::<Colour>(), Err(ParseColourError));
    }

    #[test]
    fn the_default_accent_can_be_read_on_and_under_text() {
        let Accent { light, dark } = Accent::default();
        assert_eq!(Accent::new(light, dark), Ok(Accent::default()));
        assert!(light.contrast_hundredths(WHITE) >= 450);
        assert!(dark.contrast_hundredths(INK) >= 450);
        let soft = WHITE.mixed(light, 13);
        assert!(light.contrast_hundredths(soft) >= 450);
        let soft = NIGHT.mixed(dark, 13);
        assert!(dark.contrast_hundredths(soft) >= 450);
    }

    #[test]
    fn an_accent_nobody_can_read_is_refused() {
        let Accent { light, dark } = Accent::default();
        assert_eq!(Accent::new(dark, dark), Err(AccentError::TooPale));
        assert_eq!(Accent::new(light, light), Err(AccentError::TooDark));
    }
}
