//! The kinds on an axis of an experiment: those that come with Ambivox, and those that a program of its own
//! adds before it does anything else.

use std::fmt::Debug;
use std::sync::OnceLock;

use crate::Section;

/// One of the kinds on an axis.
pub trait Kind: Copy + Debug + Send + Sync + 'static {
    /// The axis, which is the section of a pipeline that names a kind, such as `model`.
    const AXIS: &'static str;

    /// Its name.
    fn name(&self) -> &'static str;
}

/// All kinds on an axis.
#[derive(Debug)]
pub struct Kinds<K: Kind> {
    own: &'static [K],
    added: OnceLock<Vec<K>>,
}

impl<K: Kind> Kinds<K> {
    /// Those that come with Ambivox.
    pub const fn new(own: &'static [K]) -> Self {
        Self { own, added: OnceLock::new() }
    }

    /// Adds kinds, once in the life of a process.
    ///
    /// # Errors
    /// Some have been added before, or a kind has another's name.
    pub fn add(&self, kinds: Vec<K>) -> Result<(), String> {
        let names: Vec<&str> = self.own.iter().chain(&kinds).map(Kind::name).collect();
        if let Some(at) = (1..names.len()).find(|&at| names[..at].contains(&names[at])) {
            return Err(format!("{}: there are two {:?}", K::AXIS, names[at]));
        }
        let fault = |_| format!("kinds have been added to {} before", K::AXIS);
        self.added.set(kinds).map_err(fault)
    }

    /// Each in turn, those added behind the others.
    pub fn all(&self) -> impl Iterator<Item = &K> {
        self.own.iter().chain(self.added.get().into_iter().flatten())
    }

    /// The kind of this name.
    ///
    /// # Errors
    /// There is none; the text names those that there are.
    pub fn find(&self, name: &str) -> Result<&K, String> {
        self.all().find(|kind| kind.name() == name).ok_or_else(|| {
            let known = self.all().map(Kind::name).collect::<Vec<_>>().join(", ");
            format!("there is no {name:?}; there are: {known}")
        })
    }

    /// The kind that a section names.
    ///
    /// # Errors
    /// As of [`Self::find`], behind the key's path.
    pub fn of(&self, section: &Section) -> Result<&K, String> {
        self.find(&section.kind).map_err(|fault| format!("{}.kind: {fault}", K::AXIS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq)]
    struct Fruit(&'static str);

    impl Kind for Fruit {
        const AXIS: &'static str = "fruit";

        fn name(&self) -> &'static str {
            self.0
        }
    }

    #[test]
    fn kinds_are_found_by_name_and_added_once() {
        let fruits = Kinds::new(&[Fruit("apple")]);
        assert_eq!(fruits.find("apple"), Ok(&Fruit("apple")));
        let none = fruits.of(&Section::bare("pear")).unwrap_err();
        assert_eq!(none, "fruit.kind: there is no \"pear\"; there are: apple");
        let twice = fruits.add(vec![Fruit("pear"), Fruit("apple")]).unwrap_err();
        assert!(twice.contains("two \"apple\""), "{twice}");
        fruits.add(vec![Fruit("pear")]).unwrap();
        assert_eq!(fruits.find("pear"), Ok(&Fruit("pear")));
        assert!(fruits.add(vec![Fruit("plum")]).is_err());
    }
}
