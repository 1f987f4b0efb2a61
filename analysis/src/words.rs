//! Numbers as people read and write them: in findings and reports, in options and rules.

/// `1 block`, `2,000 blocks`, `3 anomalies`.
pub fn plural(count: u64, noun: &str) -> String {
    let noun = match (count, noun.strip_suffix('y')) {
        (1, _) => noun.into(),
        (_, Some(stem)) => format!("{stem}ies"),
        _ => format!("{noun}s"),
    };
    format!("{} {noun}", thousands(count))
}

/// `1,234,567`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Reads `64MiB`, `64M` (the same), `64MB` (millions), `65536` (bytes).
///
/// # Errors
/// When that is no size, in words.
pub fn size(text: &str) -> Result<u64, String> {
    let (number, unit) = number_and_unit(text);
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

/// `10` and `s` of `10s`.
pub fn number_and_unit(text: &str) -> (&str, &str) {
    let text = text.trim();
    let at = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    (&text[..at], text[at..].trim_start())
}

/// Reads `1.5`.
///
/// # Errors
/// When that is no number, in words.
pub fn decimal(number: &str) -> Result<f64, String> {
    number.parse().map_err(|_| format!("`{number}` is no number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_commas_and_nouns_a_plural() {
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(thousands(999), "999");
        assert_eq!(plural(1, "anomaly"), "1 anomaly");
        assert_eq!(plural(2000, "anomaly"), "2,000 anomalies");
        assert_eq!(plural(0, "block"), "0 blocks");
    }

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
}
