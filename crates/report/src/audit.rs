//! `audit.html`: the labels to look at first, to listen to and to decide on.
//!
//! The table is written here and stands without a script; what a chosen utterance shows comes from
//! one JSON document in the page. Texts of strangers, such as file names, are escaped in both.

mod data;
mod panel;
mod table;

use std::collections::BTreeSet;
use std::path::Path;

use ambivox_eval::audit::Suspect;
use ambivox_settings::Manifest;
use fs_err as fs;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde::Serialize;

use crate::format::{count, counted};
use crate::page::{SORT, SYNTHETIC, head};

const OWN_STYLE: &str = include_str!("audit/audit.css");
const SCRIPT: &str = include_str!("audit/audit.js");
/// Nothing is loaded from anywhere; audio comes out of the page itself.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
    media-src blob:; base-uri 'none'; form-action 'none'";

/// Columns of a waveform.
pub const COLUMNS: usize = 600;

/// A ranking of labels.
#[derive(Debug, Clone, Copy)]
pub struct AuditPage<'a> {
    /// The corpus.
    pub manifest: &'a Manifest,
    /// Id of the method whose runs rank the labels.
    pub method: &'a str,
    /// The detector that ranks, where it is not learned label and loss together.
    pub ranked_by: Option<&'a str>,
    /// How many of its first labels were wrong where labels were exchanged on purpose, in sentences.
    pub precision: &'a [String],
    /// Names of the classes.
    pub classes: &'a [String],
    /// What the out-of-fold models did not train on: the `speaker`, or the `utterance` alone.
    pub held_out: &'a str,
    /// Digest of the ranking, under which a browser keeps decisions.
    pub digest: &'a str,
    /// From the start of one frame of attention to that of the next, in seconds.
    pub step_s: f64,
    /// Length of a frame in seconds.
    pub frame_s: f64,
    /// The utterances, the most suspect first.
    pub entries: &'a [AuditEntry<'a>],
    /// Decisions that the runs had read already, of these utterances and of others; all go into the
    /// file that the page saves.
    pub earlier: &'a [PreviousDecision],
    /// Where that file is to go.
    pub save_as: SaveAs<'a>,
}

/// A decision of a file that the runs had read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PreviousDecision {
    /// The utterance.
    #[serde(rename = "id")]
    pub utterance_id: String,
    /// The label that the reviewer was shown.
    pub given: String,
    /// The label from then on.
    pub label: String,
    /// `accept`, `reject` or `other`.
    pub decision: String,
    /// What the reviewer wrote beside it.
    pub comment: String,
}

/// Where the saved file is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaveAs<'a> {
    /// Named as `[corrections] file` in the pipeline.
    New,
    /// In place of the file that `[corrections]` names.
    OfPipeline(&'a str),
    /// In place of the file in the corpus's folder that `csv.corrections` names: the labels that it
    /// says were given are those of the table.
    OfManifest(&'a str),
}

/// An utterance and its audio.
#[derive(Debug, Clone)]
pub struct AuditEntry<'a> {
    /// What is known of its label.
    pub suspect: &'a Suspect,
    /// Who speaks.
    pub speaker: &'a str,
    /// Audio file, relative to the corpus's root.
    pub path: &'a str,
    /// Start of the cut in that file, in seconds.
    pub start_s: Option<f64>,
    /// End of the cut.
    pub end_s: Option<f64>,
    /// Length in seconds.
    pub seconds: f64,
    /// The lowest and the highest sample of every column, in turns, for a loudest sample of ±1;
    /// [`COLUMNS`] of them or, for shorter audio, one for each sample.
    pub peaks: Vec<f32>,
    /// Attention weights, one per frame; empty where the method has none.
    pub attention: Vec<f32>,
    /// The audio as a WAV file, where the page is to play it.
    pub wav: Option<Vec<u8>>,
}

impl AuditPage<'_> {
    /// The page as one HTML document.
    pub fn render(&self) -> String {
        self.document().into_string()
    }

    /// Writes the page to `file`; the error names the file.
    pub fn write(&self, file: &Path) -> std::io::Result<()> {
        fs::write(file, self.render())
    }

    fn document(&self) -> Markup {
        html! {
            (DOCTYPE)
            html lang="en" {
                (head(&format!("Suspect labels: {}", self.manifest.title), POLICY, OWN_STYLE))
                body.audit {
                    (self.header())
                    main.workbench { (panel::render(self)) (self.list()) }
                    (self.footer())
                    script type="application/json" id="audit-data" { (PreEscaped(data::json(self))) }
                    script { (PreEscaped(SORT)) }
                    script { (PreEscaped(SCRIPT)) }
                }
            }
        }
    }

    fn header(&self) -> Markup {
        html! {
            header {
                h1 { "Suspect labels" }
                p.subtitle {
                    (self.manifest.title) ". " (counted(self.entries.len(), "utterance"))
                    ", the most suspect label first, ranked by the training runs of method “"
                    (self.method) "”"
                    @if let Some(detector) = self.ranked_by { ", by the detector: " (detector) } ". "
                    (self.audio_included())
                }
                @for sentence in self.precision { p.note { (sentence) } }
                @if self.manifest.synthetic {
                    p.banner role="note" { strong { "Synthetic corpus: " } (SYNTHETIC) "." }
                }
                noscript { p.banner { "Without JavaScript this page shows its table alone." } }
            }
        }
    }

    /// How much audio is in the page, and how large that makes it.
    fn audio_included(&self) -> String {
        let wavs = || self.entries.iter().filter_map(|entry| entry.wav.as_ref());
        // Base64 writes three bytes as four characters.
        let bytes: usize = wavs().map(|wav| wav.len().div_ceil(3) * 4).sum();
        let (number, all) = (wavs().count(), self.entries.len());
        let whose = match number {
            0 if !self.manifest.has_recordings() => return "There are no recordings.".to_owned(),
            0 => return "This page contains no audio.".to_owned(),
            _ if number == all => "all".to_owned(),
            _ => format!("the first {}", count(number as u64)),
        };
        format!("This page contains the audio of {whose} ({:.1} MB).", bytes as f64 / 1e6)
    }

    /// The ranking, and what chooses rows of it.
    fn list(&self) -> Markup {
        html! {
            section id="ranking" aria-labelledby="ranking-heading" {
                h2 id="ranking-heading" { "Ranking" }
                (self.filters())
                (table::render(self))
            }
        }
    }

    fn filters(&self) -> Markup {
        let speakers: BTreeSet<&str> = self.entries.iter().map(|entry| entry.speaker).collect();
        html! {
            div id="filters" role="group" aria-label="Filters" hidden {
                (select("by-label", "Given label", self.classes.iter().map(|c| (c.as_str(), c.as_str()))))
                (select("by-speaker", "Speaker", speakers.iter().map(|s| (*s, *s))))
                (select("by-decision", "Reviewed", [("no", "not yet"), ("yes", "yes")].into_iter()))
                label { "Search " input type="search" id="search" autocomplete="off"; }
                label.check { input type="checkbox" id="differs"; "only where another label is suggested" }
                p { output id="count" {} }
            }
        }
    }

    fn destination(&self) -> Markup {
        html! {
            @match self.save_as {
                SaveAs::New => {
                    "Name the saved file as " code { "[corrections] file" }
                    " in the pipeline and train again."
                }
                SaveAs::OfPipeline(file) => {
                    "The saved file also contains the decisions of " code { (file) }
                    ", which these runs had read: replace that file by it and train again."
                }
                SaveAs::OfManifest(file) => {
                    "The saved file also contains the decisions of " code { (file) } " in the corpus’s \
                     folder, which these runs had read: replace that file by it and train again."
                }
            }
        }
    }

    fn footer(&self) -> Markup {
        html! {
            footer {
                p.note {
                    "Decisions and comments stay in this browser until you save them; a comment is saved "
                    "only together with a decision. " (self.destination())
                }
                dl {
                    dt { "Ranking (BLAKE3 of audit.parquet)" }
                    dd.digest { (self.digest) }
                    dt { "Corpus" }
                    dd { (self.manifest.title) ", " (self.manifest.licence) }
                }
            }
        }
    }
}

fn select<'a>(id: &str, name: &str, options: impl Iterator<Item = (&'a str, &'a str)>) -> Markup {
    html! {
        label {
            (name) " "
            select id=(id) autocomplete="off" {
                option value="" { "all" }
                @for (value, text) in options { option value=(value) { (text) } }
            }
        }
    }
}
