//! Tables of features that somebody has computed.

use ambivox_features::parse_table;

/// Reads bytes as a table of the form that their beginning promises: `.npz`, `.safetensors`, or `.csv`. What
/// is read has values.
pub fn table(bytes: &[u8]) {
    let form = match bytes {
        [b'P', b'K', ..] => "npz",
        [_, _, _, _, _, _, _, _, b'{', ..] => "safetensors",
        _ => "csv",
    };
    if let Ok(width) = parse_table(form, bytes) {
        assert!(width > 0);
    }
}
