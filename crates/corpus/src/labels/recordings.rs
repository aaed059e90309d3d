//! A table of labels beside recordings: which of its columns names the sound files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use ambivox_settings::{counted, some_listed};

use super::{LabelColumns, LabelTable, LabelTableError, Role, optional, parse};
use crate::CorpusError;
use crate::duration::parse_seconds;
use crate::files;
use crate::name::{is_filled, nfc};
use crate::table::{Row, Table};
use crate::tree::stem;

/// Endings of sound files.
const SOUNDS: &str =
    "aac,aif,aifc,aiff,caf,flac,m4a,mka,mkv,mp1,mp2,mp3,mp4,nist,oga,ogg,sph,wav,webm";

/// What else may be known of an utterance.
const OTHERS: [Role; 4] = [
    Role { name: "sex", usual: &["sex", "gender"] },
    Role { name: "session", usual: &["session", "session id"] },
    Role { name: "start", usual: &["start", "start s", "start time"] },
    Role { name: "end", usual: &["end", "end s", "end time"] },
];

/// The sound files below a corpus's folder, told by the endings of their names.
#[derive(Debug)]
pub struct Recordings {
    root: PathBuf,
    /// By their paths in normalization form C.
    by_path: BTreeMap<String, String>,
    /// By their names alone, without the ending and in small letters.
    by_stem: BTreeMap<String, String>,
}

impl Recordings {
    /// Lists them.
    ///
    /// # Errors
    /// A folder cannot be read; a name is no text.
    pub fn below(root: &Path) -> Result<Self, CorpusError> {
        let endings = [SOUNDS.to_owned(), SOUNDS.to_uppercase()].join(",");
        let found = files::list(root, &[format!("**/*.{{{endings}}}")])?.files;
        Ok(Self {
            root: root.to_path_buf(),
            by_path: found.iter().map(|file| (nfc(file), file.clone())).collect(),
            by_stem: found.iter().map(|file| (nearly(file), file.clone())).collect(),
        })
    }

    /// The file that a cell names by its path relative to the folder.
    pub fn named(&self, cell: &str) -> Option<&str> {
        let path = cell.strip_prefix("./").unwrap_or(cell);
        self.by_path.get(&nfc(path)).map(String::as_str)
    }

    /// A file that a cell may mean.
    fn meant(&self, cell: &str) -> Option<&str> {
        self.by_stem.get(&nearly(cell)).map(String::as_str)
    }

    /// Glob patterns of files and of those beside them: one for each folder and ending or, where these are
    /// many, for all that is below a folder of the first level.
    pub fn patterns<'a>(&self, files: impl IntoIterator<Item = &'a str>) -> Vec<String> {
        /// Patterns that one still reads.
        const MOST: usize = 8;
        let files: Vec<&str> = files.into_iter().collect();
        let patterns: BTreeSet<String> = files.iter().map(|file| beside(file)).collect();
        if patterns.len() <= MOST {
            return patterns.into_iter().collect();
        }
        files.iter().map(|file| below(file)).collect::<BTreeSet<_>>().into_iter().collect()
    }
}

/// A path's name without folders and ending, in small letters.
fn nearly(path: &str) -> String {
    nfc(stem(&path.replace('\\', "/"))).to_lowercase()
}

/// All files of a folder with the ending of this one.
fn beside(file: &str) -> String {
    let (folder, name) = file.rsplit_once('/').map_or((None, file), |(f, n)| (Some(f), n));
    let folder = folder.map(|folder| format!("{}/", literal(folder))).unwrap_or_default();
    format!("{folder}*{}", ending(name))
}

/// All files below the first folder on the way to this one, with its ending.
fn below(file: &str) -> String {
    match file.split_once('/') {
        Some((folder, rest)) => format!("{}/**/*{}", literal(folder), ending(rest)),
        None => beside(file),
    }
}

fn ending(name: &str) -> String {
    name.rsplit_once('.').map(|(_, ending)| format!(".{}", literal(ending))).unwrap_or_default()
}

/// A text as a glob pattern of itself alone.
pub fn literal(text: &str) -> String {
    let escaped = |c: char| match c {
        '*' | '?' | '[' | ']' | '{' | '}' => format!("[{c}]"),
        _ => c.to_string(),
    };
    text.chars().map(escaped).collect()
}

impl LabelTable {
    /// The cells of the ids or files, of rows with a label and of those without.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.ids.iter().chain(&self.unlabelled_ids).map(String::as_str)
    }

    /// Looks over a table of delimited text with a header, a row for each utterance that is recorded below
    /// a folder. Its ids are the paths of the files, and labels may be rare. `columns.id` is not asked for.
    ///
    /// # Errors
    /// It cannot be read or is no such table; no column names sound files; a column is not there; rows
    /// name files that are not there; fewer than two labels.
    pub fn of_recordings(
        file: &Path,
        recordings: &Recordings,
        columns: &LabelColumns,
    ) -> Result<Self, LabelTableError> {
        let (table, delimiter) = parse(file)?;
        let column = Searched { table: &table, recordings }.column()?;
        let id = Some(table.header(column).to_owned());
        let mut found = Self::of(&table, delimiter, &LabelColumns { id, ..columns.clone() })?;
        for role in OTHERS {
            let column = optional(&table, role, None)?;
            let column = column.filter(|at| fits(&table, role, *at));
            found.others.extend(column.map(|at| (role.name, table.header(at).to_owned())));
        }
        found.check_two(table.file())?;
        Ok(found)
    }
}

/// Whether a column is what its name says: limits of a cut are seconds or durations in every cell that has
/// something.
fn fits(table: &Table, role: Role, column: usize) -> bool {
    let is_time = |row: &Row| {
        row.cell(column).is_ok_and(|cell| !is_filled(cell) || parse_seconds(cell).is_some())
    };
    !["start", "end"].contains(&role.name) || table.rows().iter().all(is_time)
}

/// A table whose column of files is looked for.
struct Searched<'a> {
    table: &'a Table,
    recordings: &'a Recordings,
}

impl Searched<'_> {
    /// The column that names most files, and the first of several; more than half of its cells must.
    fn column(&self) -> Result<usize, LabelTableError> {
        let columns = 0..self.table.headers().count();
        let found = columns.rev().map(|column| (self.count(column), column));
        let (count, column) = found.max_by_key(|(count, _)| *count).unwrap_or_default();
        let rows = self.table.rows().len();
        if count * 2 <= rows {
            return Err(self.no_files());
        }
        if count == rows { Ok(column) } else { Err(self.missing(column)?) }
    }

    fn count(&self, column: usize) -> usize {
        self.table.rows().iter().filter(|row| self.names_file(row, column)).count()
    }

    fn names_file(&self, row: &Row, column: usize) -> bool {
        row.cell(column).is_ok_and(|cell| self.recordings.named(cell).is_some())
    }

    fn missing(&self, column: usize) -> Result<LabelTableError, CorpusError> {
        let others = self.table.rows().iter().filter(|row| !self.names_file(row, column));
        let told = |row: &Row| Ok(format!("{} (line {})", row.cell(column)?, row.line()));
        let rows: Vec<String> = others.map(told).collect::<Result<_, CorpusError>>()?;
        Ok(LabelTableError::MissingFiles {
            file: self.table.file().to_owned(),
            root: self.recordings.root.clone(),
            column: self.table.header(column).to_owned(),
            count: rows.len(),
            rows: some_listed(&rows),
        })
    }

    fn no_files(&self) -> LabelTableError {
        let rows = self.table.rows();
        let shown = |(column, name): (usize, &str)| {
            let cell = rows.first().and_then(|row| row.cell(column).ok()).unwrap_or_default();
            format!("\"{name}\" has \"{cell}\"")
        };
        let tried: Vec<String> = self.table.headers().enumerate().map(shown).collect();
        LabelTableError::NoFiles {
            file: self.table.file().to_owned(),
            root: self.recordings.root.clone(),
            tried: format!("of {}, {}", counted(rows.len(), "row"), some_listed(&tried)),
            hint: self.remedy(),
        }
    }

    /// How a cell should look: by one that nearly names a file, else by any file.
    fn remedy(&self) -> String {
        const RULE: &str = "a cell is a path relative to that folder, with / between folders";
        let cells = self.table.rows().iter().flat_map(|row| {
            (0..self.table.headers().count()).filter_map(|column| row.cell(column).ok())
        });
        let mut nearly = cells.filter_map(|cell| Some((cell, self.recordings.meant(cell)?)));
        match (nearly.next(), self.recordings.by_path.values().next()) {
            (Some((cell, file)), _) => format!("{RULE}: \"{}\" in place of \"{cell}\"", nfc(file)),
            (None, Some(file)) => format!("{RULE}, such as \"{}\", which is there", nfc(file)),
            (None, None) => {
                "there is no sound file at all; name the folder that holds them".to_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{folder, put, strings};

    const FILES: [&str; 4] = ["labels.csv", "wav/a.wav", "wav/b.WAV", "wav/deep/c.flac"];
    const ROWS: &str = "wav/a.wav,sad,ann\n./wav/b.WAV,glad,bob\nwav/deep/c.flac,sad,cem\n";

    fn read(table: &str, columns: &LabelColumns) -> Result<LabelTable, String> {
        let root = folder(&FILES);
        put(root.path(), "labels.csv", table);
        let recordings = Recordings::below(root.path()).unwrap();
        let found =
            LabelTable::of_recordings(&root.path().join("labels.csv"), &recordings, columns);
        let place = root.path().display().to_string();
        found.map_err(|error| {
            error.to_string().replace(&format!("{place}/"), "").replace(&place, "DIR")
        })
    }

    fn fault(table: &str) -> String {
        read(table, &LabelColumns::default()).unwrap_err()
    }

    #[test]
    fn columns_are_guessed_by_cells_and_by_usual_names() {
        let heads = [
            ("x,emotion,speaker", "emotion", "speaker"),
            ("path,Class,Speaker_ID", "Class", "Speaker_ID"),
            ("id,CATEGORY,Spk", "CATEGORY", "Spk"),
            ("speaker file,Emotion Label,actor-id", "Emotion Label", "actor-id"),
        ];
        for (head, label, speaker) in heads {
            let found = read(&format!("{head}\n{ROWS}"), &LabelColumns::default()).unwrap();
            assert_eq!(found.id, head.split(',').next().unwrap());
            assert_eq!((&*found.label, found.speaker.as_deref()), (label, Some(speaker)));
            assert_eq!((found.speakers, found.others.len()), (3, 0));
        }
        let nobody = LabelColumns { speaker: Some(String::new()), ..LabelColumns::default() };
        assert_eq!(read(&format!("f,emotion,speaker\n{ROWS}"), &nobody).unwrap().speaker, None);
    }

    #[test]
    fn what_else_is_known_is_found() {
        let rows = ROWS.replace(",ann\n", ",f,0,1\n").replace(",bob\n", ",m,0,1\n");
        let rows = rows.replace(",cem\n", ",m,0,1\n");
        let found = read(&format!("f,label,Gender,start_s,END\n{rows}"), &LabelColumns::default());
        let others = found.unwrap().others;
        let names: Vec<_> = others.iter().map(|(role, name)| (*role, name.as_str())).collect();
        assert_eq!(names, [("end", "END"), ("sex", "Gender"), ("start", "start_s")]);
    }

    #[test]
    fn faults_show_a_cell_and_how_it_should_look() {
        insta::assert_snapshot!(fault("file,emotion\na.wav,sad\nb,glad\n"), @r#"
        labels.csv: no column names sound files below DIR: of 2 rows, "file" has "a.wav", "emotion" has "sad"
        hint: a cell is a path relative to that folder, with / between folders: "wav/a.wav" in place of "a.wav"
        "#);
        insta::assert_snapshot!(fault("file,emotion\nx,sad\ny,glad\n"), @r#"
        labels.csv: no column names sound files below DIR: of 2 rows, "file" has "x", "emotion" has "sad"
        hint: a cell is a path relative to that folder, with / between folders, such as "wav/a.wav", which is there
        "#);
        insta::assert_snapshot!(fault(&format!("f,emotion,s\n{ROWS}wav/d.wav,sad,ann\n")), @r#"
        labels.csv: 1 row names sound files that are not below DIR: wav/d.wav (line 5)
        hint: put the files there, correct the column "f", or remove the rows
        "#);
        insta::assert_snapshot!(fault(&format!("f,word,s\n{ROWS}")), @r#"
        labels.csv: there is no column "label" or "emotion" or "class" or "category" or "emotion label" or "gold" or "target"; the columns are "f", "word", "s"
        hint: name the column of the labels with --label
        "#);
        insta::assert_snapshot!(fault(&format!("f,label,s\n{}", ROWS.replace("glad", "sad"))), @r#"
        labels.csv: the labels in the column "label" are sad, and there must be two at least
        hint: name the column of labels with --label
        "#);
        let empty = folder(&[]);
        put(empty.path(), "labels.csv", "file,emotion\na,sad\n");
        let recordings = Recordings::below(empty.path()).unwrap();
        let file = empty.path().join("labels.csv");
        let found = LabelTable::of_recordings(&file, &recordings, &LabelColumns::default());
        assert!(found.unwrap_err().to_string().contains("no sound file at all"));
    }

    #[test]
    fn patterns_are_few_and_match_their_files() {
        let patterns = |files: &[String]| {
            let root = folder(&[]);
            Recordings::below(root.path()).unwrap().patterns(files.iter().map(String::as_str))
        };
        let files = strings(&["a.wav", "b.wav", "x[1]/c.flac", "x[1]/d.flac"]);
        assert_eq!(patterns(&files), ["*.wav", "x[[]1[]]/*.flac"]);
        let many: Vec<String> = (0..20).map(|n| format!("wav/speaker{n}/a.wav")).collect();
        assert_eq!(patterns(&many), ["wav/**/*.wav"]);
    }
}
