//! The report's sections, one module each; each turns records into a piece of the page.

pub(crate) mod annotators;
pub(crate) mod calibration;
pub(crate) mod confusion;
pub(crate) mod corpus;
pub(crate) mod corrections;
pub(crate) mod curves;
pub(crate) mod exclusions;
pub(crate) mod folds;
pub(crate) mod headline;
pub(crate) mod labels;
pub(crate) mod noise;
pub(crate) mod origin;
pub(crate) mod paper;
pub(crate) mod table2;
