//! From utterances to `features.parquet` and `vectors.parquet`.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, PoisonError};

use ambivox_audio::{Audio, AudioError, Cut, Problem};
use ambivox_corpus::{CorpusError, Index, Utterance};
use ambivox_frontends::{self as frontends, Session};
use ambivox_settings::{Exclusion, Exclusions, OnBroken, Shard};
use rayon::prelude::*;

use crate::pieces::{Keeper, Name, Pieces};
use crate::room::check_room;
use crate::writer::{Described, Encoded, Tables};
use crate::{FeatureError, Recipe};

/// What is wrong with a file that is not there.
const MISSING: &str =
    "missing: no such file, or a link to nothing; check the path, or fetch it (`git annex get`)";

/// A corpus has so many row groups unless they would be shorter or longer than the next two say:
/// enough that no thread waits long for the last.
const GROUPS: f64 = 48.0;
/// Audio in one row group, in seconds: few rows compress badly.
const SHORTEST_GROUP: f64 = 60.0;
/// Some 90,000 rows, 12 MB of values, of which every thread has a few copies in memory.
const LONGEST_GROUP: f64 = 900.0;
/// Utterances in one row group at most; those of unknown length count as nothing above.
pub(crate) const GROUP_UTTERANCES: usize = 256;

/// The files to write.
#[derive(Debug, Clone)]
pub struct Outputs {
    /// A row per frame: `utterance_id`, `frame`, the front end's columns; for a front end that gives
    /// frames.
    pub features: Option<PathBuf>,
    /// A row per utterance: `utterance_id`, the columns of the pooling, or of a front end that gives
    /// vectors.
    pub vectors: Option<PathBuf>,
    /// Folder where [`extract_shard`] has kept row groups of these very tables; what is whole there is
    /// taken, what is not is computed.
    pub pieces: Option<PathBuf>,
}

/// Computes the features of the utterances of `index`, which is sorted by id and whose paths are
/// relative to `root`, and writes them to the files of `outputs`, sorted by utterance and frame, the
/// same bytes for any number of threads. Works in the current rayon pool; memory depends on the
/// longest utterance, not on their number, but for the footers of the files.
///
/// `progress` hears how many utterances are done and how many there are.
///
/// Row groups that lie in `outputs.pieces` are taken from there: the same bytes again.
///
/// Returns the utterances left out, sorted, if `on_broken` says to skip broken audio: what cannot
/// be decoded, or the front end can make nothing of; those that are not, though their recordings are
/// doubtful; and those that were heard of which the values are the same to the last bit.
///
/// # Errors
/// Broken audio where `on_broken` says to stop, naming every utterance at fault; no usable audio at
/// all; a recording that cannot be read, whatever `on_broken` says, unless the index found that there
/// is none; an index that cannot be read or is not sorted; a file that cannot be written, or whose frames
/// the disk has no room for, which is told before anything is computed. After an error
/// the contents of the files are of no use.
pub fn extract(
    index: &Index,
    root: &Path,
    recipe: &Recipe,
    on_broken: OnBroken,
    outputs: &Outputs,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<Exclusions, FeatureError> {
    let work = Work::new(index, root, recipe, progress);
    let seconds = index.seconds()?;
    check_room(recipe.bytes(seconds), outputs.features.as_deref())?;
    let tables = Tables::create(outputs, recipe.columns())?;
    let pieces = outputs.pieces.as_deref().map(Pieces::open).transpose()?.unwrap_or_default();
    let groups = groups(ascending(index.utterances()), seconds);
    let mut found = write_groups(groups, &work, &pieces, tables)?;
    if !recipe.hears() {
        // Rows of a table can be the same without one recording.
        found.identical.clear();
    }
    verdict(found, index.len(), on_broken)
}

/// Computes the row groups of a part of [`extract`]'s tables and keeps them in `folder`, for it to take
/// from there. Those that lie there already, from a process that was killed or from another division,
/// are not computed again. Broken audio is no error here: the whole has the word on it.
///
/// # Errors
/// As [`extract`], but for broken audio; a folder that cannot be written.
pub fn extract_shard(
    index: &Index,
    root: &Path,
    recipe: &Recipe,
    shard: Shard,
    folder: &Path,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<(), FeatureError> {
    let work = Work::new(index, root, recipe, progress);
    let tables = Tables::nowhere(folder, recipe.columns())?;
    let (pieces, keeper) = (Pieces::open(folder)?, Keeper::new(folder, shard));
    let groups = groups(ascending(index.utterances()), index.seconds()?);
    for_each_group(groups, |number, group| {
        let name = Name::of(&group, root);
        if !shard.has(number) || pieces.read(&name).is_some() {
            work.pass_over(&group);
            return Ok(());
        }
        let done = Done::new(work.compute(&group)?, &tables)?;
        // Sounds that were changed meanwhile belong to no group.
        if Name::of(&group, root) == name { keeper.keep(&name, &done) } else { Ok(()) }
    })?;
    keeper.finish()
}

/// Works numbered row groups in parallel, as they come.
///
/// They are read by a thread of its own. A worker that read them would take up other work while
/// polars' threads decode for it, and then wait for a worker who waits for the next group, which it
/// keeps itself.
fn for_each_group(
    groups: impl Iterator<Item = Result<Vec<Utterance>, FeatureError>> + Send,
    work: impl Fn(usize, Vec<Utterance>) -> Result<(), FeatureError> + Send + Sync,
) -> Result<(), FeatureError> {
    let (sender, receiver) = sync_channel(rayon::current_num_threads());
    std::thread::scope(|scope| {
        scope.spawn(move || {
            // Nobody receives any more after an error.
            groups.enumerate().try_for_each(|group| sender.send(group)).ok();
        });
        receiver.into_iter().par_bridge().try_for_each(|(number, group)| work(number, group?))
    })
}

/// Works the row groups in parallel, and writes each when all before it are written; returns the
/// broken and the doubtful utterances.
fn write_groups(
    groups: impl Iterator<Item = Result<Vec<Utterance>, FeatureError>> + Send,
    work: &Work<'_>,
    pieces: &Pieces,
    tables: Tables,
) -> Result<Exclusions, FeatureError> {
    let written = Mutex::new(Written::nothing());
    for_each_group(groups, |number, group| {
        let ready = match pieces.find(&group, work.root) {
            Some(name) => Ready::Kept(name, group),
            None => Ready::Computed(Box::new(Done::new(work.compute(&group)?, &tables)?)),
        };
        // Nobody leaves it half changed but by an error, after which nothing is written any more.
        let mut written = written.lock().unwrap_or_else(PoisonError::into_inner);
        written.add(number, ready, &tables, |ready| ready.done(work, pieces, &tables))
    })?;
    tables.finish()?;
    Ok(written.into_inner().unwrap_or_else(PoisonError::into_inner).found())
}

/// Descriptors of an utterance, or why it is excluded.
type Outcome = Result<Described, Exclusion>;

/// A row group that is ready to be written.
pub(crate) struct Done {
    pub(crate) rows: Encoded,
    pub(crate) found: Exclusions,
    /// A digest of what was computed of each utterance that is not left out.
    pub(crate) digests: Digests,
}

/// Utterances, each with a digest of its values.
pub(crate) type Digests = Vec<(String, blake3::Hash)>;

impl Done {
    fn new(computed: Vec<Outcome>, tables: &Tables) -> Result<Self, FeatureError> {
        let (described, broken): (Vec<_>, Vec<_>) = computed.into_iter().partition(Result::is_ok);
        let mut described: Vec<Described> = described.into_iter().flatten().collect();
        let excluded = broken.into_iter().filter_map(Result::err).collect();
        let warnings = described.iter_mut().flat_map(|one| std::mem::take(&mut one.warnings));
        let warnings = warnings.collect();
        let found = Exclusions { schema: 1, excluded, warnings, identical: Vec::new() };
        // By this thread alone, which may hold what others wait for.
        let digests = described.iter().map(|one| (one.utterance_id.clone(), one.digest()));
        let digests = digests.collect();
        Ok(Self { rows: tables.encode(&described)?, found, digests })
    }
}

/// A row group that is not written yet. One that is kept is read when its turn comes, so that few are
/// in memory where one before them has to be computed.
enum Ready {
    Computed(Box<Done>),
    Kept(Name, Vec<Utterance>),
}

impl Ready {
    fn done(self, work: &Work<'_>, pieces: &Pieces, tables: &Tables) -> Result<Done, FeatureError> {
        match self {
            Self::Computed(done) => Ok(*done),
            Self::Kept(name, group) => match pieces.read(&name) {
                Some(done) => {
                    work.pass_over(&group);
                    Ok(done)
                }
                None => Done::new(work.compute_alone(&group)?, tables),
            },
        }
    }
}

/// What has been written so far, and what has to wait for its turn. Groups take about as long as one
/// another, so that few wait; behind a recording of hours, those that other threads finish meanwhile
/// do.
struct Written {
    groups: usize,
    early: BTreeMap<usize, Ready>,
    found: Exclusions,
    digests: Digests,
}

impl Written {
    fn nothing() -> Self {
        let found = Exclusions { schema: 1, ..Exclusions::default() };
        Self { groups: 0, early: BTreeMap::new(), found, digests: Digests::new() }
    }

    fn add(
        &mut self,
        number: usize,
        ready: Ready,
        tables: &Tables,
        done: impl Fn(Ready) -> Result<Done, FeatureError>,
    ) -> Result<(), FeatureError> {
        self.early.insert(number, ready);
        while let Some(ready) = self.early.remove(&self.groups) {
            let done = done(ready)?;
            tables.write(&done.rows)?;
            self.found.excluded.extend(done.found.excluded);
            self.found.warnings.extend(done.found.warnings);
            self.digests.extend(done.digests);
            self.groups += 1;
        }
        Ok(())
    }

    /// What was found in all of them.
    fn found(self) -> Exclusions {
        Exclusions { identical: identical(self.digests), ..self.found }
    }
}

/// Utterances of equal digests, two and more, in the order of the first of each.
fn identical(digests: Digests) -> Vec<Vec<String>> {
    let mut by_digest: BTreeMap<[u8; 32], Vec<String>> = BTreeMap::new();
    for (id, digest) in digests {
        by_digest.entry(digest.into()).or_default().push(id);
    }
    let mut several: Vec<Vec<String>> =
        by_digest.into_values().filter(|ids| ids.len() > 1).collect();
    several.sort_unstable();
    several
}

/// Passes the utterances on while their ids ascend.
fn ascending(
    utterances: impl Iterator<Item = Result<Utterance, CorpusError>> + Send,
) -> impl Iterator<Item = Result<Utterance, FeatureError>> + Send {
    let mut last = String::new();
    utterances.map(move |utterance| {
        let utterance = utterance?;
        let after = utterance.utterance_id.clone();
        let before = std::mem::replace(&mut last, after.clone());
        if before > after { Err(FeatureError::Unsorted { before, after }) } else { Ok(utterance) }
    })
}

/// Cuts utterances of so many seconds in all into row groups, by their number and length alone.
pub(crate) fn groups(
    mut utterances: impl Iterator<Item = Result<Utterance, FeatureError>> + Send,
    seconds: f64,
) -> impl Iterator<Item = Result<Vec<Utterance>, FeatureError>> + Send {
    let limit = (seconds / GROUPS).clamp(SHORTEST_GROUP, LONGEST_GROUP);
    std::iter::from_fn(move || group(&mut utterances, limit).transpose())
}

/// The next row group, or none at the end.
fn group(
    utterances: &mut impl Iterator<Item = Result<Utterance, FeatureError>>,
    limit: f64,
) -> Result<Option<Vec<Utterance>>, FeatureError> {
    let mut group = Vec::new();
    let mut length = 0.0;
    while group.len() < GROUP_UTTERANCES && length < limit {
        let Some(utterance) = utterances.next().transpose()? else { break };
        length += utterance.duration_s.unwrap_or(0.0);
        group.push(utterance);
    }
    Ok((!group.is_empty()).then_some(group))
}

/// What every utterance is worked with.
struct Work<'a> {
    root: &'a Path,
    recipe: &'a Recipe,
    done: AtomicU64,
    total: u64,
    progress: &'a (dyn Fn(u64, u64) + Sync),
}

impl<'a> Work<'a> {
    fn new(
        index: &Index,
        root: &'a Path,
        recipe: &'a Recipe,
        progress: &'a (dyn Fn(u64, u64) + Sync),
    ) -> Self {
        Self { root, recipe, done: AtomicU64::new(0), total: index.len() as u64, progress }
    }

    /// Counts utterances that others work.
    fn pass_over(&self, group: &[Utterance]) {
        self.add_done(group.len());
    }

    /// Descriptors, or the fault, of every utterance in order.
    fn compute(&self, group: &[Utterance]) -> Result<Vec<Outcome>, FeatureError> {
        let cuts = |session: &mut Box<dyn Session + '_>, cuts| self.cuts(cuts, session);
        let recordings: Vec<&[Utterance]> = recordings(group).collect();
        let session = || self.recipe.frontend.session();
        let outcomes = recordings.into_par_iter().map_init(session, cuts);
        Ok(outcomes.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    /// The same by this thread alone, where it must not take up other work meanwhile.
    fn compute_alone(&self, group: &[Utterance]) -> Result<Vec<Outcome>, FeatureError> {
        let mut session = self.recipe.frontend.session();
        let outcomes = recordings(group).map(|cuts| self.cuts(cuts, &mut session));
        Ok(outcomes.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    /// Of the utterances that follow one another in one recording, which is decoded once.
    fn cuts(
        &self,
        utterances: &[Utterance],
        session: &mut Box<dyn Session + '_>,
    ) -> Result<Vec<Outcome>, FeatureError> {
        let heard = match self.heard(utterances) {
            Ok(heard) => heard,
            Err(error) if !utterances.iter().all(|u| is_fault_of_data(&error.problem, u)) => {
                return Err(FeatureError::Unreadable(error));
            }
            // A link to nothing is no file of the corpus, so no result may tell it from none.
            Err(error) => {
                self.add_done(utterances.len());
                let left_out = |u| Err(because(u, reason(&error.problem)));
                return Ok(utterances.iter().map(left_out).collect());
            }
        };
        let outcome = |(utterance, audio): (&Utterance, Result<Audio, AudioError>)| {
            let outcome = match audio {
                Ok(audio) => self.describe(utterance, &audio, session),
                Err(error) => Err(because(utterance, reason(&error.problem))),
            };
            self.add_done(1);
            outcome
        };
        Ok(utterances.iter().zip(heard).map(outcome).collect())
    }

    /// Counts utterances that are done.
    fn add_done(&self, count: usize) {
        let count = count as u64;
        (self.progress)(self.done.fetch_add(count, Ordering::Relaxed) + count, self.total);
    }

    /// The sound of utterances of one recording, or nothing for a front end that does not hear.
    fn heard(
        &self,
        utterances: &[Utterance],
    ) -> Result<Vec<Result<Audio, AudioError>>, AudioError> {
        if !self.recipe.frontend.hears() {
            let nothing = |_: &Utterance| Ok(Audio { samples: Vec::new(), warnings: Vec::new() });
            return Ok(utterances.iter().map(nothing).collect());
        }
        let cut = |u: &Utterance| Cut { start_s: u.start_s, end_s: u.end_s };
        let cuts: Vec<Cut> = utterances.iter().map(cut).collect();
        Audio::load_cuts(&self.root.join(&utterances[0].path), &cuts)
    }

    fn describe(
        &self,
        utterance: &Utterance,
        audio: &Audio,
        session: &mut Box<dyn Session + '_>,
    ) -> Outcome {
        let id = utterance.utterance_id.as_str();
        let described = session.describe(&frontends::Utterance { id, samples: &audio.samples });
        let parts = described.and_then(|rows| self.recipe.parts(rows));
        let (frames, vector) = parts.map_err(|reason| because(utterance, reason))?;
        let warnings = audio.warnings.iter().map(|warning| because(utterance, warning.to_string()));
        let warnings = warnings.collect();
        Ok(Described { utterance_id: id.to_owned(), frames, vector, warnings })
    }
}

/// The utterances that follow one another in one recording.
fn recordings(group: &[Utterance]) -> impl Iterator<Item = &[Utterance]> {
    group.chunk_by(|one, next| one.path == next.path)
}

fn because(utterance: &Utterance, reason: String) -> Exclusion {
    let Utterance { utterance_id, path, .. } = utterance.clone();
    Exclusion { utterance_id, path, reason }
}

/// Whether the corpus is at fault, and not the machine: the content of a file is, and a path without
/// a file. But a path that had a file when the corpus was indexed has one; that it is missing now can
/// pass, and to exclude the utterance would last. Where the index has a duration, there was a file.
/// Where it has none, there was none, or one whose content is at fault, which is excluded anyway.
fn is_fault_of_data(problem: &Problem, utterance: &Utterance) -> bool {
    match problem {
        Problem::Unreadable(_) => problem.is_missing() && utterance.duration_s.is_none(),
        _ => true,
    }
}

/// A link to nothing is no file of the corpus, so no result may tell it from a file that is not there.
fn reason(problem: &Problem) -> String {
    match problem {
        Problem::Unreadable(error) if error.kind() == ErrorKind::NotFound => MISSING.to_owned(),
        _ => problem.to_string(),
    }
}

fn verdict(
    found: Exclusions,
    total: usize,
    on_broken: OnBroken,
) -> Result<Exclusions, FeatureError> {
    let broken = &found.excluded;
    if total == 0 {
        return Err(FeatureError::NoUtterances);
    }
    if broken.len() == total {
        return Err(FeatureError::AllBroken { broken: found.excluded });
    }
    match on_broken {
        OnBroken::Stop if !broken.is_empty() => {
            Err(FeatureError::Broken { broken: found.excluded, total })
        }
        OnBroken::Stop | OnBroken::Skip => Ok(found),
    }
}
