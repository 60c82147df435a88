//! The allocator: glibc's, with few arenas.
//!
//! Each thread that finds its arena busy gets another one, up to eight for each processor, and what one arena has freed the others
//! cannot use. With buffers of megabytes that go from thread to thread a busy broker then holds half as much again as
//! it uses. Rejected: another allocator. mimalloc took as much processor time and more memory.

/// Arenas of the process.
#[cfg(target_env = "gnu")]
const ARENAS: libc::c_int = 2;

/// Makes all threads share a few arenas. Called before there are any.
#[cfg(target_env = "gnu")]
#[allow(unsafe_code, reason = "there is no safe name for mallopt(3)")]
pub fn share_arenas() {
    // SAFETY: mallopt takes two numbers and may be called at any time. If it refuses, nothing changes.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, ARENAS);
    }
}

/// Other allocators are left as they are.
#[cfg(not(target_env = "gnu"))]
pub fn share_arenas() {}
