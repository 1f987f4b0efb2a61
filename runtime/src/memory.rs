//! The limit on a guest's memory. Beyond it `memory.grow` yields -1, as it does where memory is
//! really scarce, and the refusals are counted.

use wasmtime::{ResourceLimiter, Result};

/// Counts all memories of a store together. The ring is in the sum and in the limit, so that it
/// costs the guest nothing.
#[derive(Debug, Default)]
pub(crate) struct Limiter {
    limit: Option<u64>,
    total: u64,
    last_growth: u64,
    refused: u64,
}

impl Limiter {
    /// Allows `limit` bytes besides `exempt`.
    pub(crate) fn new(limit: Option<u64>, exempt: u64) -> Limiter {
        Limiter { limit: limit.map(|limit| limit.saturating_add(exempt)), ..Limiter::default() }
    }

    pub(crate) fn refused(&self) -> u64 {
        self.refused
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            // wasmtime refuses it by the module's own declaration.
            self.last_growth = 0;
            return Ok(true);
        }
        let growth = (desired as u64).saturating_sub(current as u64);
        if self.limit.is_some_and(|limit| self.total.saturating_add(growth) > limit) {
            self.refused += 1;
            return Ok(false);
        }
        self.total += growth;
        self.last_growth = growth;
        Ok(true)
    }

    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> Result<()> {
        self.total -= std::mem::take(&mut self.last_growth);
        Ok(())
    }

    fn table_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> Result<bool> {
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_elsewhere_is_given_back() {
        let mut limiter = Limiter::new(Some(100), 10);
        assert!(limiter.memory_growing(0, 60, None).unwrap());
        assert!(limiter.memory_growing(60, 110, None).unwrap());
        limiter.memory_grow_failed(wasmtime::Error::msg("no memory")).unwrap();
        assert!(limiter.memory_growing(60, 500, Some(400)).unwrap(), "not ours to refuse");
        limiter.memory_grow_failed(wasmtime::Error::msg("maximum")).unwrap();
        assert!(limiter.memory_growing(60, 110, None).unwrap());
        assert!(!limiter.memory_growing(110, 111, None).unwrap());
        assert_eq!(limiter.refused(), 1);
    }
}
