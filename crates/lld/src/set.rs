//! Feature sets: which descriptors, with which settings. A set is data, a TOML text.

use std::fmt::Display;

use serde::{Deserialize, Serialize};

use crate::{Layout, LldError, SAMPLE_RATE};

/// The sets that come with the crate: name and text.
const BUILTIN: [(&str, &str); 4] = [
    ("ser32", include_str!("../sets/ser32.toml")),
    ("ser32-sma3", include_str!("../sets/ser32-sma3.toml")),
    ("ser32-prosody", include_str!("../sets/ser32-prosody.toml")),
    ("is09", include_str!("../sets/is09.toml")),
];

/// Longest frame and step, in ms; far above any use in speech, so that a slip in the unit is caught.
const LONGEST_MS: u32 = 1000;

/// A feature set: MFCC, loudness or RMS energy, F0, voicing probability and zero-crossing rate per
/// frame, and the first deltas of all of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureSet {
    /// Name of the set.
    pub name: String,
    /// From the start of one frame to the start of the next, in ms.
    pub step_ms: u32,
    /// Which statics, in which order and under which names; `ser32` where the key is absent.
    #[serde(default)]
    pub layout: Layout,
    /// Frames of all descriptors but pitch.
    pub frame: FrameSettings,
    /// Mel-frequency cepstral coefficients.
    pub mfcc: MfccSettings,
    /// Loudness; just where the layout has it.
    pub loudness: Option<LoudnessSettings>,
    /// F0 and voicing probability.
    pub pitch: PitchSettings,
    /// What is done along time.
    pub contour: ContourSettings,
}

/// A frame and what happens to it before its spectrum is taken. Loudness and zero-crossing rate
/// read the raw frame, with neither pre-emphasis nor this window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrameSettings {
    /// Length in ms.
    pub length_ms: u32,
    /// Share of the sample before that is taken off each sample; 0 for none.
    pub pre_emphasis: f32,
    /// The window.
    pub window: Window,
}

/// A symmetric window, 1 in its middle.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Window {
    /// 0.54 - 0.46 cos.
    Hamming,
    /// A bell curve.
    Gauss {
        /// Standard deviation in units of half the window.
        sigma: f64,
    },
}

/// Section `[mfcc]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MfccSettings {
    /// Number of mel bands.
    pub bands: usize,
    /// Lower edge of the lowest band in Hz.
    pub low_hz: f32,
    /// Upper edge of the highest band in Hz.
    pub high_hz: f32,
    /// What the bands add up.
    pub spectrum: MelSpectrum,
    /// Number of the first coefficient kept.
    pub first: usize,
    /// Number of the last coefficient kept.
    pub last: usize,
    /// Length of the sine lifter; coefficient i is multiplied by 1 + L/2 sin(π i / L).
    pub lifter: f32,
}

/// What the mel bands add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MelSpectrum {
    /// Squared magnitudes.
    Power,
    /// Magnitudes.
    Magnitude,
}

/// Section `[loudness]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoudnessSettings {
    /// The samples that count.
    pub samples: LoudnessSamples,
}

/// Which samples of a frame its loudness is computed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LoudnessSamples {
    /// All of them, as openSMILE documents it.
    Frame,
    /// The first only, as openSMILE 3.0 computes it.
    First,
}

/// Section `[pitch]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PitchSettings {
    /// Highest F0 looked for, in Hz.
    pub max_hz: f64,
    /// Voicing probability below which a frame is unvoiced and its F0 0.
    pub voicing_cutoff: f64,
    /// Frames of their own; each is centred on the frame of the other descriptors.
    pub frame: FrameSettings,
}

/// Section `[contour]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContourSettings {
    /// Frames of the moving average, an odd number; 1 for none.
    pub smoothing: usize,
    /// Frames to each side that a delta looks at.
    pub delta_half_width: usize,
}

impl FeatureSet {
    /// Names of the built-in sets.
    ///
    /// ```
    /// let names: Vec<&str> = ambivox_lld::FeatureSet::builtin_names().collect();
    /// assert_eq!(names, ["ser32", "ser32-sma3", "ser32-prosody", "is09"]);
    /// ```
    pub fn builtin_names() -> impl Iterator<Item = &'static str> {
        BUILTIN.iter().map(|(name, _)| *name)
    }

    /// The built-in set of that name: `ser32`, `ser32-sma3`, `ser32-prosody` or `is09`.
    pub fn builtin(name: &str) -> Result<Self, LldError> {
        match BUILTIN.iter().find(|(known, _)| *known == name) {
            Some((_, text)) => Self::from_toml(text),
            None => Err(LldError::UnknownSet {
                name: name.to_owned(),
                known: Self::builtin_names().collect(),
            }),
        }
    }

    /// Reads a set; every key must be there and no other.
    pub fn from_toml(text: &str) -> Result<Self, LldError> {
        let set: Self = toml::from_str(text)?;
        set.check()?;
        Ok(set)
    }

    /// Names of the columns in order: the statics, then their deltas. Those of smoothed statics have
    /// `_sma` in them, those of deltas `_de`.
    ///
    /// ```
    /// let set = ambivox_lld::FeatureSet::builtin("ser32-sma3")?;
    /// assert_eq!(set.columns()[13], "F0_sma");
    /// assert_eq!(set.columns()[29], "F0_sma_de");
    /// # Ok::<(), ambivox_lld::LldError>(())
    /// ```
    pub fn columns(&self) -> Vec<String> {
        let smoothed = if self.contour.smoothing > 1 { "_sma" } else { "" };
        let mfcc = self.mfcc.first..=self.mfcc.last;
        let mut columns = self.layout.names(mfcc.clone(), smoothed);
        columns.extend(self.layout.names(mfcc, &format!("{smoothed}_de")));
        columns
    }

    /// Whether descriptors can be computed with these settings.
    ///
    /// # Errors
    /// They cannot; the message names the setting.
    pub fn check(&self) -> Result<(), LldError> {
        let step = self.step_ms;
        self.require("step_ms", step, (1..=LONGEST_MS).contains(&step), "1 to 1000")?;
        self.check_frame(&self.frame, ["frame.length_ms", "frame.pre_emphasis", "frame.window"])?;
        self.check_mfcc()?;
        self.check_loudness()?;
        self.check_frame(
            &self.pitch.frame,
            ["pitch.frame.length_ms", "pitch.frame.pre_emphasis", "pitch.frame.window"],
        )?;
        self.check_pitch()?;
        self.check_contour()
    }

    fn check_frame(&self, frame: &FrameSettings, keys: [&'static str; 3]) -> Result<(), LldError> {
        let length = frame.length_ms;
        self.require(keys[0], length, (1..=LONGEST_MS).contains(&length), "1 to 1000")?;
        let k = frame.pre_emphasis;
        self.require(keys[1], k, (0.0..1.0).contains(&k), "at least 0 and below 1")?;
        if let Window::Gauss { sigma } = frame.window {
            let usable = (0.01..=100.0).contains(&sigma);
            self.require(keys[2], sigma, usable, "a sigma of 0.01 to 100")?;
        }
        Ok(())
    }

    fn check_mfcc(&self) -> Result<(), LldError> {
        let MfccSettings { bands, low_hz, high_hz, first, last, lifter, .. } = self.mfcc;
        let nyquist = SAMPLE_RATE as f32 / 2.0;
        self.require("mfcc.bands", bands, (1..=256).contains(&bands), "1 to 256")?;
        let ordered = low_hz >= 0.0 && low_hz < high_hz;
        self.require("mfcc.low_hz", low_hz, ordered, "at least 0 and below mfcc.high_hz")?;
        self.require("mfcc.high_hz", high_hz, high_hz <= nyquist, "at most 8000")?;
        let first_fits = (1..=last).contains(&first);
        self.require("mfcc.first", first, first_fits, "at least 1 and at most mfcc.last")?;
        self.require("mfcc.last", last, last < bands, "below mfcc.bands")?;
        let lifts = lifter > 0.0 && lifter <= 1000.0;
        self.require("mfcc.lifter", lifter, lifts, "above 0, at most 1000")
    }

    fn check_loudness(&self) -> Result<(), LldError> {
        let (there, expected) = match self.layout {
            Layout::Ser32 => (true, "a section of that name, as layout `ser32` asks"),
            Layout::Is09 => (false, "no such section, since layout `is09` has RMS energy instead"),
        };
        let found = if self.loudness.is_some() { "present" } else { "absent" };
        self.require("[loudness]", found, self.loudness.is_some() == there, expected)
    }

    fn check_pitch(&self) -> Result<(), LldError> {
        let PitchSettings { max_hz, voicing_cutoff, ref frame } = self.pitch;
        // Two periods of the highest pitch must fit in the frame.
        let shortest = 2000.0 / f64::from(frame.length_ms);
        let fits = max_hz > shortest && max_hz < f64::from(SAMPLE_RATE) / 2.0;
        self.require("pitch.max_hz", max_hz, fits, "above two periods a frame, below 8000")?;
        let probability = (0.0..=1.0).contains(&voicing_cutoff);
        self.require("pitch.voicing_cutoff", voicing_cutoff, probability, "0 to 1")
    }

    fn check_contour(&self) -> Result<(), LldError> {
        let ContourSettings { smoothing, delta_half_width } = self.contour;
        let odd = smoothing % 2 == 1 && smoothing < 100;
        self.require("contour.smoothing", smoothing, odd, "an odd number below 100")?;
        let narrow = (1..50).contains(&delta_half_width);
        self.require("contour.delta_half_width", delta_half_width, narrow, "1 to 49")
    }

    fn require(
        &self,
        key: &'static str,
        value: impl Display + Copy,
        holds: bool,
        expected: &'static str,
    ) -> Result<(), LldError> {
        if holds {
            return Ok(());
        }
        let set = self.name.clone();
        Err(LldError::Setting { set, key, value: value.to_string(), expected })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ser32_with(from: &str, to: &str) -> Result<FeatureSet, LldError> {
        let text = BUILTIN[0].1;
        assert!(text.contains(from), "{from}");
        FeatureSet::from_toml(&text.replacen(from, to, 1))
    }

    #[test]
    fn builtin_sets_are_found_by_their_own_names() {
        for (name, _) in BUILTIN {
            assert_eq!(FeatureSet::builtin(name).unwrap().name, name);
        }
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let message = FeatureSet::builtin("egemaps").unwrap_err().to_string();
        assert_eq!(
            message,
            "no built-in feature set is called `egemaps`; there are: ser32, ser32-sma3, \
             ser32-prosody, is09"
        );
    }

    #[test]
    fn columns_are_statics_then_deltas() {
        let columns = FeatureSet::builtin("ser32").unwrap().columns();
        assert_eq!(columns.len(), 32);
        assert_eq!(columns[..2], ["mfcc1", "mfcc2"]);
        assert_eq!(columns[12..18], ["loudness", "F0", "voiceProb", "zcr", "mfcc1_de", "mfcc2_de"]);
        let smoothed = FeatureSet::builtin("ser32-sma3").unwrap().columns();
        assert_eq!([&smoothed[0], &smoothed[31]], ["mfcc1_sma", "zcr_sma_de"]);
        let is09 = FeatureSet::builtin("is09").unwrap().columns();
        assert_eq!(is09.len(), 32);
        assert_eq!(is09[..2], ["pcm_RMSenergy_sma", "pcm_fftMag_mfcc_sma[1]"]);
        assert_eq!(
            is09[13..17],
            ["pcm_zcr_sma", "voiceProb_sma", "F0_sma", "pcm_RMSenergy_sma_de"]
        );
        assert_eq!(is09[28], "pcm_fftMag_mfcc_sma_de[12]");
    }

    #[test]
    fn a_misspelt_key_is_shown_with_its_line() {
        let message = ser32_with("lifter", "liftre").unwrap_err().to_string();
        assert!(message.contains("line 18") && message.contains("liftre"), "{message}");
    }

    #[test]
    fn a_set_survives_being_written_and_read() {
        for name in FeatureSet::builtin_names() {
            let set = FeatureSet::builtin(name).unwrap();
            assert_eq!(FeatureSet::from_toml(&toml::to_string(&set).unwrap()).unwrap(), set);
        }
    }

    #[test]
    fn impossible_settings_are_named() {
        for (from, to, key) in [
            ("step_ms = 10", "step_ms = 0", "step_ms"),
            ("step_ms = 10", "step_ms = 1001", "step_ms"),
            ("length_ms = 25", "length_ms = 400000", "frame.length_ms"),
            ("pre_emphasis = 0.97", "pre_emphasis = nan", "frame.pre_emphasis"),
            ("kind = \"hamming\"", "kind = \"gauss\", sigma = 0.0", "frame.window"),
            ("kind = \"hamming\"", "kind = \"gauss\", sigma = 1e-300", "frame.window"),
            ("bands = 26", "bands = 0", "mfcc.bands"),
            ("bands = 26", "bands = 1000000000", "mfcc.bands"),
            ("low_hz = 20.0", "low_hz = 9000.0", "mfcc.low_hz"),
            ("high_hz = 8000.0", "high_hz = 8001.0", "mfcc.high_hz"),
            ("first = 1", "first = 0", "mfcc.first"),
            ("last = 12", "last = 26", "mfcc.last"),
            ("lifter = 22.0", "lifter = 0.0", "mfcc.lifter"),
            ("lifter = 22.0", "lifter = 1e30", "mfcc.lifter"),
            ("max_hz = 500.0", "max_hz = 80.0", "pitch.max_hz"),
            ("[loudness]\nsamples = \"frame\"", "", "[loudness]"),
            ("step_ms = 10", "step_ms = 10\nlayout = \"is09\"", "[loudness]"),
            ("cutoff = 0.55", "cutoff = 55.0", "pitch.voicing_cutoff"),
            ("smoothing = 1", "smoothing = 2", "contour.smoothing"),
            ("half_width = 2", "half_width = 0", "contour.delta_half_width"),
        ] {
            let message = ser32_with(from, to).unwrap_err().to_string();
            assert!(message.contains(&format!("`{key} = ")), "{to}: {message}");
        }
    }
}
