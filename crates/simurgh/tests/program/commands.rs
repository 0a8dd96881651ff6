//! The command line: help, exit statuses, errors.

use super::process::{Folder, KEY, program, run, text};

#[test]
fn help_teaches_by_examples() {
    for (arguments, teaches) in [
        (&["--help"][..], "simurgh demo  "),
        (&["demo", "--help"], "--reset"),
        (&["serve", "--help"], "SIMURGH_MASTER_KEY_FILE"),
        (&["backup", "--help"], "simurgh audit"),
        (&["catalogue", "apply", "--help"], "--dry-run"),
    ] {
        let help = program(arguments).output().unwrap();
        assert_eq!(help.status.code(), Some(0));
        assert!(text(&help.stdout).contains(teaches), "{arguments:?}");
    }
    let help = program(&["--help"]).output().unwrap();
    assert!(text(&help.stdout).contains("Exit status:"));
    for arguments in [&[][..], &["no-such-command"], &["backup"]] {
        let refused = program(arguments).output().unwrap();
        assert_eq!(refused.status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn check_config_reports_everything_at_once_and_repeats_no_secret() {
    let folder = Folder::new();
    let sound = "[portal]\nurl = 'https://mobile.example.com'\n";
    let sound = folder.file("sound.toml", &format!("master_key = '{KEY}'\n{sound}"));
    let checked = run(&sound, &["check-config"]);
    assert_eq!(checked.status.code(), Some(0), "{}", text(&checked.stderr));
    let wrong = "master_key = 'hunter2'\n[store]\nulr = 'x'\n[smtp]\nhost = 'mail.example.net'\n";
    let wrong = folder.file("wrong.toml", wrong);
    for command in ["check-config", "serve", "audit", "migrate"] {
        let checked = run(&wrong, &[command]);
        assert_eq!(checked.status.code(), Some(1), "{command}");
        let errors = text(&checked.stderr);
        for part in [
            "wrong.toml: master_key: 64 hexadecimal digits",
            "did you mean store.url?",
            "wrong.toml: portal.url: ",
            "wrong.toml: smtp.from: ",
        ] {
            assert!(errors.contains(part), "{command}: {part}: {errors}");
        }
        assert!(!errors.contains("hunter2"), "{errors}");
    }
    let missing = run(&folder.0.join("none.toml"), &["check-config"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(text(&missing.stderr).contains("docs/guide/settings.md"));
}

#[test]
fn an_address_that_is_taken_is_named_with_its_setting() {
    let folder = Folder::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let store = folder.0.join("simurgh.db");
    let text_ = format!(
        "master_key = '{KEY}'\n[store]\nurl = 'sqlite:{}'\n[portal]\n\
         url = 'https://mobile.example.com'\nlisten = '{address}'\n",
        store.display()
    );
    let config = folder.file("simurgh.toml", &text_);
    let refused = run(&config, &["serve"]);
    assert_eq!(refused.status.code(), Some(1));
    let error = text(&refused.stderr);
    assert!(error.contains("portal.listen"), "{error}");
}
