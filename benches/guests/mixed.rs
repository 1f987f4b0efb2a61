//! Strings and maps: words counted, sorted and joined, as programs do.
//!
//!   mixed [rounds, default 40]

use std::collections::{BTreeMap, HashMap};

fn word(state: &mut u32) -> String {
    *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    let mut n = *state >> 20;
    let mut word = String::new();
    while n > 0 {
        word.push(char::from(b'a' + (n % 13) as u8));
        n /= 13;
    }
    word
}

fn count_words(text: &str) -> HashMap<String, u32> {
    let mut counts = HashMap::new();
    for word in text.split_whitespace() {
        *counts.entry(word.to_owned()).or_default() += 1;
    }
    counts
}

fn by_count(counts: &HashMap<String, u32>) -> BTreeMap<u32, Vec<&str>> {
    let mut order: BTreeMap<u32, Vec<&str>> = BTreeMap::new();
    for (word, &count) in counts {
        order.entry(count).or_default().push(word);
    }
    order.values_mut().for_each(|words| words.sort_unstable());
    order
}

fn main() {
    let rounds = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(40);
    let mut state = 1;
    let mut checksum = 0u32;
    for _ in 0..rounds {
        let words: Vec<String> = (0..20_000).map(|_| word(&mut state)).collect();
        let counts = count_words(&words.join(" "));
        for (count, words) in by_count(&counts) {
            for byte in words.join(",").bytes() {
                checksum = checksum.wrapping_mul(31).wrapping_add(count ^ u32::from(byte));
            }
        }
    }
    println!("checksum {checksum}");
}
