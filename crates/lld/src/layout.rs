//! The statics of a set: which there are beside the MFCC, in which order, and what they are called.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

/// Key `layout`: the statics of a frame, their order in its row, and their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// §0: MFCC, loudness, F0, voicing probability, zero-crossing rate.
    #[default]
    Ser32,
    /// §14, INTERSPEECH 2009: RMS energy, MFCC, zero-crossing rate, voicing probability, F0; named
    /// as openSMILE names them there.
    Is09,
}

/// Statics of one frame beside its MFCC.
pub(crate) struct Others {
    /// Loudness or RMS energy.
    pub(crate) energy: f32,
    pub(crate) f0: f32,
    pub(crate) voicing: f32,
    pub(crate) zcr: f32,
}

impl Others {
    /// How many they are.
    pub(crate) const COUNT: usize = 4;
}

impl Layout {
    /// Names of the statics with the MFCC of these numbers. `suffix` says what was done along time:
    /// `_sma` for smoothing, `_de` for deltas.
    pub(crate) fn names(self, mfcc: RangeInclusive<usize>, suffix: &str) -> Vec<String> {
        let with_suffix = |name: &&str| format!("{name}{suffix}");
        match self {
            Self::Ser32 => {
                let mfcc = mfcc.map(|i| format!("mfcc{i}{suffix}"));
                let others = ["loudness", "F0", "voiceProb", "zcr"];
                mfcc.chain(others.iter().map(with_suffix)).collect()
            }
            Self::Is09 => {
                let mfcc = mfcc.map(|i| format!("pcm_fftMag_mfcc{suffix}[{i}]"));
                let others = ["pcm_zcr", "voiceProb", "F0"];
                let energy = std::iter::once(format!("pcm_RMSenergy{suffix}"));
                energy.chain(mfcc).chain(others.iter().map(with_suffix)).collect()
            }
        }
    }

    /// Writes the other statics to their places in a frame's row; returns the place of its MFCC.
    pub(crate) fn place<'a>(self, row: &'a mut [f32], others: &Others) -> &'a mut [f32] {
        let Others { energy, f0, voicing, zcr } = *others;
        match self {
            Self::Ser32 => {
                let (mfcc, rest) = row.split_at_mut(row.len() - Others::COUNT);
                rest.copy_from_slice(&[energy, f0, voicing, zcr]);
                mfcc
            }
            Self::Is09 => {
                let (before, rest) = row.split_at_mut(1);
                let (mfcc, after) = rest.split_at_mut(rest.len() + 1 - Others::COUNT);
                before.copy_from_slice(&[energy]);
                after.copy_from_slice(&[zcr, voicing, f0]);
                mfcc
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Puts values that tell what they are, and looks each up by its name.
    #[test]
    fn every_value_stands_under_its_name() {
        let others = Others { energy: 1.0, f0: 2.0, voicing: 3.0, zcr: 4.0 };
        for layout in [Layout::Ser32, Layout::Is09] {
            let names = layout.names(3..=5, "_sma");
            let mut row = vec![0.0; names.len()];
            layout.place(&mut row, &others).copy_from_slice(&[13.0, 14.0, 15.0]);
            for (name, value) in names.iter().zip(row) {
                let expected = match name.trim_start_matches("pcm_") {
                    "loudness_sma" | "RMSenergy_sma" => 1.0,
                    "F0_sma" => 2.0,
                    "voiceProb_sma" => 3.0,
                    "zcr_sma" => 4.0,
                    "mfcc3_sma" | "fftMag_mfcc_sma[3]" => 13.0,
                    "mfcc4_sma" | "fftMag_mfcc_sma[4]" => 14.0,
                    "mfcc5_sma" | "fftMag_mfcc_sma[5]" => 15.0,
                    _ => panic!("{name}"),
                };
                assert_eq!(value, expected, "{name}");
            }
        }
    }
}
