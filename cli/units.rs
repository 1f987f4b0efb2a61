//! Durations as people write them; sizes are the analysis' words.

use seepage_analysis::words::{decimal, number_and_unit};
use std::time::Duration;

pub(crate) use seepage_analysis::words::size;

/// Reads `10s`, `500ms`, `2m`, `1h`, `1.5` (seconds).
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = number_and_unit(text);
    let factor = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(format!("`{unit}` is no unit of time; write 10s, 500ms or 2m")),
    };
    Duration::try_from_secs_f64(decimal(number)? * factor).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(duration("1.5"), Ok(Duration::from_millis(1500)));
        for wrong in ["", "s", "1y", "-1s", "1e400h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
