fn main() {
    let a: Vec<String> = std::env::args().collect();
    let w = std::fs::read(&a[1]).unwrap();
    let t = std::time::Instant::now();
    match seepage_instrumenter::instrument(&w, &Default::default()) {
        Ok(i) => {
            for x in &i.inspection.allocators {
                println!(
                    "{} {} {:?} {} {} calls={}",
                    x.index, x.name, x.role, x.family, x.how, x.calls
                );
            }
            println!("blind {:?}", i.inspection.blind_spots);
            println!(
                "sites {} frames {} {:?} in {} out {}",
                i.table.sites.len(),
                i.table.frames.len(),
                t.elapsed(),
                w.len(),
                i.wasm.len()
            );
            if let Some(o) = a.get(2) {
                std::fs::write(o, &i.wasm).unwrap();
            }
        }
        Err(e) => println!("ERR {e}"),
    }
}
