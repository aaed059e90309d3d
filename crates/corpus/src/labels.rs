//! A table of labels beside recordings, vectors or probabilities, looked over before there is a manifest
//! for it: which of its columns are which, and what is in them.

mod recordings;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use ambivox_settings::{counted, some_listed};

use crate::CorpusError;
use crate::error::listed;
use crate::name::{is_filled, nfc};
use crate::table::{Delimited, Table};
pub use recordings::{Recordings, literal};

/// What may stand between cells.
const DELIMITERS: [u8; 3] = [b',', b'\t', b';'];

/// The fewest rows that a label has to have.
const FEWEST: usize = 3;

/// A column, and what it is usually called.
#[derive(Debug, Clone, Copy)]
struct Role {
    name: &'static str,
    usual: &'static [&'static str],
}

const ID: Role = Role { name: "id", usual: &["utterance_id", "id", "file"] };
const LABEL: Role = Role {
    name: "label",
    usual: &["label", "emotion", "class", "category", "emotion label", "gold", "target"],
};
const SPEAKER: Role = Role {
    name: "speaker",
    usual: &[
        "speaker",
        "speaker id",
        "spk",
        "spk id",
        "actor",
        "actor id",
        "subject",
        "subject id",
        "participant",
        "participant id",
    ],
};

/// Names of columns, as far as somebody gives them. Where a usual name is looked for, capitals, blanks and
/// marks do not count.
#[derive(Debug, Clone, Default)]
pub struct LabelColumns {
    /// Of ids; `utterance_id`, else `id`, else `file` where left out.
    pub id: Option<String>,
    /// Of labels; a usual name, such as `label`, `emotion` or `class`, where left out.
    pub label: Option<String>,
    /// Of speakers; a usual name, such as `speaker`, where left out and there is such. Empty: nobody's.
    pub speaker: Option<String>,
}

/// A table of labels cannot be audited.
#[derive(Debug, thiserror::Error)]
pub enum LabelTableError {
    /// There is no row of names of columns.
    #[error(
        "{file}: its first line does not name columns, with commas, tabs or semicolons between them\n\
         hint: give a table of text with a header, such as utterance_id,label"
    )]
    NoHeader {
        /// The table.
        file: String,
    },
    /// A column is not there.
    #[error(
        "{file}: there is no column {wanted}; the columns are {found}\n\
         hint: name the column of the {role}s with --{role}"
    )]
    NoColumn {
        /// The table.
        file: String,
        /// The names looked for.
        wanted: String,
        /// The names there are.
        found: String,
        /// What the column holds.
        role: &'static str,
    },
    /// There is nothing to tell apart.
    #[error(
        "{file}: the labels in the column {column:?} are {found}, and there must be two at least\n\
         hint: name the column of labels with --label"
    )]
    OneLabel {
        /// The table.
        file: String,
        /// The column of labels.
        column: String,
        /// The labels.
        found: String,
    },
    /// A label is in fewer rows than a fold has parts.
    #[error(
        "{file}: labels of fewer than {FEWEST} rows: {found}; a fold tests one row of a label, validates by \
         another and trains on the others\n\
         hint: give more rows such a label, or empty it: rows without a label are left out"
    )]
    FewRows {
        /// The table.
        file: String,
        /// The labels, each with its rows.
        found: String,
    },
    /// No column holds the paths of sound files.
    #[error("{file}: no column names sound files below {}: {tried}\nhint: {hint}", root.display())]
    NoFiles {
        /// The table.
        file: String,
        /// The folder.
        root: PathBuf,
        /// Every column, with one of its cells.
        tried: String,
        /// How a cell should look.
        hint: String,
    },
    /// Rows name sound files that are not there.
    #[error(
        "{file}: {} sound files that are not below {}: {rows}\n\
         hint: put the files there, correct the column {column:?}, or remove the rows",
        names(*count), root.display()
    )]
    MissingFiles {
        /// The table.
        file: String,
        /// The folder.
        root: PathBuf,
        /// The column of files.
        column: String,
        /// How many rows.
        count: usize,
        /// The rows, as far as a message has room.
        rows: String,
    },
    /// The table cannot be read.
    #[error(transparent)]
    Table(#[from] CorpusError),
}

fn names(rows: usize) -> String {
    format!("{} {}", counted(rows, "row"), if rows == 1 { "names" } else { "name" })
}

/// What is in a table of labels.
#[derive(Debug)]
pub struct LabelTable {
    /// Between cells.
    pub delimiter: char,
    /// The column of ids, or of sound files.
    pub id: String,
    /// The column of labels.
    pub label: String,
    /// The column of speakers, where there is one.
    pub speaker: Option<String>,
    /// Columns of other things about an utterance, by what the manifest calls them: `sex`, `session`,
    /// `start`, `end`. Looked for beside recordings alone.
    pub others: BTreeMap<&'static str, String>,
    /// Ids of rows with a label, in the table's order.
    pub ids: Vec<String>,
    /// Rows of every label.
    pub labels: BTreeMap<String, usize>,
    /// Words in the place of a label that say that there is none, such as nothing or `NA`.
    pub no_labels: BTreeSet<String>,
    /// Rows without a label: their ids and lines.
    pub unlabelled: Vec<String>,
    /// The ids alone of rows without a label.
    pub unlabelled_ids: Vec<String>,
    /// Number of speakers of rows with a label.
    pub speakers: usize,
}

impl LabelTable {
    /// Looks over a table of delimited text with a header.
    ///
    /// # Errors
    /// It cannot be read or is no such table; a column is not there; fewer than two labels; a label of too
    /// few rows.
    pub fn read(file: &Path, columns: &LabelColumns) -> Result<Self, LabelTableError> {
        let (table, delimiter) = parse(file)?;
        let found = Self::of(&table, delimiter, columns)?;
        found.check_two(table.file())?;
        found.check_rows(table.file())?;
        Ok(found)
    }

    fn of(table: &Table, delimiter: u8, columns: &LabelColumns) -> Result<Self, LabelTableError> {
        let (id, label) = (
            required(table, ID, columns.id.as_deref())?,
            required(table, LABEL, columns.label.as_deref())?,
        );
        let speaker = optional(table, SPEAKER, columns.speaker.as_deref())?;
        let header = |column| table.header(column).to_owned();
        let mut found = Self {
            delimiter: delimiter.into(),
            id: header(id),
            label: header(label),
            speaker: speaker.map(header),
            others: BTreeMap::new(),
            ids: Vec::new(),
            labels: BTreeMap::new(),
            no_labels: BTreeSet::new(),
            unlabelled: Vec::new(),
            unlabelled_ids: Vec::new(),
            speakers: 0,
        };
        let mut speakers = BTreeSet::new();
        for row in table.rows() {
            let word = nfc(row.cell(label)?);
            // Rows without an id are the index's to complain of.
            let id = row.name(id)?.unwrap_or_default();
            if is_filled(&word) {
                *found.labels.entry(word).or_default() += 1;
                found.ids.push(id);
                speakers.extend(speaker.map_or(Ok(None), |column| row.name(column))?);
            } else {
                found.no_labels.insert(word);
                found.unlabelled.push(format!("{id} (line {})", row.line()));
                found.unlabelled_ids.push(id);
            }
        }
        found.speakers = speakers.len();
        Ok(found)
    }

    fn check_two(&self, file: &str) -> Result<(), LabelTableError> {
        if self.labels.len() > 1 {
            return Ok(());
        }
        let (column, found) = (self.label.clone(), listed(self.labels.keys()));
        Err(LabelTableError::OneLabel { file: file.to_owned(), column, found })
    }

    fn check_rows(&self, file: &str) -> Result<(), LabelTableError> {
        let few = self.labels.iter().filter(|(_, rows)| **rows < FEWEST);
        let few: Vec<String> = few.map(|(label, rows)| format!("{label} ({rows})")).collect();
        if few.is_empty() {
            return Ok(());
        }
        Err(LabelTableError::FewRows { file: file.to_owned(), found: some_listed(&few) })
    }
}

/// The table, and what is between its cells.
fn parse(file: &Path) -> Result<(Table, u8), LabelTableError> {
    let name = file.display().to_string();
    let bytes = fs_err::read(file).map_err(CorpusError::Read)?;
    let delimiter =
        delimiter(&bytes).ok_or_else(|| LabelTableError::NoHeader { file: name.clone() })?;
    Ok((Table::parse(&name, &bytes, Delimited { delimiter, quote: Some(b'"') })?, delimiter))
}

/// What divides the first line into most cells, if anything does.
fn delimiter(bytes: &[u8]) -> Option<u8> {
    let header = bytes.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
    let cells = |delimiter: &u8| header.split(|byte| byte == delimiter).count();
    let most = DELIMITERS.into_iter().rev().max_by_key(cells)?;
    (cells(&most) > 1).then_some(most)
}

fn required(table: &Table, role: Role, asked: Option<&str>) -> Result<usize, LabelTableError> {
    let found = optional(table, role, asked)?;
    found.ok_or_else(|| missing(table, role, role.usual))
}

/// The column of that name or, where none is asked for, of the first usual name; none of an empty name.
fn optional(
    table: &Table,
    role: Role,
    asked: Option<&str>,
) -> Result<Option<usize>, LabelTableError> {
    match asked {
        Some("") => return Ok(None),
        Some(name) => {
            return Ok(Some(table.find(name)?.ok_or_else(|| missing(table, role, &[name]))?));
        }
        None => {}
    }
    for name in role.usual {
        let forgiving = || table.headers().position(|header| plain(header) == plain(name));
        if let Some(column) = table.find(name)?.or_else(forgiving) {
            return Ok(Some(column));
        }
    }
    Ok(None)
}

/// A name as one would compare it who minds neither capitals nor blanks nor marks.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn missing(table: &Table, role: Role, wanted: &[&str]) -> LabelTableError {
    let quoted = |name: &str| format!("{name:?}");
    let wanted: Vec<String> = wanted.iter().map(|name| quoted(name)).collect();
    LabelTableError::NoColumn {
        file: table.file().to_owned(),
        wanted: wanted.join(" or "),
        found: listed(table.headers().map(quoted)),
        role: role.name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{folder, put};

    fn read_as(table: &str, columns: &LabelColumns) -> Result<LabelTable, String> {
        let root = folder(&[]);
        put(root.path(), "labels.csv", table);
        let found = LabelTable::read(&root.path().join("labels.csv"), columns);
        let text = |error: LabelTableError| error.to_string();
        found.map_err(|error| text(error).replace(&format!("{}/", root.path().display()), ""))
    }

    fn read(table: &str) -> Result<LabelTable, String> {
        read_as(table, &LabelColumns::default())
    }

    #[test]
    fn columns_are_found_by_their_usual_names_whatever_is_between_them() {
        for delimiter in [",", "\t", ";"] {
            let table =
                "file,emotion,speaker\na,sad,x\nb,sad,x\nc,glad,y\nd,glad,y\ne,sad,y\nf,glad,x\n";
            let found = read(&table.replace(',', delimiter)).unwrap();
            assert_eq!(found.delimiter.to_string(), delimiter);
            assert_eq!((&*found.id, &*found.label), ("file", "emotion"));
            assert_eq!((found.speaker.as_deref(), found.speakers), (Some("speaker"), 2));
            assert_eq!(found.ids, ["a", "b", "c", "d", "e", "f"]);
            assert_eq!(found.labels, BTreeMap::from([("glad".into(), 3), ("sad".into(), 3)]));
        }
        let both =
            read("id,utterance_id,label\n1,a,x\n2,b,x\n3,c,x\n4,d,y\n5,e,y\n6,f,y\n").unwrap();
        assert_eq!((&*both.id, both.speaker), ("utterance_id", None));
    }

    #[test]
    fn columns_of_other_names_are_named() {
        let table = "a;b;c\n1;x;ann\n2;x;ann\n3;x;bob\n4;y;bob\n5;y;bob\n6;y;bob\n";
        let columns = |id: &str| LabelColumns {
            id: Some(id.to_owned()),
            label: Some("b".to_owned()),
            speaker: Some("c".to_owned()),
        };
        assert_eq!(read_as(table, &columns("a")).unwrap().speakers, 2);
        insta::assert_snapshot!(read_as(table, &columns("d")).unwrap_err(), @r#"
    labels.csv: there is no column "d"; the columns are "a", "b", "c"
    hint: name the column of the ids with --id
    "#);
        insta::assert_snapshot!(read(table).unwrap_err(), @r#"
    labels.csv: there is no column "utterance_id" or "id" or "file"; the columns are "a", "b", "c"
    hint: name the column of the ids with --id
    "#);
    }

    #[test]
    fn a_row_without_a_label_is_named_and_counts_for_no_class() {
        let found = read("id,label\na,x\nb,\nc,NA\nd,x\ne,y\nf,y\ng,y\nh,x\n").unwrap();
        assert_eq!(found.unlabelled, ["b (line 3)", "c (line 4)"]);
        assert_eq!(found.no_labels.into_iter().collect::<Vec<_>>(), ["", "NA"]);
        assert_eq!((found.ids.len(), found.labels.len()), (6, 2));
    }

    #[test]
    fn what_cannot_be_audited_is_refused() {
        insta::assert_snapshot!(read("id,label\na,x\nb,x\nc,\n").unwrap_err(), @r#"
    labels.csv: the labels in the column "label" are x, and there must be two at least
    hint: name the column of labels with --label
    "#);
        insta::assert_snapshot!(read("id,label\na,x\nb,x\nc,y\n").unwrap_err(), @r#"
    labels.csv: labels of fewer than 3 rows: x (2), y (1); a fold tests one row of a label, validates by another and trains on the others
    hint: give more rows such a label, or empty it: rows without a label are left out
    "#);
        insta::assert_snapshot!(read("no table at all").unwrap_err(), @r#"
    labels.csv: its first line does not name columns, with commas, tabs or semicolons between them
    hint: give a table of text with a header, such as utterance_id,label
    "#);
        assert!(read("PAR1,\0\0").unwrap_err().contains("binary data"));
        assert!(read("").unwrap_err().contains("does not name columns"));
        assert!(read("id,label,label\na,x,x\n").unwrap_err().contains("both"));
    }
}
