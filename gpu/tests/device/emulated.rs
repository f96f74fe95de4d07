//! A driver whose device is the interpreter, with a fault at a call of choice.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::LazyLock;

use gradproof_gpu::{Argument, Buffer, Device, Driver, Error, Kernel, Launch, Result};

use crate::machine::memory::Memory;
use crate::machine::{Counts, Fault, Machine, Order, Problem, STRIDE};
use crate::ptx::{self, Type};

pub static TEXT: LazyLock<String> = LazyLock::new(|| gradproof_gpu::ptx().expect("the kernels are there"));

/// Parsed kernels by name.
pub type Kernels = Rc<HashMap<String, ptx::Kernel>>;

thread_local! {
    static KERNELS: RefCell<Kernels> = RefCell::new(Rc::new(ptx::parse(&TEXT).expect("every instruction is known")));
}

/// When calls fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    Never,
    /// The call of this number, from 0.
    At(usize),
    /// That call and all after it, as CUDA does after a kernel's fault.
    From(usize),
    /// That call, if it writes memory, does nothing and succeeds.
    Forgotten(usize),
}

pub struct Emulated {
    pub machine: Machine,
    kernels: Kernels,
    pub failure: Failure,
    pub calls: usize,
    /// Whether a call was not done that said it was.
    pub has_forgotten: bool,
    /// The last problem of a kernel.
    pub fault: Option<Fault>,
    /// Counts of the last launch of each kernel.
    pub counts: HashMap<Kernel, Counts>,
}

/// A device that interprets the kernels of the library.
pub fn device() -> Device<Emulated> {
    Device::new(Emulated {
        machine: Machine::new(),
        kernels: KERNELS.with_borrow(Rc::clone),
        failure: Failure::Never,
        calls: 0,
        has_forgotten: false,
        fault: None,
        counts: HashMap::new(),
    })
}

pub fn device_in_order(order: Order) -> Device<Emulated> {
    let mut device = device();
    device.driver().machine.order = order;
    device
}

/// Does `work` on this thread with other kernels in the place of the library's.
pub fn with_kernel<T>(kernel: ptx::Kernel, work: impl FnOnce() -> T) -> T {
    let before = KERNELS.with_borrow(Rc::clone);
    let mut kernels = (*before).clone();
    kernels.insert(kernel.name.clone(), kernel);
    KERNELS.set(Rc::new(kernels));
    let result = work();
    KERNELS.set(before);
    result
}

impl Emulated {
    /// Allocations that were not given back.
    pub fn live(&self) -> usize {
        self.machine.allocations.iter().flatten().count()
    }

    /// Counts a call, and says whether it is done.
    fn call(&mut self, call: &'static str) -> Result<bool> {
        let number = self.calls;
        self.calls += 1;
        let fails = match self.failure {
            Failure::Never | Failure::Forgotten(_) => false,
            Failure::At(at) => number == at,
            Failure::From(at) => number >= at,
        };
        if fails {
            Err(Error::Driver { call, reason: "a seeded fault".into() })
        } else {
            Ok(self.failure != Failure::Forgotten(number))
        }
    }

    fn memory(&mut self, buffer: &Buffer) -> Result<&mut Memory> {
        let number = (buffer.address / STRIDE).wrapping_sub(1) as usize;
        let memory = self.machine.allocations.get_mut(number).and_then(Option::as_mut);
        memory.ok_or(Error::Driver { call: "memory", reason: "no such buffer".into() })
    }
}

fn failed(call: &'static str) -> impl Fn(Problem) -> Error {
    move |problem| Error::Driver { call, reason: format!("{problem:?}") }
}

impl Driver for Emulated {
    fn allocate(&mut self, bytes: usize) -> Result<Buffer> {
        self.call("allocate")?;
        self.machine.allocations.push(Some(Memory::new(bytes)));
        Ok(Buffer { address: self.machine.allocations.len() as u64 * STRIDE, bytes })
    }

    fn upload(&mut self, to: &Buffer, bytes: &[u8]) -> Result<()> {
        if !self.call("upload")? {
            self.has_forgotten = true;
            return Ok(());
        }
        self.memory(to)?.upload(0, bytes).map_err(failed("upload"))
    }

    fn download(&mut self, from: &Buffer, bytes: &mut [u8]) -> Result<()> {
        self.call("download")?;
        self.memory(from)?.download(0, bytes).map_err(failed("download"))
    }

    fn fill(&mut self, buffer: &Buffer, value: u8) -> Result<()> {
        if !self.call("fill")? {
            self.has_forgotten = true;
            return Ok(());
        }
        self.memory(buffer)?.upload(0, &vec![value; buffer.bytes]).map_err(failed("fill"))
    }

    fn launch(&mut self, launch: &Launch<'_>) -> Result<()> {
        self.call("launch")?;
        let arguments: Vec<(Type, u64)> = launch
            .arguments
            .iter()
            .map(|argument| match argument {
                Argument::Buffer(buffer) => (Type { bits: 64, signed: false }, buffer.address),
                Argument::Number(number) => (Type { bits: 32, signed: false }, u64::from(*number)),
            })
            .collect();
        let kernel = self.kernels.get(launch.kernel.name());
        let kernel = kernel.ok_or_else(|| Error::Kernels(launch.kernel.name().into()))?;
        let outcome = self.machine.launch(kernel, launch.blocks, launch.kernel.threads(), &arguments);
        self.counts.insert(launch.kernel, self.machine.counts.clone());
        outcome.map_err(|fault| {
            let error = Error::Driver { call: "launch", reason: format!("{fault:?}") };
            self.fault = Some(fault);
            error
        })
    }

    fn wait(&mut self) -> Result<()> {
        self.call("wait").map(|_| ())
    }

    fn free(&mut self, buffer: Buffer) -> Result<()> {
        // A device that is lost takes its memory with it.
        self.memory(&buffer)?;
        let number = (buffer.address / STRIDE - 1) as usize;
        self.machine.allocations[number] = None;
        self.call("free").map(|_| ())
    }
}
