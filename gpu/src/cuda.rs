//! An NVIDIA device, through the driver's own interface.

use std::ffi::{CString, c_void};
use std::ptr;

use cudarc::driver::{DriverError, result, sys};

use crate::{Argument, Buffer, Driver, Error, Kernel, Launch, Result, ptx};

/// An NVIDIA device with the kernels of this library.
///
/// The library `libcuda` is loaded when the first device is opened. A device belongs to the thread that opened it. CUDA's faults are for
/// the whole process: after one every call fails, of new devices too.
pub struct Cuda {
    device: sys::CUdevice,
    context: sys::CUcontext,
    module: sys::CUmodule,
    functions: Vec<(Kernel, sys::CUfunction)>,
    name: String,
}

fn failed(call: &'static str) -> impl Fn(DriverError) -> Error {
    move |error| Error::Driver { call, reason: error.to_string() }
}

impl Cuda {
    /// The device of a number, from 0. The driver translates the kernels the first time, which takes seconds.
    ///
    /// # Errors
    ///
    /// [`Error::NoDriver`] and [`Error::NoDevice`] if there is none, [`Error::Driver`] if it cannot be used.
    pub fn open(number: usize) -> Result<Self> {
        // SAFETY: loads the driver's library and runs its initialisation, as every CUDA program does.
        if !unsafe { sys::is_culib_present() } {
            return Err(Error::NoDriver);
        }
        result::init().map_err(failed("cuInit"))?;
        let count = result::device::get_count().map_err(failed("cuDeviceGetCount"))?;
        let count = usize::try_from(count).unwrap_or(0);
        let ordinal = i32::try_from(number).ok().filter(|_| number < count);
        let device = result::device::get(ordinal.ok_or(Error::NoDevice { number, count })?);
        let device = device.map_err(failed("cuDeviceGet"))?;
        let name = result::device::get_name(device).map_err(failed("cuDeviceGetName"))?;
        // A byte of zero ends the text for the driver.
        let text = CString::new(ptx()?).map_err(|error| Error::Kernels(error.to_string()))?;
        // SAFETY: `device` comes from the driver; dropping `cuda` releases the context once.
        let context = unsafe { result::primary_ctx::retain(device) }.map_err(failed("cuDevicePrimaryCtxRetain"))?;
        let mut cuda = Self { device, context, module: ptr::null_mut(), functions: vec![], name };
        cuda.bind()?;
        // SAFETY: `text` ends with a zero and lives through the call.
        cuda.module = unsafe { result::module::load_data(text.as_ptr().cast()) }.map_err(failed("cuModuleLoadData"))?;
        for kernel in Kernel::ALL {
            let name = CString::new(kernel.name()).map_err(|error| Error::Kernels(error.to_string()))?;
            // SAFETY: the module was loaded in this context and lives as long as `cuda`.
            let function = unsafe { result::module::get_function(cuda.module, name) };
            cuda.functions.push((kernel, function.map_err(failed("cuModuleGetFunction"))?));
        }
        Ok(cuda)
    }

    /// Name of the device, as the driver gives it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Free and total memory of the device, in bytes.
    ///
    /// # Errors
    ///
    /// [`Error::Driver`] if the driver does not say.
    pub fn memory_bytes(&self) -> Result<(usize, usize)> {
        self.bind()?;
        result::mem_get_info().map_err(failed("cuMemGetInfo"))
    }

    /// The driver's version, as `1000 major + 10 minor` of the CUDA that it supports.
    ///
    /// # Errors
    ///
    /// [`Error::Driver`] if the driver does not say.
    pub fn version(&self) -> Result<i32> {
        let mut version = 0;
        // SAFETY: writes one number to a variable that lives through the call.
        unsafe { sys::cuDriverGetVersion(&mut version) }.result().map_err(failed("cuDriverGetVersion"))?;
        Ok(version)
    }

    /// Multiprocessors of the device, and their highest clock in hertz.
    ///
    /// # Errors
    ///
    /// [`Error::Driver`] if the driver does not say.
    pub fn multiprocessors(&self) -> Result<(u32, f64)> {
        use sys::CUdevice_attribute::{CU_DEVICE_ATTRIBUTE_CLOCK_RATE, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT};
        let attribute = |which| {
            // SAFETY: `device` comes from the driver.
            unsafe { result::device::get_attribute(self.device, which) }.map_err(failed("cuDeviceGetAttribute"))
        };
        let count = attribute(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT)?;
        Ok((count.unsigned_abs(), 1000.0 * f64::from(attribute(CU_DEVICE_ATTRIBUTE_CLOCK_RATE)?)))
    }

    /// Makes the device the current one of this thread: other code may have chosen another.
    fn bind(&self) -> Result<()> {
        // SAFETY: the context is retained as long as `self` lives.
        unsafe { result::ctx::set_current(self.context) }.map_err(failed("cuCtxSetCurrent"))
    }

    /// An error unless `bytes` bytes fit a buffer.
    fn fits(buffer: &Buffer, bytes: usize) -> Result<()> {
        if bytes <= buffer.bytes {
            return Ok(());
        }
        Err(Error::Shape { what: "bytes of a copy", expected: buffer.bytes, got: bytes })
    }
}

impl Driver for Cuda {
    fn allocate(&mut self, bytes: usize) -> Result<Buffer> {
        self.bind()?;
        // SAFETY: the address is used for copies within `bytes` and given back once, by `free`, which takes the buffer.
        let address = unsafe { result::malloc_sync(bytes.max(1)) }.map_err(failed("cuMemAlloc"))?;
        Ok(Buffer { address, bytes })
    }

    fn upload(&mut self, to: &Buffer, bytes: &[u8]) -> Result<()> {
        Self::fits(to, bytes.len())?;
        self.bind()?;
        // SAFETY: synchronous, so that `bytes` lives long enough; they fit the buffer.
        unsafe { result::memcpy_htod_sync(to.address, bytes) }.map_err(failed("cuMemcpyHtoD"))
    }

    fn download(&mut self, from: &Buffer, bytes: &mut [u8]) -> Result<()> {
        Self::fits(from, bytes.len())?;
        self.bind()?;
        // SAFETY: synchronous; the buffer has as many bytes, and every pattern is a byte.
        unsafe { result::memcpy_dtoh_sync(bytes, from.address) }.map_err(failed("cuMemcpyDtoH"))
    }

    fn fill(&mut self, buffer: &Buffer, value: u8) -> Result<()> {
        self.bind()?;
        // SAFETY: the buffer has as many bytes.
        unsafe { result::memset_d8_sync(buffer.address, value, buffer.bytes) }.map_err(failed("cuMemsetD8"))
    }

    fn launch(&mut self, launch: &Launch<'_>) -> Result<()> {
        self.bind()?;
        let function = self.functions.iter().find(|(kernel, _)| *kernel == launch.kernel);
        let (_, function) = function.ok_or_else(|| Error::Kernels(format!("no {}", launch.kernel.name())))?;
        // The driver reads as many bytes from each place as the parameter has: eight of an address, four of a number, which are the
        // low ones of eight.
        let mut values: Vec<u64> = launch
            .arguments
            .iter()
            .map(|argument| match argument {
                Argument::Buffer(buffer) => buffer.address,
                Argument::Number(number) => u64::from(*number).to_le(),
            })
            .collect();
        let mut places: Vec<*mut c_void> = values.iter_mut().map(|value| ptr::from_mut(value).cast()).collect();
        let [x, y, z] = launch.blocks;
        let threads = (launch.kernel.threads(), 1, 1);
        // SAFETY: the function is of a loaded module. The arguments are as many as the kernel's and of their sizes, which the tests hold
        // for every launch of this crate; they are copied before the call returns. The kernel touches the device's memory only.
        let launched = unsafe { result::launch_kernel(*function, (x, y, z), threads, 0, ptr::null_mut(), &mut places) };
        launched.map_err(failed("cuLaunchKernel"))
    }

    fn wait(&mut self) -> Result<()> {
        self.bind()?;
        result::ctx::synchronize().map_err(failed("cuCtxSynchronize"))
    }

    fn free(&mut self, buffer: Buffer) -> Result<()> {
        let filled = self.fill(&buffer, 0);
        self.bind()?;
        // SAFETY: `allocate` gave this address, and the buffer is gone after this call. Freeing waits for what uses the memory.
        let freed = unsafe { result::free_sync(buffer.address) }.map_err(failed("cuMemFree"));
        filled.and(freed)
    }
}

impl Drop for Cuda {
    fn drop(&mut self) {
        // What fails here cannot be told; the process's end gives everything back.
        _ = self.bind();
        if !self.module.is_null() {
            // SAFETY: loaded by `open`, unloaded once.
            _ = unsafe { result::module::unload(self.module) };
        }
        // SAFETY: retained by `open`, released once.
        _ = unsafe { result::primary_ctx::release(self.device) };
    }
}
