//! A run as TensorBoard shows it: its course, its weights and labels, its confusions.

use std::io::{self, Write};

use ambivox_eval::{Confusion, EpochRecord, RunHistory};
use ambivox_rules::LabelState;
use ambivox_tensorboard::{EventFile, Image};

/// What the events tell of.
pub(super) struct Events<'a> {
    pub(super) history: &'a RunHistory,
    /// Labels of the training utterances after the best epoch.
    pub(super) labels: &'a [LabelState],
    /// Confusions of the best epoch, by part.
    pub(super) confusions: &'a [(&'static str, Confusion)],
}

/// Writes what can be told of a run after these epochs. The events of the whole run begin with it.
pub(super) fn write_course(
    classes: &[String],
    epochs: &[EpochRecord],
    out: impl Write,
) -> io::Result<()> {
    course(classes, epochs, out)?.finish()
}

fn course<W: Write>(
    classes: &[String],
    epochs: &[EpochRecord],
    out: W,
) -> io::Result<EventFile<W>> {
    let mut file = EventFile::start(out)?;
    for record in epochs {
        epoch(&mut file, classes, record)?;
    }
    Ok(file)
}

fn epoch(
    file: &mut EventFile<impl Write>,
    classes: &[String],
    epoch: &EpochRecord,
) -> io::Result<()> {
    let step = epoch.epoch as i64;
    file.scalar(step, "loss/training", epoch.train_loss)?;
    for (name, value) in [
        ("loss/validation", epoch.validation_loss),
        ("validation/WA", epoch.validation_wa),
        ("validation/UA", epoch.validation_ua),
        ("labels/moved", epoch.labels_moved),
    ] {
        value.map_or(Ok(()), |value| file.scalar(step, name, value))?;
    }
    for (class, weight) in classes.iter().zip(epoch.mean_weight.iter().flatten()) {
        file.scalar(step, &format!("mean weight/{class}"), *weight)?;
    }
    Ok(())
}

impl Events<'_> {
    pub(super) fn write(&self, out: impl Write) -> io::Result<()> {
        let mut file = course(&self.history.classes, &self.history.epochs, out)?;
        self.learned(&mut file)?;
        let best = self.history.best_epoch as i64;
        for (part, confusion) in self.confusions {
            let tag = format!("confusion/{part}");
            file.image(best, &tag, &Image::heat_map(&shares(confusion)))?;
            file.text(best, &tag, &markdown(&self.history.classes, confusion))?;
        }
        file.finish()
    }

    /// Weights and labels, where the method learns them: before the first epoch, and after the best.
    fn learned(&self, file: &mut EventFile<impl Write>) -> io::Result<()> {
        let best = self.history.best_epoch as i64;
        let of = |get: fn(&LabelState) -> f64| self.labels.iter().map(get).collect::<Vec<f64>>();
        if self.history.initial_mean_weight.is_some() {
            file.histogram(0, "w", &of(|label| label.weight_initial))?;
            file.histogram(best, "w", &of(|label| label.weight))?;
        }
        if self.history.epochs.iter().any(|epoch| epoch.labels_moved.is_some()) {
            file.histogram(best, "1 - s of the gold label", &of(doubt))?;
        }
        Ok(())
    }
}

fn doubt(label: &LabelState) -> f64 {
    label.gold.map_or(f64::NAN, |gold| 1.0 - label.s[gold])
}

/// Each row as shares of its gold class.
fn shares(confusion: &Confusion) -> Vec<Vec<f64>> {
    let share = |row: &Vec<u64>| {
        let all = row.iter().sum::<u64>().max(1) as f64;
        row.iter().map(|count| *count as f64 / all).collect()
    };
    confusion.rows().iter().map(share).collect()
}

/// A table of counts, gold classes down and predicted classes across.
fn markdown(classes: &[String], confusion: &Confusion) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let head = [&["gold \\ predicted".to_owned()], classes].concat();
    let rule = vec!["---".to_owned(); head.len()];
    let rows = classes.iter().zip(confusion.rows()).map(|(class, counts)| {
        let counts = counts.iter().map(u64::to_string);
        line(&std::iter::once(class.clone()).chain(counts).collect::<Vec<_>>())
    });
    [line(&head), line(&rule)].into_iter().chain(rows).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_confusion_is_a_table_and_shares_of_its_rows() {
        let confusion = Confusion::from_pairs(2, [(0, 0), (0, 0), (0, 1), (0, 1)]).unwrap();
        assert_eq!(shares(&confusion), [[0.5, 0.5], [0.0, 0.0]]);
        let classes = ["calm", "angry"].map(str::to_owned);
        let expected = "| gold \\ predicted | calm | angry |\n| --- | --- | --- |\n\
            | calm | 2 | 2 |\n| angry | 0 | 0 |\n";
        assert_eq!(markdown(&classes, &confusion), expected);
    }
}
