//! The page of suspect labels: whole, self-contained, and deaf to markup in what strangers named.

#[path = "made_up/ranking.rs"]
mod ranking;
#[expect(dead_code, reason = "shared with the tests of the report")]
#[path = "made_up/records.rs"]
mod records;

use ambivox_report::{AuditEntry, AuditPage, PreviousDecision, SaveAs};
use ranking::Ranking;
use records::Records;
use serde_json::Value;

const HOSTILE: &str = "</script><script>alert('1')</script><!--\"&amp;";

fn made_up() -> Ranking {
    let records = Records::new(&[0]);
    Ranking::new(records.manifest, &records.splits.classes)
}

fn data(html: &str) -> Value {
    let (_, rest) = html.split_once("id=\"audit-data\">").expect("the data");
    let (json, _) = rest.split_once("</script>").expect("their end");
    serde_json::from_str(json).expect("one JSON document")
}

#[test]
fn the_table_stands_without_a_script() {
    let ranking = made_up();
    let html = ranking.page(&ranking.entries()).render();
    assert_eq!(html.matches("<tr data-entry=").count(), 6);
    let (_, rows) = html.split_once("<tbody>").expect("a table");
    let first = rows.split("</tr>").next().expect("a row");
    for text in [
        ">anna/03<",
        ">happiness<",
        ">sadness<",
        "happiness 2, sadness 1",
        "that did not train on this speaker",
    ] {
        assert!(first.contains(text), "{text} in {first}");
    }
    assert!(first.contains("aria-label=\"happiness 6.0 %, sadness 90.0 %"), "{first}");
    assert!(html.contains("This page contains the audio of the first 3 (0.1 MB)."));
    assert!(html.contains("say nothing about real speech"));
}

#[test]
fn the_script_reads_what_the_table_shows() {
    let ranking = made_up();
    let data = data(&ranking.page(&ranking.entries()).render());
    assert_eq!((data["digest"].as_str(), data["step_s"].as_f64()), (Some("0123abcd"), Some(0.01)));
    let entries = data["entries"].as_array().unwrap();
    assert_eq!(entries[0]["id"], "anna/03");
    assert_eq!(entries[0]["wave"].as_str().unwrap().len(), 1600, "1200 bytes in base64");
    assert_eq!(entries[0]["end_s"], 1.5);
    let sounds = entries.iter().filter(|entry| entry["sound"].is_string()).count();
    assert_eq!(sounds, 3);
}

fn earlier(id: &str, given: &str, label: &str) -> PreviousDecision {
    let [utterance_id, given, label] = [id, given, label].map(str::to_owned);
    let comment = HOSTILE.to_owned();
    PreviousDecision { utterance_id, given, label, decision: "other".to_owned(), comment }
}

#[test]
fn earlier_decisions_are_carried_on_and_the_page_says_where_to() {
    let mut ranking = made_up();
    ranking.earlier =
        vec![earlier("anna/03", "neutral", "happiness"), earlier("elsewhere", "", "anger")];
    let entries = ranking.entries();
    let page = |save_as| AuditPage { save_as, ..ranking.page(&entries) }.render();
    let of_pipeline = page(SaveAs::OfPipeline("mine.csv"));
    let found = data(&of_pipeline);
    assert_eq!(found["entries"][0]["earlier"]["comment"], HOSTILE);
    assert_eq!(found["entries"][0]["original"], "happiness");
    assert!(found["entries"][1]["earlier"].is_null());
    assert_eq!(found["others"][0]["id"], "elsewhere", "of no entry, and kept");
    assert_eq!(found["others"].as_array().unwrap().len(), 1);
    assert!(of_pipeline.contains("<code>mine.csv</code>, which these runs"), "{of_pipeline}");
    let of_manifest = page(SaveAs::OfManifest("table.csv"));
    assert_eq!(data(&of_manifest)["entries"][0]["original"], "neutral", "that of the table");
    assert!(of_manifest.contains("<code>table.csv</code> in the corpus"), "{of_manifest}");
    assert!(page(SaveAs::New).contains("<code>[corrections] file</code>"));
}

#[test]
fn hostile_text_stays_text() {
    let mut ranking = made_up();
    ranking.suspects[0].evidence.utterance_id = HOSTILE.to_owned();
    (ranking.speaker, ranking.path) = (HOSTILE.to_owned(), HOSTILE.to_owned());
    ranking.classes[1] = HOSTILE.to_owned();
    ranking.manifest.title = HOSTILE.to_owned();
    ranking.manifest.licence = HOSTILE.to_owned();
    let html = ranking.page(&ranking.entries()).render();
    assert_eq!(html.matches("<script").count(), 3, "data, sorting, review");
    assert!(!html.contains("<script>alert") && !html.contains("<!--"));
    let data = data(&html);
    assert_eq!(data["entries"][0]["id"], HOSTILE);
    assert_eq!(data["classes"][1], HOSTILE);
    assert_eq!(data["entries"][0]["path"], HOSTILE);
}

#[test]
fn loads_nothing() {
    let ranking = made_up();
    let html = ranking.page(&ranking.entries()).render();
    for loader in ["<link", "<img", "<iframe", " src=", "url(", "@import", "://"] {
        let found: Vec<usize> = html.match_indices(loader).map(|(at, _)| at).collect();
        // The name of SVG's elements, which nobody fetches.
        let named = found.iter().filter(|&&at| html[..at].ends_with("\"http"));
        assert_eq!(found.len(), named.count(), "{loader}");
    }
    assert!(html.contains("default-src 'none'"));
}

#[test]
fn a_corpus_without_recordings_is_audited_without_a_player() {
    let mut ranking = made_up();
    let has_player = |ranking: &Ranking| {
        let html = ranking.page(&ranking.entries()).render();
        (!html.contains("<div hidden><svg id=\"wave\""), html)
    };
    assert!(has_player(&ranking).0);
    let table =
        r#"{"table": "t.csv", "delimiter": ",", "columns": {"id": "id", "emotion": "label"}}"#;
    ranking.manifest.csv = Some(serde_json::from_str(table).unwrap());
    let (shown, html) = has_player(&ranking);
    assert!(!shown, "{html}");
    let none = ranking.entries().into_iter().map(|entry| AuditEntry { wav: None, ..entry });
    let html = ranking.page(&none.collect::<Vec<_>>()).render();
    assert!(html.contains("There are no recordings."), "{html}");
}
