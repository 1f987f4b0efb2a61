//! The host's memory, as the report has it.

use crate::schema;
use seepage_analysis::{HostPoint, HostUse, Rose, Side};

pub(super) fn host(host: &HostUse) -> schema::Host {
    schema::Host {
        timeline: host.points.iter().map(point).collect(),
        memory: rose(host.host),
        wasm: rose(host.modules),
        grew: host.side.map(|side| match side {
            Side::Host => schema::Side::Host,
            Side::Modules => schema::Side::Wasm,
            Side::Both => schema::Side::Both,
        }),
    }
}

fn point(point: &HostPoint) -> schema::HostPoint {
    let memory = &point.memory;
    schema::HostPoint {
        time_ns: memory.time_ns,
        clock: point.clock,
        heap: memory.heap,
        buffers: memory.buffers,
        resident: memory.resident,
        tracer: memory.tracer,
        least: point.least,
        live_bytes: point.live.bytes,
        pages: point.pages,
    }
}

fn rose(rose: Rose) -> schema::Rose {
    schema::Rose { from: rose.from, to: rose.to }
}
