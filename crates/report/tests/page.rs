//! The whole page: well formed, self-contained, escaped, and fit for little or odd input.

#[path = "made_up/records.rs"]
mod records;

use std::collections::BTreeSet;

use ambivox_eval::SummaryBuilder;
use ambivox_report::{ReportInput, render, write};
use records::Records;

const HOSTILE: &str = "<script>alert('1')</script>\"&amp;";
const VOID: [&str; 3] = ["meta", "br", "hr"];

/// Tags in order: name, attributes' text, whether it closes an element.
fn tags(html: &str) -> Vec<(String, String, bool)> {
    let body = html.strip_prefix("<!DOCTYPE html>").expect("a doctype");
    let (before, style) = body.split_once("<style>").expect("a style sheet");
    let (_, after) = style.split_once("</style>").expect("its end");
    let after = without_scripts(after);
    let mut tags = Vec::new();
    for piece in [before, &after].iter().flat_map(|part| part.split('<').skip(1)) {
        let (tag, text) = piece.split_once('>').expect("a tag ends");
        assert!(!text.contains('>'), "an unescaped > in {text:?}");
        let closes = tag.starts_with('/');
        let tag = tag.trim_start_matches('/');
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        tags.push((name.to_owned(), attributes.to_owned(), closes));
    }
    tags
}

/// The page less what its scripts say.
fn without_scripts(html: &str) -> String {
    let before = |part: &'_ str| part.split("<script").next().unwrap_or_default().to_owned();
    html.split("</script>").map(before).collect()
}

/// Values of an attribute, in order.
fn values(html: &str, attribute: &str) -> Vec<String> {
    let key = format!(" {attribute}=\"");
    html.split(&key)
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap_or_default().to_owned())
        .collect()
}

fn assert_well_formed(html: &str) {
    let mut open = Vec::new();
    for (name, _, closes) in tags(html) {
        if closes {
            assert_eq!(open.pop(), Some(name));
        } else if !VOID.contains(&name.as_str()) {
            open.push(name);
        }
    }
    assert_eq!(open, Vec::<String>::new());
    let ids = values(html, "id");
    let unique: BTreeSet<&String> = ids.iter().collect();
    assert_eq!(unique.len(), ids.len(), "ids are unique");
    let named = ["aria-labelledby", "aria-describedby"].map(|name| values(html, name)).concat();
    let linked =
        values(html, "href").into_iter().filter_map(|h| Some(h.strip_prefix('#')?.to_owned()));
    for id in named.into_iter().chain(linked) {
        assert!(unique.contains(&id), "nothing has the id {id}");
    }
}

#[test]
fn is_well_formed_and_the_same_every_time() {
    let records = Records::new(&[0, 1]);
    let html = render(&records.input());
    assert_well_formed(&html);
    assert_eq!(html, render(&records.input()));
}

#[test]
fn loads_nothing() {
    let html = render(&Records::new(&[0]).input());
    assert_eq!(html.matches("<script>").count(), 1, "the one that sorts tables");
    for loader in ["<script ", "<link", "<img", "<iframe", " src=", "url(", "@import", "xmlns"] {
        assert!(!html.contains(loader), "{loader}");
    }
    let addresses = values(&html, "href").into_iter().filter(|href| !href.starts_with('#'));
    assert_eq!(addresses.collect::<Vec<_>>(), ["https://example.org/made-up"]);
    assert_eq!(html.matches("://").count(), 2, "the source's address and its text alone");
}

#[test]
fn headings_are_in_order_and_tables_are_described() {
    let html = render(&Records::new(&[0]).input());
    assert!(html.contains("<html lang=\"en\">"));
    let mut level = 0;
    for (name, _, closes) in tags(&html) {
        let heading = name.strip_prefix('h').and_then(|rest| rest.parse::<u32>().ok());
        if let (Some(next), false) = (heading, closes) {
            assert!(next <= level + 1, "h{next} after h{level}");
            level = next;
        }
    }
    let count = |text: &str| html.matches(text).count();
    assert_eq!(count("<h1>"), 1);
    assert!(count("<table") >= 5);
    assert_eq!(count("<caption>"), count("<table"));
    let all_scoped = tags(&html)
        .into_iter()
        .filter(|(name, _, closes)| name == "th" && !closes)
        .all(|(_, attributes, _)| attributes.contains("scope=\""));
    assert!(all_scoped, "every th has a scope");
    assert_eq!(count("role=\"img\""), count("<desc"));
}

#[test]
fn hostile_text_stays_text() {
    let mut records = Records::new(&[0]);
    let renamed = |name: &mut String| *name = HOSTILE.to_owned();
    let manifest = &mut records.manifest;
    for text in [&mut manifest.title, &mut manifest.licence, &mut manifest.citation] {
        renamed(text);
    }
    manifest.source = format!("javascript:{HOSTILE}");
    renamed(&mut records.index.speakers[0].speaker);
    renamed(&mut records.index.release_differences[0]);
    records.index.warnings.push(HOSTILE.to_owned());
    renamed(&mut records.splits.folds[0].tested[0]);
    renamed(&mut records.splits.folds[0].validating[0]);
    renamed(&mut records.histories[0].fold);
    renamed(&mut records.histories[1].method);
    renamed(&mut records.exclusions.excluded[0].reason);
    renamed(&mut records.exclusions.excluded[0].path);
    renamed(&mut records.exclusions.warnings[0].reason);
    records.provenance[0] = (HOSTILE.to_owned(), HOSTILE.to_owned());
    for class in [&mut records.summary.classes[0], &mut records.splits.classes[0]] {
        renamed(class);
    }
    let mut input = records.input();
    (input.title, input.pipeline_toml) = (HOSTILE, HOSTILE);
    let html = render(&input);
    assert_well_formed(&html);
    assert!(html.contains("Check these warnings"));
    assert!(!html.contains("<script>alert"));
    assert!(!html.contains("href=\"javascript"));
    assert!(html.matches("&lt;script&gt;alert('1')&lt;/script&gt;&quot;&amp;amp;").count() >= 15);
}

#[test]
fn synthetic_results_say_so_in_every_caption() {
    let mut records = Records::new(&[0]);
    let banner =
        "computer-generated, speech-like audio; results on it say nothing about real speech";
    let html = render(&records.input());
    assert!(html.contains(banner));
    assert_eq!(
        html.matches("Synthetic corpus.</span></caption>").count(),
        html.matches("<table").count()
    );
    records.manifest.synthetic = false;
    assert!(render(&records.input()).contains(banner), "the summary says it still");
    records.summary.synthetic = false;
    assert!(!render(&records.input()).to_lowercase().contains("synthetic"));
}

#[test]
fn published_figures_are_marked() {
    let html = render(&Records::new(&[0]).input());
    // Headline, Table 2, Table 3 and the citation.
    assert!(html.matches("paper, IEMOCAP").count() >= 4);
    let (_, paper) = html.split_once(">paper, IEMOCAP</span>").expect("a group of Table 2");
    let (group, _) = paper.split_once("</tbody>").expect("its end");
    assert!(group.contains(">65.9</td>"), "WA of lw, as published");
}

/// Figures of the whole corpus are no match for those of a balanced one.
#[test]
fn a_balanced_evaluation_stands_beside_the_papers_own() {
    let records = Records::new(&[0]);
    let mut input = records.input();
    assert!(render(&input).contains("Figure 3") && !render(&input).contains("Table 4"));
    input.balanced = true;
    let html = render(&input);
    let label = "paper, IEMOCAP, balanced";
    assert_eq!(html.matches("paper, IEMOCAP").count(), html.matches(label).count());
    assert!(html.contains(">59.4 / 61.5<"));
    assert!(!html.contains(">65.9</td>") && !html.contains(">1.32</td>"));
    let (_, weights) = html.split_once("Table 4</span>").expect("a group of Table 4");
    assert!(weights.contains(">1.02</td><td>0.98</td><td>1.06</td><td>0.94</td>"));
    assert!(html.contains("Figure 4") && html.contains("balanced for every speaker"));
}

#[test]
fn labels_that_are_not_the_corpus_s_own_are_told_of() {
    let mut records = Records::new(&[0]);
    let html = render(&records.input());
    assert!(html.contains(" 12 labels corrected.</p>"), "in the head");
    assert!(
        html.contains("<code>corrections.csv</code> changes 12 labels and keeps 3 after review")
    );
    assert!(html.contains("the test sets keep the original ones"));
    assert!(!html.contains("Label noise. "), "some runs have none exchanged");
    let mut input = records.input();
    input.corrections = input.corrections.map(|(counts, _)| (counts, true));
    assert!(render(&input).contains("the test sets have them too"));

    let mut records_of_table = Records::new(&[0]);
    records_of_table.index.corrections = Some(records.corrections.clone());
    let mut input = records_of_table.input();
    input.corrections = None;
    assert!(render(&input).contains("of the corpus, as the manifest says"));

    for points in records.noise.methods.values_mut() {
        points.retain(|point| point.rate > 0.0);
    }
    let least = records.noise.methods["lw"][0].rate;
    let html = render(&records.input());
    let share = format!("{:.0} %", 100.0 * least);
    assert!(html.contains(&format!(" Label noise added on purpose: {share}.</p>")), "in the head");
    assert!(html.contains(&format!("At least {share} of the gold labels")));
}

#[test]
fn part_of_the_folds_is_called_so() {
    let mut records = Records::new(&[0]);
    let classes = &records.splits.classes;
    let mut builder = SummaryBuilder::new("part", classes, false);
    let whole = &records.summary.methods["lw"].seeds[&0];
    let run = records.histories.iter().find(|run| run.method == "lw").unwrap();
    builder.add_run(whole.folds[&run.fold].confusion.clone(), run).unwrap();
    records.summary = builder.finish().unwrap();
    let html = render(&records.input());
    assert!(html.contains("1 of 10 folds"));
    let (_, folds) = html.split_once("<section id=\"folds\"").expect("the section");
    let (rows, _) = folds.split_once("<tfoot>").expect("its table ends");
    assert_eq!(rows.matches("<th scope=\"row\">").count(), 1, "the fold tested alone");
}

/// A section of the page.
fn section<'a>(html: &'a str, id: &str) -> &'a str {
    let (_, rest) = html.split_once(&format!("<section id=\"{id}\"")).expect("the section");
    rest.split_once("</section>").expect("its end").0
}

/// As many as there are, not as many as seeds and folds call for.
#[test]
fn a_cross_validation_cut_short_counts_its_runs() {
    let mut records = Records::new(&[0, 1, 2]);
    assert!(!render(&records.input()).contains("runs of BLSTM"));
    let lw = records.summary.methods.get_mut("lw").unwrap();
    for fold in ["Ses01F", "Ses05M"] {
        lw.seeds.get_mut(&2).unwrap().folds.remove(fold).unwrap();
    }
    let html = render(&records.input());
    let told = "10 folds, 3 seeds (28 of 30 runs of BLSTM + ATT + L + w)";
    assert!(html.contains(&format!("{told}.")), "in the head");
    assert!(section(&html, "table-2").contains(&format!("Means over {told}")));
    assert!(
        section(&html, "table-2")
            .contains(&format!("All utterances of {told}").replace("folds,", "folds pooled,"))
    );
    let of_lw = "Confusion matrix of BLSTM + ATT + L + w, 3 seeds, 28 of 30 runs";
    assert!(section(&html, "confusion").contains(of_lw));
    assert!(section(&html, "confusion").contains("Confusion matrix of BLSTM + ATT, 3 seeds."));
}

/// On the paper's own corpus, and nowhere else, rows stand beside the paper's, and its claims are held up.
#[test]
fn the_papers_corpus_is_held_against_the_paper() {
    let mut records = Records::new(&[0, 1]);
    assert!(!render(&records.input()).contains("Comparison with the paper"), "a synthetic corpus");
    records.manifest.synthetic = false;
    assert!(
        !render(&records.input()).contains("Comparison with the paper"),
        "corrected labels and noise"
    );
    let papers = |records: &Records| {
        render(&ReportInput { noise: None, corrections: None, ..records.input() })
    };
    let html = papers(&records);
    assert_well_formed(&html);
    let beside = section(&html, "paper");
    assert!(beside.contains("Ours minus paper’s") && beside.contains("(3.3)"), "{beside}");
    records.manifest.adapter = ambivox_settings::Adapter::Emodb;
    assert!(!papers(&records).contains("Comparison with the paper"), "another corpus");
}

/// Rates of several test sets of one list stand apart, and nothing is averaged or tested over them.
#[test]
fn test_sets_stand_apart() {
    let mut records = Records::new(&[0, 1]);
    let whole = render(&records.input());
    assert!(section(&whole, "results").contains("Gains over"));
    records.summary.test_sets = true;
    let html = render(&records.input());
    assert_well_formed(&html);
    assert!(html.contains("4 classes, 10 test sets, 2 seeds"), "in the head");
    let results = section(&html, "results");
    assert_eq!(results.matches(">Test set Ses0").count(), 10);
    assert!(results.contains("no mean is taken and no p-value computed over them"));
    assert!(!results.contains("Gains over") && !results.contains("over folds"));
    let table = section(&html, "table-2");
    assert_eq!(table.matches(">Test set Ses0").count(), 10);
    assert!(!table.contains("Means over 1") && !table.contains("pooled"));
    assert!(section(&html, "folds").contains("Results by test set"));
    assert!(!section(&html, "folds").contains("<tfoot>"));
    let confusion = section(&html, "confusion");
    assert_eq!(confusion.matches("<table class=\"confusion\">").count(), 2 * 10);
    // The rates of a test set are its own: those that its row has where it is a fold.
    let ua = records.summary.methods["lw"].fold_means()["Ses03M"].ua.unwrap();
    let (_, set) = results.split_once(">Test set Ses03M<").unwrap();
    let (set, _) = set.split_once("</tbody>").unwrap();
    assert!(set.contains(&format!("<span class=\"big\">{:.1}</span>", 100.0 * ua)));
}

#[test]
fn a_method_with_a_model_of_another_kind_is_not_called_as_in_the_paper() {
    let mut records = Records::new(&[0]);
    let before = render(&records.input());
    records.own_models.insert("lw".to_owned(), "linear".to_owned());
    let html = render(&records.input());
    assert!(html.contains("lw trains the model linear."));
    // The paper's own row alone keeps its name.
    let named = |html: &str| section(html, "table-2").matches("BLSTM + ATT + L + w</th>").count();
    assert_eq!((named(&before), named(&html)), (4, 1));
}

#[test]
fn averages_of_f1_and_calibration_are_told() {
    let records = Records::new(&[0]);
    let html = render(&records.input());
    let over = &records.summary.methods["lw"].over_seeds;
    let table = section(&html, "table-2");
    assert!(table.contains("Macro F1</th>") && table.contains("Weighted F1</th>"));
    let f1 = over.mean.macro_f1.unwrap();
    assert!(table.contains(&format!(">{:.1}</td>", 100.0 * f1)));
    for value in [over.pooled.brier, over.pooled.nll] {
        assert!(table.contains(&format!(">{:.3}</td>", value.unwrap())));
    }
    assert!(table.contains(&format!(">{:.1}</td>", 100.0 * over.pooled.ece.unwrap())));
    assert!(section(&html, "results").contains("unweighted average recall (UAR)"));
}

#[test]
fn little_input_gives_a_whole_page() {
    let mut records = Records::new(&[0]);
    let classes = &records.splits.classes;
    records.summary = SummaryBuilder::new("empty", classes, false).finish().unwrap();
    records.histories.clear();
    records.exclusions.excluded.clear();
    records.exclusions.warnings.clear();
    records.index.release_differences.clear();
    records.provenance.clear();
    let html = render(&records.input());
    assert_well_formed(&html);
    assert!(html.contains("No utterance was excluded"));
    assert!(!html.contains("Check these warnings"));
    assert!(!html.contains("Doubtful recordings"));
    assert!(!html.contains("Learning curves"));
    let read = without_scripts(&html);
    assert!(!read.contains("NaN") && !read.contains("inf"), "no figure of nothing");
}

#[test]
fn doubtful_recordings_are_listed_beside_those_left_out() {
    let mut records = Records::new(&[0]);
    let listed = |records: &Records| {
        let html = render(&records.input());
        let (_, section) = html.split_once("<section id=\"exclusions\"").unwrap();
        let (section, _) = section.split_once("</section>").unwrap();
        let (excluded, warnings) = section.split_once("Doubtful recordings, which are").unwrap();
        (excluded.matches("<code>").count(), warnings.matches("<code>").count())
    };
    assert_eq!(listed(&records), (2, 1));
    records.exclusions.excluded.clear();
    assert_eq!(listed(&records), (0, 1));
}

#[test]
fn writes_what_it_renders() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.html");
    let records = Records::new(&[0]);
    write(&file, &records.input()).unwrap();
    assert_eq!(fs_err::read_to_string(&file).unwrap(), render(&records.input()));
    let no_folder = folder.path().join("none").join("report.html");
    assert!(write(&no_folder, &records.input()).unwrap_err().to_string().contains("none"));
}
