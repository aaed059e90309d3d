//! What people call this program: `cargo xtask` in a checkout, `ambivox` where it is installed. Texts are
//! written for the one, and said for the other.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::OnceLock;

use ambivox_settings::printable;

/// Its name in a checkout, which texts have.
pub(crate) const IN_CHECKOUT: &str = "cargo xtask";
/// Its name where it is installed.
pub(crate) const INSTALLED: &str = "ambivox";

/// The checkout that it was called for, set once at the start.
static CHECKOUT: OnceLock<PathBuf> = OnceLock::new();

/// Notes for which checkout it was called.
pub(crate) fn for_checkout(root: PathBuf) {
    CHECKOUT.set(root).ok();
}

/// The checkout that it was called for.
pub(crate) fn checkout() -> Option<&'static PathBuf> {
    CHECKOUT.get()
}

/// Its name.
pub(crate) fn name() -> &'static str {
    if checkout().is_some() { IN_CHECKOUT } else { INSTALLED }
}

/// A text as a terminal shows it, with the name by which it was called.
pub(crate) fn said(text: &str) -> String {
    printable(&text.replace(IN_CHECKOUT, name())).into_owned()
}

/// Says on standard error why it ends.
pub(crate) fn complain(text: &str) {
    // Nothing is left to do where standard error is closed.
    writeln!(std::io::stderr(), "error: {}", said(text)).ok();
}
