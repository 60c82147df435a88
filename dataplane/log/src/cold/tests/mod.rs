//! The cold tier as a whole, over a store that fails and a catalog in memory. All randomness is seeded.

mod life;
mod offload;
mod reading;
