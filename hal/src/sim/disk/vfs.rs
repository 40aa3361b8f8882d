//! The way SQLite asks: its C interface for a file system, over [`Disk`](super::state::Disk).
//!
//! What SQLite promises (sqlite.org/c3ref/vfs.html) is what the code below relies on: pointers are valid for the call,
//! an open file is used by one thread at a time and never after it was closed. A panic in here ends the process.

#![expect(unsafe_code, reason = "SQLite asks for files through a table of C functions that take raw pointers")]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::{Arc, Once, atomic};
use std::{ptr, slice};

use rusqlite::ffi::{self, sqlite3_file, sqlite3_int64, sqlite3_io_methods, sqlite3_vfs};

use super::locks::{Handle, Level};
use super::medium::FileId;
use super::state::Code;
use super::{Card, Shared};
use crate::pace;

const NAME: &CStr = c"till-card";
/// Longest path, with the zero at its end.
const PATH_MAX: c_int = 128;
/// What SQLite's own VFS says.
const SECTOR_SIZE: c_int = 4096;
/// Noon of 22 November 2026 UTC as SQLite counts: milliseconds of the Julian day. It stands still, so that runs repeat.
const NOW_JULIAN_MS: sqlite3_int64 = 212_662_108_800_000;

/// The VFS's name; it is registered when this returns.
pub(super) fn name() -> &'static str {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        let table = Box::leak(Box::new(table()));
        // SAFETY: the table is complete, and lives as long as the process.
        let code = unsafe { ffi::sqlite3_vfs_register(table, 0) };
        assert_eq!(code, ffi::SQLITE_OK, "SQLite takes a complete table");
    });
    NAME.to_str().unwrap_or_default()
}

/// Begins SQLite's generator of random numbers anew.
pub(super) fn seed_sqlite(seed: u64) {
    name();
    let folded = (seed ^ seed >> 32) & 0x7fff_ffff;
    // Zero would ask the system for entropy.
    let folded = c_int::try_from(folded).unwrap_or_default().max(1);
    // SAFETY: this control takes an int and a database, which may be null; SQLite guards the generator with a mutex.
    unsafe { ffi::sqlite3_test_control(ffi::SQLITE_TESTCTRL_PRNG_SEED, folded, ptr::null_mut::<ffi::sqlite3>()) };
}

fn table() -> sqlite3_vfs {
    sqlite3_vfs {
        iVersion: 2,
        szOsFile: c_int::try_from(size_of::<OpenFile>()).unwrap_or_default(),
        mxPathname: PATH_MAX,
        pNext: ptr::null_mut(),
        zName: NAME.as_ptr(),
        pAppData: ptr::null_mut(),
        xOpen: Some(open),
        xDelete: Some(delete),
        xAccess: Some(access),
        xFullPathname: Some(full_path),
        xDlOpen: None,
        xDlError: None,
        xDlSym: None,
        xDlClose: None,
        xRandomness: Some(randomness),
        xSleep: Some(sleep),
        xCurrentTime: Some(current_time),
        xGetLastError: Some(last_error),
        xCurrentTimeInt64: Some(current_time_ms),
        xSetSystemCall: None,
        xGetSystemCall: None,
        xNextSystemCall: None,
    }
}

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// What SQLite holds for an open file: it begins as SQLite wants it, and goes on as we do.
#[repr(C)]
struct OpenFile {
    base: sqlite3_file,
    ours: *mut Opened,
}

/// An open file, ours from `open` to `close`.
struct Opened {
    card: Arc<Shared>,
    file: FileId,
    handle: Handle,
}

/// The card that a path is on, and the file's name there.
fn place(path: &str) -> Option<(Arc<Shared>, &str)> {
    let (number, name) = path.strip_prefix("/card-")?.split_once('/')?;
    Some((Card::found(number.parse().ok()?)?, name))
}

/// # Safety
/// `path` is null or a string of C that outlives the result.
unsafe fn text<'a>(path: *const c_char) -> Option<&'a str> {
    if path.is_null() {
        return None;
    }
    // SAFETY: as the caller promises.
    unsafe { CStr::from_ptr(path) }.to_str().ok()
}

/// # Safety
/// `file` was opened by [`open`] and not closed yet.
unsafe fn opened<'a>(file: *mut sqlite3_file) -> &'a Opened {
    // SAFETY: as the caller promises; `open` made `ours` from a box, and `close` takes it back last.
    unsafe { &*(*file.cast::<OpenFile>()).ours }
}

fn code(done: Result<(), Code>) -> c_int {
    done.err().unwrap_or(ffi::SQLITE_OK)
}

fn unsigned(number: sqlite3_int64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

unsafe extern "C" fn open(
    _vfs: *mut sqlite3_vfs,
    path: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    flags_out: *mut c_int,
) -> c_int {
    let file = file.cast::<OpenFile>();
    // SAFETY: SQLite gives room for an `OpenFile`; without methods it does not close what was not opened.
    unsafe { (*file).base.pMethods = ptr::null() };
    // SAFETY: SQLite keeps the path for as long as the file is open.
    let Some(ours) = open_path(unsafe { text(path) }, flags) else {
        return ffi::SQLITE_CANTOPEN;
    };
    let ours = match ours {
        Ok(ours) => ours,
        Err(code) => return code,
    };
    let read_only = ours.card.disk().faults.now() == Some(super::Failure::ReadOnly);
    // SAFETY: as above; `flags_out` may be null.
    unsafe {
        (*file).ours = Box::into_raw(Box::new(ours));
        (*file).base.pMethods = &raw const METHODS;
        if !flags_out.is_null() {
            *flags_out = granted(flags, read_only);
        }
    }
    ffi::SQLITE_OK
}

/// A file system that takes no changes opens files for reading only, without a word.
const fn granted(flags: c_int, read_only: bool) -> c_int {
    if read_only {
        flags & !(ffi::SQLITE_OPEN_READWRITE | ffi::SQLITE_OPEN_CREATE) | ffi::SQLITE_OPEN_READONLY
    } else {
        flags
    }
}

/// Opens the file at `path`; `None` when there is no such card.
fn open_path(path: Option<&str>, flags: c_int) -> Option<Result<Opened, Code>> {
    let (card, name) = match path {
        Some(path) => {
            let (card, name) = place(path)?;
            (card, Some(name))
        }
        None => (Card::of(super::state::Disk::default()).0, None),
    };
    let found = card.disk().open(name, flags & ffi::SQLITE_OPEN_CREATE != 0);
    Some(found.map(|(file, handle)| Opened { card, file, handle }))
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    let file = file.cast::<OpenFile>();
    // SAFETY: `open` made it from a box, and SQLite closes a file once.
    let ours = unsafe { Box::from_raw((*file).ours) };
    ours.card.disk().close(ours.file, ours.handle);
    // SAFETY: SQLite's room, as in `open`.
    unsafe { (*file).base.pMethods = ptr::null() };
    ffi::SQLITE_OK
}

unsafe extern "C" fn read(file: *mut sqlite3_file, into: *mut c_void, length: c_int, offset: sqlite3_int64) -> c_int {
    // SAFETY: the file is open.
    let ours = unsafe { opened(file) };
    // SAFETY: SQLite gives `length` bytes of its own.
    let bytes = unsafe { slice::from_raw_parts_mut(into.cast::<u8>(), usize::try_from(length).unwrap_or(0)) };
    match ours.card.disk().read(ours.file, unsigned(offset), bytes) {
        Ok(true) => ffi::SQLITE_OK,
        Ok(false) => ffi::SQLITE_IOERR_SHORT_READ,
        Err(code) => code,
    }
}

unsafe extern "C" fn write(
    file: *mut sqlite3_file,
    from: *const c_void,
    length: c_int,
    offset: sqlite3_int64,
) -> c_int {
    // SAFETY: the file is open.
    let ours = unsafe { opened(file) };
    // SAFETY: SQLite gives `length` bytes of its own.
    let bytes = unsafe { slice::from_raw_parts(from.cast::<u8>(), usize::try_from(length).unwrap_or(0)) };
    code(ours.card.disk().write(ours.file, unsigned(offset), bytes))
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, size: sqlite3_int64) -> c_int {
    // SAFETY: the file is open.
    let ours = unsafe { opened(file) };
    code(ours.card.disk().truncate(ours.file, unsigned(size)))
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, _flags: c_int) -> c_int {
    // SAFETY: the file is open.
    let ours = unsafe { opened(file) };
    code(ours.card.disk().sync(ours.file))
}

unsafe extern "C" fn file_size(file: *mut sqlite3_file, size: *mut sqlite3_int64) -> c_int {
    // SAFETY: the file is open.
    let ours = unsafe { opened(file) };
    let found = ours.card.disk().file(ours.file).map(|file| file.size());
    // SAFETY: SQLite gives a place for the answer.
    code(found.map(|found| unsafe { *size = sqlite3_int64::try_from(found).unwrap_or(sqlite3_int64::MAX) }))
}

fn level(lock: c_int) -> Level {
    match lock {
        ffi::SQLITE_LOCK_NONE => Level::Open,
        ffi::SQLITE_LOCK_SHARED => Level::Shared,
        ffi::SQLITE_LOCK_RESERVED => Level::Reserved,
        ffi::SQLITE_LOCK_PENDING => Level::Pending,
        _ => Level::Exclusive,
    }
}

unsafe extern "C" fn lock(file: *mut sqlite3_file, to: c_int) -> c_int {
    // SAFETY: the file is open.
    let ours = unsafe { opened(file) };
    match ours.card.disk().file(ours.file).map(|file| file.locks.raise(ours.handle, level(to))) {
        Ok(true) => ffi::SQLITE_OK,
        Ok(false) => ffi::SQLITE_BUSY,
        Err(code) => code,
    }
}

unsafe extern "C" fn unlock(file: *mut sqlite3_file, to: c_int) -> c_int {
    // SAFETY: the file is open.
    let ours = unsafe { opened(file) };
    code(ours.card.disk().file(ours.file).map(|file| file.locks.lower(ours.handle, level(to))))
}

unsafe extern "C" fn check_reserved(file: *mut sqlite3_file, out: *mut c_int) -> c_int {
    // SAFETY: the file is open.
    let ours = unsafe { opened(file) };
    let found = ours.card.disk().file(ours.file).map(|file| file.locks.is_reserved());
    // SAFETY: SQLite gives a place for the answer.
    code(found.map(|found| unsafe { *out = found.into() }))
}

unsafe extern "C" fn file_control(_file: *mut sqlite3_file, _op: c_int, _arg: *mut c_void) -> c_int {
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn sector_size(_file: *mut sqlite3_file) -> c_int {
    SECTOR_SIZE
}

/// What SQLite's own VFS promises for any disk: a write touches no byte beside its own.
unsafe extern "C" fn characteristics(_file: *mut sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

unsafe extern "C" fn shm_map(
    file: *mut sqlite3_file,
    number: c_int,
    size: c_int,
    extend: c_int,
    out: *mut *mut c_void,
) -> c_int {
    // SAFETY: the file is open.
    let ours = unsafe { opened(file) };
    let (number, size) = (usize::try_from(number).unwrap_or(0), usize::try_from(size).unwrap_or(0));
    let found = ours.card.disk().file(ours.file).map(|file| {
        // Atomics may be written through a shared pointer. The region stays until the last who mapped it is gone.
        let region = file.map(ours.handle, number, size, extend != 0);
        region.map_or(ptr::null_mut(), |region| region.as_ptr().cast_mut().cast::<c_void>())
    });
    // SAFETY: SQLite gives a place for the answer.
    code(found.map(|found| unsafe { *out = found }))
}

unsafe extern "C" fn shm_lock(file: *mut sqlite3_file, offset: c_int, count: c_int, flags: c_int) -> c_int {
    // SAFETY: the file is open.
    let ours = unsafe { opened(file) };
    let places = (offset..offset + count).fold(0, |places: u8, place| places | 1 << (place & 7));
    let done = ours.card.disk().file(ours.file).map(|file| {
        let locks = &mut file.index_locks;
        if flags & ffi::SQLITE_SHM_UNLOCK != 0 {
            locks.give_back(ours.handle, places);
            true
        } else if flags & ffi::SQLITE_SHM_SHARED != 0 {
            locks.share(ours.handle, places)
        } else {
            locks.take(ours.handle, places)
        }
    });
    match done {
        Ok(true) => ffi::SQLITE_OK,
        Ok(false) => ffi::SQLITE_BUSY,
        Err(code) => code,
    }
}

unsafe extern "C" fn shm_barrier(file: *mut sqlite3_file) {
    atomic::fence(atomic::Ordering::SeqCst);
    // SAFETY: the file is open.
    let ours = unsafe { opened(file) };
    // Going through the lock orders us with everybody else who does.
    drop(ours.card.disk());
}

unsafe extern "C" fn shm_unmap(file: *mut sqlite3_file, _delete: c_int) -> c_int {
    // SAFETY: the file is open.
    let ours = unsafe { opened(file) };
    code(ours.card.disk().file(ours.file).map(|file| file.unmap(ours.handle)))
}

unsafe extern "C" fn delete(_vfs: *mut sqlite3_vfs, path: *const c_char, synced: c_int) -> c_int {
    // SAFETY: SQLite gives a string of C.
    let found = unsafe { text(path) }.and_then(place);
    let Some((card, name)) = found else {
        return ffi::SQLITE_IOERR_DELETE;
    };
    let done = card.disk().delete(name, synced != 0);
    code(done)
}

unsafe extern "C" fn access(_vfs: *mut sqlite3_vfs, path: *const c_char, _flags: c_int, out: *mut c_int) -> c_int {
    // SAFETY: SQLite gives a string of C.
    let found = unsafe { text(path) }.and_then(place).is_some_and(|(card, name)| card.disk().exists(name));
    // SAFETY: SQLite gives a place for the answer.
    unsafe { *out = found.into() };
    ffi::SQLITE_OK
}

/// Paths on a card are whole already.
unsafe extern "C" fn full_path(_vfs: *mut sqlite3_vfs, path: *const c_char, room: c_int, out: *mut c_char) -> c_int {
    // SAFETY: SQLite gives a string of C.
    let bytes = unsafe { CStr::from_ptr(path) }.to_bytes_with_nul();
    if bytes.len() > usize::try_from(room).unwrap_or(0) {
        return ffi::SQLITE_CANTOPEN;
    }
    // SAFETY: there is room for all of it, in memory of SQLite's own.
    unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), out.cast::<u8>(), bytes.len()) };
    ffi::SQLITE_OK
}

/// SQLite asks its standard VFS for entropy, not this one; a constant says that nothing here is left to chance.
unsafe extern "C" fn randomness(_vfs: *mut sqlite3_vfs, length: c_int, out: *mut c_char) -> c_int {
    // SAFETY: SQLite gives room for `length` bytes.
    unsafe { ptr::write_bytes(out, 0x5a, usize::try_from(length).unwrap_or(0)) };
    length
}

/// One connection waits for another on another thread, and that takes real time.
unsafe extern "C" fn sleep(_vfs: *mut sqlite3_vfs, microseconds: c_int) -> c_int {
    pace::sleep(std::time::Duration::from_micros(microseconds.unsigned_abs().into()));
    microseconds
}

/// Never asked while there is [`current_time_ms`]; SQLite wants it there.
unsafe extern "C" fn current_time(_vfs: *mut sqlite3_vfs, out: *mut f64) -> c_int {
    const NOW_JULIAN_DAYS: f64 = 2_461_367.0;
    // SAFETY: SQLite gives a place for the answer.
    unsafe { *out = NOW_JULIAN_DAYS };
    ffi::SQLITE_OK
}

unsafe extern "C" fn current_time_ms(_vfs: *mut sqlite3_vfs, out: *mut sqlite3_int64) -> c_int {
    // SAFETY: SQLite gives a place for the answer.
    unsafe { *out = NOW_JULIAN_MS };
    ffi::SQLITE_OK
}

unsafe extern "C" fn last_error(_vfs: *mut sqlite3_vfs, _length: c_int, _out: *mut c_char) -> c_int {
    0
}
