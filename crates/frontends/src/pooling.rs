//! The axis of poolings: what every kind does, and which kinds there are. A kind is a file with its settings,
//! their check and its tests, and a line in [`POOLINGS`].

mod functionals;
mod statistics;

use std::fmt::Debug;

use ambivox_settings::{Features, Kind, Kinds, Section};

use crate::{Frontend, FrontendError};

/// Makes one vector of the rows of an utterance.
pub trait Pooling: Debug + Send + Sync {
    /// Names of the vector's values.
    fn columns(&self) -> &[String];

    /// The vector of row-major rows × values, of which there is at least one row. All its values are
    /// finite where those of the rows are.
    fn pool(&self, rows: &[f32]) -> Vec<f32>;
}

/// What a pooling has to know of the rows.
#[derive(Debug, Clone, Copy)]
pub struct PooledRows<'a> {
    /// Names of their values.
    pub columns: &'a [String],
    /// How many of them smoothing adds at the end.
    pub added: usize,
}

/// Makes a pooling of a section, over such rows.
type Make = fn(&Section, PooledRows<'_>) -> Result<Box<dyn Pooling>, String>;

/// A kind of pooling.
#[derive(Debug, Clone, Copy)]
pub struct PoolingKind {
    /// Its name.
    pub name: &'static str,
    /// Makes it of a section, over such rows; without columns, to check the section alone.
    pub make: Make,
}

impl Kind for PoolingKind {
    const AXIS: &'static str = "pooling";

    fn name(&self) -> &'static str {
        self.name
    }
}

/// The kinds that make a vector; beside them there is `none`.
pub static POOLINGS: Kinds<PoolingKind> = Kinds::new(&[functionals::KIND, statistics::KIND]);

/// The pooling of a section, over the rows of a front end; nothing for `none`.
pub fn pooling(
    section: &Section,
    frontend: &dyn Frontend,
) -> Result<Option<Box<dyn Pooling>>, FrontendError> {
    pool_columns(section, frontend.columns(), frontend.added_rows())
}

/// As [`pooling`], over rows of these columns, at whose end smoothing has added so many.
pub fn pool_columns(
    section: &Section,
    columns: &[String],
    added: usize,
) -> Result<Option<Box<dyn Pooling>>, FrontendError> {
    make(section, PooledRows { columns, added })
}

/// Whether there is such a pooling, with such settings.
pub fn check_pooling(section: &Section) -> Result<(), FrontendError> {
    make(section, PooledRows { columns: &[], added: 0 }).map(drop)
}

fn make(
    section: &Section,
    rows: PooledRows<'_>,
) -> Result<Option<Box<dyn Pooling>>, FrontendError> {
    let fault = |message| FrontendError::setting("pooling", message);
    if section.kind == Features::NO_POOLING {
        return nothing(section).map(|()| None).map_err(fault);
    }
    let unknown = |text| FrontendError::Setting(format!("{text}, {}", Features::NO_POOLING));
    let kind = POOLINGS.of(section).map_err(unknown)?;
    (kind.make)(section, rows).map(Some).map_err(fault)
}

/// Refuses settings of a kind that has none.
pub(crate) fn nothing(section: &Section) -> Result<(), String> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Nothing {}
    section.read::<Nothing>().map(|Nothing {}| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_named_and_have_no_keys_but_their_own() {
        let fault = |section: &Section| check_pooling(section).unwrap_err().to_string();
        let median = fault(&Section::bare("median"));
        assert_eq!(
            median,
            "pooling.kind: there is no \"median\"; there are: functionals, statistics, none"
        );
        for kind in ["none", "functionals"] {
            let settings = toml::Table::from_iter([("of".to_owned(), 1.into())]);
            let text = fault(&Section::new(kind, &settings).unwrap());
            assert!(
                text.contains("[pooling]: unknown field `of`") && text.contains(kind),
                "{text}"
            );
            check_pooling(&Section::bare(kind)).unwrap();
        }
    }
}
