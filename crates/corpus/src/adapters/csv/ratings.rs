//! Who gave which label: a table of its own, with a row for each.

use std::collections::BTreeMap;

use ambivox_settings::{CsvRatings, counted};

use crate::error::some_listed;
use crate::table::{Delimited, Table};
use crate::tree::Tree;
use crate::{CorpusError, Utterance};

/// Adds the ratings of a table to their utterances; the votes too, unless `voted` says that another column has
/// these. To `warnings` goes what rates utterances that are not there.
pub(super) fn add(
    tree: &Tree<'_>,
    (ratings, format, voted): (&CsvRatings, Delimited, bool),
    utterances: &mut [Utterance],
    warnings: &mut Vec<String>,
) -> Result<(), CorpusError> {
    super::check_listed(tree, &ratings.table, "csv.ratings.table")?;
    let table = Table::read(tree, &ratings.table, format)?;
    let columns = [&ratings.utterance, &ratings.annotator, &ratings.label];
    let [name, who, label] = columns.map(|name| table.column(name));
    let (name, who, label) = (name?, who?, label?);
    let places = places(tree, utterances);
    let mut strangers = Vec::new();
    for row in table.rows() {
        let cell = row.cell(name)?;
        let key = tree.meant(cell).unwrap_or(cell);
        let Some(utterance) = places.get(key).and_then(|place| utterances.get_mut(*place)) else {
            strangers.push(format!("{cell} (line {})", row.line()));
            continue;
        };
        let nameless = || row.malformed(row.cell(who).unwrap_or_default(), "an annotator's name");
        let annotator = row.name(who)?.ok_or_else(nameless)?;
        let word = super::filled(row, Some(label))?;
        let Some(label) = word.map_or(Ok(None), |word| tree.label(word, &row.place))? else {
            continue;
        };
        let named = utterance.ratings.entry(annotator).or_default();
        if named.insert(label.clone()) && !voted {
            *utterance.votes.entry(label).or_default() += 1;
        }
    }
    if !strangers.is_empty() {
        let file = table.file();
        let (count, named) = (counted(strangers.len(), "rating"), some_listed(&strangers));
        warnings.push(format!("{file}: {count} of utterances that are not there: {named}"));
    }
    Ok(())
}

/// Where utterances are, by their ids, and by their files where a file is one utterance and of one alone.
fn places(tree: &Tree<'_>, utterances: &[Utterance]) -> BTreeMap<String, usize> {
    let whole = |utterance: &Utterance| utterance.start_s.is_none() && utterance.end_s.is_none();
    let files = utterances.iter().enumerate().filter(|(_, utterance)| whole(utterance));
    let mut by_file: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (place, utterance) in files {
        let path = utterance.path.as_str();
        by_file.entry(tree.meant(path).unwrap_or(path)).or_default().push(place);
    }
    let files = by_file.into_iter().filter(|(_, places)| places.len() == 1);
    let files = files.map(|(file, places)| (file.to_owned(), places[0]));
    let ids = utterances.iter().enumerate().map(|(place, u)| (u.utterance_id.clone(), place));
    files.chain(ids).collect()
}
