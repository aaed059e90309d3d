//! An encoding in which no two different values look the same: every item carries its type and,
//! where its length varies, its length. The bytes go straight into BLAKE3.

use serde_json::Value;

use crate::Digest;

/// Feeds typed, length-prefixed items to a digest of its own domain.
#[derive(Debug)]
pub struct Encoder(blake3::Hasher);

impl Encoder {
    /// An encoder whose digests differ from those of every other `domain`, items being equal.
    pub fn new(domain: &'static str) -> Self {
        Self(blake3::Hasher::new_derive_key(domain))
    }

    /// Adds a string.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.put_text(text);
        self
    }

    /// Adds a count.
    #[must_use]
    pub fn count(mut self, count: u64) -> Self {
        self.put(b'u', &count.to_le_bytes());
        self
    }

    /// Adds a digest.
    #[must_use]
    pub fn digest(mut self, digest: &Digest) -> Self {
        self.put(b'h', digest.as_bytes());
        self
    }

    /// Adds a JSON value; the order of a map's keys does not matter, that of a list does.
    #[must_use]
    pub fn value(mut self, value: &Value) -> Self {
        self.put_value(value);
        self
    }

    /// The digest of all that was added, in order.
    pub fn finish(self) -> Digest {
        self.0.finalize().into()
    }

    fn put(&mut self, tag: u8, bytes: &[u8]) {
        self.0.update(&[tag]).update(bytes);
    }

    fn put_length(&mut self, tag: u8, length: usize) {
        self.put(tag, &(length as u64).to_le_bytes());
    }

    fn put_text(&mut self, text: &str) {
        self.put_length(b's', text.len());
        self.0.update(text.as_bytes());
    }

    fn put_value(&mut self, value: &Value) {
        match value {
            Value::Null => self.put(b'n', &[]),
            Value::Bool(truth) => self.put(b'b', &[u8::from(*truth)]),
            Value::Number(number) => self.put_number(number),
            Value::String(text) => self.put_text(text),
            Value::Array(items) => {
                self.put_length(b'a', items.len());
                for item in items {
                    self.put_value(item);
                }
            }
            Value::Object(map) => self.put_map(map),
        }
    }

    fn put_number(&mut self, number: &serde_json::Number) {
        if let Some(natural) = number.as_u64() {
            self.put(b'u', &natural.to_le_bytes());
        } else if let Some(negative) = number.as_i64() {
            self.put(b'i', &negative.to_le_bytes());
        } else {
            let real = number.as_f64().unwrap_or(f64::NAN);
            self.put(b'f', &real.to_bits().to_le_bytes());
        }
    }

    /// Sorts the keys, since `serde_json`'s map keeps insertion order under one of its features.
    fn put_map(&mut self, map: &serde_json::Map<String, Value>) {
        let mut entries: Vec<_> = map.iter().collect();
        entries.sort_by_key(|(key, _)| *key);
        self.put_length(b'm', entries.len());
        for (key, value) in entries {
            self.put_text(key);
            self.put_value(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn digest(value: &Value) -> Digest {
        Encoder::new("test").value(value).finish()
    }

    fn json_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (0_u64..3).prop_map(Value::from),
            (-3_i64..0).prop_map(Value::from),
            prop_oneof![Just(0.5), Just(1.0), Just(-1.0)].prop_map(|x: f64| Value::from(x)),
            "[ab]{0,2}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map("[ab]{0,2}", inner, 0..3)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        /// Small alphabets and shapes make equal pairs and near misses common.
        #[test]
        fn equal_digests_mean_equal_values(a in json_value(), b in json_value()) {
            prop_assert_eq!(digest(&a) == digest(&b), a == b);
        }

        #[test]
        fn order_of_keys_does_not_matter(
            map in prop::collection::btree_map("[a-z]{0,4}", any::<u64>(), 0..8)
        ) {
            let up: serde_json::Map<_, _> =
                map.iter().map(|(k, v)| (k.clone(), Value::from(*v))).collect();
            let down: serde_json::Map<_, _> =
                map.iter().rev().map(|(k, v)| (k.clone(), Value::from(*v))).collect();
            prop_assert_eq!(digest(&Value::Object(up)), digest(&Value::Object(down)));
        }

        #[test]
        fn strings_do_not_run_together(a in ".{0,6}", b in ".{0,6}", cut in 0_usize..6) {
            let joined: Vec<char> = a.chars().chain(b.chars()).collect();
            let (left, right) = joined.split_at(cut.min(joined.len()));
            let (left, right): (String, String) = (left.iter().collect(), right.iter().collect());
            let pair = |x: &str, y: &str| Encoder::new("test").text(x).text(y).finish();
            prop_assert_eq!(pair(&a, &b) == pair(&left, &right), a == left);
        }
    }

    #[test]
    fn shapes_that_concatenate_alike_differ() {
        let values = [
            json!([]),
            json!({}),
            json!(""),
            json!(null),
            json!([[]]),
            json!(["ab"]),
            json!(["a", "b"]),
            json!([["a"], "b"]),
            json!({"a": "b"}),
            json!(1),
            json!(-1),
            json!(1.0),
            json!("1"),
            json!(true),
        ];
        for (i, a) in values.iter().enumerate() {
            for b in &values[i + 1..] {
                assert_ne!(digest(a), digest(b), "{a} and {b}");
            }
        }
    }

    #[test]
    fn domains_are_apart() {
        assert_ne!(Encoder::new("a").finish(), Encoder::new("b").finish());
    }
}
