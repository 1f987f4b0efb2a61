//! Reading a report back.

use crate::schema::{Report, SCHEMA};
use serde_json::Value;

/// Why something is no report that can be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It is no JSON, or not all that a report is.
    #[error("it is no sound report: {0}")]
    Malformed(String),
    /// It is JSON of something else.
    #[error("it is no report of seepage")]
    NoReport,
    /// It is a report of another version.
    #[error("it is a report of another version, {0}: this one reads {SCHEMA}")]
    OtherVersion(String),
}

impl Report {
    /// Reads what the JSON format has written. Reports of other versions are refused.
    pub fn from_json(text: &str) -> Result<Report, ReadError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let malformed = |error: serde_json::Error| ReadError::Malformed(error.to_string());
        let value: Value = serde_json::from_str(text).map_err(malformed)?;
        match value.get("schema").and_then(Value::as_str) {
            Some(SCHEMA) => serde_json::from_value(value).map_err(malformed),
            Some(schema) if schema.starts_with("seepage-report/") => {
                Err(ReadError::OtherVersion(schema.into()))
            }
            _ => Err(ReadError::NoReport),
        }
    }
}
