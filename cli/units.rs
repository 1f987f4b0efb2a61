//! Sizes and durations as people write them.

use std::time::Duration;

/// Reads `64MiB`, `64M` (the same), `64MB` (millions), `65536` (bytes).
pub(crate) fn size(text: &str) -> Result<u64, String> {
    let (number, unit) = split(text);
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "t" | "tib" => 1 << 40,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        _ => return Err(format!("`{unit}` is no unit of size; write 64MiB, 512K or 65536")),
    };
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(factor).ok_or_else(|| "too large".into());
    }
    let bytes = decimal(number)? * factor as f64;
    if bytes < u64::MAX as f64 { Ok(bytes as u64) } else { Err("too large".into()) }
}

/// Reads `10s`, `500ms`, `2m`, `1h`, `1.5` (seconds).
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = split(text);
    let factor = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(format!("`{unit}` is no unit of time; write 10s, 500ms or 2m")),
    };
    Duration::try_from_secs_f64(decimal(number)? * factor).map_err(|error| error.to_string())
}

fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    let at = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    (&text[..at], text[at..].trim_start())
}

fn decimal(number: &str) -> Result<f64, String> {
    number.parse().map_err(|_| format!("`{number}` is no number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(size("0"), Ok(0));
        assert_eq!(size("64MiB"), Ok(64 << 20));
        assert_eq!(size("64 m"), Ok(64 << 20));
        assert_eq!(size("1.5K"), Ok(1536));
        assert_eq!(size("2kB"), Ok(2000));
        assert_eq!(size("18446744073709551615"), Ok(u64::MAX));
        for wrong in ["", "MiB", "-1", "1x", "1.2.3", "18446744073709551616", "99999999T"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }

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
