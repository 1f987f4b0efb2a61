//! Numbers as people read them.

/// `12 B`, `1.5 KiB`, `340 MiB`: three digits.
pub(super) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    // What would be printed as 1,024 is one of the next unit.
    while value >= 1023.5 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let digits = if value < 9.995 { 2 } else { usize::from(value < 99.95) };
    let number = format!("{value:.digits$}");
    let number = if number.contains('.') {
        number.trim_end_matches('0').trim_end_matches('.')
    } else {
        &number
    };
    format!("{number} {}", UNITS[unit])
}

/// `1.5 s`, `20 ms`.
pub(super) fn duration(ns: u64) -> String {
    let (value, unit) = match ns {
        0..1_000 => return format!("{ns} ns"),
        1_000..1_000_000 => (ns as f64 / 1e3, "µs"),
        1_000_000..1_000_000_000 => (ns as f64 / 1e6, "ms"),
        _ => (ns as f64 / 1e9, "s"),
    };
    format!("{value:.1} {unit}")
}

/// `12.5 %`, `100 %`, `< 0.1 %`.
pub(super) fn percent(part: u64, whole: u64) -> String {
    if part == 0 || whole == 0 {
        return "0 %".into();
    }
    let share = part as f64 / whole as f64 * 100.0;
    if share < 0.05 {
        "< 0.1 %".into()
    } else if part >= whole {
        format!("{share:.0} %")
    } else {
        // A part is not the whole, however near it comes.
        format!("{:.1} %", share.min(99.9))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(duration(999), "999 ns");
        assert_eq!(duration(1_500_000), "1.5 ms");
    }

    #[test]
    fn sizes_have_three_digits_at_most() {
        let sizes = [0, 1023, 1024, 1536, 10_240, 104_448, 1_048_064, 1 << 20, 1 << 40, u64::MAX];
        let expected = [
            "0 B", "1023 B", "1 KiB", "1.5 KiB", "10 KiB", "102 KiB", "1 MiB", "1 MiB", "1 TiB",
            "16 EiB",
        ];
        assert_eq!(sizes.map(bytes), expected.map(String::from));
    }

    #[test]
    fn shares() {
        assert_eq!(percent(0, 0), "0 %");
        assert_eq!(percent(1, 1), "100 %");
        assert_eq!(percent(1, 1_000_000), "< 0.1 %");
        assert_eq!(percent(999_999, 1_000_000), "99.9 %");
        assert_eq!(percent(1, 3), "33.3 %");
    }
}
