//! What a stage's outputs depend on, and the key that stands for it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Digest, Encoder};

/// Version of the key's make-up. 1: stage, digest of the source, parameters, inputs by role. 2: versions of
/// the code in place of its source, so that a comment makes nothing stale.
pub const KEY_SCHEMA: u32 = 2;

/// Everything that a stage's outputs depend on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyParts {
    /// The stage's name.
    pub stage: String,
    /// Versions of the code: of the stage, of the kinds that its parameters name, of the build.
    pub code: BTreeMap<String, String>,
    /// The resolved, typed parameters as JSON.
    pub params: Value,
    /// Content digest of each input under its role.
    pub inputs: BTreeMap<String, Digest>,
}

impl KeyParts {
    /// The key: equal where, and only where, all parts are.
    pub fn key(&self) -> Digest {
        let start = Encoder::new("ambivox stage key")
            .count(u64::from(KEY_SCHEMA))
            .text(&self.stage)
            .count(self.code.len() as u64);
        let code = self.code.iter().fold(start, |encoder, (name, v)| encoder.text(name).text(v));
        let start = code.value(&self.params).count(self.inputs.len() as u64);
        let all = self
            .inputs
            .iter()
            .fold(start, |encoder, (role, digest)| encoder.text(role).digest(digest));
        all.finish()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn digest(text: &str) -> Digest {
        Digest::from(blake3::hash(text.as_bytes()))
    }

    fn parts() -> KeyParts {
        let inputs = [("training", digest("a")), ("test", digest("b"))];
        KeyParts {
            stage: "train".to_owned(),
            code: BTreeMap::from([("train".to_owned(), "1".to_owned())]),
            params: json!({"rate": 0.1, "fold": "Ses01F"}),
            inputs: inputs.into_iter().map(|(role, d)| (role.to_owned(), d)).collect(),
        }
    }

    #[test]
    fn every_part_counts() {
        let changes: [fn(&mut KeyParts); 7] = [
            |p| p.stage = "index".to_owned(),
            |p| drop(p.code.insert("train".to_owned(), "2".to_owned())),
            |p| p.params = json!({"rate": 0.2, "fold": "Ses01F"}),
            |p| p.params = json!({"rate": 0.1}),
            |p| p.inputs.retain(|role, _| role != "test"),
            |p| p.inputs.extend([("test".to_owned(), digest("c"))]),
            |p| p.inputs.extend([("more".to_owned(), digest("b"))]),
        ];
        for (i, change) in changes.iter().enumerate() {
            let mut other = parts();
            change(&mut other);
            assert_ne!(other.key(), parts().key(), "change {i}");
        }
    }

    #[test]
    fn inputs_keep_their_roles() {
        let mut swapped = parts();
        swapped.inputs.insert("training".to_owned(), digest("b"));
        swapped.inputs.insert("test".to_owned(), digest("a"));
        assert_ne!(swapped.key(), parts().key());
    }

    #[test]
    fn the_key_outlasts_json() {
        let json = serde_json::to_string(&parts()).unwrap();
        let back: KeyParts = serde_json::from_str(&json).unwrap();
        assert_eq!(back.key(), parts().key());
    }

    /// A change of this value means that every stored result is lost: raise [`KEY_SCHEMA`] and say
    /// why beside it.
    #[test]
    fn the_make_up_of_keys_is_stable() {
        insta::assert_snapshot!(parts().key(), @"784afaf4ca646961c7d21016d02deef405114a9e51c5d168c09096969122c901");
    }
}
