//! Trained networks.

use std::collections::BTreeSet;
use std::path::Path;

use ambivox_models::{Checkpoint, Rows};
use ambivox_settings::Bundle;

use crate::with_file;

/// Values of an input up to which a network is asked: the widest would take minutes.
const WIDEST: usize = 1 << 10;

/// Checkpoints of every kind: a model that is accepted answers, one probability per class.
pub fn checkpoint(bytes: &[u8]) {
    with_file("checkpoint", bytes, |folder| {
        if let Ok(checkpoint) = Checkpoint::load(&folder.join("checkpoint")) {
            ask(&checkpoint);
        }
    });
}

fn ask(Checkpoint { predictor, classes, scaling, .. }: &Checkpoint) {
    assert_eq!(classes.len(), predictor.classes());
    assert_eq!(scaling.width(), predictor.inputs());
    if predictor.inputs() <= WIDEST && predictor.parameters() <= WIDEST * WIDEST {
        let count = if predictor.reads_vectors() { 1 } else { 3 };
        let values = vec![0.5; count * predictor.inputs()];
        let rows = Rows::scaled_by(scaling, &values);
        let said = predictor.predict(&[&rows]).unwrap();
        assert_eq!(said[0].probabilities().len(), classes.len());
    }
}

/// Descriptions of bundles: every file that one names lies in the folder itself.
pub fn bundle(bytes: &[u8]) {
    with_file(Bundle::FILE, bytes, |folder| {
        let named = Bundle::read(folder).map(|bundle| bundle.networks).unwrap_or_default();
        assert!(named.len() <= Bundle::MOST_NETWORKS);
        let mut files = BTreeSet::new();
        for network in named {
            let path = folder.join(&network.file);
            assert_eq!(path.parent(), Some(folder), "{}", path.display());
            assert_ne!(Path::new(&network.file), Path::new(".."));
            assert!(files.insert(path.clone()), "twice: {}", path.display());
        }
    });
}
