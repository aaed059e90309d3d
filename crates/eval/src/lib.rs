//! Metrics, tables and summaries over folds and seeds.
//!
//! Pure computation: confusion matrices in, rates and tables out. Nothing here reads or writes a
//! file, knows a network or a table format; the JSON schemas of `history.json` and `summary.json`
//! live here because the numbers in them do.
//!
//! # Empty cases
//! - A class that occurs but is never predicted has precision 0 and F1 0.
//! - A class that does not occur among the gold labels of a fold has no precision, recall or F1
//!   there: all three are `None` (JSON `null`), the class is excluded from that fold's UA and macro F1
//!   (scikit-learn's `f1_score(labels=np.unique(gold), average="macro", zero_division=0)`), has no
//!   weight in its weighted F1, and the means over folds pass over it. Its precision would be 0
//!   whatever the model did.
//! - A standard deviation of fewer than two values is `None`.

mod annotators;
pub mod audit;
mod calibration;
mod claims;
mod combination;
mod comparison;
mod confident;
mod confusion;
mod detection;
mod detector;
mod error;
mod history;
mod holm;
mod labels;
mod neighbours;
mod noise;
mod paper;
mod rates;
mod summary;
mod tables;

pub use annotators::{Crowdlab, DawidSkene, Rating, Ratings};
pub use calibration::Calibration;
pub use claims::{CLAIMS, Claim, Gap, Held, Verdict, beside_the_paper, claims};
pub use combination::{CHOSEN, CHOSEN_TITLE, Draw, choose, combined, found_by_choice};
pub use comparison::{Comparison, Effect, Pair};
pub use confident::ConfidentLearning;
pub use confusion::{Confusion, argmax};
pub use detection::{Detection, FIRST};
pub use detector::{DETECTORS, Detector};
pub use error::EvalError;
pub use history::{EpochRecord, RunHistory};
pub use holm::holm;
pub use labels::{LabelMoves, LabelRepair};
pub use neighbours::Directions;
pub use noise::{Alone, NoiseDetection, NoisePoint, NoiseSummary, SetPoint, Spread};
pub use paper::{
    PAPER_CLASSES, PAPER_TABLE_2, PaperEvaluation, PaperRow, PaperWeights, method_order,
    method_title, paper_evaluation,
};
pub use rates::{MeanSd, Rates, mean_sd};
pub use summary::{
    Ensemble, FoldResult, MethodSummary, OverSeeds, Pooled, SeedSummary, Summary, SummaryBuilder,
    Tested,
};
pub use tables::{
    RowSource, Table2Row, Table3Row, compared, comparisons, comparisons_of, table2_rows,
    table3_rows,
};
