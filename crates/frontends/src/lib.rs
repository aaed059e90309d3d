//! Front ends and poolings, two axes of an experiment, a file per kind.
//!
//! A [`Frontend`] makes numbers of an utterance: a row per frame, or one vector. A [`Pooling`] makes one
//! vector of the rows. The kinds are in [`FRONTENDS`] and [`POOLINGS`], a line each; of the one that
//! reads what somebody has computed, the reader of the table is elsewhere. What the numbers are
//! used for is not known here.

mod encoded;
mod error;
mod frontend;
mod pooling;
mod precision;

pub use ambivox_encoders::{FILES as ENCODER_FILES, compute_portably};
pub use encoded::of_layer;
pub use error::FrontendError;
pub use frontend::lld::{section_of as lld_section, set as lld_set};
pub use frontend::{
    FRONTENDS, Frontend, FrontendKind, Layers, OpenFrontend, Planned, Session, Utterance,
};
pub use pooling::{
    POOLINGS, PooledRows, Pooling, PoolingKind, check_pooling, pool_columns, pooling,
};
pub use precision::{Precision, halves};
