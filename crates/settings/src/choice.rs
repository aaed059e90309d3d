//! A setting that has one value, or several of which one is chosen inside the training groups.

use serde::{Deserialize, Serialize};

/// One value, or several candidates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a value, or a list of values of which each fold chooses one"
)]
pub enum Choice<T> {
    /// This one.
    One(T),
    /// The best of these, by an inner cross-validation of every fold's training groups.
    Several(Vec<T>),
}

impl<T: Copy + PartialEq> Choice<T> {
    /// The value; nothing where one has still to be chosen.
    pub fn only(&self) -> Option<T> {
        match self {
            Self::One(value) => Some(*value),
            Self::Several(_) => None,
        }
    }

    /// The candidates, in the order in which the first of equal ones is chosen.
    pub fn candidates(&self) -> &[T] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Several(values) => values,
        }
    }

    /// Whether there is no candidate, or one twice.
    pub fn is_odd(&self) -> bool {
        let values = self.candidates();
        values.is_empty() || (1..values.len()).any(|at| values[..at].contains(&values[at]))
    }
}
