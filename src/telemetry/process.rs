//! Metrics of the process itself, under the names that Prometheus client libraries use, and the build.

use opentelemetry::metrics::Meter;
use opentelemetry::{KeyValue, global};
use rustix::time::{ClockId, clock_gettime};

/// Registers the instruments; they read when somebody collects.
pub(super) fn observe() {
    let meter = global::meter("firn");
    build(&meter);
    processor(&meter);
    #[cfg(target_os = "linux")]
    linux::observe(&meter);
}

fn build(meter: &Meter) {
    let labels = [
        KeyValue::new("version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("optimized", !cfg!(debug_assertions)),
    ];
    meter
        .u64_observable_gauge("firn.build.info")
        .with_description("Always 1; the labels tell which build runs")
        .with_callback(move |observer| observer.observe(1, &labels))
        .build();
}

fn processor(meter: &Meter) {
    meter
        .f64_observable_counter("process.cpu")
        .with_unit("s")
        .with_description("Processor time of the process, user and system")
        .with_callback(|observer| observer.observe(seconds(ClockId::ProcessCPUTime), &[]))
        .build();
}

fn seconds(clock: ClockId) -> f64 {
    let time = clock_gettime(clock);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;

    use opentelemetry::metrics::Meter;
    use rustix::time::ClockId;

    use super::seconds;

    pub(super) fn observe(meter: &Meter) {
        meter
            .u64_observable_gauge("process.resident_memory")
            .with_unit("By")
            .with_description("Resident memory")
            .with_callback(|observer| observe_some(resident_bytes(), |bytes| observer.observe(bytes, &[])))
            .build();
        meter
            .u64_observable_gauge("process.open_fds")
            .with_description("Open file descriptors")
            .with_callback(|observer| observe_some(open_files(), |count| observer.observe(count, &[])))
            .build();
        // Read once: the answer never changes, but the wall clock that it is derived from may step.
        let started = start_time();
        meter
            .f64_observable_gauge("process.start_time")
            .with_unit("s")
            .with_description("When the process started, in seconds since the Unix epoch")
            .with_callback(move |observer| observe_some(started, |time| observer.observe(time, &[])))
            .build();
    }

    fn observe_some<T>(value: Option<T>, observe: impl FnOnce(T)) {
        if let Some(value) = value {
            observe(value);
        }
    }

    fn resident_bytes() -> Option<u64> {
        let statm = fs::read_to_string("/proc/self/statm").ok()?;
        let pages: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
        Some(pages * rustix::param::page_size() as u64)
    }

    fn open_files() -> Option<u64> {
        // The listing itself holds one open.
        Some((fs::read_dir("/proc/self/fd").ok()?.count() as u64).saturating_sub(1))
    }

    /// Field 22 of `stat` counts clock ticks from boot; the command name before it may hold spaces.
    fn start_time() -> Option<f64> {
        let stat = fs::read_to_string("/proc/self/stat").ok()?;
        let (_, fields) = stat.rsplit_once(')')?;
        let ticks: f64 = fields.split_whitespace().nth(19)?.parse().ok()?;
        let since_boot = ticks / rustix::param::clock_ticks_per_second() as f64;
        Some(seconds(ClockId::Realtime) - seconds(ClockId::Boottime) + since_boot)
    }

    #[cfg(test)]
    mod tests {
        #[test]
        fn the_kernel_tells_about_this_process() {
            assert!(super::resident_bytes().unwrap() > 100_000);
            assert!(super::open_files().unwrap() >= 3);
            let age = super::seconds(rustix::time::ClockId::Realtime) - super::start_time().unwrap();
            assert!((-2.0..3600.0).contains(&age), "{age}");
        }
    }
}
