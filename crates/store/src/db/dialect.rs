//! The portable dialect: SQL is written once and translated here.
//!
//! Statements use `?1`, `?2`, … for parameters; PostgreSQL gets `$1`, `$2`, … . (The other way
//! round would go wrong: SQLite numbers `$2` by its first appearance.) Column types are `BIGINT`,
//! `TEXT` and `BLOB` only, in capitals. Migrations may use two forms more:
//!
//! - `CREATE TABLE … (…) CLUSTERED;` keeps the rows in the order of the primary key on SQLite
//!   (`WITHOUT ROWID`): for narrow rows. PostgreSQL knows no such thing and gets the table as is.
//! - `APPEND ONLY name;` makes the database refuse to change or delete a row of that table.

/// The two engines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    /// SQLite, embedded.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

/// A piece of SQL text. Joined again, the pieces are the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece<'s> {
    /// An identifier, a keyword or a number.
    Word(&'s str),
    /// A string literal, a quoted name or a comment: never changed.
    Fixed(&'s str),
    /// `?` and the digits behind it.
    Parameter(&'s str),
    /// The end of a statement.
    End,
    /// Anything else: white space, operators, brackets.
    Other(&'s str),
}

/// A query as PostgreSQL wants it.
pub(crate) fn postgres_query(sql: &str) -> String {
    let mut text = String::with_capacity(sql.len());
    for piece in pieces(sql) {
        push_postgres(piece, &mut text);
    }
    text
}

/// The statements of a migration as `engine` wants them.
pub(crate) fn migration(engine: Engine, sql: &str) -> Result<Vec<String>, String> {
    let pieces = pieces(sql);
    pieces
        .split(|piece| *piece == Piece::End)
        .filter(|statement| statement.iter().any(|piece| word(piece).is_some()))
        .map(|statement| translate(engine, statement))
        .collect()
}

fn translate(engine: Engine, statement: &[Piece<'_>]) -> Result<String, String> {
    let words: Vec<&str> = statement.iter().filter_map(word).collect();
    match words.as_slice() {
        ["APPEND", "ONLY", table] => Ok(append_only(engine, table)),
        ["APPEND", ..] => Err("APPEND ONLY and the name of one table are expected".to_owned()),
        ["CREATE", "TABLE", ..] => Ok(create_table(engine, statement)),
        _ => Ok(join(engine, statement)),
    }
}

fn create_table(engine: Engine, statement: &[Piece<'_>]) -> String {
    let clustered = |piece: &Piece<'_>| *piece == Piece::Word("CLUSTERED");
    let rest: Vec<Piece<'_>> = statement
        .iter()
        .copied()
        .filter(|piece| !clustered(piece))
        .collect();
    let text = join(engine, &rest);
    match engine {
        Engine::Postgres => text,
        // On a line of its own: a comment may end the text.
        Engine::Sqlite if rest.len() < statement.len() => format!("{text}\nSTRICT, WITHOUT ROWID"),
        Engine::Sqlite => format!("{text}\nSTRICT"),
    }
}

fn append_only(engine: Engine, table: &str) -> String {
    let refusal = format!("{table} is append-only: corrections are new rows");
    match engine {
        Engine::Sqlite => ["UPDATE", "DELETE"]
            .map(|event| {
                format!(
                    "CREATE TRIGGER {table}_refuses_{event} BEFORE {event} ON {table} \
                     BEGIN SELECT RAISE(ABORT, '{refusal}'); END;\n"
                )
            })
            .concat(),
        Engine::Postgres => format!(
            "CREATE FUNCTION {table}_refuses_change() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION '{refusal}'; END $$;\n\
             CREATE TRIGGER {table}_refuses_change BEFORE UPDATE OR DELETE ON {table} \
             FOR EACH ROW EXECUTE FUNCTION {table}_refuses_change();"
        ),
    }
}

fn join(engine: Engine, statement: &[Piece<'_>]) -> String {
    let mut text = String::new();
    for piece in statement {
        match (engine, piece) {
            (Engine::Sqlite, Piece::Word("BIGINT")) => text.push_str("INTEGER"),
            (Engine::Sqlite, _) => text.push_str(as_written(*piece)),
            (Engine::Postgres, _) => push_postgres(*piece, &mut text),
        }
    }
    text.trim().to_owned()
}

fn push_postgres(piece: Piece<'_>, text: &mut String) {
    match piece {
        Piece::Word("BLOB") => text.push_str("BYTEA"),
        Piece::Parameter(parameter) => {
            text.push('$');
            text.push_str(parameter.trim_start_matches('?'));
        }
        Piece::Word(_) | Piece::Fixed(_) | Piece::End | Piece::Other(_) => {
            text.push_str(as_written(piece));
        }
    }
}

const fn as_written<'s>(piece: Piece<'s>) -> &'s str {
    match piece {
        Piece::Word(text) | Piece::Fixed(text) | Piece::Parameter(text) | Piece::Other(text) => {
            text
        }
        Piece::End => ";",
    }
}

fn word<'s>(piece: &Piece<'s>) -> Option<&'s str> {
    match piece {
        Piece::Word(word) => Some(word),
        Piece::Fixed(_) | Piece::Parameter(_) | Piece::End | Piece::Other(_) => None,
    }
}

fn pieces(sql: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let length = piece_length(first, rest);
        let (text, behind) = rest.split_at(length.clamp(first.len_utf8(), rest.len()));
        pieces.push(match first {
            '\'' | '"' => Piece::Fixed(text),
            '-' | '/' if text.len() > 1 => Piece::Fixed(text),
            '?' if text.len() > 1 => Piece::Parameter(text),
            ';' => Piece::End,
            first if is_word(first) => Piece::Word(text),
            _ => Piece::Other(text),
        });
        rest = behind;
    }
    pieces
}

/// The length in bytes of the piece that `rest` starts with.
fn piece_length(first: char, rest: &str) -> usize {
    let after = rest.get(first.len_utf8()..).unwrap_or("");
    match first {
        // A doubled quote reads as two literals side by side, which changes nothing here.
        '\'' | '"' => after.find(first).map_or(rest.len(), |end| end + 2),
        '-' if after.starts_with('-') => rest.find('\n').unwrap_or(rest.len()),
        '/' if after.starts_with('*') => rest.find("*/").map_or(rest.len(), |end| end + 2),
        '?' => 1 + run_length(after, |c| c.is_ascii_digit()),
        first if is_word(first) => run_length(rest, is_word),
        _ => first.len_utf8(),
    }
}

fn run_length(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_rewritten_outside_literals_and_comments() {
        let cases = [
            ("a = ?1 AND b = ?12", "a = $1 AND b = $12"),
            ("a = '?1' AND b=?2", "a = '?1' AND b=$2"),
            ("'it''s ?1',?1", "'it''s ?1',$1"),
            ("\"odd?1\" = ?1", "\"odd?1\" = $1"),
            ("?1 -- not ?2\n, ?2", "$1 -- not ?2\n, $2"),
            ("?1 /* ?2 ' */ - ?2 / ?3", "$1 /* ?2 ' */ - $2 / $3"),
            ("'套餐?1' || ?1 || 'open", "'套餐?1' || $1 || 'open"),
            (
                "CAST(?1 AS BLOB), 'BLOB', BLOB_x",
                "CAST($1 AS BYTEA), 'BLOB', BLOB_x",
            ),
        ];
        for (written, expected) in cases {
            assert_eq!(postgres_query(written), expected);
        }
    }

    #[test]
    fn one_migration_serves_both_engines() {
        let sql = "-- first; not an end\nCREATE TABLE t (id BLOB PRIMARY KEY, n BIGINT) CLUSTERED;\n\
                   CREATE TABLE u (s TEXT DEFAULT ';');\nAPPEND ONLY t;\n-- the end\n";
        let sqlite = migration(Engine::Sqlite, sql).unwrap();
        assert_eq!(sqlite.len(), 3);
        assert!(
            sqlite[0].ends_with("(id BLOB PRIMARY KEY, n INTEGER) \nSTRICT, WITHOUT ROWID")
                || sqlite[0].ends_with("(id BLOB PRIMARY KEY, n INTEGER)\nSTRICT, WITHOUT ROWID"),
            "{}",
            sqlite[0]
        );
        assert_eq!(sqlite[1], "CREATE TABLE u (s TEXT DEFAULT ';')\nSTRICT");
        assert!(sqlite[2].contains("BEFORE DELETE ON t"));
        let postgres = migration(Engine::Postgres, sql).unwrap();
        assert!(
            postgres[0].ends_with("(id BYTEA PRIMARY KEY, n BIGINT)"),
            "{}",
            postgres[0]
        );
        assert!(migration(Engine::Sqlite, "APPEND ONLY;").is_err());
    }
}
