//! What the phones' pages show.

use simurgh_euicc::lpa::Progress;
use simurgh_rsp::identity::Iccid;
use simurgh_rsp::message::es10::ProfileInfo;
use simurgh_vocab::Locale;

use super::phone::{Break, Download, Label, Look, Offer, Phone, is_enabled};
use super::radio::ShortMessage;
use super::shelf::NAME_CHARACTERS_MAX;
use super::text::{self, Trouble};
use crate::sandbox::html::{House, escape, say, select};

/// The demo's phones, as their pages name them.
pub(super) const HOUSE: House = House {
    name: ("演示手机", "Demo phones"),
    banner: (
        "演示 - 软件模拟的手机，不连接真实网络",
        "Demo - phones in software, on no real network",
    ),
    class: "handset",
};

/// How long an activation code may be, with `LPA:`.
const CODE_CHARACTERS_MAX: usize = 259;

/// A page of one phone: what it shows and in which language.
pub(super) struct View<'a> {
    pub(super) phone: &'a Phone,
    pub(super) look: &'a Look,
    pub(super) locale: Locale,
}

pub(super) fn label(phone: &Phone, locale: Locale) -> String {
    match &phone.label {
        Label::Old => say(locale, "旧手机", "Old phone").to_owned(),
        Label::New => say(locale, "新手机", "New phone").to_owned(),
        Label::Named(name) => escape(name),
    }
}

fn page(locale: Locale, title: &str, main: &str) -> String {
    let main = format!("{main}<script type=\"module\" src=\"/phone.js\"></script>");
    HOUSE.page(locale, (title, HOUSE.class), &main)
}

/// The link to the same page in the other language.
fn other_language(locale: Locale, path: &str) -> String {
    let (tag, name) = match locale {
        Locale::ZhCn => ("en", "English"),
        Locale::En => ("zh-CN", "中文"),
    };
    let joint = if path.contains('?') { '&' } else { '?' };
    format!(
        "<a href=\"{}{joint}lang={tag}\" lang=\"{tag}\">{name}</a>",
        escape(path)
    )
}

/// All phones. With a code, each takes it.
pub(super) fn shelf_page(
    phones: &[(String, String, Look)],
    code: Option<&str>,
    locale: Locale,
) -> String {
    let title = say(locale, HOUSE.name.0, HOUSE.name.1);
    let (path, note) = match code {
        None => (
            "/".to_owned(),
            say(
                locale,
                "每部手机里都有一张软件 eUICC，会像真手机一样下载、切换和删除 eSIM。",
                "Each phone holds a software eUICC and downloads, switches and deletes eSIMs as a real one does.",
            ),
        ),
        Some(code) => (
            format!("/scan?code={}", percent(code)),
            say(
                locale,
                "扫到了一个激活码。用哪部手机安装？",
                "An activation code was scanned. Which phone shall install it?",
            ),
        ),
    };
    let cards: String = phones
        .iter()
        .map(|(id, label, look)| shelf_card(id, label, look, (code, locale)))
        .collect();
    let more = if code.is_none() {
        new_phone(locale)
    } else {
        String::new()
    };
    let main = format!(
        "<main class=\"book\"><header><h1>{title}</h1>{}</header><p class=\"note\">{note}</p>\
         <div class=\"shelf\">{cards}</div>{more}</main>",
        other_language(locale, &path),
    );
    page(locale, title, &main)
}

fn shelf_card(
    id: &str,
    label: &str,
    look: &Look,
    (code, locale): (Option<&str>, Locale),
) -> String {
    let state = match &look.subscription {
        Some(one) => escape(one.provider.as_deref().unwrap_or(&one.iccid)),
        None => say(locale, "未启用 eSIM", "No eSIM in use").to_owned(),
    };
    let (address, action) = match code {
        Some(code) => (
            format!("/phones/{id}/add?code={}&lang={locale}", percent(code)),
            say(locale, "用这部手机安装", "Install on this phone"),
        ),
        None => (
            format!("/phones/{id}?lang={locale}"),
            say(locale, "拿起这部手机", "Pick it up"),
        ),
    };
    format!(
        "<article class=\"payment\" id=\"{id}\"><h2>{label}</h2><p class=\"state\">{state}</p>\
         <p class=\"note\">eSIM: {}</p><a class=\"back\" href=\"{}\">{action}\
         <span class=\"unseen\"> · {label}</span></a></article>",
        look.profiles.len(),
        escape(&address),
    )
}

fn new_phone(locale: Locale) -> String {
    format!(
        "<form class=\"sheet act\" method=\"post\" action=\"/phones\">\
         <input type=\"hidden\" name=\"lang\" value=\"{locale}\"><label><span>{}</span>\
         <input name=\"value\" required maxlength=\"{NAME_CHARACTERS_MAX}\" autocomplete=\"off\"></label>\
         <button>{}</button></form>",
        say(locale, "再来一部手机，名称：", "Another phone, called"),
        say(locale, "添加", "Add"),
    )
}

/// The whole screen of a phone.
fn screen(view: &View<'_>, path: &str, content: &str) -> String {
    let locale = view.locale;
    let name = label(view.phone, locale);
    let home = format!("/?lang={locale}");
    let main = format!(
        "<main class=\"phone\"><nav class=\"bar\"><a href=\"{home}\">{}</a>{}</nav>\
         <div class=\"screen\">{}<h1>{name}</h1>{content}</div></main>",
        say(locale, "‹ 所有手机", "‹ All phones"),
        other_language(locale, path),
        status_bar(view),
    );
    page(locale, &name, &main)
}

/// Operator and bars, as the top of every phone has them.
fn status_bar(view: &View<'_>) -> String {
    let locale = view.locale;
    let (class, operator) = match &view.look.subscription {
        _ if view.phone.is_in_airplane_mode() => (
            "off",
            say(locale, "✈ 飞行模式", "✈ Airplane mode").to_owned(),
        ),
        Some(one) => (
            "on",
            escape(
                one.provider
                    .as_deref()
                    .unwrap_or(say(locale, "已注册", "Registered")),
            ),
        ),
        None => ("off", say(locale, "无服务", "No service").to_owned()),
    };
    format!(
        "<p class=\"status {class}\" id=\"status\"><span class=\"bars\" aria-hidden=\"true\"><i></i><i></i><i></i><i></i></span> \
         {operator}</p>"
    )
}

/// A phone's first page.
pub(super) fn phone_page(view: &View<'_>, messages: &[ShortMessage]) -> String {
    let (id, locale) = (&view.phone.id, view.locale);
    let trouble = view
        .look
        .trouble
        .as_ref()
        .map(|one| trouble(one, locale))
        .unwrap_or_default();
    let mut cards: String = view
        .look
        .profiles
        .iter()
        .map(|one| profile_card(view, one))
        .collect();
    if cards.is_empty() {
        let none = say(locale, "还没有 eSIM。", "No eSIM yet.");
        cards = format!("<p class=\"note\">{none}</p>");
    }
    let under_way = if view.look.download.is_under_way() {
        format!(
            "<p class=\"state\"><a href=\"/phones/{id}/download?lang={locale}\">{}</a></p>",
            say(locale, "正在添加一个 eSIM…", "An eSIM is being added…"),
        )
    } else {
        String::new()
    };
    let content = format!(
        "{trouble}{under_way}<section><h2>eSIM</h2>{cards}\
         <a class=\"back\" href=\"/phones/{id}/add?lang={locale}\">{}</a></section>{}{}{}",
        say(locale, "添加 eSIM", "Add eSIM"),
        inbox(view, messages),
        switches(view),
        about(view),
    );
    screen(view, &format!("/phones/{id}"), &content)
}

fn trouble(trouble: &Trouble, locale: Locale) -> String {
    let detail = trouble
        .detail
        .as_deref()
        .map_or_else(String::new, |detail| {
            let label = say(locale, "技术信息", "Details");
            format!(
                "<details><summary>{label}</summary><p class=\"number\">{}</p></details>",
                escape(detail)
            )
        });
    format!(
        "<div class=\"trouble\" role=\"alert\"><p>{}</p>{detail}</div>",
        trouble.text(locale)
    )
}

/// What the owner calls a profile, or else its operator.
fn profile_name(profile: &ProfileInfo) -> String {
    let name = profile.nickname.as_deref().filter(|name| !name.is_empty());
    escape(
        name.or(profile.profile_name.as_deref())
            .or(profile.service_provider_name.as_deref())
            .unwrap_or("eSIM"),
    )
}

fn profile_card(view: &View<'_>, profile: &ProfileInfo) -> String {
    let locale = view.locale;
    let Some(iccid) = profile.iccid.as_ref().map(Iccid::digits) else {
        return String::new();
    };
    let name = profile_name(profile);
    let (state, turn, label, class) = if is_enabled(profile) {
        (
            say(locale, "使用中", "On"),
            "disable",
            say(locale, "停用", "Switch off"),
            "on",
        )
    } else {
        (
            say(locale, "已停用", "Off"),
            "enable",
            say(locale, "启用", "Switch on"),
            "off",
        )
    };
    let form = |act: &str, inner: &str| {
        format!(
            "<form method=\"post\" action=\"/phones/{}/esims/{iccid}/{act}\">\
             <input type=\"hidden\" name=\"lang\" value=\"{locale}\">{inner}</form>",
            view.phone.id
        )
    };
    let turn = form(
        turn,
        &format!(
            "<button class=\"primary\">{label}<span class=\"unseen\"> · {name}</span></button>"
        ),
    );
    let rename = form(
        "rename",
        &format!(
            "<label><span>{}</span><input name=\"value\" required maxlength=\"32\" autocomplete=\"off\" value=\"{name}\"></label>\
         <button>{}</button>",
            say(locale, "名称", "Name"),
            say(locale, "重命名", "Rename"),
        ),
    );
    let delete = form(
        "delete",
        &format!(
            "<p class=\"note\">{}</p><button class=\"danger\">{}<span class=\"unseen\"> · {name}</span></button>",
            say(
                locale,
                "删除后不能恢复，要重新安装需向运营商领取新的激活码。",
                "This cannot be undone; to install it again you need a new code from your operator.",
            ),
            say(locale, "删除这个 eSIM", "Delete this eSIM"),
        ),
    );
    format!(
        "<article class=\"esim {class}\" id=\"esim-{iccid}\"><h3>{name}</h3>\
         <p class=\"note\">{provider} · <span class=\"number\">{iccid}</span></p>\
         <p class=\"state\">{state}</p>{turn}<details><summary>{more}</summary>{rename}{delete}</details></article>",
        provider = escape(profile.service_provider_name.as_deref().unwrap_or("-")),
        more = say(locale, "重命名或删除", "Rename or delete"),
    )
}

fn inbox(view: &View<'_>, messages: &[ShortMessage]) -> String {
    let locale = view.locale;
    let number = view
        .look
        .subscription
        .as_ref()
        .and_then(|one| one.number.as_ref());
    let content = match number {
        None => format!(
            "<p class=\"note\">{}</p>",
            say(
                locale,
                "启用一个带号码的 eSIM 后，这里会显示短信。",
                "Messages are shown here once an eSIM with a number is switched on.",
            )
        ),
        Some(_) if messages.is_empty() => {
            format!(
                "<p class=\"note\">{}</p>",
                say(locale, "没有短信。", "No messages.")
            )
        }
        Some(_) => {
            let items: String = messages
                .iter()
                .map(|one| {
                    format!(
                        "<li><p>{}</p><p class=\"note\">{}</p></li>",
                        escape(&one.text),
                        one.at
                    )
                })
                .collect();
            format!("<ul class=\"messages\">{items}</ul>")
        }
    };
    format!(
        "<section id=\"messages\" data-watch><h2>{}</h2>{content}</section>",
        say(locale, "短信", "Messages"),
    )
}

/// What befalls real phones, to be chosen.
fn switches(view: &View<'_>) -> String {
    let (id, locale) = (&view.phone.id, view.locale);
    let (airplane, turn) = if view.phone.is_in_airplane_mode() {
        ("off", say(locale, "关闭飞行模式", "Leave airplane mode"))
    } else {
        ("on", say(locale, "开启飞行模式", "Airplane mode"))
    };
    let untold = view.look.untold;
    let waiting = if untold == 0 {
        String::new()
    } else {
        let text = match locale {
            Locale::ZhCn => format!("有 {untold} 条通知等待网络。"),
            Locale::En => format!("Notifications waiting for the network: {untold}"),
        };
        format!("<p class=\"state\" id=\"untold\">{text}</p>")
    };
    let hidden = format!("<input type=\"hidden\" name=\"lang\" value=\"{locale}\">");
    let send = if untold == 0 {
        String::new()
    } else {
        format!(
            "<form method=\"post\" action=\"/phones/{id}/tell\">{hidden}<button>{}</button></form>",
            say(locale, "立即发送通知", "Send them now"),
        )
    };
    format!(
        "<section id=\"switches\"><h2>{}</h2>{waiting}{send}\
         <form method=\"post\" action=\"/phones/{id}/airplane\">{hidden}\
         <button name=\"value\" value=\"{airplane}\">{turn}</button></form>\
         <form class=\"act\" method=\"post\" action=\"/phones/{id}/break\">{hidden}\
         <label><span>{}</span>{}</label><button>{}</button></form></section>",
        say(locale, "网络", "Network"),
        say(locale, "下一次传输在哪里中断", "The next transfer breaks"),
        select(
            "value",
            breaks(locale).into_iter(),
            &break_code(view.look.break_at)
        ),
        say(locale, "设定", "Set"),
    )
}

/// The places to choose from; a form may name any other piece.
fn breaks(locale: Locale) -> [(&'static str, &'static str); 7] {
    [
        ("never", say(locale, "不中断", "nowhere")),
        ("package", say(locale, "下载途中", "on its way")),
        ("1", say(locale, "第 1 段", "at piece 1")),
        ("2", say(locale, "第 2 段", "at piece 2")),
        ("3", say(locale, "第 3 段", "at piece 3")),
        ("5", say(locale, "第 5 段", "at piece 5")),
        ("8", say(locale, "第 8 段", "at piece 8")),
    ]
}

fn break_code(at: Break) -> String {
    match at {
        Break::Never => "never".to_owned(),
        Break::Package => "package".to_owned(),
        Break::Piece(piece) => piece.to_string(),
    }
}

fn about(view: &View<'_>) -> String {
    let locale = view.locale;
    let row = |label: &str, value: &str| {
        format!(
            "<div><dt>{label}</dt><dd class=\"number\">{}</dd></div>",
            escape(value)
        )
    };
    let mut rows = row("EID", &view.phone.eid.digits());
    if let Some(one) = &view.look.subscription {
        let number = one.number.as_ref().map(|number| number.as_str());
        rows += &row(
            say(locale, "运营商", "Operator"),
            one.provider.as_deref().unwrap_or("-"),
        );
        rows += &row(say(locale, "号码", "Number"), number.unwrap_or("-"));
        rows += &row("ICCID", &one.iccid);
        rows += &row("IMSI", one.imsi.as_deref().unwrap_or("-"));
    }
    let free = format!("{} kB", view.look.free_octets / 1_000);
    rows += &row(say(locale, "eSIM 剩余空间", "Room for eSIMs"), &free);
    format!(
        "<section id=\"about\"><h2>{}</h2><dl class=\"summary\">{rows}</dl></section>",
        say(locale, "关于本机", "About this phone"),
    )
}

/// The page on which a code is scanned, pasted or looked for.
pub(super) fn add_page(view: &View<'_>, code: &str, is_refused: bool) -> String {
    let (id, locale) = (&view.phone.id, view.locale);
    let refused = if is_refused {
        format!(
            "<p class=\"trouble\" role=\"alert\" id=\"why\">{}</p>",
            say(
                locale,
                "这不是激活码。激活码形如 LPA:1$地址$令牌。",
                "This is no activation code. One looks like LPA:1$address$token.",
            )
        )
    } else {
        String::new()
    };
    let described = if is_refused {
        " aria-invalid=\"true\" aria-describedby=\"why\""
    } else {
        ""
    };
    let hidden = format!("<input type=\"hidden\" name=\"lang\" value=\"{locale}\">");
    let content = format!(
        "<h2>{title}</h2>{refused}<form method=\"post\" action=\"/phones/{id}/download\">{hidden}\
         <label><span>{label}</span><input name=\"code\" value=\"{code}\" required autocomplete=\"off\" \
         autocapitalize=\"off\" spellcheck=\"false\" maxlength=\"{CODE_CHARACTERS_MAX}\"{described}></label>\
         <p class=\"note\">{help}</p><button class=\"primary\">{go}</button></form>\
         <form method=\"post\" action=\"/phones/{id}/find\">{hidden}\
         <p class=\"note\">{find_help}</p><button>{find}</button></form>\
         <p><a href=\"/phones/{id}?lang={locale}\">{back}</a></p>",
        title = say(locale, "添加 eSIM", "Add eSIM"),
        label = say(locale, "激活码", "Activation code"),
        code = escape(code),
        help = say(
            locale,
            "在运营商的 eSIM 页面点“复制激活码”，粘贴到这里；从那里的链接过来时已经填好。",
            "Copy the activation code on your operator's eSIM page and paste it here; a link from that page fills it in.",
        ),
        go = say(locale, "下载", "Download"),
        find_help = say(
            locale,
            "没有激活码？看看有没有等待本机的 eSIM。",
            "No code? Look whether an eSIM waits for this phone.",
        ),
        find = say(locale, "查找", "Look for one"),
        back = say(locale, "返回", "Back"),
    );
    let path = if code.is_empty() {
        format!("/phones/{id}/add")
    } else {
        format!("/phones/{id}/add?code={}", percent(code))
    };
    screen(view, &path, &content)
}

/// How the download goes.
pub(super) fn download_page(view: &View<'_>) -> String {
    let (id, locale) = (&view.phone.id, view.locale);
    let content = match &view.look.download {
        Download::None => back_home(view),
        Download::Working(progress) => working(view, *progress),
        Download::Asking(offer) => asking(view, offer),
        Download::Installed(iccid) => installed(view, iccid),
        Download::Failed(why) => failed(view, why),
    };
    let title = say(locale, "添加 eSIM", "Add eSIM");
    let content = format!("<h2>{title}</h2>{content}");
    screen(view, &format!("/phones/{id}/download"), &content)
}

fn back_home(view: &View<'_>) -> String {
    format!(
        "<p><a class=\"back\" href=\"/phones/{}?lang={}\">{}</a></p>",
        view.phone.id,
        view.locale,
        say(view.locale, "回到手机", "Back to the phone"),
    )
}

fn working(view: &View<'_>, progress: Progress) -> String {
    let locale = view.locale;
    let (text, hundredths) = text::progress(locale, progress);
    format!(
        "<div data-follow><p class=\"state\" role=\"status\" id=\"progress-text\">{text}</p>\
         <progress id=\"progress\" max=\"100\" value=\"{hundredths}\" aria-labelledby=\"progress-text\"></progress>\
         <p class=\"note\">{}</p>\
         <noscript><p><a href=\"/phones/{}/download?lang={locale}\">{}</a></p></noscript></div>",
        say(locale, "请保持手机联网。", "Keep the phone connected."),
        view.phone.id,
        say(locale, "刷新", "Look again"),
    )
}

fn asking(view: &View<'_>, offer: &Offer) -> String {
    let (id, locale) = (&view.phone.id, view.locale);
    let code = if offer.code_needed {
        format!(
            "<label><span>{}</span><input name=\"confirmation_code\" required autocomplete=\"off\" \
             maxlength=\"64\"></label>",
            say(locale, "确认码", "Confirmation code"),
        )
    } else {
        String::new()
    };
    format!(
        "<form method=\"post\" action=\"/phones/{id}/answer\">\
         <input type=\"hidden\" name=\"lang\" value=\"{locale}\"><p class=\"state\">{}</p>\
         <dl class=\"summary\"><div><dt>{}</dt><dd>{}</dd></div><div><dt>{}</dt><dd>{}</dd></div></dl>{code}\
         <button class=\"primary\" name=\"value\" value=\"yes\">{}</button>\
         <button name=\"value\" value=\"later\" formnovalidate>{}</button>\
         <button class=\"quiet\" name=\"value\" value=\"no\" formnovalidate>{}</button></form>",
        say(locale, "要安装这个 eSIM 吗？", "Install this eSIM?"),
        say(locale, "运营商", "Operator"),
        escape(&offer.provider),
        say(locale, "名称", "Name"),
        escape(&offer.name),
        say(locale, "安装", "Install"),
        say(locale, "以后再说", "Not now"),
        say(locale, "拒绝", "Refuse"),
    )
}

fn installed(view: &View<'_>, iccid: &Iccid) -> String {
    let (id, locale) = (&view.phone.id, view.locale);
    format!(
        "<p class=\"state done\" role=\"status\">{}</p>\
         <form method=\"post\" action=\"/phones/{id}/esims/{}/enable\">\
         <input type=\"hidden\" name=\"lang\" value=\"{locale}\">\
         <button class=\"primary\">{}</button></form>{}",
        say(locale, "eSIM 已安装。", "The eSIM is installed."),
        iccid.digits(),
        say(locale, "启用", "Switch on"),
        back_home(view),
    )
}

fn failed(view: &View<'_>, why: &Trouble) -> String {
    let (id, locale) = (&view.phone.id, view.locale);
    let again = match &view.look.last_code {
        Some(code) if why.is_worth_retrying => format!(
            "<form method=\"post\" action=\"/phones/{id}/download\">\
             <input type=\"hidden\" name=\"lang\" value=\"{locale}\">\
             <input type=\"hidden\" name=\"code\" value=\"{}\"><button class=\"primary\">{}</button></form>",
            escape(code),
            say(locale, "再试一次", "Try again"),
        ),
        Some(_) | None => format!(
            "<p><a class=\"back\" href=\"/phones/{id}/add?lang={locale}\">{}</a></p>",
            say(locale, "换一个激活码", "Another code"),
        ),
    };
    format!("{}{again}{}", trouble(why, locale), back_home(view))
}

/// A text as it may stand in the query of an address.
pub(super) fn percent(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}
