//! One adapter per corpus layout, behind one trait.

mod crema_d;
mod csv;
mod emodb;
pub(crate) mod evaluation;
mod iemocap;
mod msp_podcast;
mod ravdess;

use ambivox_settings::Adapter;

use crate::tree::Tree;
use crate::{CorpusError, Utterance};

/// A corpus layout: where utterances, speakers, labels and votes are written down.
pub(crate) trait Layout {
    /// All utterances of the corpus, in any order. To `warnings` it adds what is no error and yet worth
    /// a look.
    fn utterances(
        &self,
        tree: &Tree<'_>,
        warnings: &mut Vec<String>,
    ) -> Result<Vec<Utterance>, CorpusError>;
}

/// The reader of a layout.
pub(crate) fn layout_of(adapter: Adapter) -> &'static dyn Layout {
    match adapter {
        Adapter::Iemocap => &iemocap::Iemocap,
        Adapter::Emodb => &emodb::Emodb,
        Adapter::Ravdess => &ravdess::Ravdess,
        Adapter::CremaD => &crema_d::CremaD,
        Adapter::MspPodcast => &msp_podcast::MspPodcast,
        Adapter::Csv => &csv::Csv,
    }
}
