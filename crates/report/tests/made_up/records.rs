//! Made-up but plausible records: ten speakers, four classes, two methods.
#![expect(clippy::unwrap_used, reason = "the records are right by construction")]

use std::collections::BTreeMap;
use std::path::Path;

use ambivox_eval::{
    Alone, Confusion, EpochRecord, LabelMoves, LabelRepair, NoiseDetection, NoisePoint,
    NoiseSummary, RunHistory, Spread, Summary, SummaryBuilder, Tested,
};
use ambivox_report::ReportInput;
use ambivox_settings::{
    AnnotatorSummary, AnnotatorsSummary, CorrectionCounts, Exclusion, Exclusions, Fold, Grouping,
    IndexSummary, Manifest, Sex, SpeakerSummary, Splits,
};

const CLASSES: [&str; 4] = ["happiness", "sadness", "neutral", "anger"];

const MANIFEST: &str = r#"
schema = 1
name = "made-up"
title = "A made-up corpus of ten speakers"
synthetic = true
licence = "CC0-1.0"
source = "https://example.org/made-up"
citation = "Nobody: “Nothing was ever recorded for this”, 2024."
root_env = "MADE_UP_ROOT"
adapter = "iemocap"
files = ["Session*/**/*.wav"]
[labels]
hap = "happiness"
sad = "sadness"
neu = "neutral"
ang = "anger"
xxx = ""
"#;

const PIPELINE: &str = r#"schema = 1
name = "made-up"
title = "Made-up records"

[training]
seeds = [0, 1, 2]
batch_size = 32       # utterances
learning_rate = 1e-3
"#;

/// Owner of everything that a report borrows.
pub(crate) struct Records {
    /// The corpus.
    pub(crate) manifest: Manifest,
    /// The rates.
    pub(crate) summary: Summary,
    /// The corpus's contents.
    pub(crate) index: IndexSummary,
    /// What was left out.
    pub(crate) exclusions: Exclusions,
    /// The folds.
    pub(crate) splits: Splits,
    /// All learning curves.
    pub(crate) histories: Vec<RunHistory>,
    /// Label noise of several rates.
    pub(crate) noise: NoiseSummary,
    /// What a reviewer's file did.
    pub(crate) corrections: CorrectionCounts,
    /// Versions and digests.
    pub(crate) provenance: Vec<(String, String)>,
    /// Kinds of model that methods have of their own.
    pub(crate) own_models: BTreeMap<String, String>,
}

impl Records {
    /// Records of one cross-validation for each of `seeds`, by two methods.
    pub(crate) fn new(seeds: &[u64]) -> Self {
        let mut chance = Chance(1);
        let index = index(&mut chance);
        let classes = CLASSES.map(str::to_owned).to_vec();
        let mut builder = SummaryBuilder::new("made-up", &classes, true);
        let mut histories = Vec::new();
        for (method, skill) in [("baseline", 0.60), ("lw", 0.64)] {
            for &seed in seeds {
                for speaker in &index.speakers {
                    let run = history(method, seed, speaker, &mut chance);
                    builder.add_run(tested(speaker, skill, &mut chance), &run).unwrap();
                    histories.push(run);
                }
            }
        }
        builder.add_labels("lw", seeds[0], &moves()).unwrap();
        Self {
            manifest: Manifest::parse(Path::new("made-up.toml"), MANIFEST).unwrap(),
            summary: builder.finish().unwrap(),
            splits: splits(&index),
            index,
            exclusions: exclusions(),
            histories,
            noise: noise(),
            corrections: CorrectionCounts {
                file: "corrections.csv".to_owned(),
                changed: 12,
                kept: 3,
            },
            provenance: provenance(),
            own_models: BTreeMap::new(),
        }
    }

    /// What [`ambivox_report::render`] takes.
    pub(crate) fn input(&self) -> ReportInput<'_> {
        ReportInput {
            title: "Made-up records: baseline and learned labels and weights",
            manifest: &self.manifest,
            model: "blstm-attention",
            own_models: &self.own_models,
            pipeline_toml: PIPELINE,
            summary: &self.summary,
            index: &self.index,
            exclusions: &self.exclusions,
            splits: &self.splits,
            histories: &self.histories,
            noise: Some(&self.noise),
            balanced: false,
            corrections: Some((&self.corrections, false)),
            provenance: &self.provenance,
        }
    }
}

/// A linear congruential generator: the records need variety, not quality.
struct Chance(u64);

impl Chance {
    /// A number from 0 to below 1.
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 40) as f64 / (1u64 << 24) as f64
    }
}

fn speakers() -> Vec<(String, Sex)> {
    let sexes = [("F", Sex::Female), ("M", Sex::Male)];
    (1..=5).flat_map(|s| sexes.map(|(letter, sex)| (format!("Ses0{s}{letter}"), sex))).collect()
}

fn speaker(name: String, sex: Sex, chance: &mut Chance) -> SpeakerSummary {
    let per_class = [55.0, 105.0, 170.0, 110.0];
    let gold: BTreeMap<String, u64> = CLASSES
        .into_iter()
        .zip(per_class)
        .map(|(class, n)| (class.to_owned(), (n * (0.6 + 0.8 * chance.next())) as u64))
        .collect();
    let utterances = gold.values().sum::<u64>() + 40;
    let seconds = utterances as f64 * (3.5 + chance.next());
    let session = name[..5].to_owned();
    SpeakerSummary { speaker: name, session, sex: Some(sex), utterances, seconds, gold }
}

fn index(chance: &mut Chance) -> IndexSummary {
    let speakers: Vec<SpeakerSummary> =
        speakers().into_iter().map(|(name, sex)| speaker(name, sex, chance)).collect();
    IndexSummary {
        schema: 1,
        corpus: "made-up".to_owned(),
        utterances: speakers.iter().map(|s| s.utterances).sum(),
        seconds: speakers.iter().map(|s| s.seconds).sum(),
        votes: true,
        files: 512,
        blake3: "9c2e5b0d".repeat(8),
        release_differences: vec!["files: 512 where the release has 513".to_owned()],
        corrections: None,
        warnings: Vec::new(),
        annotators: Some(annotators()),
        speakers,
    }
}

fn annotators() -> AnnotatorsSummary {
    let one = |(name, ratings, agreement, accuracy): (&str, u64, f64, f64)| AnnotatorSummary {
        annotator: name.to_owned(),
        ratings,
        agreement: Some(agreement),
        accuracy: Some(accuracy),
    };
    let all = [("E1", 498, 0.713, 0.884), ("E2", 512, 0.694, 0.851), ("E3", 307, 0.481, 0.502)];
    AnnotatorsSummary {
        ratings: 1317,
        rated: [512, 498],
        fleiss_kappa: Some(0.482),
        krippendorff_alpha: Some(0.4791),
        annotators: all.map(one).to_vec(),
    }
}

fn tested(speaker: &SpeakerSummary, skill: f64, chance: &mut Chance) -> Tested {
    let hard = [-0.22, 0.08, 0.0, 0.12];
    let luck = 0.16 * (chance.next() - 0.5);
    let mut predictions: Vec<(usize, [f64; 4])> = Vec::new();
    for (gold, class) in CLASSES.iter().enumerate() {
        for _ in 0..speaker.gold[*class] {
            let right = chance.next() < skill + hard[gold] + luck;
            let other = if chance.next() < 0.5 { 2 } else { (4.0 * chance.next()) as usize };
            let highest = 0.4 + 0.55 * (predictions.len() % 7) as f64 / 6.0;
            let mut probabilities = [(1.0 - highest) / 3.0; 4];
            probabilities[if right { gold } else { other }] = highest;
            predictions.push((gold, probabilities));
        }
    }
    let predictions = predictions.iter().map(|(gold, p)| (*gold, p.as_slice()));
    Tested::from_probabilities(CLASSES.len(), predictions).unwrap()
}

fn history(method: &str, seed: u64, speaker: &SpeakerSummary, chance: &mut Chance) -> RunHistory {
    let lw = method == "lw";
    let best_epoch = 8 + (14.0 * chance.next()) as usize;
    let floor = 0.9 + 0.25 * chance.next();
    let epochs = (1..=best_epoch + 10).map(|n| epoch(n, best_epoch, floor, lw, chance)).collect();
    RunHistory {
        schema: 1,
        method: method.to_owned(),
        seed,
        fold: speaker.speaker.clone(),
        classes: CLASSES.map(str::to_owned).to_vec(),
        train_utterances: 3592,
        validation_utterances: 449,
        test_utterances: 449,
        parameters: 675_332,
        best_epoch,
        chosen: std::collections::BTreeMap::new(),
        initial_mean_weight: lw.then(|| vec![0.53, 0.97, 1.52, 0.98]),
        epochs,
    }
}

fn epoch(n: usize, best: usize, floor: f64, lw: bool, chance: &mut Chance) -> EpochRecord {
    let (at, best) = (n as f64, best as f64);
    let late = ((at - best).max(0.0) / 10.0).powi(2) * 0.2;
    let progress = 1.0 - (-at / best).exp();
    let weight = |start: f64, end: f64| start + (end - start) * progress;
    EpochRecord {
        epoch: n,
        train_loss: 1.45 - 0.9 * (1.0 - (-at / (1.4 * best)).exp()) + 0.02 * chance.next(),
        validation_loss: Some(
            floor + 0.45 * (-3.0 * at / best).exp() + late + 0.04 * chance.next(),
        ),
        validation_wa: Some(0.6),
        validation_ua: Some(0.58),
        criterion: None,
        labels_moved: lw.then_some(0.18 * progress),
        mean_weight: lw.then(|| {
            vec![weight(0.53, 1.32), weight(0.97, 0.92), weight(1.52, 1.08), weight(0.98, 0.84)]
        }),
    }
}

fn moves() -> LabelMoves {
    let rows = [[296, 142, 131, 26], [18, 1012, 43, 11], [70, 154, 1418, 66], [22, 13, 110, 958]];
    let moves = Confusion::try_from(rows.map(Vec::from).to_vec()).unwrap();
    let repair = LabelRepair { wrong: 612, restored: 275, right: 3878, broken: 531 };
    let last = [[201, 190, 170, 34], [20, 1001, 50, 13], [81, 201, 1350, 76], [30, 17, 141, 915]];
    let moves_at_last = Some(Confusion::try_from(last.map(Vec::from).to_vec()).unwrap());
    LabelMoves { moves, moves_at_last, repair: Some(repair) }
}

fn splits(index: &IndexSummary) -> Splits {
    let names: Vec<&String> = index.speakers.iter().map(|speaker| &speaker.speaker).collect();
    let fold = |(i, name): (usize, &&String)| Fold {
        name: (*name).clone(),
        tested: vec![(*name).clone()],
        validating: vec![names[i ^ 1].clone()],
        test: vec![],
        validation: vec![],
        left_out: vec![],
        ..Fold::default()
    };
    let total: u64 = index.speakers.iter().flat_map(|speaker| speaker.gold.values()).sum();
    Splits {
        schema: 3,
        grouping: Grouping::Speaker,
        listed: false,
        classes: CLASSES.map(str::to_owned).to_vec(),
        folds: names.iter().enumerate().map(fold).collect(),
        utterances: (0..total).map(|n| format!("utterance-{n:05}")).collect(),
        ambiguous: vec![],
        without_votes: vec![],
        groups: BTreeMap::new(),
        notes: vec![],
    }
}

/// Eight methods at four rates, each a little better than the one before.
fn noise() -> NoiseSummary {
    let spread = |mean| Spread { mean, sd: Some(0.012) };
    let methods = ambivox_settings::Method::TABLE_2.iter().enumerate();
    let methods = methods.map(|(n, method)| {
        let point = |k: u8| {
            let rate = 0.1 * f64::from(k);
            let ua = 0.7 - 0.5 * rate * (1.0 - 0.06 * n as f64);
            let restored = LabelRepair { wrong: 400, restored: 120, right: 600, broken: 31 };
            let repair = (method.starts_with('l') && rate > 0.0).then_some(restored);
            let test_sets = BTreeMap::new();
            NoisePoint { rate, wa: spread(ua + 0.03), ua: spread(ua), test_sets, repair }
        };
        ((*method).to_owned(), (0..5).map(point).collect())
    });
    let found = |rate: f64, method: &str, score: &str, auroc| NoiseDetection {
        rate,
        method: method.to_owned(),
        score: score.to_owned(),
        auroc: spread(auroc),
        average_precision: spread(auroc * rate.sqrt()),
        first: [auroc, 0.9 * auroc, 0.8 * auroc].map(spread),
        alone: (score == "weight" || score == "label").then(|| Alone {
            auroc: spread(auroc - 0.05),
            average_precision: spread((auroc - 0.05) * rate.sqrt()),
        }),
    };
    let at = |rate: f64| {
        [
            found(rate, "baseline", "confident-learning", 0.81),
            found(rate, "lw", "weight", 0.84),
            found(rate, "lw", "label", 0.79),
            found(rate, "lw", "chosen", 0.86),
        ]
    };
    NoiseSummary {
        schema: NoiseSummary::SCHEMA,
        pipeline: "made-up".to_owned(),
        kind: "symmetric".to_owned(),
        methods: methods.collect(),
        detection: [0.1, 0.2, 0.3, 0.4].into_iter().flat_map(at).collect(),
        chosen: [("lw", vec!["weight", "label"]), ("baseline", vec!["confident-learning"])]
            .map(|(id, names)| (id.to_owned(), names.into_iter().map(str::to_owned).collect()))
            .into(),
    }
}

fn exclusions() -> Exclusions {
    let exclusion = |id: &str, reason: &str| Exclusion {
        utterance_id: id.to_owned(),
        path: format!("Session2/sentences/wav/{id}.wav"),
        reason: reason.to_owned(),
    };
    let excluded = vec![
        exclusion("Ses02F_impro01_F003", "the file ends inside its header"),
        exclusion(
            "Ses02M_script01_1_M017",
            "shorter than one frame: 180 samples where 400 are needed",
        ),
    ];
    let warnings = vec![exclusion("Ses02F_impro02_F007", "all its samples are 0: digital silence")];
    Exclusions { schema: 1, excluded, warnings, ..Exclusions::default() }
}

fn provenance() -> Vec<(String, String)> {
    [
        ("Ambivox", "0.1.0"),
        ("Features", "1f0e9a77".repeat(8).as_str()),
        ("Splits", "77ab92d0".repeat(8).as_str()),
        ("Summary", "bdc74ca1".repeat(8).as_str()),
    ]
    .map(|(label, value)| (label.to_owned(), value.to_owned()))
    .to_vec()
}
