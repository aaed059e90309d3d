//! Round trips, byte stability and files at fault.

use ambivox_nn::Dims;
use ambivox_settings::TrainingSettings;
use proptest::prelude::*;

use super::*;
use crate::{AttentionOver, MeanVariance, Network, NetworkSettings, Rows};

fn checkpoint() -> Checkpoint {
    let settings = NetworkSettings::plain([6, 4], 0.5, AttentionOver::Logits);
    Checkpoint {
        predictor: Box::new(Network::new(&settings, 2, 3, 5).unwrap()),
        classes: ["happiness", "sadness", "\"quoted\" ☂"].map(str::to_owned).to_vec(),
        features: features_of("ser32", "none"),
        scaling: Scaling::MeanVariance(MeanVariance {
            mean: vec![0.1, -1234.5678],
            sd: vec![1e-7, 3.3],
        }),
    }
}

/// A built-in set with a pooling, as earlier files name them.
pub(crate) fn features_of(set: &str, pooling: &str) -> Features {
    let settings = toml::Table::from_iter([("set".to_owned(), set.into())]);
    let frontend = Section::new("lld", &settings).unwrap();
    Features::of(frontend, Section::bare(pooling))
}

/// Whether a checkpoint of a model of two values reads back what it wrote.
pub(crate) fn assert_reads_back(saved: &Checkpoint) {
    let bytes = saved.bytes().unwrap();
    let loaded = Checkpoint::parse(Path::new("file"), &bytes).unwrap();
    let say = |from: &Checkpoint| {
        from.predictor.predict(&[&[0.3, -0.8], &[-1.0, 1.0]].map(Rows::from).each_ref()).unwrap()
    };
    assert_eq!(say(&loaded), say(saved));
    assert_eq!((&loaded.scaling, loaded.bytes().unwrap()), (&saved.scaling, bytes));
    let error = saved.predictor.predict(&[&Rows::from(&[0.0; 3])]).unwrap_err();
    assert!(error.to_string().contains("3 values"), "{error}");
}

/// Settings of which a solved model reads nothing.
pub(crate) const TRAINING: TrainingSettings = TrainingSettings {
    seeds: Vec::new(),
    batch_size: 1,
    learning_rate: 1.0,
    gradient_clip: 0.0,
    max_epochs: 1,
    patience: 1,
    criterion: ambivox_settings::Criterion::Loss,
    keep: ambivox_settings::Keep::Best,
    normalise_weights: false,
    dynamics: false,
};

fn bytes() -> Vec<u8> {
    checkpoint().bytes().unwrap()
}

/// The same file with `from` in its header replaced by `to`.
pub(crate) fn with_header(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header = std::str::from_utf8(&bytes[8..8 + length]).unwrap();
    assert!(header.contains(from), "{header}");
    let header = header.replacen(from, to, 1);
    let size = (header.len() as u64).to_le_bytes();
    [&size, header.as_bytes(), &bytes[8 + length..]].concat()
}

/// The message for a checkpoint whose header has `from` replaced by `to`.
fn fault(from: &str, to: &str) -> String {
    Checkpoint::read(&with_header(&bytes(), from, to)).unwrap_err()
}

#[test]
fn reads_back_what_it_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("checkpoint.safetensors");
    let saved = checkpoint();
    saved.save(&file).unwrap();
    let loaded = Checkpoint::load(&file).unwrap();
    assert_eq!(loaded.classes, saved.classes);
    assert_eq!(loaded.features, saved.features);
    assert_eq!(loaded.scaling, saved.scaling);
    assert_eq!(loaded.predictor.metadata().unwrap(), saved.predictor.metadata().unwrap());
    let frames = Rows::from(&[0.3_f32, -0.8, 1.0, 0.2]);
    let predict = |checkpoint: &Checkpoint| checkpoint.predictor.predict(&[&frames]).unwrap();
    assert_eq!(predict(&loaded), predict(&saved));
}

#[test]
fn equal_checkpoints_have_equal_bytes() {
    assert_eq!(bytes(), bytes());
    assert_eq!(Checkpoint::read(&bytes()).unwrap().bytes().unwrap(), bytes());
}

/// While there was one front end, a name or a text stood for the input.
#[test]
fn files_of_the_earlier_form_are_read() {
    let features = serde_json::to_string(&checkpoint().features).unwrap();
    let now = format!(r#""features":{}"#, serde_json::to_string(&features).unwrap());
    let with = |set: &str| {
        let earlier = format!(r#""feature_set":{}"#, serde_json::to_string(set).unwrap());
        let bytes = with_header(&bytes(), &now, &earlier);
        Checkpoint::read(&with_header(&bytes, r#""format":"2""#, r#""format":"1""#))
    };
    assert_eq!(with(r#"{"builtin":"is09"}"#).unwrap().features, features_of("is09", "none"));
    let own = with(r#"{"toml":"name = \"own\""}"#).unwrap().features.frontend;
    assert_eq!(own.settings["set"]["name"].as_str(), Some("own"));
    let torn = with(r#"{"toml":"name = "}"#).unwrap_err();
    assert!(torn.contains("metadata feature_set: TOML parse error"), "{torn}");
}

#[test]
fn tensors_have_the_names_of_pytorch() {
    let bytes = bytes();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let mut names = tensors.names();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "attention",
            "linear.bias",
            "linear.weight",
            "lstm.bias",
            "lstm.bias_reverse",
            "lstm.weight_hh",
            "lstm.weight_hh_reverse",
            "lstm.weight_ih",
            "lstm.weight_ih_reverse",
            "output.bias",
            "output.weight",
        ]
    );
    assert_eq!(tensors.tensor("output.weight").unwrap().shape(), [3, 8]);
}

#[test]
fn a_missing_file_is_named() {
    let message = Checkpoint::load(Path::new("no/such.safetensors")).unwrap_err().to_string();
    assert!(message.contains("no/such.safetensors"), "{message}");
}

#[test]
fn a_truncated_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cut.safetensors");
    fs::write(&file, &bytes()[..bytes().len() - 4]).unwrap();
    let message = Checkpoint::load(&file).unwrap_err().to_string();
    assert!(message.contains("cut.safetensors") && message.contains("is the file whole?"));
}

#[test]
fn what_does_not_fit_is_said() {
    let cases = [
        (r#""format":"2""#, r#""format":"9""#, r#"its format is "9"; this version reads "2""#),
        (r#""format":"2""#, r#""gormat":"2""#, r#"no "format""#),
        (r#""classes":"#, r#""glasses":"#, r#"its metadata has no "classes""#),
        (r#"{\"linear\":6"#, r#"{\"linear\":6,\"new\":1"#, "unknown field `new`"),
        (r#"\"linear\":6"#, r#"\"linear\":0"#, "network.linear: 0; expected from 1 to 65536"),
        (r#"\"lstm\":4"#, r#"\"lstm\":9223372036854775808"#, "network.lstm: 9223372036854775808"),
        (r#"\"linear\":6"#, r#"\"linear\":7"#, "of shape [6, 2]; expected F32 of shape [7, 2]"),
        (r#"\"mean\":[0.1"#, r#"\"mean\":[0.1,0.2"#, "3 means but 2 deviations"),
        ("1e-7", "0", "column 0 has mean 0.1 and deviation 0"),
        (
            r#""linear.bias":{"dtype":"F32""#,
            r#""linear.bias":{"dtype":"I32""#,
            "\"linear.bias\" is I32",
        ),
        (r#""linear.bias":"#, r#""linear.bios":"#, r#"no tensor "linear.bias""#),
        (r#"[\"happiness\",\"sadness\","#, "[", "classes: 1; expected from 2"),
    ];
    for (from, to, expected) in cases {
        let message = fault(from, to);
        assert!(message.contains(expected), "{from} → {to}: {message}");
    }
}

#[test]
fn a_header_without_end_is_refused() {
    let mut bytes = bytes();
    bytes[..8].copy_from_slice(&(1_u64 << 40).to_le_bytes());
    let message = Checkpoint::read(&bytes).unwrap_err();
    assert_eq!(message, "its header has 1099511627776 bytes; expected at most 16777216");
}

#[test]
fn numbers_that_are_not_finite_are_refused() {
    let mut bytes = bytes();
    let end = bytes.len();
    bytes[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    assert!(Checkpoint::read(&bytes).unwrap_err().contains("is NaN"));
}

#[test]
fn another_tensor_is_refused() {
    let mut file = bytes();
    let length = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
    let header = String::from_utf8(file[8..8 + length].to_vec()).unwrap();
    let end = file.len() - 8 - length;
    let extra =
        format!(r#"{{"x":{{"dtype":"F32","shape":[1],"data_offsets":[{end},{}]}},"#, end + 4);
    let header = header.replacen('{', &extra, 1);
    file.splice(..8 + length, [&(header.len() as u64).to_le_bytes(), header.as_bytes()].concat());
    file.extend([0; 4]);
    let expected = Dims { inputs: 2, linear: 6, lstm: 4 }.tensors().len() + 3;
    let message = Checkpoint::read(&file).unwrap_err();
    assert_eq!(message, format!("it has {} tensors; expected {expected}", expected + 1));
}

proptest! {
    #[test]
    fn spoiled_bytes_never_panic(position in 0_usize..1500, value: u8, cut in 0_usize..3000) {
        let mut bytes = bytes();
        let length = bytes.len();
        bytes[position % length] = value;
        drop(Checkpoint::read(&bytes));
        drop(Checkpoint::read(&bytes[..cut.min(length)]));
    }
}
