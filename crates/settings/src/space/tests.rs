//! Space files that read, and what is said of those that do not.

use super::*;

fn read(text: &str) -> Result<Space, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("space.toml");
    fs_err::write(&file, text).unwrap();
    let named = |error: SettingsError| error.to_string().replace(file.to_str().unwrap(), "FILE");
    Space::read(&file).map_err(named)
}

#[test]
fn every_form_of_a_range_reads() {
    let space = read(
        "schema = 1\nsearch = \"random\"\ntrials = 3\nseed = 5\n[settings]\n\
         \"a\" = [1, 2.5, \"x\"]\n\"b\" = { choice = [true] }\n\"c\" = { uniform = [0, 1] }\n\
         \"d\" = { log_uniform = [1e-4, 1e-2] }\n\"e\" = { integer = [2, 8] }\n",
    )
    .unwrap();
    let listed = [toml::Value::Integer(1), toml::Value::Float(2.5), "x".into()];
    assert_eq!(space.settings["a"], Range::Choice(listed.to_vec()));
    assert_eq!(space.settings["b"], Range::Choice(vec![true.into()]));
    assert_eq!(space.settings["c"], Range::Uniform([0.0, 1.0]));
    assert_eq!(space.settings["d"], Range::LogUniform([1e-4, 1e-2]));
    assert_eq!(space.settings["e"], Range::Integer([2, 8]));
    assert_eq!((space.search, space.trials, space.seed), (Search::Random, Some(3), Some(5)));
}

#[test]
fn the_builtin_space_reads() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pipelines/spaces/lw.toml");
    assert!(!Space::read(&file).unwrap().settings.is_empty());
}

#[test]
fn what_cannot_be_searched_is_refused_with_the_remedy() {
    let head = |search: &str| format!("schema = 1\nsearch = \"{search}\"\n");
    let grid = |rest: &str| read(&format!("{}{rest}", head("grid"))).unwrap_err();
    let random = |range: &str| {
        let draw = "trials = 2\nseed = 0\n[settings]\n\"a.b\" = ";
        read(&format!("{}{draw}{range}", head("random"))).unwrap_err()
    };
    let messages = [
        grid("[settings]\n"),
        grid("[settings]\n\"a.b\" = []"),
        grid("[settings]\n\"a.b\" = { uniform = [0, 1] }"),
        grid("trials = 2\n[settings]\n\"a.b\" = [1]"),
        read(&format!("{}trials = 2\n[settings]\n\"a.b\" = [1]", head("random"))).unwrap_err(),
        random("{ uniform = [1, 1] }"),
        random("{ log_uniform = [0.0, 1.0] }"),
        random("{ integer = [3, 2] }"),
        random("{ normal = [0, 1] }"),
        random("1"),
    ];
    insta::assert_snapshot!(messages.join("\n"));
}
