//! The schema file is what the code says, its version is raised when it changes, and reports
//! follow it.

#[path = "../../analysis/tests/guest/mod.rs"]
mod guest;
mod programs;
mod validator;

use expect_test::expect_file;
use seepage_report::{
    Context, DIFF_VERSION, Options, SCHEMA, SCHEMA_VERSION, assemble, diff_json_schema, formats,
    json_schema,
};

#[test]
fn the_schema_file_is_what_the_code_says() {
    let schema = serde_json::to_string_pretty(&json_schema()).expect("a schema is JSON") + "\n";
    expect_file!["../../docs/report.schema.json"].assert_eq(&schema);
}

/// The hash of the schema of each version. When this test fails, the JSON has changed: if readers
/// of older reports can tell, raise `SCHEMA_VERSION` and add a line; if only descriptions changed
/// nothing happens here, since they are left out.
const VERSIONS: &[(u32, u64)] = &[(1, 0x32db_9373_b4e8_756b), (2, 0xa89b_62f5_9bad_77b9)];

/// The same for the difference of two reports, and `DIFF_VERSION`.
const DIFF_VERSIONS: &[(u32, u64)] = &[(1, 0x1db8_a8aa_9945_81a5)];

#[test]
fn a_changed_schema_has_a_new_version() {
    assert_eq!(VERSIONS.last(), Some(&(SCHEMA_VERSION, hash(json_schema().to_value()))));
    assert_eq!(SCHEMA, format!("seepage-report/{SCHEMA_VERSION}"));
    assert_eq!(DIFF_VERSIONS.last(), Some(&(DIFF_VERSION, hash(diff_json_schema().to_value()))));
}

fn hash(mut schema: serde_json::Value) -> u64 {
    strip_descriptions(&mut schema);
    fnv(schema.to_string().as_bytes())
}

/// FNV-1a, 64 bits.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}

fn strip_descriptions(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(map) => {
            if map.get("description").is_some_and(|text| text.is_string()) {
                map.remove("description");
            }
            map.values_mut().for_each(strip_descriptions);
        }
        serde_json::Value::Array(list) => list.iter_mut().for_each(strip_descriptions),
        _ => {}
    }
}

#[test]
fn reports_follow_the_schema() {
    let schema = json_schema().to_value();
    for (name, program) in programs::LIST {
        let outcome = guest::analyze(&program(), Default::default());
        let report = assemble(&outcome, &Context::new("0.0.0"));
        let mut json = String::new();
        let format = formats::find("json").expect("there is JSON");
        (format.render)(&report, &Options::default(), &mut json);
        let value = serde_json::from_str(&json).expect("it is JSON");
        assert_eq!(validator::errors(&schema, &value), Vec::<String>::new(), "{name}");
        let back: seepage_report::Report = serde_json::from_value(value).expect("it reads back");
        assert_eq!(back, report, "{name}");
    }
}

#[test]
fn the_validator_sees_errors() {
    let schema = json_schema().to_value();
    let report = assemble(&guest::analyze(&[], Default::default()), &Context::new("0.0.0"));
    let good = serde_json::to_value(&report).expect("it is JSON");
    let change = |path: &str, to: serde_json::Value| {
        let mut bad = good.clone();
        *bad.pointer_mut(path).expect("it is there") = to;
        validator::errors(&schema, &bad).len()
    };
    assert_eq!(change("/totals/live/bytes", (-1).into()), 1);
    assert_eq!(change("/totals/live/bytes", 1.5.into()), 1);
    assert_eq!(change("/verdict/kind", "splendid".into()), 1);
    assert_eq!(change("/guest/exit_code", "x".into()), 1);
    assert_eq!(change("/tool", serde_json::json!({})), 2);
    assert_eq!(change("/tool/name", "other".into()), 0);
}
