//! Figures as inline SVG. Colours come from the page's style sheet by class, never from here.

pub(crate) mod bars;
pub(crate) mod curves;
pub(crate) mod label;
pub(crate) mod lines;
mod scale;
pub(crate) mod strip;
