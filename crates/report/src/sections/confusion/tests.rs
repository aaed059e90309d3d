//! A matrix's cells, and that they can be read on every shade.

use super::*;

#[test]
fn cells_have_the_share_of_their_row_and_the_count() {
    let texts = [cell(3, 4), cell(1, 4), cell(0, 0)].map(Markup::into_string);
    assert_eq!(texts[0], "<td class=\"high\" style=\"--share:0.750\"><b>75.0</b>3</td>");
    assert!(
        texts[1].contains("class=\"low\"") && texts[1].contains("<b>25.0</b>1"),
        "{}",
        texts[1]
    );
    assert!(
        texts[2].contains("--share:0.000\"><b>–</b>0"),
        "no share of an empty class: {}",
        texts[2]
    );
}

type Rgb = [f64; 3];

/// A colour of the style sheet: the `nth` definition of a custom property.
fn colour(name: &str, nth: usize) -> Rgb {
    let style = include_str!("../../style.css");
    let found = style.split(&format!("--{name}: #")).nth(nth + 1).unwrap();
    let channel = |i: usize| u8::from_str_radix(&found[2 * i..2 * i + 2], 16).unwrap();
    [0, 1, 2].map(|i| f64::from(channel(i)))
}

/// Relative luminance, WCAG 2.2.
fn luminance(colour: Rgb) -> f64 {
    let linear = colour.map(|channel| {
        let c = channel / 255.0;
        if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
}

fn contrast(a: Rgb, b: Rgb) -> f64 {
    let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05);
    a.max(b) / a.min(b)
}

fn blend(top: Rgb, below: Rgb, opacity: f64) -> Rgb {
    [0, 1, 2].map(|i| opacity * top[i] + (1.0 - opacity) * below[i])
}

#[test]
fn text_can_be_read_on_every_shade() {
    for theme in [0, 1, 2] {
        let [paper, heat] = ["paper", "heat"].map(|name| colour(name, theme));
        for step in 0..=1000 {
            let share = f64::from(step) / 1000.0;
            let ink = if share >= HIGH { "heat-ink-high" } else { "heat-ink-low" };
            let found = contrast(colour(ink, theme), blend(heat, paper, share));
            assert!(found >= 4.5, "theme {theme}, share {share}: {found:.2}");
        }
    }
}

#[test]
fn text_colours_have_contrast_in_every_theme() {
    for theme in [0, 1, 2] {
        let paper = colour("paper", theme);
        for name in ["ink", "muted", "accent", "second"] {
            assert!(contrast(colour(name, theme), paper) >= 4.5, "{name} in theme {theme}");
        }
    }
}
