//! Formants of vowels and consonants.

use crate::plan::Sex;

/// Formants that are modelled.
pub(crate) const FORMANTS: usize = 5;

/// The first three formants of ten American English vowels in Hz, women then men: Peterson & Barney
/// (1952), table II, in their order (heed, hid, head, had, hod, hawed, hood, who'd, hud, heard).
const VOWEL_FORMANTS: [[[f64; 3]; 10]; 2] = [
    [
        [310.0, 2790.0, 3310.0],
        [430.0, 2480.0, 3070.0],
        [610.0, 2330.0, 2990.0],
        [860.0, 2050.0, 2850.0],
        [850.0, 1220.0, 2810.0],
        [590.0, 920.0, 2710.0],
        [470.0, 1160.0, 2680.0],
        [370.0, 950.0, 2670.0],
        [760.0, 1400.0, 2780.0],
        [500.0, 1640.0, 1960.0],
    ],
    [
        [270.0, 2290.0, 3010.0],
        [390.0, 1990.0, 2550.0],
        [530.0, 1840.0, 2480.0],
        [660.0, 1720.0, 2410.0],
        [730.0, 1090.0, 2440.0],
        [570.0, 840.0, 2410.0],
        [440.0, 1020.0, 2240.0],
        [300.0, 870.0, 2240.0],
        [640.0, 1190.0, 2390.0],
        [490.0, 1350.0, 1690.0],
    ],
];

/// Formants of the neutral tube, in Hz: odd multiples of the quarter-wave resonance of 17 cm for
/// men; women's tracts are about 1.17 times shorter (Peterson & Barney's ratio of mean formants).
const NEUTRAL: [[f64; FORMANTS]; 2] =
    [[585.0, 1755.0, 2925.0, 4095.0, 5265.0], [500.0, 1500.0, 2500.0, 3500.0, 4500.0]];

/// Bandwidths in Hz, about the defaults of Klatt (1980), table I.
pub(crate) const BANDWIDTHS: [f64; FORMANTS] = [60.0, 90.0, 150.0, 200.0, 250.0];

/// One of the vowels, by its number in Peterson & Barney's order.
pub(crate) type Vowel = usize;

/// Numbers of all vowels.
pub(crate) const VOWELS: [Vowel; 10] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

/// Where a consonant closes the tract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Lips,
    Teeth,
    Palate,
}

impl Place {
    /// Every place.
    pub(crate) const ALL: [Self; 3] = [Self::Lips, Self::Teeth, Self::Palate];

    /// Second formant towards which vowels bend, in a man's tract: the loci of Delattre, Liberman &
    /// Cooper (1955), that of the palate lowered to lie within reach of all vowels.
    fn locus_hz(self) -> f64 {
        match self {
            Self::Lips => 720.0,
            Self::Teeth => 1800.0,
            Self::Palate => 2300.0,
        }
    }

    /// Centre and strength of the hiss: /f/, /s/ and /ʃ/ by their mean spectral peaks in Jongman,
    /// Wayland & Wong (2000), rounded down into the band below 8 kHz.
    pub(crate) fn hiss(self) -> (f64, f64) {
        match self {
            Self::Lips => (7000.0, 0.25),
            Self::Teeth => (6400.0, 0.8),
            Self::Palate => (3800.0, 1.0),
        }
    }
}

/// Formants of a vowel: `articulation` scales its distance from the neutral tube, `tract` all of
/// it.
pub(crate) fn vowel(sex: Sex, vowel: Vowel, articulation: f64, tract: f64) -> [f64; FORMANTS] {
    let mut formants = NEUTRAL[sex as usize];
    for (formant, target) in formants.iter_mut().zip(VOWEL_FORMANTS[sex as usize][vowel]) {
        *formant += articulation * (target - *formant);
    }
    formants.map(|hz| hz * tract)
}

/// Formants towards which the tract moves while a consonant closes it.
pub(crate) fn consonant(sex: Sex, place: Place, tract: f64) -> [f64; FORMANTS] {
    let [_, _, third, fourth, fifth] = NEUTRAL[sex as usize];
    let scale = NEUTRAL[sex as usize][0] / NEUTRAL[Sex::M as usize][0];
    // A closed tract has its first formant at 250 Hz or below (Stevens 1998).
    [250.0 * scale, place.locus_hz() * scale, third, fourth, fifth].map(|hz| hz * tract)
}
