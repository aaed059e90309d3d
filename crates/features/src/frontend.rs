//! Which front ends there are: those of [`FRONTENDS`], and the one that reads tables.

mod table;

use ambivox_frontends::{FRONTENDS, FrontendError, FrontendKind};
use ambivox_settings::Section;

pub use table::parse;

static TABLE: FrontendKind = table::KIND;

/// The kind of front end that a section names.
///
/// # Errors
/// There is none.
pub fn frontend_kind(section: &Section) -> Result<&'static FrontendKind, FrontendError> {
    if section.kind == TABLE.name {
        return Ok(&TABLE);
    }
    let unknown = |text| FrontendError::Setting(format!("{text}, {}", TABLE.name));
    FRONTENDS.of(section).map_err(unknown)
}
