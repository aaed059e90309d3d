//! What a method has of its own in place of the pipeline's `[model]` and `[training]`.

use toml::Table;

use super::{Pipeline, TrainingSettings};
use crate::error::in_one_line;
use crate::methods::KIND;
use crate::{Method, Section};

/// Keys of `[training]` that all methods of a pipeline share: what is compared is of the same seeds, and detectors
/// read every run or none.
const SHARED: [&str; 2] = ["seeds", "dynamics"];

impl Pipeline {
    /// The model that a method trains: the pipeline's, with the method's own keys in place of its; another
    /// altogether where these name a `kind`. Errors: a kind that is no name.
    pub fn model_of(&self, method: &Method) -> Result<Section, String> {
        let own = self.methods.own(method).map(|own| own.model.clone()).unwrap_or_default();
        if own.contains_key(KIND) {
            let section = own.try_into();
            return section
                .map_err(|error| format!("methods.{method}.model: {}", in_one_line(&error)));
        }
        let mut model = self.model.clone();
        model.settings.extend(own);
        Ok(model)
    }

    /// How a method's model is trained: as the pipeline's `[training]` says, with the method's own keys in place of
    /// its.
    ///
    /// Errors, by path: a key that is unknown or that all methods share, a value that may not be.
    pub fn training_of(&self, method: &Method) -> Result<TrainingSettings, String> {
        let own = self.methods.own(method).map(|own| &own.training);
        let Some(own) = own.filter(|own| !own.is_empty()) else { return Ok(self.training.clone()) };
        let at = |fault: &str| format!("methods.{method}.training: {fault}");
        if let Some(key) = SHARED.into_iter().find(|key| own.contains_key(*key)) {
            return Err(at(&format!("{key} is the same for all methods; say it in [training]")));
        }
        let mut table = Table::try_from(&self.training).map_err(|error| at(&error.to_string()))?;
        table.extend(own.clone());
        let training: TrainingSettings =
            table.try_into().map_err(|error| at(&in_one_line(&error)))?;
        training.fault().map_or(Ok(training), |fault| Err(format!("methods.{method}.{fault}")))
    }
}

#[cfg(test)]
mod tests {
    use crate::tests::{PIPELINE, pipeline};
    use crate::{Method, Pipeline};

    fn with(text: &str) -> Result<Pipeline, String> {
        pipeline(&format!("{PIPELINE}\n{text}")).map_err(|error| error.to_string())
    }

    #[test]
    fn own_keys_take_the_place_of_the_pipelines() {
        let read = with(
            "[methods.slow]\nrule = \"baseline\"\nfixed_target = \"one-hot\"\nlabel_scale = 1.0\n\
                         model = { attention_over = \"logits\" }\ntraining = { patience = 77 }",
        )
        .unwrap();
        let slow = Method::new("slow").unwrap();
        let (model, training) = (read.model_of(&slow).unwrap(), read.training_of(&slow).unwrap());
        assert_eq!(model.settings["attention_over"].as_str(), Some("logits"));
        assert_eq!(training.patience, 77);
        let mut others = training.clone();
        others.patience = read.training.patience;
        assert_eq!(others, read.training);
        let baseline = Method::new("baseline").unwrap();
        assert_eq!(read.model_of(&baseline).unwrap(), read.model);
        assert_eq!(read.training_of(&baseline).unwrap(), read.training);
        assert_eq!(pipeline(&toml::to_string(&read).unwrap()).unwrap(), read);
        // The rule does not see them.
        assert!(!read.methods.get("slow").unwrap().rule.settings.contains_key("model"));
    }

    #[test]
    fn a_kind_of_ones_own_has_nothing_of_the_pipelines() {
        let read =
            with("[methods.plain]\nrule = \"baseline\"\nmodel = { kind = \"linear\", c = 1.0 }");
        let model = read.unwrap().model_of(&Method::new("plain").unwrap()).unwrap();
        assert_eq!((model.kind.as_str(), model.settings.len()), ("linear", 1));
    }

    #[test]
    fn what_cannot_be_ones_own_is_told_by_its_path() {
        for (own, told) in [
            ("seeds = [3]", "methods.x.training: seeds is the same for all methods"),
            ("patience = 0", "methods.x.training.max_epochs and patience: at least 1"),
            ("patients = 3", "methods.x.training: unknown field `patients`"),
        ] {
            let refused = with(&format!("[methods.x]\nrule = \"lw\"\ntraining = {{ {own} }}"));
            let refused = refused.unwrap_err();
            assert!(refused.contains(told), "{refused}");
        }
        let refused = with("[methods.x]\nrule = \"lw\"\nmodel = 3").unwrap_err();
        assert!(refused.contains("methods.x.model: 3 is no section"), "{refused}");
    }
}
