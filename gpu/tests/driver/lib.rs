//! A library with the calls of NVIDIA's driver that the crate makes, whose device is the interpreter: the test `cuda` loads it in the
//! place of the driver's.
//!
//! Device 0 works. Opening device n makes the n-th call after that fail, and all calls until the next `cuInit`, as CUDA's faults do.
//! What the driver would not forgive ends the process: a call out of order, memory that is given back with something in it.

#[expect(dead_code, reason = "the tests of the interpreter use the rest")]
#[path = "../device/machine/mod.rs"]
mod machine;
#[path = "../device/ptx/mod.rs"]
mod ptx;

use std::collections::HashMap;
use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::sync::{Mutex, MutexGuard, PoisonError};

use machine::memory::Memory;
use machine::{Machine, Order, STRIDE};

/// `CUDA_ERROR_ILLEGAL_ADDRESS`.
const FAULT: c_int = 700;
/// `CUDA_ERROR_INVALID_VALUE`.
const INVALID: c_int = 1;
/// The only context and the only module.
const CONTEXT: usize = 8;
const MODULE: usize = 16;

#[derive(Default)]
struct State {
    machine: Option<Machine>,
    kernels: HashMap<String, ptx::Kernel>,
    /// A function is a place in this list, from 1.
    functions: Vec<String>,
    current: bool,
    retained: u32,
    fault_at: usize,
    calls: usize,
}

static STATE: Mutex<Option<State>> = Mutex::new(None);

fn lock() -> MutexGuard<'static, Option<State>> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One call: what it does, unless the device has failed.
fn call(does: impl FnOnce(&mut State) -> Option<()>) -> c_int {
    let mut guard = lock();
    let state = guard.get_or_insert_default();
    state.calls += 1;
    if state.fault_at > 0 && state.calls >= state.fault_at {
        return FAULT;
    }
    if does(state).is_some() { 0 } else { INVALID }
}

/// As [`call`], in the current context.
fn call_in_context(does: impl FnOnce(&mut State, &mut Machine) -> Option<()>) -> c_int {
    call(|state| {
        let mut machine = state.machine.take().filter(|_| state.current)?;
        let done = does(state, &mut machine);
        state.machine = Some(machine);
        done
    })
}

fn memory(machine: &mut Machine, address: u64) -> Option<&mut Memory> {
    machine.allocations.get_mut((address / STRIDE).checked_sub(1)? as usize)?.as_mut()
}

#[unsafe(no_mangle)]
extern "C" fn cuInit(flags: c_uint) -> c_int {
    let mut guard = lock();
    let state = guard.get_or_insert_default();
    (state.calls, state.fault_at) = (0, 0);
    if flags == 0 { 0 } else { INVALID }
}

/// # Safety
///
/// `count` is valid for writes; so are all places below that a call writes to, and those that it reads from for reads.
#[unsafe(no_mangle)]
unsafe extern "C" fn cuDeviceGetCount(count: *mut c_int) -> c_int {
    // SAFETY: the caller's promise.
    call(|_| unsafe { write(count, 1000) })
}

/// # Safety
///
/// See [`cuDeviceGetCount`].
#[unsafe(no_mangle)]
unsafe extern "C" fn cuDeviceGet(device: *mut c_int, ordinal: c_int) -> c_int {
    call(|state| {
        (state.calls, state.fault_at) = (0, usize::try_from(ordinal).ok()?);
        // SAFETY: the caller's promise.
        unsafe { write(device, ordinal) }
    })
}

/// # Safety
///
/// See [`cuDeviceGetCount`]; `name` has `bytes` bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn cuDeviceGetName(name: *mut c_char, bytes: c_int, _: c_int) -> c_int {
    call(|_| {
        let text = c"interpreter";
        let count = text.count_bytes() + 1;
        // SAFETY: the caller's promise, and the text is shorter.
        (bytes as usize >= count).then(|| unsafe { name.copy_from_nonoverlapping(text.as_ptr(), count) })
    })
}

/// # Safety
///
/// See [`cuDeviceGetCount`].
#[unsafe(no_mangle)]
unsafe extern "C" fn cuDeviceGetAttribute(value: *mut c_int, _: c_int, _: c_int) -> c_int {
    // SAFETY: the caller's promise.
    call(|_| unsafe { write(value, 1) })
}

/// # Safety
///
/// See [`cuDeviceGetCount`].
#[unsafe(no_mangle)]
unsafe extern "C" fn cuDriverGetVersion(version: *mut c_int) -> c_int {
    // SAFETY: the caller's promise.
    call(|_| unsafe { write(version, 12_040) })
}

/// # Safety
///
/// See [`cuDeviceGetCount`].
#[unsafe(no_mangle)]
unsafe extern "C" fn cuDevicePrimaryCtxRetain(context: *mut *mut c_void, _: c_int) -> c_int {
    call(|state| {
        state.retained += 1;
        let mut machine = Machine::new();
        machine.order = Order::OddFirst;
        state.machine = Some(machine);
        // SAFETY: the caller's promise.
        unsafe { write(context, CONTEXT as *mut c_void) }
    })
}

#[unsafe(no_mangle)]
extern "C" fn cuDevicePrimaryCtxRelease_v2(_: c_int) -> c_int {
    // Also of a device that has failed.
    let mut guard = lock();
    let state = guard.get_or_insert_default();
    assert_eq!(state.retained, 1, "released as often as retained");
    (state.retained, state.current) = (0, false);
    0
}

#[unsafe(no_mangle)]
extern "C" fn cuCtxSetCurrent(context: *mut c_void) -> c_int {
    call(|state| {
        state.current = context as usize == CONTEXT && state.retained == 1;
        state.current.then_some(())
    })
}

#[unsafe(no_mangle)]
extern "C" fn cuCtxSynchronize() -> c_int {
    call_in_context(|_, _| Some(()))
}

/// # Safety
///
/// See [`cuDeviceGetCount`]; `text` ends with a zero.
#[unsafe(no_mangle)]
unsafe extern "C" fn cuModuleLoadData(module: *mut *mut c_void, text: *const c_char) -> c_int {
    call_in_context(|state, _| {
        // SAFETY: the caller's promise.
        let text = unsafe { CStr::from_ptr(text) }.to_str().ok()?;
        if state.kernels.is_empty() {
            state.kernels = ptx::parse(text).ok()?;
        }
        // SAFETY: the caller's promise.
        unsafe { write(module, MODULE as *mut c_void) }
    })
}

#[unsafe(no_mangle)]
extern "C" fn cuModuleUnload(module: *mut c_void) -> c_int {
    call_in_context(|_, _| (module as usize == MODULE).then_some(()))
}

/// # Safety
///
/// See [`cuDeviceGetCount`]; `name` ends with a zero.
#[unsafe(no_mangle)]
unsafe extern "C" fn cuModuleGetFunction(
    function: *mut *mut c_void,
    module: *mut c_void,
    name: *const c_char,
) -> c_int {
    call_in_context(|state, _| {
        // SAFETY: the caller's promise.
        let name = unsafe { CStr::from_ptr(name) }.to_str().ok()?;
        (module as usize == MODULE && state.kernels.contains_key(name)).then_some(())?;
        state.functions.push(name.into());
        // SAFETY: the caller's promise.
        unsafe { write(function, state.functions.len() as *mut c_void) }
    })
}

/// # Safety
///
/// See [`cuDeviceGetCount`].
#[unsafe(no_mangle)]
unsafe extern "C" fn cuMemGetInfo_v2(free: *mut usize, total: *mut usize) -> c_int {
    // SAFETY: the caller's promise.
    call_in_context(|_, _| unsafe { write(free, 1).and(write(total, 2)) })
}

/// # Safety
///
/// See [`cuDeviceGetCount`].
#[unsafe(no_mangle)]
unsafe extern "C" fn cuMemAlloc_v2(address: *mut u64, bytes: usize) -> c_int {
    call_in_context(|_, machine| {
        (bytes > 0).then(|| machine.allocations.push(Some(Memory::new(bytes))))?;
        // SAFETY: the caller's promise.
        unsafe { write(address, machine.allocations.len() as u64 * STRIDE) }
    })
}

#[unsafe(no_mangle)]
extern "C" fn cuMemFree_v2(address: u64) -> c_int {
    call_in_context(|_, machine| {
        let left = memory(machine, address)?.bytes.iter().any(|byte| *byte != 0);
        assert!(!left, "memory is given back with something in it");
        machine.allocations[(address / STRIDE - 1) as usize] = None;
        Some(())
    })
}

/// # Safety
///
/// See [`cuDeviceGetCount`]; `from` has `bytes` bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn cuMemcpyHtoD_v2(to: u64, from: *const u8, bytes: usize) -> c_int {
    // SAFETY: the caller's promise.
    let from = unsafe { std::slice::from_raw_parts(from, bytes) };
    call_in_context(|_, machine| memory(machine, to)?.upload((to % STRIDE) as usize, from).ok())
}

/// # Safety
///
/// See [`cuDeviceGetCount`]; `to` has `bytes` bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn cuMemcpyDtoH_v2(to: *mut u8, from: u64, bytes: usize) -> c_int {
    // SAFETY: the caller's promise.
    let to = unsafe { std::slice::from_raw_parts_mut(to, bytes) };
    call_in_context(|_, machine| memory(machine, from)?.download((from % STRIDE) as usize, to).ok())
}

#[unsafe(no_mangle)]
extern "C" fn cuMemsetD8_v2(to: u64, value: u8, bytes: usize) -> c_int {
    call_in_context(|_, machine| memory(machine, to)?.upload((to % STRIDE) as usize, &vec![value; bytes]).ok())
}

/// # Safety
///
/// See [`cuDeviceGetCount`]; `arguments` has a place for every parameter of the kernel.
#[unsafe(no_mangle)]
unsafe extern "C" fn cuLaunchKernel(
    function: *mut c_void,
    x: c_uint,
    y: c_uint,
    z: c_uint,
    threads: c_uint,
    threads_y: c_uint,
    threads_z: c_uint,
    shared: c_uint,
    stream: *mut c_void,
    arguments: *mut *mut c_void,
    extra: *mut *mut c_void,
) -> c_int {
    call_in_context(|state, machine| {
        let usual = (threads_y, threads_z, shared) == (1, 1, 0) && stream.is_null() && extra.is_null();
        let name = state.functions.get((function as usize).checked_sub(1)?).filter(|_| usual)?;
        let kernel = state.kernels.get(name)?;
        let argument = |(i, of): (usize, &ptx::Type)| {
            // SAFETY: the caller's promise: a place for every parameter, each with a value of its size.
            let value = unsafe {
                let place = *arguments.add(i);
                if of.bits == 64 { *place.cast::<u64>() } else { u64::from(*place.cast::<u32>()) }
            };
            (*of, value)
        };
        let arguments: Vec<_> = kernel.parameters.iter().enumerate().map(argument).collect();
        machine.launch(kernel, [x, y, z], threads, &arguments).ok()
    })
}

/// # Safety
///
/// See [`cuDeviceGetCount`].
#[unsafe(no_mangle)]
unsafe extern "C" fn cuGetErrorString(_: c_int, text: *mut *const c_char) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { write(text, c"a seeded fault".as_ptr()) }.map_or(INVALID, |()| 0)
}

/// Writes to a place of the caller's.
///
/// # Safety
///
/// The place is valid for writes.
unsafe fn write<T>(place: *mut T, value: T) -> Option<()> {
    // SAFETY: the caller's promise.
    unsafe { place.write(value) };
    Some(())
}
