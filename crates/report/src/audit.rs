//! `audit.html`: the labels to look at first, to listen to and to decide on.
//!
//! The table is written here and stands without a script; what a chosen utterance shows comes from
//! one JSON document in the page. Texts of strangers, such as file names, are escaped in both.

mod data;
mod table;

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
/// Nothing is loaded from anywhere; sounds are made in the page.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
    media-src blob:; base-uri 'none'; form-action 'none'";

/// Columns of a waveform.
pub const COLUMNS: usize = 600;

/// A ranking of labels.
#[derive(Debug, Clone, Copy)]
pub struct AuditPage<'a> {
    /// The corpus.
    pub manifest: &'a Manifest,
    /// Id of the method whose runs tell.
    pub method: &'a str,
    /// The detector that ranks, where it is not learned label and loss together.
    pub ranked_by: Option<&'a str>,
    /// Names of the classes.
    pub classes: &'a [String],
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
    pub earlier: &'a [Earlier],
    /// Where that file is to go.
    pub save_as: SaveAs<'a>,
}

/// A decision of a file that the runs had read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Earlier {
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

/// An utterance and its sound.
#[derive(Debug, Clone)]
pub struct AuditEntry<'a> {
    /// What is known of its label.
    pub suspect: &'a Suspect,
    /// Who speaks.
    pub speaker: &'a str,
    /// Sound file, relative to the corpus's root.
    pub path: &'a str,
    /// Start of the cut in that file, in seconds.
    pub start_s: Option<f64>,
    /// End of the cut.
    pub end_s: Option<f64>,
    /// Length in seconds.
    pub seconds: f64,
    /// The lowest and the highest sample of every column, in turns, for a loudest sample of ±1;
    /// [`COLUMNS`] of them or, for a shorter sound, one for each sample.
    pub peaks: Vec<f32>,
    /// Attention weights, one per frame; empty where the method has none.
    pub attention: Vec<f32>,
    /// The sound as a WAV file, where the page is to play it.
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
                    main { (self.tools()) div.workbench { (table::render(self)) (detail(self.manifest)) } }
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
                    ", the most suspect first, by the runs of “" (self.method) "”"
                    @if let Some(detector) = self.ranked_by { ", ranked by " (detector) } ". "
                    (self.sounds())
                }
                @if self.manifest.synthetic {
                    p.banner role="note" { strong { "Synthetic corpus: " } (SYNTHETIC) "." }
                }
                noscript { p.banner { "Without JavaScript this page shows its table alone." } }
            }
        }
    }

    /// How many sounds are in the page, and how large they make it.
    fn sounds(&self) -> String {
        let wavs = || self.entries.iter().filter_map(|entry| entry.wav.as_ref());
        // Base64 writes three bytes as four characters.
        let bytes: usize = wavs().map(|wav| wav.len().div_ceil(3) * 4).sum();
        let (number, all) = (wavs().count(), self.entries.len());
        let which = match number {
            0 if !self.manifest.has_recordings() => return "There are no recordings.".to_owned(),
            0 => return "No sound is in this file.".to_owned(),
            _ if number == all => "All sounds are".to_owned(),
            _ => format!("The sounds of the first {} are", count(number as u64)),
        };
        format!("{which} in this file and take {:.1} MB of it.", bytes as f64 / 1e6)
    }

    fn tools(&self) -> Markup {
        let speakers: std::collections::BTreeSet<&str> =
            self.entries.iter().map(|entry| entry.speaker).collect();
        html! {
            section id="tools" aria-label="Choice of utterances" hidden {
                (select("by-label", "Label", "all", self.classes.iter().map(|c| (c.as_str(), c.as_str()))))
                (select("by-speaker", "Speaker", "all", speakers.iter().map(|s| (*s, *s))))
                (select("by-decision", "Decided", "all", [("no", "not yet"), ("yes", "yes")].into_iter()))
                label.check { input type="checkbox" id="differs"; "given is not the suggested label" }
                label { "Search " input type="search" id="search" autocomplete="off"; }
                p { output id="count" {} }
                div.saving {
                    p { output id="progress" {} " " output id="kept" {} }
                    button.primary type="button" id="save" disabled { "Save corrections" }
                }
            }
        }
    }

    fn destination(&self) -> Markup {
        html! {
            @match self.save_as {
                SaveAs::New => {
                    "Name the file saved as " code { "[corrections] file" }
                    " in the pipeline, and train again."
                }
                SaveAs::OfPipeline(file) => {
                    "The file saved has the decisions of " code { (file) }
                    " too, which these runs had read: put it in the place of that file, and train again."
                }
                SaveAs::OfManifest(file) => {
                    "The file saved has the decisions of " code { (file) } " in the corpus’s folder \
                     too, which these runs had read: put it in the place of that file, and train again."
                }
            }
        }
    }

    fn footer(&self) -> Markup {
        html! {
            footer {
                p.note {
                    "Decisions and comments stay in this browser until they are saved; a comment is "
                    "saved with a decision alone. " (self.destination())
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

fn select<'a>(
    id: &str,
    name: &str,
    all: &str,
    options: impl Iterator<Item = (&'a str, &'a str)>,
) -> Markup {
    html! {
        label {
            (name) " "
            select id=(id) autocomplete="off" {
                option value="" { (all) }
                @for (value, text) in options { option value=(value) { (text) } }
            }
        }
    }
}

/// What the script fills for a chosen utterance.
fn detail(manifest: &Manifest) -> Markup {
    html! {
        section id="detail" aria-label="Chosen utterance" hidden {
            p.note id="nothing" {
                "Choose an utterance to see what is known of its label. "
                span.keyboard { "Keys: " kbd { "j" } " next, " kbd { "k" } " previous." }
            }
            div id="utterance" hidden {
                h2 id="detail-id" tabindex="-1" { "…" }
                p.note id="detail-where" {}
                div hidden[!manifest.has_recordings()] { (sound()) }
                p id="detail-reason" {}
                table.classes {
                    caption { span { "What is said of each class" } }
                    thead {
                        tr {
                            th.text scope="col" { "Class" }
                            th id="votes-head" scope="col" { "Votes" }
                            th scope="col" { "Learned" }
                            th scope="col" { "Unheard" }
                        }
                    }
                    tbody id="classes" {}
                }
                fieldset {
                    legend { "Which label is right?" }
                    div id="choices" {}
                    label.comment { "Comment " input type="text" id="comment" autocomplete="off"; }
                    p.note id="comment-alone" role="status" hidden {
                        "Kept in this browser; it is saved once there is a decision."
                    }
                    div.moves {
                        button type="button" id="undo" { "Undo " kbd { "u" } }
                        button type="button" id="previous" { "Previous " kbd { "k" } }
                        button type="button" id="next" { "Next " kbd { "j" } }
                    }
                }
            }
            label.check.keyboard { input type="checkbox" id="keys" checked autocomplete="off"; "Keyboard shortcuts, also "
                kbd { "/" } " to search" }
        }
    }
}

/// The recording of a chosen utterance; hidden, where there are none, since the script fills it.
fn sound() -> Markup {
    html! {
        svg id="wave" role="img" aria-labelledby="wave-title" viewBox="0 0 600 210" {
            title id="wave-title" { "Waveform" }
        }
        p.note.key { "Above the waveform, below it where the networks attend that did not \
            train on the speaker; each as high as its highest." }
        audio id="audio" preload="auto" {}
        div.player {
            button type="button" id="play" { "Play " kbd { "p" } }
            input type="range" id="seek" min="0" max="1" step="0.01" value="0"
                aria-label="Position in seconds";
            output id="time" {}
        }
        p.note id="silent" { "This sound is not in the page; "
            code { "cargo xtask audit --sounds N" } " puts in more." }
    }
}
