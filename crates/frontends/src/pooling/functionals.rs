//! `functionals`: the twelve functionals of INTERSPEECH 2009 over every column.

use ambivox_lld::Functionals;

use super::{Pooling, PoolingKind, nothing};

/// Registry entry.
pub(super) const KIND: PoolingKind = PoolingKind {
    name: "functionals",
    make: |section, rows| {
        nothing(section)?;
        Ok(Box::new(Functionals::of_columns(rows.columns, rows.added)))
    },
};

impl Pooling for Functionals {
    fn columns(&self) -> &[String] {
        self.columns()
    }

    fn pool(&self, rows: &[f32]) -> Vec<f32> {
        self.of_rows(rows).unwrap_or_default()
    }
}
