//! Makes the seeds that are no text: `cargo run -p ambivox-fuzzing --example seeds -- fuzz/corpus`.
//! The sounds beside them are tones of 60 ms that ffmpeg and flac made, one per format.

use std::error::Error;
use std::path::{Path, PathBuf};

use ambivox_models::{
    AttentionOver, AttentionPooling, AttentionPoolingSettings, Checkpoint, Linear, MeanVariance,
    MinMax, Mlp, MlpSettings, Network, NetworkSettings, Predictor, Scaling, Shape,
};
use ambivox_settings::{Features, Section};

fn main() -> Result<(), Box<dyn Error>> {
    let corpus = std::env::args_os().nth(1).ok_or("name the folder fuzz/corpus")?;
    checkpoints(&PathBuf::from(corpus).join("checkpoint"))
}

/// The smallest networks of every kind.
fn checkpoints(folder: &Path) -> Result<(), Box<dyn Error>> {
    for (name, attention_over) in
        [("blstm", AttentionOver::Blstm), ("logits", AttentionOver::Logits)]
    {
        let settings = NetworkSettings::plain([2, 1], 0.5, attention_over);
        let network = Network::new(&settings, 2, 2, 5)?;
        of_frames(Box::new(network))?.save(&folder.join(name))?;
    }
    let settings = AttentionPoolingSettings { hidden: vec![2], leak: 0.2, dropout: 0.0 };
    let pooling = AttentionPooling::new(&settings, 2, 2, 5)?;
    of_frames(Box::new(pooling))?.save(&folder.join("attention-pooling"))?;
    let settings = MlpSettings { hidden: vec![2], leak: 0.2, dropout: 0.0, mixup: None };
    let classifier = Checkpoint {
        predictor: Box::new(Mlp::new(&settings, Shape::of(2), 2, 5)?),
        classes: classes(),
        features: features("none", "functionals")?,
        scaling: Scaling::MinMax(MinMax { lowest: vec![0.1, -12.5], range: vec![1e-7, 3.3] }),
    };
    classifier.save(&folder.join("functionals"))?;
    let predictor = Box::new(Linear::new(2, 2));
    let regression = Checkpoint { predictor, scaling: mean_variance(), ..classifier };
    Ok(regression.save(&folder.join("linear"))?)
}

/// A network of frames.
fn of_frames(predictor: Box<dyn Predictor>) -> Result<Checkpoint, Box<dyn Error>> {
    let (classes, scaling) = (classes(), mean_variance());
    Ok(Checkpoint { predictor, classes, features: features("ser32", "none")?, scaling })
}

fn mean_variance() -> Scaling {
    Scaling::MeanVariance(MeanVariance { mean: vec![0.1, -12.5], sd: vec![1e-7, 3.3] })
}

/// A feature set by name, with a pooling.
fn features(set: &str, pooling: &str) -> Result<Features, Box<dyn Error>> {
    let settings = toml::Table::from_iter([("set".to_owned(), set.into())]);
    let frontend = Section::new("lld", &settings)?;
    Ok(Features::of(frontend, Section::bare(pooling)))
}

fn classes() -> Vec<String> {
    ["happiness", "sadness"].map(str::to_owned).to_vec()
}
