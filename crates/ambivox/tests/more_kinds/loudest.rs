//! A pooling: the row whose first value is the largest.

use ambivox_frontends::{PooledRows, Pooling, PoolingKind};
use ambivox_settings::Section;

pub(crate) const KIND: PoolingKind = PoolingKind { name: "loudest", make };

fn make(section: &Section, rows: PooledRows<'_>) -> Result<Box<dyn Pooling>, String> {
    match section.settings.keys().next() {
        Some(key) => Err(format!("unknown field `{key}`")),
        None => Ok(Box::new(Loudest(rows.columns.to_vec()))),
    }
}

#[derive(Debug)]
struct Loudest(Vec<String>);

impl Pooling for Loudest {
    fn columns(&self) -> &[String] {
        &self.0
    }

    fn pool(&self, rows: &[f32]) -> Vec<f32> {
        let rows = rows.chunks_exact(self.0.len());
        rows.max_by(|a, b| a[0].total_cmp(&b[0])).unwrap_or_default().to_vec()
    }
}
