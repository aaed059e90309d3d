//! What is printed: a table for people, JSON, or CSV.

use std::collections::BTreeMap;

use crate::{Analysis, Ensemble, Window};
use ambivox_settings::{exit, guard, one_line};
use comfy_table::presets::ASCII_BORDERS_ONLY_CONDENSED;
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table};
use serde::Serialize;

use super::Error;

/// Columns of a terminal.
const WIDTH: u16 = 80;
/// The most classes that have a column each; of more, a row names the [`RANKED`].
const MOST_COLUMNS: usize = 5;
/// Heads of the most probable classes.
const RANKED: [&str; 3] = ["emotion", "second", "third"];

/// One sound, and what is said of it or why nothing is.
pub(crate) struct Answer {
    pub(crate) name: String,
    pub(crate) said: Result<Analysis, String>,
    /// What is doubtful about the recording.
    pub(crate) warnings: Vec<String>,
    /// The exit code that it calls for.
    pub(crate) code: u8,
}

/// All that a command found.
pub(crate) struct Report<'a> {
    pub(crate) ensemble: &'a Ensemble,
    pub(crate) answers: Vec<Answer>,
    /// Time that it took.
    pub(crate) seconds: f64,
}

/// Place of the most probable class, the first of equals.
pub(crate) fn most_probable(probabilities: &[f64]) -> usize {
    (0..probabilities.len())
        .fold(0, |top, c| if probabilities[c] > probabilities[top] { c } else { top })
}

/// Places of all classes, the most probable first, the first of equals.
fn ranked(probabilities: &[f64]) -> Vec<usize> {
    let mut places: Vec<usize> = (0..probabilities.len()).collect();
    places.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
    places
}

impl Report<'_> {
    /// A row per sound and, where it was cut, one for each window.
    pub(crate) fn table(&self) -> String {
        let mut table = Table::new();
        table.load_style(ASCII_BORDERS_ONLY_CONDENSED);
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(WIDTH);
        let peak = self.ensemble.attends().then_some("peak");
        let heads = ["sound", "from", "to"].into_iter().chain(peak);
        let classes: Vec<_> = self.ensemble.classes().iter().map(|class| one_line(class)).collect();
        let columns = std::iter::once("emotion").chain(classes.iter().map(|class| short(class)));
        let columns = if self.ranks() { RANKED.to_vec() } else { columns.collect() };
        table.set_header(heads.chain(columns));
        for (answer, analysis) in self.analyses() {
            let name = one_line(file_name(&answer.name));
            let whole = [name.as_ref(), "0.0", &format!("{:.1}", analysis.duration_s)];
            match analysis.windows.as_slice() {
                [window] => self.row(&mut table, whole, Some(window), &window.probabilities),
                windows => {
                    self.row(&mut table, whole, None, &analysis.probabilities);
                    for window in windows {
                        let times = [window.start_s, window.end_s].map(|time| format!("{time:.1}"));
                        let named = ["", &times[0], &times[1]];
                        self.row(&mut table, named, Some(window), &window.probabilities);
                    }
                }
            }
        }
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
            // A name may be broken, a number may not.
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
        let attention = if self.ensemble.attends() {
            "; peak: where most attention lies."
        } else {
            ".\nThese networks read each window as a whole and attend to no moment of it."
        };
        let ranked = match self.ensemble.classes().len() {
            all if self.ranks() => format!("Of {all} classes the most probable; --csv has all.\n"),
            _ => String::new(),
        };
        format!("{table}\nTimes in seconds, probabilities in percent{attention}\n{ranked}")
    }

    /// Whether there are too many classes for a column each.
    fn ranks(&self) -> bool {
        self.ensemble.classes().len() > MOST_COLUMNS
    }

    fn row(&self, table: &mut Table, named: [&str; 3], at: Option<&Window>, probabilities: &[f64]) {
        let peak = at.and_then(|window| window.attention.as_ref());
        let peak = peak.map_or(String::new(), |attention| format!("{:.2}", attention.peak_s));
        let peak = self.ensemble.attends().then_some(peak);
        let named = named.map(str::to_owned).into_iter();
        table.add_row(named.chain(peak).chain(self.probable(probabilities)));
    }

    /// The most probable class and the probability of each; or the most probable classes with theirs.
    fn probable(&self, probabilities: &[f64]) -> Vec<String> {
        let class = |place: usize| one_line(&self.ensemble.classes()[place]).into_owned();
        let percent = |p: f64| format!("{:.1}", 100.0 * p);
        if !self.ranks() {
            let all = probabilities.iter().map(|&p| percent(p));
            return std::iter::once(class(most_probable(probabilities))).chain(all).collect();
        }
        let ranked = ranked(probabilities).into_iter().take(RANKED.len());
        ranked.map(|place| format!("{} {}", class(place), percent(probabilities[place]))).collect()
    }

    /// The JSON document.
    pub(crate) fn json(&self, attention: bool) -> Result<String, Error> {
        let classes = self.ensemble.classes();
        let sounds = self.analyses().map(|(answer, analysis)| Entry {
            sound: &answer.name,
            duration_s: analysis.duration_s,
            emotion: &classes[most_probable(&analysis.probabilities)],
            probabilities: by_class(classes, &analysis.probabilities),
            windows: analysis.windows.iter().map(|w| Said::new(classes, w, attention)).collect(),
            warnings: &answer.warnings,
        });
        let broken = self.answers.iter().filter_map(|answer| {
            let reason = answer.said.as_ref().err()?;
            Some(Broken { sound: &answer.name, reason })
        });
        let document = Document {
            schema: 1,
            model: self.ensemble.bundle(),
            step_s: self.ensemble.step_s(),
            sounds: sounds.collect(),
            broken: broken.collect(),
        };
        Ok(serde_json::to_string_pretty(&document)? + "\n")
    }

    /// A row per window.
    pub(crate) fn csv(&self) -> Result<String, Error> {
        let mut csv = csv::Writer::from_writer(Vec::new());
        csv.write_record(csv_head(self.ensemble.classes()))?;
        for (answer, analysis) in self.analyses() {
            for window in &analysis.windows {
                csv.write_record(csv_row(&answer.name, self.ensemble.classes(), window))?;
            }
        }
        Ok(String::from_utf8(csv.into_inner()?)?)
    }

    /// A line for everything that is doubtful about a recording.
    pub(crate) fn warnings(&self) -> impl Iterator<Item = String> {
        self.answers.iter().flat_map(|answer| {
            let name = one_line(&answer.name);
            answer.warnings.iter().map(move |warning| format!("warning: {name}: {warning}"))
        })
    }

    /// A line for every sound that could not be used, and how many these are.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let lines = self.answers.iter().filter_map(|answer| {
            let reason = answer.said.as_ref().err()?;
            Some(format!("{}: {reason}", one_line(&answer.name)))
        });
        let mut lines: Vec<String> = lines.collect();
        if !lines.is_empty() {
            let (broken, all) = (lines.len(), self.answers.len());
            lines.push(match (broken, all) {
                (1, 1) => "error: the sound could not be used, so there is nothing to say".to_owned(),
                (broken, all) if broken == all => format!(
                    "error: none of {all} sounds could be used, so there is nothing to say; why, is \
                     said of each above"
                ),
                _ => format!("error: {broken} of {all} sounds could not be used; they are named above"),
            });
        }
        lines
    }

    /// Done where every sound could be used; else that data are at fault, unless the machine alone is.
    pub(crate) fn exit_code(&self) -> u8 {
        let codes = self.answers.iter().map(|answer| answer.code);
        const { assert!(exit::DONE < exit::FAILED && exit::FAILED < exit::DATA) };
        codes.max().unwrap_or(exit::DONE)
    }

    /// Whether any sound could be used.
    pub(crate) fn has_any(&self) -> bool {
        self.answers.iter().any(|answer| answer.said.is_ok())
    }

    /// How long it took.
    pub(crate) fn speed(&self) -> String {
        let sound: f64 = self.analyses().map(|(_, analysis)| analysis.duration_s).sum();
        let (seconds, networks) = (self.seconds, self.ensemble.bundle().networks.len());
        let by =
            if networks == 1 { "one network".to_owned() } else { format!("{networks} networks") };
        format!(
            "{sound:.1} s of sound by {by} in {seconds:.2} s: {:.0} × real time",
            sound / seconds
        )
    }

    fn analyses(&self) -> impl Iterator<Item = (&Answer, &Analysis)> {
        self.answers.iter().filter_map(|answer| Some((answer, answer.said.as_ref().ok()?)))
    }
}

/// The first three letters, as is usual for emotions.
fn short(class: &str) -> &str {
    class.char_indices().nth(3).map_or(class, |(at, _)| &class[..at])
}

/// The last part of a path: where the others are wanted, JSON and CSV have them.
fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// Heads of the CSV's columns; `peak_s` is empty where networks attend to no moment.
pub(crate) fn csv_head(classes: &[String]) -> Vec<String> {
    let named = ["sound", "start_s", "end_s", "peak_s", "emotion"].map(str::to_owned).into_iter();
    named.chain(classes.iter().map(|class| format!("p_{class}"))).collect()
}

/// A window as a row of the CSV, in which no text is a formula.
pub(crate) fn csv_row(sound: &str, classes: &[String], window: &Window) -> Vec<String> {
    let times = [window.start_s, window.end_s].map(|time| format!("{time:.3}"));
    let peak = window.attention.as_ref();
    let peak = peak.map_or(String::new(), |attention| format!("{:.3}", attention.peak_s));
    let emotion = guard(&classes[most_probable(&window.probabilities)]).into_owned();
    let probabilities = window.probabilities.iter().map(|p| format!("{p:.6}"));
    let named = std::iter::once(guard(sound).into_owned()).chain(times).chain([peak, emotion]);
    named.chain(probabilities).collect()
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    model: &'a ambivox_settings::Bundle,
    step_s: f64,
    sounds: Vec<Entry<'a>>,
    broken: Vec<Broken<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    sound: &'a str,
    duration_s: f64,
    emotion: &'a str,
    probabilities: BTreeMap<&'a str, f64>,
    windows: Vec<Said<'a>>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    warnings: &'a [String],
}

#[derive(Serialize)]
struct Broken<'a> {
    sound: &'a str,
    reason: &'a str,
}

/// A window in JSON.
#[derive(Serialize)]
pub(crate) struct Said<'a> {
    start_s: f64,
    end_s: f64,
    peak_s: Option<f64>,
    emotion: &'a str,
    probabilities: BTreeMap<&'a str, f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attention: Option<&'a [f32]>,
}

impl<'a> Said<'a> {
    pub(crate) fn new(classes: &'a [String], window: &'a Window, attention: bool) -> Self {
        let attended = window.attention.as_ref();
        Self {
            start_s: window.start_s,
            end_s: window.end_s,
            peak_s: attended.map(|attention| attention.peak_s),
            emotion: &classes[most_probable(&window.probabilities)],
            probabilities: by_class(classes, &window.probabilities),
            attention: attended.filter(|_| attention).map(|found| found.weights.as_slice()),
        }
    }
}

fn by_class<'a>(classes: &'a [String], probabilities: &[f64]) -> BTreeMap<&'a str, f64> {
    classes.iter().map(String::as_str).zip(probabilities.iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_ranked_the_first_of_equals_first() {
        assert_eq!(ranked(&[0.1, 0.4, 0.1, 0.4]), [1, 3, 0, 2]);
        assert_eq!(ranked(&[]), [0; 0]);
    }

    #[test]
    fn no_text_of_the_csv_is_a_formula_and_every_number_stays_one() {
        let window = Window {
            start_s: 0.0,
            end_s: 1.0,
            frames: 98,
            probabilities: vec![0.75, 0.25],
            attention: None,
        };
        let classes = ["=anger", "sadness"].map(str::to_owned);
        let row = csv_row("-1.wav", &classes, &window);
        assert_eq!(row, ["'-1.wav", "0.000", "1.000", "", "'=anger", "0.750000", "0.250000"]);
        assert_eq!(csv_row("-", &classes, &window)[0], "-", "standard input");
    }
}
