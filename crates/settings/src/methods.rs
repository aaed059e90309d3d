//! The methods to compare: section `[methods]` of a pipeline, each a name with a label rule.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use toml::Table;

use crate::Section;

/// Most bytes of a method's name, which is part of names of files.
const LONGEST: usize = 64;
/// The key of a method's section that names its rule.
const RULE: &str = "rule";
/// The keys of a method's section that are of its model, and of how it is trained.
const OF_ITS_OWN: [&str; 2] = ["model", "training"];

/// A method's name, as in `[methods.NAME]`. Those of Table 2 of the paper come first, in its order, then
/// all others by the alphabet.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Method(String);

impl Method {
    /// Those of Table 2, in its order.
    pub const TABLE_2: [&str; 9] = [
        "baseline",
        "oversampling",
        "undersampling",
        "soft-target",
        "cyclegan",
        "l",
        "w",
        "lw-pretrained",
        "lw",
    ];

    /// The method of this name. Errors: a name that cannot be part of a file's.
    pub fn new(name: &str) -> Result<Self, String> {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if (1..=LONGEST).contains(&name.len()) && name.chars().all(fits) {
            return Ok(Self(name.to_owned()));
        }
        Err(format!(
            "methods.{name:?}: name methods with letters, digits, - and _, {LONGEST} of them at most"
        ))
    }

    /// The name.
    pub fn id(&self) -> &str {
        &self.0
    }

    /// Its row in Table 2; the one behind the last for all that are in none.
    fn row(&self) -> usize {
        Self::TABLE_2.iter().position(|id| *id == self.0).unwrap_or(Self::TABLE_2.len())
    }
}

impl Ord for Method {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.row(), &self.0).cmp(&(other.row(), &other.0))
    }
}

impl PartialOrd for Method {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A method: a label rule with its settings, under a name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MethodParams {
    /// The name.
    pub name: Method,
    /// The rule, and with it sampler and augmenter.
    pub rule: Section,
}

impl MethodParams {
    /// The method that is called as its rule is. Errors: settings that TOML has no word for.
    pub fn of(rule: &str, settings: &impl Serialize) -> Result<Self, String> {
        Ok(Self { name: Method::new(rule)?, rule: Section::new(rule, settings)? })
    }
}

/// The key of a model that names its kind.
pub(crate) const KIND: &str = "kind";

/// Section `[methods.NAME]`: a rule, and what the method has of its own in place of the pipeline's keys.
#[derive(Debug, Clone, PartialEq)]
pub struct MethodSettings {
    /// The rule, and with it sampler and augmenter.
    pub rule: Section,
    /// Keys in place of those of `[model]`.
    pub model: Table,
    /// Keys in place of those of `[training]`.
    pub training: Table,
}

/// Section `[methods]`: what each method is, in their order. `[methods.NAME]` says by `rule` which rule
/// it is, unless it is called so.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Methods(pub BTreeMap<Method, MethodSettings>);

impl Methods {
    /// Every method with its settings, in their order.
    pub fn list(&self) -> Vec<MethodParams> {
        let params = |(name, own): (&Method, &MethodSettings)| MethodParams {
            name: name.clone(),
            rule: own.rule.clone(),
        };
        self.0.iter().map(params).collect()
    }

    /// The kind of model that a method names in the place of the pipeline's.
    pub fn own_kind(&self, method: &Method) -> Option<&str> {
        self.own(method)?.model.get(KIND)?.as_str()
    }

    /// What is said of a method.
    pub fn own(&self, method: &Method) -> Option<&MethodSettings> {
        self.0.get(method)
    }

    /// The method of this name.
    pub fn get(&self, name: &str) -> Option<MethodParams> {
        self.list().into_iter().find(|method| method.name.id() == name)
    }
}

impl<'de> Deserialize<'de> for Methods {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let sections = BTreeMap::<String, Table>::deserialize(deserializer)?;
        let method = |(name, mut settings): (String, Table)| {
            let method = Method::new(&name)?;
            let kind = match settings.remove(RULE) {
                None => name,
                Some(toml::Value::String(rule)) => rule,
                Some(other) => return Err(format!("methods.{name}.rule: {other} is no name")),
            };
            let mut own = |key: &str| match settings.remove(key) {
                None => Ok(Table::new()),
                Some(toml::Value::Table(own)) => Ok(own),
                Some(other) => Err(format!("methods.{method}.{key}: {other} is no section")),
            };
            let [model, training] = OF_ITS_OWN.map(&mut own);
            let (model, training) = (model?, training?);
            let rule = Section { kind, settings: settings.into_iter().collect() };
            Ok((method, MethodSettings { rule, model, training }))
        };
        let methods = sections.into_iter().map(method).collect::<Result<_, String>>();
        methods.map(Self).map_err(D::Error::custom)
    }
}

impl Serialize for Methods {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let section = |(name, own): (&Method, &MethodSettings)| {
            let MethodSettings { rule, model, training } = own;
            let mut settings: Table = rule.settings.clone().into_iter().collect();
            if rule.kind != name.id() {
                settings.insert(RULE.to_owned(), rule.kind.clone().into());
            }
            let own = OF_ITS_OWN.into_iter().zip([model, training]);
            for (key, own) in own.filter(|(_, own)| !own.is_empty()) {
                settings.insert(key.to_owned(), own.clone().into());
            }
            (name.id().to_owned(), settings)
        };
        self.0.iter().map(section).collect::<BTreeMap<_, _>>().serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Methods, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_method_is_called_as_its_rule_unless_it_says_which() {
        let methods = read("[sharp]\nrule = \"baseline\"\nx = 1\n[lw]\n[baseline]\ny = 2").unwrap();
        let rules: Vec<_> =
            methods.list().iter().map(|m| format!("{}: {}", m.name, m.rule.kind)).collect();
        assert_eq!(rules, ["baseline: baseline", "lw: lw", "sharp: baseline"]);
        let text = toml::to_string(&methods).unwrap();
        assert_eq!(read(&text).unwrap(), methods);
        assert_eq!(text.matches("rule").count(), 1, "{text}");
    }

    #[test]
    fn a_name_has_to_fit_into_a_path() {
        for name in ["\"a/b\"", "\"\"", "\"ä\""] {
            let refused = read(&format!("[{name}]\nrule = \"lw\"")).unwrap_err();
            assert!(refused.contains("name methods with letters"), "{refused}");
        }
        assert!(read("[x]\nrule = 3").unwrap_err().contains("methods.x.rule: 3 is no name"));
    }
}
