//! MIT's `libgssapi_krb5`, loaded when the first keytab is opened. All `unsafe` code of the data plane is here.
//!
//! What the library is trusted with is what its manual says of these functions: `gssapi.h`, unchanged since MIT krb5 1.11 but for
//! additions. Credentials are shared by all threads, which the library allows; a context is used by one thread at a time, which
//! `&mut` sees to.
#![allow(unsafe_code, reason = "the only way to call a C library")]

use std::ffi::{CString, c_char, c_int, c_void};
use std::path::Path;
use std::ptr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use libloading::Library;
use tracing::debug;

use super::negotiation::{Accepted, Context, Negotiation, Refused};

/// The library's name on Linux.
const LIBRARY: &str = "libgssapi_krb5.so.2";

/// `1.2.840.113554.1.2.2`: Kerberos 5, and no other mechanism.
static KRB5: &[u8] = b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02";
/// `1.2.840.113554.1.2.1.4`: the name of a service on any host.
static HOST_BASED_SERVICE: &[u8] = b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x01\x04";

const ACCEPT: c_int = 2;
const CONTINUE_NEEDED: u32 = 1;
/// The bits of a status that are errors.
const ERRORS: u32 = 0xffff_0000;
/// Statuses of GSS-API, and of the mechanism.
const STATUS_TYPES: [c_int; 2] = [1, 2];

type Handle = *mut c_void;

#[repr(C)]
#[derive(Clone, Copy)]
struct Buffer {
    length: usize,
    value: *mut c_void,
}

#[repr(C)]
struct Oid {
    length: u32,
    elements: *mut c_void,
}

#[repr(C)]
struct OidSet {
    count: usize,
    elements: *mut Oid,
}

#[repr(C)]
struct KeyValue {
    key: *const c_char,
    value: *const c_char,
}

#[repr(C)]
struct KeyValues {
    count: u32,
    elements: *mut KeyValue,
}

type ImportName = unsafe extern "C" fn(*mut u32, *mut Buffer, *mut Oid, *mut Handle) -> u32;
type AcquireCredFrom = unsafe extern "C" fn(
    *mut u32,
    Handle,
    u32,
    *mut OidSet,
    c_int,
    *const KeyValues,
    *mut Handle,
    *mut *mut OidSet,
    *mut u32,
) -> u32;
type AcceptSecContext = unsafe extern "C" fn(
    *mut u32,
    *mut Handle,
    Handle,
    *mut Buffer,
    *mut c_void,
    *mut Handle,
    *mut *mut Oid,
    *mut Buffer,
    *mut u32,
    *mut u32,
    *mut Handle,
) -> u32;
type DisplayName = unsafe extern "C" fn(*mut u32, Handle, *mut Buffer, *mut *mut Oid) -> u32;
type DisplayStatus = unsafe extern "C" fn(*mut u32, u32, c_int, *mut Oid, *mut u32, *mut Buffer) -> u32;
type Wrap = unsafe extern "C" fn(*mut u32, Handle, c_int, u32, *mut Buffer, *mut c_int, *mut Buffer) -> u32;
type Unwrap = unsafe extern "C" fn(*mut u32, Handle, *mut Buffer, *mut Buffer, *mut c_int, *mut u32) -> u32;
type ReleaseBuffer = unsafe extern "C" fn(*mut u32, *mut Buffer) -> u32;
type ReleaseHandle = unsafe extern "C" fn(*mut u32, *mut Handle) -> u32;
type DeleteSecContext = unsafe extern "C" fn(*mut u32, *mut Handle, *mut Buffer) -> u32;

/// The functions that are called.
struct Gss {
    import_name: ImportName,
    acquire_cred_from: AcquireCredFrom,
    accept_sec_context: AcceptSecContext,
    display_name: DisplayName,
    display_status: DisplayStatus,
    wrap: Wrap,
    unwrap: Unwrap,
    release_buffer: ReleaseBuffer,
    release_name: ReleaseHandle,
    release_cred: ReleaseHandle,
    delete_sec_context: DeleteSecContext,
    /// Never unloaded: the functions above are in it.
    _library: Library,
}

/// Why no tickets can be accepted.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The library is not there, or is not MIT's.
    #[error("{LIBRARY} cannot be loaded ({0}): install it (Debian's package libgssapi-krb5-2)")]
    Library(String),
    /// A path or a name with a NUL in it.
    #[error("a path or a service name contains a NUL")]
    Nul,
    /// There is no usable key for the service.
    #[error("the keytab {keytab} has no key that can be used for the service {service}: {reason}")]
    Keytab {
        /// The file.
        keytab: String,
        /// The service.
        service: String,
        /// What the library says.
        reason: String,
    },
}

/// The library, loaded once.
fn gss() -> Result<&'static Gss, OpenError> {
    static GSS: OnceLock<Result<Gss, String>> = OnceLock::new();
    let loaded = GSS.get_or_init(|| Gss::load().map_err(|error| error.to_string()));
    loaded
        .as_ref()
        .map_err(|reason| OpenError::Library(reason.clone()))
}

impl Gss {
    fn load() -> Result<Self, libloading::Error> {
        // SAFETY: the library's initialisers set up tables and locks of its own, and need nothing of the process.
        let library = unsafe { Library::new(LIBRARY)? };
        macro_rules! function {
            ($name:literal) => {
                // SAFETY: the field that this goes to has the type that gssapi.h and gssapi_ext.h declare for this name.
                unsafe { *library.get($name)? }
            };
        }
        Ok(Self {
            import_name: function!(b"gss_import_name\0"),
            acquire_cred_from: function!(b"gss_acquire_cred_from\0"),
            accept_sec_context: function!(b"gss_accept_sec_context\0"),
            display_name: function!(b"gss_display_name\0"),
            display_status: function!(b"gss_display_status\0"),
            wrap: function!(b"gss_wrap\0"),
            unwrap: function!(b"gss_unwrap\0"),
            release_buffer: function!(b"gss_release_buffer\0"),
            release_name: function!(b"gss_release_name\0"),
            release_cred: function!(b"gss_release_cred\0"),
            delete_sec_context: function!(b"gss_delete_sec_context\0"),
            _library: library,
        })
    }

    /// The bytes of a buffer that the library has filled, which is given back to it.
    fn take(&self, mut buffer: Buffer) -> Vec<u8> {
        if buffer.value.is_null() {
            return Vec::new();
        }
        // SAFETY: a buffer that a call of the library has filled, and nobody has released, holds `length` bytes at `value`.
        let bytes = unsafe { std::slice::from_raw_parts(buffer.value.cast::<u8>(), buffer.length) }.to_vec();
        let mut minor = 0;
        // SAFETY: it is the library's own, is released once, and the slice of it is gone.
        unsafe { (self.release_buffer)(&raw mut minor, &raw mut buffer) };
        bytes
    }

    /// What the library says about a failure.
    fn text(&self, major: u32, minor: u32) -> String {
        let mut mechanism = oid(KRB5);
        let mut said = Vec::new();
        for (status, kind) in [major, minor].into_iter().zip(STATUS_TYPES) {
            let (mut ignored, mut more, mut buffer) = (0, 0, Buffer::EMPTY);
            // SAFETY: all pointers are to live variables; `buffer` is empty and is filled by the call.
            unsafe {
                (self.display_status)(
                    &raw mut ignored,
                    status,
                    kind,
                    &raw mut mechanism,
                    &raw mut more,
                    &raw mut buffer,
                )
            };
            said.push(String::from_utf8_lossy(&self.take(buffer)).into_owned());
        }
        said.join(": ")
    }
}

impl Buffer {
    const EMPTY: Self = Self {
        length: 0,
        value: ptr::null_mut(),
    };

    /// Bytes that a call reads. They must live until it returns.
    fn of(bytes: &[u8]) -> Self {
        Self {
            length: bytes.len(),
            value: bytes.as_ptr().cast_mut().cast(),
        }
    }
}

fn oid(bytes: &'static [u8]) -> Oid {
    Oid {
        length: u32::try_from(bytes.len()).unwrap_or(0),
        elements: bytes.as_ptr().cast_mut().cast(),
    }
}

/// Accepts tickets for one service, by the keys in a keytab.
pub struct Acceptor {
    gss: &'static Gss,
    credential: Handle,
}

// SAFETY: MIT's library locks a credential while it uses it; nobody else does anything to it before it is dropped.
unsafe impl Send for Acceptor {}
// SAFETY: as above.
unsafe impl Sync for Acceptor {}

impl Acceptor {
    /// Opens a keytab, which must have a key for the service, on whatever host. Which first tokens came is noted in the file
    /// `replays`, which is made if absent. Keys that are added to the keytab later are used without a restart.
    pub fn open(keytab: &Path, service: &str, replays: &Path) -> Result<Arc<Self>, OpenError> {
        let gss = gss()?;
        let text = |text: String| CString::new(text).map_err(|_| OpenError::Nul);
        let keytab_name = text(format!("FILE:{}", keytab.display()))?;
        let replays_name = text(format!("file2:{}", replays.display()))?;
        let failed = |major, minor| OpenError::Keytab {
            keytab: keytab.display().to_string(),
            service: service.to_owned(),
            reason: gss.text(major, minor),
        };
        let (mut minor, mut name) = (0, ptr::null_mut());
        let (mut service_name, mut name_type) = (Buffer::of(service.as_bytes()), oid(HOST_BASED_SERVICE));
        // SAFETY: all pointers are to live variables, `service_name` to bytes that outlive the call, which copies them.
        let major = unsafe {
            (gss.import_name)(
                &raw mut minor,
                &raw mut service_name,
                &raw mut name_type,
                &raw mut name,
            )
        };
        if major & ERRORS != 0 {
            return Err(failed(major, minor));
        }
        let mut places = [
            KeyValue {
                key: c"keytab".as_ptr(),
                value: keytab_name.as_ptr(),
            },
            KeyValue {
                key: c"rcache".as_ptr(),
                value: replays_name.as_ptr(),
            },
        ];
        let store = KeyValues {
            count: 2,
            elements: places.as_mut_ptr(),
        };
        let mut mechanism = oid(KRB5);
        let mut mechanisms = OidSet {
            count: 1,
            elements: &raw mut mechanism,
        };
        let mut credential = ptr::null_mut();
        // SAFETY: all pointers are to live variables, or null where gssapi.h allows it; the texts in `store` end with a NUL and
        // outlive the call, which copies them. `name` was made above and is released once.
        let major = unsafe {
            let major = (gss.acquire_cred_from)(
                &raw mut minor,
                name,
                u32::MAX,
                &raw mut mechanisms,
                ACCEPT,
                &raw const store,
                &raw mut credential,
                ptr::null_mut(),
                ptr::null_mut(),
            );
            let mut ignored = 0;
            (gss.release_name)(&raw mut ignored, &raw mut name);
            major
        };
        match major & ERRORS {
            0 => Ok(Arc::new(Self { gss, credential })),
            _ => Err(failed(major, minor)),
        }
    }

    /// Begins the login of one client.
    pub fn begin(self: &Arc<Self>) -> Negotiation {
        Negotiation::new(Box::new(SecurityContext {
            acceptor: Arc::clone(self),
            context: ptr::null_mut(),
        }))
    }
}

impl Drop for Acceptor {
    fn drop(&mut self) {
        let mut minor = 0;
        // SAFETY: it was acquired by this library and is released once; every context that used it holds this acceptor.
        unsafe { (self.gss.release_cred)(&raw mut minor, &raw mut self.credential) };
    }
}

/// A context of the library.
struct SecurityContext {
    acceptor: Arc<Acceptor>,
    /// Null until the first token.
    context: Handle,
}

// SAFETY: a context is bound to no thread, and whoever calls has `&mut`, so it is used by one at a time.
unsafe impl Send for SecurityContext {}

impl SecurityContext {
    /// Why a call failed, in the log's words.
    fn refused(&self, major: u32, minor: u32) -> Refused {
        let text = self.acceptor.gss.text(major, minor);
        debug!(text, "a Kerberos token is refused");
        let known = REASONS.iter().find(|(said, _)| text.contains(said));
        Refused(known.map_or("the token cannot be accepted", |(_, reason)| reason))
    }

    /// The name of the initiator; gives the name back.
    fn display(&self, mut name: Handle) -> Result<String, Refused> {
        let gss = self.acceptor.gss;
        let (mut minor, mut ignored, mut buffer) = (0, 0, Buffer::EMPTY);
        // SAFETY: `name` came from accepting a context and is released once; the pointers are to live variables, or null
        // where gssapi.h allows it.
        let major = unsafe {
            let major = (gss.display_name)(&raw mut minor, name, &raw mut buffer, ptr::null_mut());
            (gss.release_name)(&raw mut ignored, &raw mut name);
            major
        };
        let bytes = gss.take(buffer);
        if major & ERRORS != 0 {
            return Err(self.refused(major, minor));
        }
        String::from_utf8(bytes).map_err(|_| Refused("the principal is not UTF-8"))
    }
}

/// What the library says, and what the log says then.
const REASONS: &[(&str, &str)] = &[
    (
        "does not match server principal",
        "the ticket is for another service",
    ),
    ("Invalid token", "the token is malformed"),
    ("replay", "the ticket was shown before: a replay"),
    ("expired", "the ticket has expired"),
    ("not yet valid", "the ticket is not yet valid"),
    ("skew", "the client's clock, or the broker's, is wrong"),
    (
        "not found in keytab",
        "the ticket is for another service or key than the keytab has",
    ),
    (
        "No key table entry",
        "the ticket is for another service or key than the keytab has",
    ),
    ("Wrong principal", "the ticket is for another service"),
    (
        "cannot decrypt",
        "the ticket is encrypted with another key than the keytab has",
    ),
    (
        "Decrypt integrity",
        "the ticket is encrypted with another key than the keytab has",
    ),
    ("mechanism", "the token is of another mechanism than Kerberos"),
    ("oken was invalid", "the token is malformed"),
    ("oken header is malformed", "the token is malformed"),
];

impl Context for SecurityContext {
    fn accept(&mut self, token: &[u8]) -> Result<Accepted, Refused> {
        let gss = self.acceptor.gss;
        let (mut minor, mut seconds) = (0, 0);
        let (mut input, mut output) = (Buffer::of(token), Buffer::EMPTY);
        let mut name = ptr::null_mut();
        // SAFETY: all pointers are to live variables, or null where gssapi.h allows it; `context` is null or what an earlier
        // call made of it; the credential lives as long as the acceptor that is held here.
        let major = unsafe {
            (gss.accept_sec_context)(
                &raw mut minor,
                &raw mut self.context,
                self.acceptor.credential,
                &raw mut input,
                ptr::null_mut(),
                &raw mut name,
                ptr::null_mut(),
                &raw mut output,
                ptr::null_mut(),
                &raw mut seconds,
                ptr::null_mut(),
            )
        };
        let token = gss.take(output);
        if major & ERRORS != 0 {
            return Err(self.refused(major, minor));
        }
        let initiator = match major & CONTINUE_NEEDED {
            0 => Some((self.display(name)?, Duration::from_secs(u64::from(seconds)))),
            _ => None,
        };
        Ok(Accepted { token, initiator })
    }

    fn wrap(&mut self, message: &[u8]) -> Result<Vec<u8>, Refused> {
        let gss = self.acceptor.gss;
        let (mut minor, mut input, mut output) = (0, Buffer::of(message), Buffer::EMPTY);
        // SAFETY: all pointers are to live variables, or null where gssapi.h allows it; the context stands.
        let major = unsafe {
            (gss.wrap)(
                &raw mut minor,
                self.context,
                0,
                0,
                &raw mut input,
                ptr::null_mut(),
                &raw mut output,
            )
        };
        let wrapped = gss.take(output);
        match major & ERRORS {
            0 => Ok(wrapped),
            _ => Err(self.refused(major, minor)),
        }
    }

    fn unwrap(&mut self, message: &[u8]) -> Result<Vec<u8>, Refused> {
        let gss = self.acceptor.gss;
        let (mut minor, mut input, mut output) = (0, Buffer::of(message), Buffer::EMPTY);
        // SAFETY: all pointers are to live variables, or null where gssapi.h allows it; the context stands.
        let major = unsafe {
            (gss.unwrap)(
                &raw mut minor,
                self.context,
                &raw mut input,
                &raw mut output,
                ptr::null_mut(),
                ptr::null_mut(),
            )
        };
        let message = gss.take(output);
        // What came twice or out of turn is no error by itself: any bit that is set refuses.
        match major {
            0 => Ok(message),
            _ => Err(self.refused(major, minor)),
        }
    }
}

impl Drop for SecurityContext {
    fn drop(&mut self) {
        if self.context.is_null() {
            return;
        }
        let mut minor = 0;
        // SAFETY: the library made it, and it is deleted once.
        unsafe {
            (self.acceptor.gss.delete_sec_context)(&raw mut minor, &raw mut self.context, ptr::null_mut())
        };
    }
}
