//! What a phone says, in words of its own: why something did not work, and what to do.

use simurgh_euicc::lpa::{LpaError, Progress};
use simurgh_rsp::bpp::ErrorReason;
use simurgh_rsp::message::es10::ProfileOutcome;
use simurgh_rsp::message::notification::FinalResult;
use simurgh_rsp::message::status::{Outcome, Status};
use simurgh_vocab::Locale;

use crate::sandbox::html::{Both, say};

/// Something that did not work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    what: Both,
    /// For the operator's help desk, in English.
    pub(super) detail: Option<String>,
    /// Whether another attempt with the same code may succeed.
    pub(super) is_worth_retrying: bool,
}

impl Trouble {
    pub(super) fn of(error: &LpaError) -> Self {
        let (what, is_worth_retrying) = match error {
            LpaError::Card(_) | LpaError::Chip(_) => (CARD, true),
            LpaError::Unreachable(_) => (UNREACHABLE, true),
            LpaError::HttpStatus(_) | LpaError::Body(_) | LpaError::Package(_) => (SERVER, true),
            LpaError::Refused(outcome) => refused(outcome),
            LpaError::OtherServer
            | LpaError::ServerNotTrusted(_)
            | LpaError::OfferNotAccepted(_)
            | LpaError::OtherProfile => (UNTRUSTED, false),
            LpaError::RulesNotAllowed => (RULES, false),
            LpaError::NotInstalled(result) => not_installed(result),
            LpaError::ConfirmationCodeNeeded => (CODE_NEEDED, true),
            LpaError::GivenUp => (GIVEN_UP, true),
            LpaError::NotDone(outcome) => (not_done(*outcome), false),
        };
        Self {
            what,
            detail: Some(error.to_string()),
            is_worth_retrying,
        }
    }

    pub(super) const fn nothing_waits() -> Self {
        Self {
            what: (
                "没有等待此手机的 eSIM。请扫描运营商给您的激活码。",
                "No eSIM waits for this phone. Scan the code that your operator gave you.",
            ),
            detail: None,
            is_worth_retrying: false,
        }
    }

    /// What happened and what to do.
    pub(super) const fn text(&self, locale: Locale) -> &'static str {
        say(locale, self.what.0, self.what.1)
    }
}

const CARD: Both = (
    "传输中断，eSIM 尚未安装。请用同一个激活码再试一次。",
    "The transfer broke off; the eSIM is not installed. Try again with the same code.",
);
const UNREACHABLE: Both = (
    "连接不上服务器。请检查网络（是否开启了飞行模式？），再用同一个激活码重试。",
    "The server cannot be reached. Check the connection (is airplane mode on?) and try again with the same code.",
);
const SERVER: Both = (
    "服务器暂时没有正确应答。请稍后重试。",
    "The server did not answer as it should. Try again later.",
);
const UNTRUSTED: Both = (
    "无法确认服务器的身份，为安全起见没有下载。请联系运营商。",
    "The server's identity could not be confirmed, so nothing was downloaded. Contact your operator.",
);
const RULES: Both = (
    "此 eSIM 的使用规则不被本机允许。请联系运营商。",
    "This eSIM sets rules that this phone does not allow. Contact your operator.",
);
const CODE_NEEDED: Both = (
    "需要确认码。请再试一次，并输入运营商给您的确认码。",
    "A confirmation code is needed. Try again and type the code that your operator gave you.",
);
const GIVEN_UP: Both = (
    "您取消了下载。激活码可以稍后再用。",
    "The download was cancelled. The code can be used later.",
);

/// What a server's refusal means to the owner, and whether the same code may still serve.
fn refused(outcome: &Outcome) -> (Both, bool) {
    match outcome.status() {
        Some(Status::MatchingIdRefused) => (
            (
                "这个激活码无效或已经用过。请到运营商的页面领取新的激活码。",
                "This code is not valid or was used already. Get a new one from your operator's page.",
            ),
            false,
        ),
        Some(Status::EidRefused) => (
            (
                "这个激活码属于另一部手机：已有别的手机用它下载过。请用原来的手机，或到运营商的页面把 eSIM 换到本机。",
                "This code belongs to another phone, which has downloaded with it. Use that phone, or move the eSIM to this one on your operator's page.",
            ),
            false,
        ),
        Some(Status::ConfirmationCodeRefused) => (
            (
                "确认码不对。请核对后再试一次。",
                "The confirmation code is wrong. Check it and try again.",
            ),
            true,
        ),
        Some(Status::ConfirmationCodeMissing) => (CODE_NEEDED, true),
        Some(Status::ConfirmationCodeRetriesExceeded) => (
            (
                "确认码错误次数过多，这个激活码已作废。请到运营商的页面领取新的激活码。",
                "The confirmation code was wrong too often, so this code is void. Get a new one from your operator's page.",
            ),
            false,
        ),
        Some(Status::ProfileNotAllowed) => (
            (
                "eSIM 还没有准备好。请稍等片刻再试。",
                "The eSIM is not ready yet. Wait a moment and try again.",
            ),
            true,
        ),
        Some(Status::DownloadOrderExpired) => (
            (
                "激活码已过期。请到运营商的页面领取新的激活码。",
                "This code has expired. Get a new one from your operator's page.",
            ),
            false,
        ),
        Some(Status::DownloadOrderRetriesExceeded) => (
            (
                "下载失败次数过多。请到运营商的页面领取新的激活码。",
                "The download failed too often. Get a new code from your operator's page.",
            ),
            false,
        ),
        Some(Status::EuiccInsufficientMemory) => (NO_ROOM, true),
        Some(Status::ProfileTypeStoppedOnWarning) => (
            (
                "没有适合本机的 eSIM。请联系运营商。",
                "There is no eSIM that fits this phone. Contact your operator.",
            ),
            false,
        ),
        Some(_) | None => (
            (
                "服务器拒绝了下载。请联系运营商，并告知下面的代码。",
                "The server refused the download. Contact your operator and tell them the codes below.",
            ),
            false,
        ),
    }
}

const NO_ROOM: Both = (
    "手机的 eSIM 空间不足。请先删除一个不用的 eSIM。",
    "There is no room for another eSIM. Delete one that you do not use first.",
);

fn not_installed(result: &FinalResult) -> (Both, bool) {
    match result {
        FinalResult::Error {
            reason: ErrorReason::IccidAlreadyExists,
            ..
        } => (
            (
                "这个 eSIM 已经在本机上了。",
                "This eSIM is on this phone already.",
            ),
            false,
        ),
        FinalResult::Error {
            reason: ErrorReason::InsufficientMemory,
            ..
        } => (NO_ROOM, true),
        FinalResult::Error { .. } | FinalResult::Success { .. } => (
            (
                "eSIM 未能安装。请再试一次；仍不行请联系运营商。",
                "The eSIM could not be installed. Try again; if it fails again, contact your operator.",
            ),
            true,
        ),
    }
}

const fn not_done(outcome: ProfileOutcome) -> Both {
    match outcome {
        ProfileOutcome::DisallowedByPolicy => (
            "运营商的规则不允许这样做。",
            "The operator's rules do not allow this.",
        ),
        ProfileOutcome::NotFound => (
            "本机上没有这个 eSIM。",
            "There is no such eSIM on this phone.",
        ),
        ProfileOutcome::Ok
        | ProfileOutcome::WrongState
        | ProfileOutcome::WrongReenabling
        | ProfileOutcome::CatBusy
        | ProfileOutcome::Undefined
        | ProfileOutcome::Other(_) => ("没有成功。请再试一次。", "That did not work. Try again."),
    }
}

/// How far a download has come: words, and hundredths.
pub(super) fn progress(locale: Locale, progress: Progress) -> (String, usize) {
    match progress {
        Progress::Authenticating => (
            say(locale, "正在验证服务器…", "Checking the server…").to_owned(),
            5,
        ),
        Progress::Asking => (
            say(locale, "等待您的确认…", "Waiting for your answer…").to_owned(),
            15,
        ),
        Progress::Fetching => (say(locale, "正在下载…", "Downloading…").to_owned(), 20),
        Progress::Installing { done, of } => (
            match locale {
                Locale::ZhCn => format!("正在安装：第 {done} 段，共 {of} 段"),
                Locale::En => format!("Installing: piece {done} of {of}"),
            },
            25 + done * 75 / of.max(1),
        ),
    }
}
