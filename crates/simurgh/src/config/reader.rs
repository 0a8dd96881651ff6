//! Reads settings one by one from a file and the environment, and remembers what it was asked for:
//! so every error is reported at once, and what nobody asked for is known to be a mistake.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use simurgh_connectors::Secret;

/// What every variable begins with.
const PREFIX: &str = "SIMURGH_";
/// Variables of this program that are no settings: the settings' own place, and what tests are
/// told.
const NO_SETTINGS: [&str; 3] = ["SIMURGH_CONFIG", "SIMURGH_PEERS", "SIMURGH_TEST_POSTGRES"];
/// A name so many changes away from one that exists was probably meant to be that one.
const TYPING_ERRORS_MAX: usize = 3;

/// A setting that cannot work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Where it was said: the setting's path, with the variable if it came from the environment.
    place: String,
    /// What is wrong and what would be right; never a secret.
    reason: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.reason)
    }
}

/// A setting that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    /// Its place in the file: `store.url`.
    pub(crate) path: String,
    /// What holds when nobody says anything; empty when nothing does.
    pub(crate) default: String,
}

/// What was said about a setting, and where.
struct Said {
    value: toml::Value,
    place: String,
}

/// The settings as they were written.
pub(crate) struct Reader {
    file: toml::Table,
    environment: BTreeMap<String, String>,
    known: Vec<Known>,
    faults: Vec<Fault>,
}

impl Reader {
    /// Over the file's table and the environment; of that only what begins with `SIMURGH_` counts.
    pub(crate) fn new(
        file: toml::Table,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let ours = |(name, _): &(String, String)| {
            name.starts_with(PREFIX) && !NO_SETTINGS.contains(&name.as_str())
        };
        Self {
            file,
            environment: environment.into_iter().filter(ours).collect(),
            known: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// A text.
    pub(crate) fn text(&mut self, path: &str, default: &str) -> String {
        self.optional_text(path, default)
            .unwrap_or_else(|| default.to_owned())
    }

    /// A text that may be missing; `default` is what is written in its documentation.
    pub(crate) fn optional_text(&mut self, path: &str, default: &str) -> Option<String> {
        let said = self.said(path, default)?;
        match said.value {
            toml::Value::String(text) => Some(text),
            other => self.wrong(
                &said.place,
                &format!("a text is expected, not {}", kind(&other)),
            ),
        }
    }

    /// A file's place.
    pub(crate) fn file(&mut self, path: &str) -> Option<PathBuf> {
        self.optional_text(path, "").map(PathBuf::from)
    }

    /// A text that means something.
    pub(crate) fn parsed<T, E: fmt::Display>(
        &mut self,
        path: &str,
        default: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.text(path, default);
        parse(&text)
            .map_err(|error| self.fault(path, &error.to_string()))
            .ok()
    }

    /// One of several words.
    pub(crate) fn choice<T: Copy>(&mut self, path: &str, words: &[(&str, T)]) -> Option<T> {
        let default = words.first().map_or("", |(word, _)| *word);
        let text = self.text(path, default);
        let chosen = words.iter().find(|(word, _)| *word == text);
        if chosen.is_none() {
            let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            self.fault(path, &format!("one of {} is expected", all.join(", ")));
        }
        chosen.map(|(_, meaning)| *meaning)
    }

    /// A whole number between two others.
    pub(crate) fn number(&mut self, path: &str, default: u32, (least, most): (u32, u32)) -> u32 {
        let Some(said) = self.said(path, &default.to_string()) else {
            return default;
        };
        let number = match &said.value {
            toml::Value::Integer(number) => u32::try_from(*number).ok(),
            toml::Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        let number = number.filter(|number| (least..=most).contains(number));
        number.unwrap_or_else(|| {
            let expected = format!("a whole number from {least} to {most} is expected");
            self.wrong(&said.place, &expected).unwrap_or(default)
        })
    }

    /// Yes or no.
    pub(crate) fn flag(&mut self, path: &str, default: bool) -> bool {
        let Some(said) = self.said(path, &default.to_string()) else {
            return default;
        };
        match (&said.value, said.value.as_str()) {
            (toml::Value::Boolean(flag), _) => *flag,
            (_, Some("true")) => true,
            (_, Some("false")) => false,
            (_, Some(_) | None) => self
                .wrong(&said.place, "true or false is expected")
                .unwrap_or(default),
        }
    }

    /// Several texts; in the environment they stand between commas.
    pub(crate) fn list(&mut self, path: &str, default: &[&str]) -> Vec<String> {
        let fallback = || default.iter().map(|item| (*item).to_owned()).collect();
        let Some(said) = self.said(path, &default.join(", ")) else {
            return fallback();
        };
        let items = match &said.value {
            toml::Value::String(text) => Some(
                text.split(',')
                    .map(|item| item.trim().to_owned())
                    .filter(|item| !item.is_empty())
                    .collect(),
            ),
            toml::Value::Array(items) => items
                .iter()
                .map(|item| item.as_str().map(str::to_owned))
                .collect(),
            _ => None,
        };
        items.unwrap_or_else(|| {
            self.wrong(&said.place, "a list of texts is expected")
                .unwrap_or_else(fallback)
        })
    }

    /// A secret, said here or in the file that `PATH_file` names.
    pub(crate) fn secret(&mut self, path: &str) -> Option<Secret> {
        let here = self.optional_text(path, "");
        let file_path = format!("{path}_file");
        let file = self.file(&file_path);
        match (here, file) {
            (Some(_), Some(_)) => {
                self.fault(path, &format!("say it here or by {file_path}, not both"));
                None
            }
            (Some(text), None) => Some(Secret::new(text)),
            (None, Some(file)) => match std::fs::read_to_string(&file) {
                Ok(text) => Some(Secret::new(text.trim_end_matches(['\r', '\n']))),
                Err(error) => {
                    self.fault(&file_path, &format!("{}: {error}", file.display()));
                    None
                }
            },
            (None, None) => None,
        }
    }

    /// Whether anything is said about a section.
    pub(crate) fn has_section(&self, section: &str) -> bool {
        let variable = format!("{}__", variable(section));
        self.file.contains_key(section)
            || self
                .environment
                .keys()
                .any(|name| name.starts_with(&variable))
    }

    /// Remembers that a setting cannot work.
    pub(crate) fn fault(&mut self, path: &str, reason: &str) {
        let variable = variable(path);
        let place = if self.environment.contains_key(&variable) {
            format!("{path} (from {variable})")
        } else {
            path.to_owned()
        };
        self.faults.push(Fault {
            place,
            reason: reason.to_owned(),
        });
    }

    /// What was asked for, in order, and everything that is wrong: last what nobody asked for.
    pub(crate) fn finish(mut self) -> (Vec<Known>, Vec<Fault>) {
        let mut said = Vec::new();
        paths(&self.file, "", &mut said);
        for path in said {
            let begins_one = |known: &Known| path.starts_with(&format!("{}.", known.path));
            if self
                .known
                .iter()
                .any(|known| known.path == path || begins_one(known))
            {
                continue;
            }
            let names = self.known.iter().map(|known| known.path.clone());
            let fault = Fault {
                reason: unknown(&path, names),
                place: path,
            };
            self.faults.push(fault);
        }
        for name in self.environment.keys() {
            let variables: Vec<String> = self
                .known
                .iter()
                .map(|known| variable(&known.path))
                .collect();
            // Orchestrators make variables of their own, such as SIMURGH_PORT: only what looks
            // like a setting is one.
            let meant = name.contains("__") || nearest(name, variables.iter().cloned()).is_some();
            if meant && !variables.contains(name) {
                self.faults.push(Fault {
                    place: name.clone(),
                    reason: unknown(name, variables.into_iter()),
                });
            }
        }
        (self.known, self.faults)
    }

    fn said(&mut self, path: &str, default: &str) -> Option<Said> {
        self.known.push(Known {
            path: path.to_owned(),
            default: default.to_owned(),
        });
        let variable = variable(path);
        if let Some(text) = self.environment.get(&variable) {
            return Some(Said {
                value: toml::Value::String(text.clone()),
                place: format!("{path} (from {variable})"),
            });
        }
        let mut steps = path.split('.');
        let first = self.file.get(steps.next()?)?;
        let value = steps.try_fold(first, |value, step| value.get(step))?;
        Some(Said {
            value: value.clone(),
            place: path.to_owned(),
        })
    }

    fn wrong<T>(&mut self, place: &str, reason: &str) -> Option<T> {
        self.faults.push(Fault {
            place: place.to_owned(),
            reason: reason.to_owned(),
        });
        None
    }
}

/// `store.url` as a variable: `SIMURGH_STORE__URL`.
pub(crate) fn variable(path: &str) -> String {
    format!("{PREFIX}{}", path.replace('.', "__").to_ascii_uppercase())
}

/// The paths of everything in a table.
fn paths(table: &toml::Table, before: &str, found: &mut Vec<String>) {
    for (name, value) in table {
        let path = format!("{before}{name}");
        match value {
            toml::Value::Table(inner) if !inner.is_empty() => {
                paths(inner, &format!("{path}."), found);
            }
            toml::Value::Table(_) => {}
            _ => found.push(path),
        }
    }
}

fn unknown(name: &str, names: impl Iterator<Item = String>) -> String {
    match nearest(name, names) {
        Some(meant) => format!("there is no such setting; did you mean {meant}?"),
        None => "there is no such setting; docs/guide/settings.md lists them all".to_owned(),
    }
}

/// The name that was probably meant: the one with the fewest typing errors between.
fn nearest(name: &str, names: impl Iterator<Item = String>) -> Option<String> {
    let measured = names.map(|other| (typing_errors(name, &other), other));
    measured
        .min()
        .filter(|(errors, _)| *errors <= TYPING_ERRORS_MAX.min(name.len() / 3))
        .map(|(_, other)| other)
}

/// How many letters must be added, left out or changed (the distance of Levenshtein).
fn typing_errors(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, letter) in one.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        let mut next = vec![left];
        for (above, wanted) in row.iter().skip(1).zip(&other) {
            let changed = diagonal + usize::from(letter != *wanted);
            left = changed.min(left + 1).min(above + 1);
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(usize::MAX)
}

const fn kind(value: &toml::Value) -> &'static str {
    match value {
        toml::Value::String(_) => "a text",
        toml::Value::Integer(_) | toml::Value::Float(_) => "a number",
        toml::Value::Boolean(_) => "true or false",
        toml::Value::Datetime(_) => "a date",
        toml::Value::Array(_) => "a list",
        toml::Value::Table(_) => "a section",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(file: &str, environment: &[(&str, &str)]) -> Reader {
        let environment = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Reader::new(file.parse().unwrap(), environment)
    }

    fn faults(reader: Reader) -> Vec<String> {
        reader.finish().1.iter().map(Fault::to_string).collect()
    }

    #[test]
    fn the_environment_wins_in_every_kind_of_setting() {
        let file = "name = 'file'\n[a]\nnumber = 1\nflag = false\nlist = ['x']\nword = 'one'";
        let mut reader = reader(
            file,
            &[
                ("SIMURGH_NAME", "environment"),
                ("SIMURGH_A__NUMBER", "2"),
                ("SIMURGH_A__FLAG", "true"),
                ("SIMURGH_A__LIST", "y, z"),
                ("SIMURGH_A__WORD", "two"),
            ],
        );
        assert_eq!(reader.text("name", ""), "environment");
        assert_eq!(reader.number("a.number", 0, (0, 9)), 2);
        assert!(reader.flag("a.flag", false));
        assert_eq!(reader.list("a.list", &[]), ["y", "z"]);
        assert_eq!(reader.choice("a.word", &[("one", 1), ("two", 2)]), Some(2));
        assert!(faults(reader).is_empty());
    }

    #[test]
    fn what_nobody_asked_for_is_a_mistake_with_a_suggestion() {
        let file = "[store]\nulr = 'x'\n[nonsense]\nentirely = 1";
        let variables = [
            ("SIMURGH_STROE__URL", "x"),
            ("SIMURGH_MASTER_KEI", "x"),
            ("SIMURGH_PORT", "tcp://10.0.0.1:80"),
            ("SIMURGH_CONFIG", "x"),
            ("HOME", "x"),
        ];
        let mut reader = reader(file, &variables);
        reader.text("store.url", "");
        reader.text("master_key", "");
        assert_eq!(
            faults(reader),
            [
                "nonsense.entirely: there is no such setting; docs/guide/settings.md lists them all",
                "store.ulr: there is no such setting; did you mean store.url?",
                "SIMURGH_MASTER_KEI: there is no such setting; did you mean SIMURGH_MASTER_KEY?",
                "SIMURGH_STROE__URL: there is no such setting; did you mean SIMURGH_STORE__URL?",
            ]
        );
    }

    #[test]
    fn a_wrong_kind_is_named_with_its_place() {
        let file = "a = 1\nb = 'x'\nc = 'maybe'\nd = 7";
        let mut reader = reader(file, &[("SIMURGH_E", "-1")]);
        reader.text("a", "");
        reader.number("b", 0, (0, 9));
        reader.flag("c", false);
        reader.list("d", &[]);
        reader.number("e", 0, (0, 9));
        assert_eq!(
            faults(reader),
            [
                "a: a text is expected, not a number",
                "b: a whole number from 0 to 9 is expected",
                "c: true or false is expected",
                "d: a list of texts is expected",
                "e (from SIMURGH_E): a whole number from 0 to 9 is expected",
            ]
        );
    }
}
