//! The HTML report and its SVG figures.
