//! Reasons name the one thing that changed.

use serde_json::json;

use super::*;

fn digest(text: &str) -> Digest {
    Digest::from(blake3::hash(text.as_bytes()))
}

fn parts(params: Value, inputs: &[(&str, &str)]) -> KeyParts {
    KeyParts {
        stage: "train".to_owned(),
        code: digest("code"),
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
fn code_is_named_by_crate_package_and_tool() {
    let map = |entries: &[(&str, &str)]| {
        entries.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    };
    let sources = |entries: &[(&str, &str)]| {
        entries.iter().map(|(k, v)| ((*k).to_owned(), digest(v))).collect()
    };
    let old = CodeParts {
        sources: sources(&[("ambivox-model", "a"), ("ambivox-train", "b")]),
        packages: map(&[("candle-core", "0.11.1"), ("gemm", "0.19.0")]),
        requirements: map(&[("gemm", r#"{"features":[]}"#)]),
        build: map(&[("rustc", "rustc 1.95.0\nhost: x")]),
    };
    let new = CodeParts {
        sources: sources(&[("ambivox-blstm", "c"), ("ambivox-train", "d")]),
        packages: map(&[("candle-core", "0.11.2"), ("gemm", "0.19.0")]),
        requirements: map(&[("gemm", r#"{"features":["x86-v4"]}"#)]),
        build: map(&[("rustc", "rustc 1.96.0\nhost: x")]),
    };
    insta::assert_snapshot!(lines(&explain_code(&old, &new)), @r#"
    code now uses ambivox-blstm
    code no longer uses ambivox-model
    source of ambivox-train changed
    package candle-core changed from 0.11.1 to 0.11.2
    requirement on gemm changed from {"features":[]} to {"features":["x86-v4"]}
    build rustc changed from rustc 1.95.0… to rustc 1.96.0…
    "#);
}

#[test]
fn equal_keys_need_no_reason() {
    let one = parts(json!({"a": {"b": [1, 2]}}), &[("index", "1")]);
    assert_eq!(explain(&one, &one.clone()), []);
    assert_eq!(explain_code(&CodeParts::default(), &CodeParts::default()), []);
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
