//! Trained networks.

use std::collections::BTreeSet;
use std::path::Path;

use ambivox_model::{Checkpoint, FunctionalsCheckpoint};
use ambivox_settings::Bundle;

use crate::with_file;

/// Values of an input up to which a network is asked: the widest would take minutes.
const WIDEST: usize = 1 << 10;

/// Checkpoints of either kind: a network that is accepted answers, one probability per class.
pub fn checkpoint(bytes: &[u8]) {
    with_file("checkpoint", bytes, |folder| {
        let file = folder.join("checkpoint");
        if let Ok(checkpoint) = Checkpoint::load(&file) {
            ask(&checkpoint);
        }
        if let Ok(checkpoint) = FunctionalsCheckpoint::load(&file) {
            ask_classifier(&checkpoint);
        }
    });
}

fn ask(checkpoint: &Checkpoint) {
    let network = &checkpoint.network;
    assert_eq!(checkpoint.classes.len(), network.classes());
    if network.inputs() <= WIDEST && network.parameters() <= WIDEST * WIDEST {
        let frames = vec![0.5; 3 * network.inputs()];
        let said = network.predict(&[&frames]).unwrap();
        assert_eq!(said[0].probabilities().len(), checkpoint.classes.len());
    }
}

fn ask_classifier(checkpoint: &FunctionalsCheckpoint) {
    let classifier = &checkpoint.classifier;
    assert_eq!(checkpoint.classes.len(), classifier.outputs());
    let mut vector = vec![0.5; classifier.inputs()];
    checkpoint.scaling.apply(&mut vector);
    let said = classifier.log_probabilities(&[&vector]).unwrap();
    assert_eq!(said[0].len(), checkpoint.classes.len());
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
