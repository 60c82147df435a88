//! One partition's log: append, producer state, leader epochs, high watermark, read.

pub mod epochs;
pub mod producers;
