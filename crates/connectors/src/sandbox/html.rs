//! Pages as HTML. Everything from outside goes through [`escape`].

use simurgh_vocab::Locale;

/// One of two texts.
pub(crate) const fn say(locale: Locale, zh: &'static str, en: &'static str) -> &'static str {
    match locale {
        Locale::ZhCn => zh,
        Locale::En => en,
    }
}

/// A text in both languages, Chinese first.
pub(crate) type Both = (&'static str, &'static str);

/// One of sandboxes, as its pages name it.
pub(crate) struct House {
    /// What it is.
    pub(crate) name: Both,
    /// That nothing is real; stands on every page.
    pub(crate) banner: Both,
    /// The accent of its own pages.
    pub(crate) class: &'static str,
}

impl House {
    /// A page that says one thing.
    pub(crate) fn message(&self, locale: Locale, what: &str) -> String {
        let name = say(locale, self.name.0, self.name.1);
        let what = escape(what);
        let main = format!("<main class=\"sheet\"><h1>{name}</h1><p>{what}</p></main>");
        self.page(locale, (name, self.class), &main)
    }

    /// A whole page with its title and the class that chooses its accent.
    pub(crate) fn page(&self, locale: Locale, (title, class): (&str, &str), main: &str) -> String {
        let banner = say(locale, self.banner.0, self.banner.1);
        page(locale, (title, banner), class, main)
    }
}

fn page(locale: Locale, (title, banner): (&str, &str), class: &str, main: &str) -> String {
    format!(
        "<!doctype html><html lang=\"{locale}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\">\
         <title>{title} · {sandbox}</title><link rel=\"stylesheet\" href=\"/style.css\"></head>\
         <body class=\"{class}\"><header class=\"banner\">{banner}</header>{main}</body></html>",
        sandbox = say(locale, "沙箱", "sandbox"),
    )
}

/// The head of a page over a book: the title and the link to the other language.
pub(crate) fn book_head(locale: Locale, title: &str) -> String {
    let other = match locale {
        Locale::ZhCn => "<a href=\"/?lang=en\" lang=\"en\">English</a>",
        Locale::En => "<a href=\"/?lang=zh-CN\" lang=\"zh-CN\">中文</a>",
    };
    format!("<header><h1>{title}</h1>{other}</header>")
}

/// The link that leaves the sandbox.
pub(crate) fn back(return_url: &str, label: &str) -> String {
    format!(
        "<p><a class=\"back\" href=\"{}\">{label}</a></p>",
        escape(return_url)
    )
}

/// A list to choose from.
pub(crate) fn select(
    name: &str,
    options: impl Iterator<Item = (&'static str, &'static str)>,
    chosen: &str,
) -> String {
    let options: String = options
        .map(|(code, label)| {
            let selected = if code == chosen { " selected" } else { "" };
            format!("<option value=\"{code}\"{selected}>{label}</option>")
        })
        .collect();
    format!("<select name=\"{name}\">{options}</select>")
}

/// Outcomes to choose from: a title, and the codes and labels.
pub(crate) type Choices = (&'static str, Vec<(&'static str, &'static str)>);

/// Every other way that something can go, in groups. The buttons belong to `form`, so that what is
/// chosen there goes with them.
pub(crate) fn other_endings(locale: Locale, form: &str, groups: &[Choices]) -> String {
    let fieldsets: String = groups
        .iter()
        .map(|(title, outcomes)| {
            let buttons: String = outcomes
                .iter()
                .map(|(code, label)| {
                    format!(
                        "<button form=\"{form}\" name=\"outcome\" value=\"{code}\">{label}</button>"
                    )
                })
                .collect();
            format!("<fieldset><legend>{title}</legend>{buttons}</fieldset>")
        })
        .collect();
    format!(
        "<details class=\"sheet endings\" open><summary>{}</summary>{fieldsets}</details>",
        say(locale, "测试其他结果", "Try another ending"),
    )
}

/// The titles of the groups that every sandbox has besides its failures: what takes time, and odd
/// notifications.
pub(crate) const fn slow_and_odd(locale: Locale) -> Both {
    (
        say(locale, "等待", "It takes time"),
        say(locale, "异常通知", "Odd notifications"),
    )
}

/// One choice of a page over a book: its address, its label and the list.
pub(crate) fn act(locale: Locale, address: &str, label: &str, list: &str) -> String {
    format!(
        "<form class=\"act\" method=\"post\" action=\"{address}\">\
         <input type=\"hidden\" name=\"lang\" value=\"{locale}\">\
         <label><span>{label}</span>{list}</label><button>{}</button></form>",
        say(locale, "应用", "Apply"),
    )
}

/// The form of a page over a book that sends a notification once more.
pub(crate) fn send_again(locale: Locale, subject: &str) -> String {
    format!(
        "<form class=\"act\" method=\"post\" action=\"/book/{subject}/send-again\">\
         <input type=\"hidden\" name=\"lang\" value=\"{locale}\"><button>{}</button></form>",
        say(locale, "再次发送通知", "Send notification again"),
    )
}

/// What a page over an empty book says.
pub(crate) fn nothing(locale: Locale) -> String {
    let text = say(locale, "暂无记录。", "Nothing here yet.");
    format!("<p class=\"note\">{text}</p>")
}

/// Text as it may stand in HTML, between tags and in quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
