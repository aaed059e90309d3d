//! Tables that are not what they seem.

use proptest::prelude::*;

use super::*;

const QUOTED: Delimited = Delimited::COMMA;

fn parse(bytes: impl AsRef<[u8]>) -> Result<Table, CorpusError> {
    Table::parse("t.csv", bytes.as_ref(), QUOTED)
}

fn fault(bytes: impl AsRef<[u8]>) -> String {
    parse(bytes).unwrap_err().to_string()
}

fn cells(table: &Table) -> Vec<Vec<&str>> {
    fn of(row: &Row) -> Vec<&str> {
        (0..row.cells.len()).map(|at| row.cell(at).unwrap()).collect()
    }
    table.rows().iter().map(of).collect()
}

#[test]
fn a_quote_that_nothing_closes_is_named_with_its_line() {
    insta::assert_snapshot!(fault("a,b\n1,2\n3,\"4\n5,6\n"), @r#"
    t.csv:3: a quoted cell has no end in this line
    hint: close the quote or remove it; a cell holds no line break; where quotes are characters like any other, say csv.quote = "" in the manifest
    "#);
    for table in ["a,b\n1,\"2", "a,b\n\"1\n2\",3\n", "a,\"b\n1,2\n", "a,b\n1,\"2\"\"\n"] {
        assert!(fault(table).contains("a quoted cell has no end"), "{table:?}");
    }
}

#[test]
fn text_after_a_quoted_cell_is_named_with_its_line() {
    for table in ["a,b\n\"He\" said,2\n", "a,b\n1,\"2\" \"3\"\n"] {
        assert!(fault(table).starts_with("t.csv:2: text follows a quoted cell"), "{table:?}");
    }
}

#[test]
fn quotes_where_they_may_stand_are_read() {
    let table = parse("a,b\r\n\"1, \"\"2\"\"\",\"\"\r\nsay \"3\",\"4\" \r\n").unwrap();
    assert_eq!(cells(&table), [["1, \"2\"", ""], ["say \"3\"", "4"]]);
}

#[test]
fn without_quoting_a_quote_is_a_character() {
    let format = Delimited { delimiter: b'\t', quote: None };
    let table = Table::parse("t.tsv", b"a\tb\n\"1\t2\n3\t\"4\n", format).unwrap();
    assert_eq!(cells(&table), [["\"1", "2"], ["3", "\"4"]]);
}

#[test]
fn other_encodings_are_named() {
    let utf_16: Vec<u8> = "\u{feff}a,b\n1,2\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    insta::assert_snapshot!(fault(&utf_16), @r"
    t.csv: the table is in UTF-16
    hint: save it in UTF-8; in a spreadsheet, as CSV UTF-8
    ");
    assert!(fault(&utf_16[2..]).contains("UTF-16, or binary data"));
    insta::assert_snapshot!(fault("sep=;\na;b\n"), @r"
    t.csv: its first line is a spreadsheet's sep=, not the header
    hint: remove that line; the manifest names the character between cells
    ");
}

#[test]
fn latin_1_is_read_where_nobody_asks_for_it_and_named_elsewhere() {
    let table = parse(b"who,text\nann,d\xe9j\xe0\nJ\xf6rg,\n").unwrap();
    assert_eq!(table.rows()[0].cell(0).unwrap(), "ann");
    insta::assert_snapshot!(table.rows()[1].cell(0).unwrap_err(), @r#"
    t.csv:3: a cell is not in UTF-8; as Latin-1 (Windows-1252) it reads "Jörg"
    hint: save the table in UTF-8; in a spreadsheet, as CSV UTF-8
    "#);
}

#[test]
fn two_columns_of_one_name_are_an_error_where_it_is_asked_for() {
    let table = parse("a,b, a\n1,2,3\n").unwrap();
    assert_eq!(table.column("b").unwrap(), 1);
    insta::assert_snapshot!(table.column("a").unwrap_err(), @r#"
    t.csv: columns 1 and 3 are both called "a"
    hint: rename or remove one of them
    "#);
}

#[test]
fn a_column_is_found_in_whichever_form_its_name_is_written() {
    assert_eq!(parse("Gefu\u{308}hl\nx\n").unwrap().column("Gef\u{fc}hl").unwrap(), 0);
}

proptest! {
    /// What is written with quotes as they should be is read back, cell by cell; and where a table is
    /// read, it has as many rows as lines.
    #[test]
    fn no_row_is_swallowed(rows in prop::collection::vec(("[a\"', ]{0,6}", "[a\"', ]{0,6}"), 1..8)) {
        let cell = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        let quoted: Vec<String> =
            rows.iter().map(|(a, b)| format!("{},{}", cell(a), cell(b))).collect();
        let table = parse(format!("a,b\n{}", quoted.join("\n"))).unwrap();
        let expected: Vec<Vec<&str>> = rows.iter().map(|(a, b)| vec![a.trim(), b.trim()]).collect();
        prop_assert_eq!(cells(&table), expected);

        let raw: Vec<String> = rows.iter().map(|(a, b)| format!("{a},{b}")).collect();
        if let Ok(table) = parse(format!("a,b\n{}", raw.join("\n"))) {
            prop_assert_eq!(table.rows().len(), rows.len());
        }
    }
}
