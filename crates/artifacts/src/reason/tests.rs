//! Reasons name the one thing that changed.

use serde_json::json;

use super::*;

fn digest(text: &str) -> Digest {
    Digest::from(blake3::hash(text.as_bytes()))
}

fn parts(params: Value, inputs: &[(&str, &str)]) -> KeyParts {
    KeyParts {
        stage: "train".to_owned(),
        code: BTreeMap::new(),
        params,
        inputs: inputs.iter().map(|(role, text)| ((*role).to_owned(), digest(text))).collect(),
    }
}

fn lines(reasons: &[StaleReason]) -> String {
    reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn parameters_are_named_with_their_path() {
    let old = json!({
        "fold": "Ses01F",
        "network": {"dropout": 0.5, "lstm": 128},
        "method": {"baseline": {"label_scale": 1.0}},
        "classes": ["happiness", "anger"],
        "note": "a".repeat(80),
    });
    let new = json!({
        "fold": "Ses01F",
        "network": {"dropout": 0.3, "lstm": 128},
        "method": {"lw": {"label_rate": 0.2}},
        "classes": ["anger", "happiness"],
        "note": "b\nc",
    });
    insta::assert_snapshot!(lines(&explain(&parts(old, &[]), &parts(new, &[]))), @r#"
    parameter classes changed from ["happiness","anger"] to ["anger","happiness"]
    parameter method.baseline is gone; it was {"label_scale":1.0}
    parameter method.lw is new: {"label_rate":0.2}
    parameter network.dropout changed from 0.5 to 0.3
    parameter note changed from "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa… to "b\nc"
    "#);
}

#[test]
fn inputs_are_named_by_role() {
    let old = parts(json!({}), &[("index", "1"), ("splits", "2"), ("truth", "3")]);
    let new = parts(json!({}), &[("index", "1"), ("splits", "4"), ("features", "5")]);
    insta::assert_snapshot!(lines(&explain(&old, &new)), @"
    input features is new: b3372b584dc0
    input splits changed from 813e9b729141 to e67a9c453625
    input truth is gone; it was 58d6fd3dc609
    ");
}

#[test]
fn versions_are_named_with_the_source_that_is_not_on_record() {
    let with = |code: &[(&str, &str)]| KeyParts {
        code: code.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
        ..parts(json!({}), &[])
    };
    let old = with(&[("model/mlp", "1"), ("stage/train", "1")]);
    let new = with(&[("model/linear", "4"), ("stage/train", "1 unlocked 3f2a")]);
    insta::assert_snapshot!(lines(&explain(&old, &new)), @"
    version of model/linear is new: 4
    version of model/mlp is gone; it was 1
    version of stage/train changed from 1 to 1 unlocked 3f2a
    ");
}

#[test]
fn equal_keys_need_no_reason() {
    let one = parts(json!({"a": {"b": [1, 2]}}), &[("index", "1")]);
    assert_eq!(explain(&one, &one.clone()), []);
}

#[test]
fn reasons_are_tagged_in_json() {
    let reason = StaleReason::Parameter {
        name: "training.patience".to_owned(),
        from: Some(json!(10)),
        to: Some(json!(5)),
    };
    insta::assert_snapshot!(serde_json::to_string(&reason).unwrap(), @r#"{"reason":"parameter","name":"training.patience","from":10,"to":5}"#);
}
