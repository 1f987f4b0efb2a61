#![allow(clippy::print_stdout)]
use seepage_runtime::*;
use std::time::{Duration, Instant};
fn main() {
    for path in std::env::args().skip(1) {
        let wasm = std::fs::read(&path).unwrap();
        let mut best = [f64::MAX; 2];
        for _ in 0..7 {
            for epoch in [0, 1] {
                let mut o = RunOptions::default();
                o.stdout = Output::Discard; o.stderr = Output::Discard;
                o.args = vec!["x".into()];
                if epoch == 1 { o.timeout = Some(Duration::from_secs(1000)); }
                let r = Runner::new(&wasm, o).unwrap();
                let t = Instant::now();
                let ran = r.run(Discard).unwrap();
                assert!(matches!(ran.trace.end.exit_code, Some(0)), "{:?}", ran.trace.end);
                best[epoch] = best[epoch].min(t.elapsed().as_secs_f64());
            }
        }
        println!("{path}: without {:.4} with {:.4} ratio {:.3}", best[0], best[1], best[1]/best[0]);
    }
}
