//! What can be wrong with a corpus, its index or its division into folds.

use std::fmt;
use std::path::PathBuf;

pub(crate) use ambivox_settings::some_listed;
use ambivox_settings::{counted, exit};

/// A place in a corpus's files, for messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// File, relative to the corpus's root.
    pub file: String,
    /// Line, counted from 1; `None` where the file as a whole or its name is meant.
    pub line: Option<u64>,
}

impl Place {
    /// A file as a whole.
    pub fn file(file: &str) -> Self {
        Self { file: file.to_owned(), line: None }
    }

    /// One line of a file.
    pub fn line(file: &str, line: u64) -> Self {
        Self { file: file.to_owned(), line: Some(line) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}", self.file),
            None => f.write_str(&self.file),
        }
    }
}

/// A corpus cannot be read, indexed or divided into folds.
#[derive(Debug, thiserror::Error)]
pub enum CorpusError {
    /// There is no folder where the corpus should be.
    #[error(
        "corpus {corpus}: there is no folder {}\n\
         hint: set {root_env} to the corpus's root folder; the corpus comes from {origin}",
        root.display()
    )]
    RootMissing {
        /// The corpus's name.
        corpus: String,
        /// The folder looked for.
        root: PathBuf,
        /// Environment variable that names the root.
        root_env: String,
        /// Address the corpus comes from.
        origin: String,
    },
    /// A file or folder of the corpus could not be read.
    #[error("{0}")]
    Read(std::io::Error),
    /// A file of the corpus has a name that is no text.
    #[error("{}: the file's name is not UTF-8\nhint: rename the file", path.display())]
    NotUtf8 {
        /// The file, with its name made readable.
        path: PathBuf,
    },
    /// A `files` pattern of the manifest is no glob pattern.
    #[error("the manifest's files pattern cannot be read: {0}")]
    Pattern(#[from] globset::Error),
    /// The folder is there, but no utterance was found in it.
    #[error(
        "corpus {corpus}: no utterance in {}\n\
         hint: the manifest expects files such as {patterns}; set {root_env} to the folder that \
         holds them",
        root.display()
    )]
    NoUtterances {
        /// The corpus's name.
        corpus: String,
        /// The folder searched.
        root: PathBuf,
        /// Environment variable that names the root.
        root_env: String,
        /// The manifest's patterns.
        patterns: String,
    },
    /// Two utterances have one id.
    #[error(
        "two utterances have the id {utterance_id}: {first} and {second}\n\
         hint: rename one of the files, or leave one out by the manifest's files patterns"
    )]
    DuplicateId {
        /// The id.
        utterance_id: String,
        /// Sound file of the one.
        first: String,
        /// Sound file of the other.
        second: String,
    },
    /// Two rows of a table are one utterance.
    #[error(
        "{first} and {second} are both the utterance {utterance_id}\n\
         hint: remove one of the two rows; where they name two files, rename one of the files"
    )]
    DuplicateRow {
        /// The id of both.
        utterance_id: String,
        /// The one row.
        first: Place,
        /// The other row.
        second: Place,
    },
    /// An emotion code is not in the manifest.
    #[error(
        "{place}: emotion code {code:?} is not among the manifest's labels ({known})\n\
         hint: add it to [labels]; a code that maps to \"\" is no emotion"
    )]
    UnknownCode {
        /// Where the code stands.
        place: Place,
        /// The code.
        code: String,
        /// The codes that the manifest lists.
        known: String,
    },
    /// A speaker is not in the manifest.
    #[error(
        "{place}: speaker {speaker:?} is not among the manifest's speakers ({known})\n\
         hint: add them to [speakers]"
    )]
    UnknownSpeaker {
        /// Where the speaker is named.
        place: Place,
        /// The speaker.
        speaker: String,
        /// The speakers that the manifest lists.
        known: String,
    },
    /// A file name, line or cell is not what its layout says.
    #[error("{place}: {found:?} found where {expected} was expected\nhint: {}", remedy(place))]
    Malformed {
        /// Where it stands.
        place: Place,
        /// What stands there.
        found: String,
        /// What should.
        expected: String,
    },
    /// A cell that is asked for is not UTF-8.
    #[error(
        "{place}: a cell is not in UTF-8; as Latin-1 (Windows-1252) it reads {latin_1:?}\n\
         hint: save the table in UTF-8; in a spreadsheet, as CSV UTF-8"
    )]
    NotText {
        /// The row.
        place: Place,
        /// The cell's bytes as Latin-1.
        latin_1: String,
    },
    /// A table is in another encoding than UTF-8.
    #[error(
        "{file}: the table is in {encoding}\n\
         hint: save it in UTF-8; in a spreadsheet, as CSV UTF-8"
    )]
    Encoding {
        /// The table.
        file: String,
        /// What its bytes look like.
        encoding: &'static str,
    },
    /// A table begins with a line for spreadsheets.
    #[error(
        "{file}: its first line is a spreadsheet's sep=, not the header\n\
         hint: remove that line; the manifest names the character between cells"
    )]
    SeparatorLine {
        /// The table.
        file: String,
    },
    /// A quote does not enclose a cell of one line, and could swallow rows.
    #[error(
        "{place}: {fault} in this line\n\
         hint: close the quote or remove it; a cell holds no line break; where quotes are characters \
         like any other, say csv.quote = \"\" in the manifest"
    )]
    Quoting {
        /// The line.
        place: Place,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// Two columns have the name of one that is asked for.
    #[error(
        "{file}: columns {} and {} are both called {column:?}\n\
         hint: rename or remove one of them",
        positions[0],
        positions[1]
    )]
    DoubleColumn {
        /// The table.
        file: String,
        /// The name.
        column: String,
        /// Which columns have it, counted from 1.
        positions: [usize; 2],
    },
    /// Rows do not say who speaks, or which utterance they are of.
    #[error(
        "{file}: no {what} in {}: lines {rows}\n\
         hint: fill in the column {column:?}, or remove these rows; empty cells, NA, nan, None and \
         null are nobody's name",
        counted(*count, "row")
    )]
    NoName {
        /// What the rows lack.
        what: &'static str,
        /// The table.
        file: String,
        /// The column of such names.
        column: String,
        /// How many rows.
        count: usize,
        /// Their lines, with what stands there.
        rows: String,
    },
    /// Words of a table that the manifest's labels do not list.
    #[error(
        "{file}: the manifest's labels ({known}) do not list {words}\n\
         hint: add them to [labels]; a word that maps to \"\" is no emotion"
    )]
    UnknownWords {
        /// The table.
        file: String,
        /// The words, each with its rows.
        words: String,
        /// The words that the manifest lists.
        known: String,
    },
    /// Rows name files that are not there but for the way in which they are written.
    #[error(
        "{file}: {} with a path that is nearly, but not quite, a file's: {rows}\n\
         hint: write them as the files are called; folders end in /, not in a backslash, and capitals count",
        counted(*count, "row")
    )]
    NearPath {
        /// The table.
        file: String,
        /// How many rows.
        count: usize,
        /// Their lines, with both paths.
        rows: String,
    },
    /// A table lacks a column.
    #[error(
        "{file}: there is no column {column:?}; the columns are {found}\n\
         hint: correct the table's header; a manifest with [csv] names columns and delimiter itself"
    )]
    MissingColumn {
        /// The table.
        file: String,
        /// The column looked for.
        column: String,
        /// The columns there are.
        found: String,
    },
    /// A table is no well-formed table of delimited text.
    #[error(
        "{file}: {source}\n\
         hint: correct that line; every row has as many cells as the header, and a cell that holds \
         the delimiter stands in quotes"
    )]
    Table {
        /// The table.
        file: String,
        /// What is wrong, with its line.
        source: csv::Error,
    },
    /// A file is needed that the manifest's patterns do not name, so that its content would not
    /// count as an input.
    #[error(
        "{path} is needed, but matches none of the manifest's files patterns ({patterns})\n\
         hint: add a pattern for it to files, or correct its path"
    )]
    NotCovered {
        /// The file, relative to the root.
        path: String,
        /// The manifest's patterns.
        patterns: String,
    },
    /// A file that the manifest names is not there.
    #[error(
        "{}: there is no such file\n\
         hint: {key} of the manifest names it; put it there, correct its path, or set {root_env} to \
         the folder that holds it",
        file.display()
    )]
    FileMissing {
        /// The file, with the corpus's root.
        file: PathBuf,
        /// Key of the manifest.
        key: &'static str,
        /// Environment variable that names the root.
        root_env: String,
    },
    /// There are too few groups to test, validate and train on.
    #[error(
        "a fold needs {} {grouping}s, one each to {} and train; utterances labelled \
         {classes} come from {found}\n\
         hint: the index holds the labels {labels}",
        if *validates { "three" } else { "two" },
        if *validates { "test, validate" } else { "test" }
    )]
    TooFewGroups {
        /// Whether a group validates.
        validates: bool,
        /// What is divided.
        grouping: &'static str,
        /// The classes asked for.
        classes: String,
        /// The groups found.
        found: String,
        /// The gold labels that occur.
        labels: String,
    },
    /// The section `[split]` of a pipeline cannot be; the message names the setting.
    #[error("{0}")]
    Split(String),
    /// Utterances whose group is not known cannot be kept out of a part.
    #[error(
        "split: {count} utterances of the classes have no {grouping}, and the split divides {grouping}s\n\
         hint: name the table's column in csv.columns.{grouping} of the manifest, or choose split.kind = \
         \"fixed\", whose parts are listed"
    )]
    UnknownGroup {
        /// What is divided.
        grouping: &'static str,
        /// Such utterances.
        count: usize,
    },
    /// Fewer speakers than parts that validate in turn.
    #[error(
        "fold {fold}: split.validation.parts = {parts}, and {found} known speakers train\n\
         hint: a part is one speaker at least; lower split.validation.parts"
    )]
    TooManyParts {
        /// The fold.
        fold: String,
        /// Parts asked for.
        parts: usize,
        /// Known speakers who train.
        found: usize,
    },
    /// Fewer groups than folds.
    #[error(
        "split.folds = {folds}, and {found} {grouping}s have utterances of the classes\n\
         hint: a fold tests one {grouping} at least; lower split.folds, or choose another split.group"
    )]
    TooManyFolds {
        /// Folds asked for.
        folds: usize,
        /// What is divided.
        grouping: &'static str,
        /// Groups found.
        found: usize,
    },
    /// The speaker who should validate a fold has nothing to validate with.
    #[error(
        "fold {fold}: its validation speaker {partner} has no utterance of any class\n\
         hint: name another as speakers.{fold}.validation in the manifest"
    )]
    NoValidation {
        /// The fold.
        fold: String,
        /// The validation speaker.
        partner: String,
    },
    /// Nobody has handed over the list of parts.
    #[error("split.kind = \"fixed\" reads a list of parts, and there is none among the inputs")]
    NoParts,
    /// The folder has no folder of a fold.
    #[error(
        "{}: no folder of a fold in it\n\
         hint: split.file names a table, or a folder of folders fold_1, fold_2, … with a .jsonl for each \
         part",
        folder.display()
    )]
    NoFolds {
        /// The folder.
        folder: PathBuf,
    },
    /// Two files of a fold have the same part.
    #[error(
        "{} and {}: both are of one part of the fold\nhint: leave one of them",
        files[0].display(),
        files[1].display()
    )]
    PartTwice {
        /// The files.
        files: Box<[PathBuf; 2]>,
    },
    /// A part that the settings name does not occur in the list.
    #[error(
        "{file}: there is no part {part:?}; there are: {found}\n\
         hint: split.train, split.validation and split.test name what is in the column split.part"
    )]
    NoSuchPart {
        /// The list of parts.
        file: String,
        /// The part asked for.
        part: String,
        /// The parts there are.
        found: String,
    },
    /// An utterance is listed in two parts of a fold.
    #[error(
        "{} and {}: {utterance_id:?} is in two parts of one fold\nhint: leave it in one of them",
        rows[0],
        rows[1]
    )]
    InTwoParts {
        /// The utterance.
        utterance_id: String,
        /// The rows.
        rows: Box<[Place; 2]>,
    },
    /// A part of a fold has no utterance that takes part.
    #[error(
        "fold {fold}: no utterance of the classes is in its {part} part\n\
         hint: what the list of parts calls utterances has to be their ids, paths or names of files; \
         where it has no part to validate with, set split.validation to \"none\" or to a share"
    )]
    EmptyPart {
        /// The fold.
        fold: String,
        /// The part.
        part: &'static str,
    },
    /// Nobody can be drawn to validate.
    #[error(
        "fold {fold}: fewer than two known speakers or groups train, so that none can be drawn to validate\n\
         hint: name a part that validates in split.validation, or set it to \"none\""
    )]
    OneSpeaker {
        /// The fold.
        fold: String,
    },
    /// A table of parts without the names of its columns, or a folder with them.
    #[error("{}: {message}", path.display())]
    PartsForm {
        /// The list.
        path: PathBuf,
        /// What is to be set.
        message: &'static str,
    },
    /// A file of a fold does not say which part it is.
    #[error(
        "{}: its name has not one of the words train, valid and test between `_`\n\
         hint: rename it, or take it out of the folder",
        file.display()
    )]
    NoPartOf {
        /// The file.
        file: PathBuf,
    },
    /// Parts of a fold share speakers.
    #[error(
        "fold {fold}: speakers in two of its parts: {speakers}\n\
         hint: rates are not of unheard speakers then; with split.allow_overlap = true the report says so"
    )]
    SharedSpeakers {
        /// The fold.
        fold: String,
        /// The speakers.
        speakers: String,
    },
    /// A class does not occur in the training part of a fold.
    #[error(
        "fold {fold}: no training utterance is labelled {class}\n\
         hint: the index holds the labels {labels}; leave {class} out of split.classes, or label \
         more speech"
    )]
    ClassMissing {
        /// The fold.
        fold: String,
        /// The class.
        class: String,
        /// The gold labels that occur.
        labels: String,
    },
    /// A correction is about an utterance that is not there.
    #[error(
        "{place}: there is no utterance {utterance_id:?} to correct\n\
         hint: the file belongs to another corpus, or to a pipeline with other classes; remove the \
         row, or name the right file"
    )]
    CorrectedUnknown {
        /// The row.
        place: Place,
        /// The utterance it names.
        utterance_id: String,
    },
    /// A correction is to a label that is not there.
    #[error("{place}: {label:?} is no label here; there are {known}\nhint: correct that row")]
    CorrectedLabel {
        /// The row.
        place: Place,
        /// The label it names.
        label: String,
        /// The labels there are.
        known: String,
    },
    /// A correction was made when the utterance's label was another.
    #[error(
        "{place}: the label of {utterance_id:?} was {given:?} when it was reviewed, and is {found:?} \
         now\n\
         hint: the file is of other labels, or has been applied already; audit again, or remove the \
         row"
    )]
    CorrectedStale {
        /// The row.
        place: Place,
        /// The utterance.
        utterance_id: String,
        /// The label that the reviewer was shown.
        given: Box<str>,
        /// The label that the utterance has.
        found: Box<str>,
    },
    /// Two corrections are about one utterance.
    #[error(
        "{} and {} both correct the utterance {utterance_id:?}\n\
         hint: remove one of the two rows",
        rows[0],
        rows[1]
    )]
    CorrectedTwice {
        /// The utterance.
        utterance_id: String,
        /// The rows.
        rows: Box<[Place; 2]>,
    },
    /// The index could not be written.
    #[error("{0}")]
    Write(std::io::Error),
    /// Parquet could not be written or read, or has other columns than an index.
    #[cfg(feature = "parquet")]
    #[error("{}: {source}", file.display())]
    Parquet {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        source: Box<polars::error::PolarsError>,
    },
}

impl CorpusError {
    /// The exit code of a command that ends with this error: the input data are at fault in all
    /// cases but those about a file that the project itself writes.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Write(_) => exit::FAILED,
            #[cfg(feature = "parquet")]
            Self::Parquet { .. } => exit::FAILED,
            _ => exit::DATA,
        }
    }
}

/// What to do about a malformed line, or about a file whose name is malformed.
fn remedy(place: &Place) -> &'static str {
    match place.line {
        Some(_) => "correct that line, or remove it",
        None => "correct it; the manifest's files patterns leave out what is not of the corpus",
    }
}

/// `a, b, c`, for messages; `none` where there are none.
pub(crate) fn listed<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<T> = items.into_iter().collect();
    if items.is_empty() {
        return "none".to_owned();
    }
    items.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ")
}
