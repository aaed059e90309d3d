//! What a search found: for every method its trials, the lowest validation loss first.

use std::collections::BTreeMap;

use ambivox_settings::{Method, counted};
use serde::Serialize;

use super::study::Settings;
use crate::execute::Tally;
use crate::experiment::Experiment;
use crate::table;

/// Rows of a table; what follows is in the JSON document.
const SHOWN: usize = 20;

/// The outcome for all methods.
#[derive(Debug, Serialize)]
pub(crate) struct Ranking {
    schema: u32,
    pipeline: String,
    synthetic: bool,
    methods: Vec<MethodRanking>,
    pub(crate) stages: Tally,
}

/// The outcome for one method.
#[derive(Debug, Serialize)]
pub(crate) struct MethodRanking {
    method: Method,
    /// The best first; of equals the earlier.
    trials: Vec<Ranked>,
}

/// One trial.
#[derive(Debug, Serialize)]
pub(crate) struct Ranked {
    pub(crate) trial: usize,
    /// Mean over runs of the validation loss of the model kept.
    pub(crate) validation_loss: f64,
    /// Its sample standard deviation over runs.
    pub(crate) sd: Option<f64>,
    /// Runs: folds times seeds.
    pub(crate) runs: usize,
    pub(crate) settings: Settings,
}

impl MethodRanking {
    pub(crate) fn new(method: Method, mut trials: Vec<Ranked>) -> Self {
        trials.sort_by(|a, b| a.validation_loss.total_cmp(&b.validation_loss));
        Self { method, trials }
    }

    /// The table and the best settings.
    fn text(&self) -> String {
        let Some(best) = self.trials.first() else { return String::new() };
        let (trials, runs) = (counted(self.trials.len(), "trial"), counted(best.runs, "run"));
        let head = format!("{}: {trials} of {runs}", self.method);
        let names = best.settings.keys().map(|path| name(path));
        let columns: Vec<&str> = ["trial", "validation loss"].into_iter().chain(names).collect();
        let mut table = table::table(&columns, &[]);
        for trial in self.trials.iter().take(SHOWN) {
            let values = trial.settings.values().map(ToString::to_string);
            let first = [trial.trial.to_string(), trial.loss()];
            table.add_row(first.into_iter().chain(values));
        }
        let more = self.trials.len().saturating_sub(SHOWN);
        let rest = (more > 0).then(|| format!("{more} more are in the document of --json."));
        let lines = format!("The best, for the pipeline file:\n\n{}", toml_lines(&best.settings));
        let parts = [Some(head), Some(table.to_string()), rest, Some(lines)];
        parts.into_iter().flatten().collect::<Vec<_>>().join("\n")
    }
}

impl Ranked {
    fn loss(&self) -> String {
        let sd = self.sd.map_or(String::new(), |sd| format!(" ± {sd:.4}"));
        format!("{:.4}{sd}", self.validation_loss)
    }
}

impl Ranking {
    pub(crate) fn new(experiment: &Experiment, methods: Vec<MethodRanking>, stages: Tally) -> Self {
        let pipeline = experiment.pipeline.name.clone();
        Self { schema: 1, pipeline, synthetic: experiment.manifest.synthetic, methods, stages }
    }

    /// A table per method, for people.
    pub(crate) fn text(&self) -> String {
        let legend = "Validation loss of the model kept, mean ± sd over runs; the lowest first.\n\
            No run's own test speaker enters it.";
        let synthetic = self.synthetic.then(|| table::SYNTHETIC.to_owned());
        let methods = self.methods.iter().map(MethodRanking::text);
        let parts = methods.chain([legend.to_owned()]).chain(synthetic);
        parts.collect::<Vec<_>>().join("\n")
    }
}

/// The last part of a setting's path.
fn name(path: &str) -> &str {
    path.rsplit_once('.').map_or(path, |(_, name)| name)
}

/// The settings as sections of a pipeline file.
fn toml_lines(settings: &Settings) -> String {
    let mut sections: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (path, value) in settings {
        let (section, key) = path.rsplit_once('.').unwrap_or(("", path));
        sections.entry(section).or_default().push(format!("{key} = {value}\n"));
    }
    let text = sections.into_iter().map(|(name, lines)| format!("[{name}]\n{}", lines.concat()));
    text.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::tests::Toy;

    fn ranked(trial: usize, loss: f64, rate: f64) -> Ranked {
        let settings = [
            ("methods.lw.label_rate", toml::Value::Float(rate)),
            ("methods.lw.label_scale", toml::Value::Float(10.0)),
            ("methods.lw.weight_rate", toml::Value::Float(0.0123)),
            ("training.patience", toml::Value::Integer(8)),
        ];
        let settings = settings.map(|(path, value)| (path.to_owned(), value)).into();
        Ranked { trial, validation_loss: loss, sd: Some(0.25), runs: 30, settings }
    }

    fn ranking(trials: Vec<Ranked>) -> Ranking {
        let experiment = Toy::new().read().unwrap();
        let tally = Tally { fresh: 4, made: 60 };
        Ranking::new(
            &experiment,
            vec![MethodRanking::new(Method::new("lw").unwrap(), trials)],
            tally,
        )
    }

    #[test]
    fn the_lowest_loss_comes_first_and_of_equals_the_earlier() {
        let found = ranking(vec![ranked(1, 1.25, 0.1), ranked(2, 0.75, 0.2), ranked(3, 0.75, 0.3)]);
        let text = found.text();
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        insta::assert_snapshot!(text);
        let json = serde_json::to_value(&found).unwrap();
        assert_eq!(json["methods"][0]["trials"][0]["trial"], 2);
        assert_eq!(json["methods"][0]["trials"][0]["settings"]["training.patience"], 8);
        assert_eq!(json["stages"]["made"], 60);
    }

    #[test]
    fn long_tables_are_cut() {
        let trials = (1..=SHOWN + 3).map(|n| ranked(n, n as f64, 0.1)).collect();
        let text = ranking(trials).text();
        assert!(text.contains("3 more are in the document"), "{text}");
    }
}
