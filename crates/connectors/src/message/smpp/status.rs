//! What an answer to `submit_sm` means for the message (SMPP v3.4 §5.1.3).

use rusmpp::CommandStatus;

/// What to do about an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// The message centre took the part.
    Taken,
    /// It is busy: pause, then send the part again.
    Busy,
    /// It does not know us on this connection: bind again.
    NotBound,
    /// This message can never go.
    Never,
    /// It may go another time, perhaps after the operator has mended something.
    Later,
}

/// Only what blames the recipient or the text is for good. A refused sender, service type or
/// option is our own setting, an unknown or vendor's code may be anything: losing a message over
/// them would be worse than trying a few times in vain.
pub(super) const fn judge(status: CommandStatus) -> Answer {
    match status {
        CommandStatus::EsmeRok => Answer::Taken,
        CommandStatus::EsmeRthrottled | CommandStatus::EsmeRmsgqful => Answer::Busy,
        CommandStatus::EsmeRinvbndsts => Answer::NotBound,
        CommandStatus::EsmeRinvdstadr
        | CommandStatus::EsmeRinvdstton
        | CommandStatus::EsmeRinvdstnpi
        | CommandStatus::EsmeRinvmsglen
        | CommandStatus::EsmeRsubmitfail
        | CommandStatus::EsmeRprohibited
        | CommandStatus::EsmeRdeliveryfailure
        | CommandStatus::EsmeRxPAppn
        | CommandStatus::EsmeRxRAppn => Answer::Never,
        _ => Answer::Later,
    }
}

/// The code for the operator: name and number.
pub(super) fn describe(status: CommandStatus) -> String {
    let hint = match status {
        CommandStatus::EsmeRinvsrcadr
        | CommandStatus::EsmeRinvsrcton
        | CommandStatus::EsmeRinvsrcnpi => ": check the setting `source`",
        CommandStatus::EsmeRinvpaswd
        | CommandStatus::EsmeRinvsysid
        | CommandStatus::EsmeRbindfail => ": check the settings `system_id` and `password`",
        CommandStatus::EsmeRinvsystyp => ": check the setting `system_type`",
        _ => "",
    };
    format!(
        "the message centre answered {status:?} (0x{:08X}){hint}",
        u32::from(status)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smpp_3_4_5_1_3_only_recipient_and_text_fail_for_good() {
        for (code, answer) in [
            (0x00, Answer::Taken),
            (0x58, Answer::Busy),
            (0x14, Answer::Busy),
            (0x04, Answer::NotBound),
            (0x0B, Answer::Never),
            (0x01, Answer::Never),
            (0x45, Answer::Never),
            (0x08, Answer::Later),
            (0x0A, Answer::Later),
            (0x64, Answer::Later),
            (0x15, Answer::Later),
            (0x0415, Answer::Later),
        ] {
            assert_eq!(judge(CommandStatus::from(code)), answer, "0x{code:x}");
        }
    }
}
