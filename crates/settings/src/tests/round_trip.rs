//! What is written reads back as it was.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use proptest::prelude::*;

use super::*;
use crate::{
    Criterion, Event, Features, Keep, MethodParams, Request, Section, Shard, StageParams,
    SynthSettings, TrainParams, TrainingSettings,
};

#[test]
fn the_files_of_these_tests_read_and_write() {
    let read = pipeline(PIPELINE).unwrap();
    assert_eq!(pipeline(&toml::to_string(&read).unwrap()).unwrap(), read);
    let read = manifest(MANIFEST).unwrap();
    assert_eq!(manifest(&toml::to_string(&read).unwrap()).unwrap(), read);
    assert_eq!(read.speakers["anna"].sex.map(crate::Sex::as_str), Some("female"));
}

#[test]
fn methods_come_in_the_order_of_the_table_whatever_the_file_says() {
    let (head, methods) = PIPELINE.split_at(PIPELINE.find("[methods.baseline]").unwrap());
    let (baseline, lw) = methods.split_at(methods.find("[methods.lw]").unwrap());
    let swapped = pipeline(&format!("{head}{lw}\n{baseline}")).unwrap();
    let ids: Vec<&str> = swapped.methods.0.keys().map(crate::Method::id).collect();
    assert_eq!(ids, ["baseline", "lw"]);
    assert_eq!(swapped, pipeline(PIPELINE).unwrap());
}

#[test]
fn an_event_is_one_line_however_its_message_reads() {
    let event = Event::Warning { message: "a\nb \"c\" \u{2028}".to_owned() };
    let line = serde_json::to_string(&event).unwrap();
    assert!(!line.contains('\n'));
    assert_eq!(serde_json::from_str::<Event>(&line).unwrap(), event);
}

fn criterion() -> impl Strategy<Value = Criterion> {
    prop_oneof![
        Just(Criterion::Loss),
        Just(Criterion::SoftLoss),
        Just(Criterion::Ua),
        Just(Criterion::MacroF1)
    ]
}

fn training() -> impl Strategy<Value = TrainingSettings> {
    let counts = (1..999_usize, 1..999_usize, 1..99_usize);
    let rates = (1e-8..10.0_f64, 0.0..100.0_f64);
    let seeds = prop::collection::vec(0..=i64::MAX as u64, 1..4);
    (seeds, counts, rates, criterion()).prop_map(
        |(seeds, (batch_size, max_epochs, patience), (learning_rate, gradient_clip), criterion)| {
            TrainingSettings {
                seeds,
                batch_size,
                learning_rate,
                gradient_clip,
                max_epochs,
                patience,
                criterion,
                keep: match patience {
                    1 => Keep::MeanOfLast(1),
                    2 => Keep::AverageOfLast(1),
                    _ => Keep::Best,
                },
                normalise_weights: batch_size % 2 == 1,
                dynamics: batch_size % 3 == 1,
            }
        },
    )
}

/// Settings that this crate does not look into: numbers of either kind, words and lists.
fn model() -> impl Strategy<Value = Section> {
    let list = prop::collection::vec(1..4096_i64, 0..3);
    (0..4096_i64, 1e-9..1e9_f64, list, "[a-z-]{1,9}").prop_map(|(units, c, hidden, word)| {
        let settings = [
            ("units", units.into()),
            ("c", c.into()),
            ("hidden", hidden.into_iter().map(toml::Value::from).collect::<Vec<_>>().into()),
            ("over", word.into()),
        ];
        let settings = settings.map(|(key, value): (&str, toml::Value)| (key.to_owned(), value));
        Section { kind: "mine".to_owned(), settings: settings.into() }
    })
}

proptest! {
    /// Stage keys hash the resolved parameters, so not one bit of a rate may be lost on the way
    /// from the pipeline to the request.
    #[test]
    fn numbers_survive_a_pipeline_and_a_request(training in training(), model in model()) {
        let mut settings = pipeline(PIPELINE).unwrap();
        settings.training = training;
        settings.model = model;
        settings.pooling = Section::bare("functionals");
        let read = pipeline(&toml::to_string(&settings).unwrap()).unwrap();
        prop_assert_eq!(&read, &settings);

        let method = settings.methods.list().remove(0);
        let request = train_request(&settings, method);
        let json = serde_json::to_string(&request).unwrap();
        prop_assert_eq!(serde_json::from_str::<Request>(&json).unwrap(), request);
    }

    /// Whatever is cut out of a file, the answer is a value or a message, never a panic; and a
    /// value that is accepted is one that holds to the rules.
    #[test]
    fn a_torn_file_never_panics(from in 0..PIPELINE.len(), length in 1..200_usize) {
        let end = (from + length).min(PIPELINE.len());
        let torn = format!("{}{}", &PIPELINE[..from], &PIPELINE[end..]);
        match pipeline(&torn) {
            Ok(read) => prop_assert!(read.split.classes.len() > 1 && read.training.patience > 0),
            Err(error) => prop_assert!(error.to_string().starts_with("pipelines/x.toml: ")),
        }
    }
}

fn train_request(settings: &Pipeline, method: MethodParams) -> Request {
    let params = TrainParams {
        fold: "anna".to_owned(),
        method,
        seed: 0,
        features: Features::of(settings.frontend.clone(), settings.pooling.clone()),
        model: settings.model.clone(),
        choose_layer: false,
        mix_layers: false,
        training: settings.training.clone(),
        arithmetic: crate::Arithmetic::Portable,
        correct_test: false,
    };
    Request {
        work: StageParams::Train(Box::new(params)),
        inputs: [("features".to_owned(), "features.parquet".into())].into(),
        out: "out".into(),
        threads: 2,
        interim: Some("partial/interim".into()),
        live: Some("/results/toy/tensorboard/events".into()),
        shard: Some(Shard { number: 1, of: NonZeroUsize::MIN }),
    }
}

#[test]
fn a_stage_writes_each_output_once_and_is_called_what_its_request_says() {
    let synth = StageParams::Synth(SynthSettings {
        seed: 0,
        turns_per_speaker: 8,
        min_seconds: 0.5,
        mean_seconds: 1.0,
        max_seconds: 2.0,
        annotators: 3,
        annotator_error: 0.2,
        expressiveness: 1.0,
    });
    let settings = pipeline(PIPELINE).unwrap();
    let method = settings.methods.list().remove(1);
    for work in [synth, train_request(&settings, method).work] {
        let json = serde_json::to_value(&work).unwrap();
        assert_eq!(json["stage"], work.name());
        let names: BTreeSet<&str> = work.outputs().iter().map(|(_, name)| *name).collect();
        assert_eq!(names.len(), work.outputs().len());
    }
}

#[test]
fn an_extraction_writes_frames_vectors_or_both() {
    let extract = |pooling: &str, frames| {
        let frontend = pipeline(PIPELINE).unwrap().frontend;
        let features = Features::of(frontend, Section::bare(pooling));
        let on_broken = crate::OnBroken::Stop;
        StageParams::Extract(crate::ExtractParams {
            features,
            frames,
            on_broken,
            arithmetic: crate::Arithmetic::Native,
        })
    };
    for (pooling, frames, expected) in [
        ("none", true, &["features", "exclusions"][..]),
        ("functionals", true, &["features", "vectors", "exclusions"]),
        ("none", false, &["vectors", "exclusions"]),
    ] {
        let work = extract(pooling, frames);
        let json = serde_json::to_string(&work).unwrap();
        let read: StageParams = serde_json::from_str(&json).unwrap();
        assert_eq!(read, work);
        let roles: Vec<&str> = read.outputs().iter().map(|(role, _)| *role).collect();
        assert_eq!(roles, expected);
        assert_eq!(read.kinds(), [("frontend", "lld"), ("pooling", pooling)]);
    }
}

/// Pipelines from while there was one front end.
#[test]
fn the_section_features_is_read_as_before() {
    let before = edited(PIPELINE, "[frontend]\nkind = \"lld\"", "[features]");
    assert_eq!(pipeline(&before).unwrap(), pipeline(PIPELINE).unwrap());
    let asked =
        |line: &str| edited(&before, "set = \"ser32\"", &format!("set = \"ser32\"\n{line}"));
    let pooled = pipeline(&asked("functionals = true")).unwrap();
    assert_eq!(pooled.pooling, Section::bare("functionals"));
    assert_eq!(pipeline(&asked("functionals = false")).unwrap(), pipeline(PIPELINE).unwrap());
    let refused = |text: &str| pipeline(text).unwrap_err().to_string();
    let both = asked("functionals = true\n\n[pooling]\nkind = \"functionals\"");
    assert!(refused(&both).contains("say the same; leave the former out"), "{}", refused(&both));
    let odd = refused(&asked("functionals = 1"));
    assert!(odd.contains("features.functionals: 1; true or false"), "{odd}");
    let twice = format!("{PIPELINE}\n[features]\nset = \"is09\"");
    assert!(refused(&twice).contains("duplicate field"), "{}", refused(&twice));
}
