//! A device that computes, and the memory of one computation.

use crate::bytes::{self, Answer, Word};
use crate::{Argument, Buffer, Driver, Error, Kernel, Launch, Result};

/// A device that computes what the CPU does, bit for bit.
///
/// Every method checks its sizes before it allocates. It leaves no memory behind but what it returns, whether it succeeds or not.
///
/// # Errors
///
/// [`Error::Shape`] and its like for what a caller got wrong, [`Error::Driver`] for the device; after that, compute on the CPU.
pub struct Device<D> {
    driver: D,
}

impl<D: Driver> Device<D> {
    /// A device behind a driver.
    pub const fn new(driver: D) -> Self {
        Self { driver }
    }

    /// The driver, for measurements.
    pub const fn driver(&mut self) -> &mut D {
        &mut self.driver
    }

    /// Runs `work` with memory that is overwritten and given back when it ends.
    pub(crate) fn scope<T>(&mut self, work: impl FnOnce(&mut Scope<'_, D>) -> Result<T>) -> Result<T> {
        let mut scope = Scope { driver: &mut self.driver, buffers: vec![] };
        let result = work(&mut scope);
        let Scope { driver, buffers } = scope;
        // Nothing that still runs may write to memory that another computation is given.
        let mut end = if result.is_err() { driver.wait() } else { Ok(()) };
        for buffer in buffers {
            end = driver.free(buffer).and(end);
        }
        result.and_then(|result| end.map(|()| result))
    }
}

/// A buffer of a [`Scope`], by number.
#[derive(Clone, Copy)]
pub(crate) struct Held(usize);

/// What a kernel of a [`Scope`] is given.
pub(crate) enum Given<'t> {
    /// A buffer of the scope.
    Held(Held),
    /// A buffer that outlives it.
    Kept(&'t Buffer),
    /// A number of 32 bits.
    Number(usize),
}

/// The memory of one computation.
pub(crate) struct Scope<'d, D> {
    pub(crate) driver: &'d mut D,
    buffers: Vec<Buffer>,
}

/// The buffer of a number, which a scope has given out.
fn buffer(buffers: &[Buffer], held: Held) -> Result<&Buffer> {
    buffers.get(held.0).ok_or(Error::Shape { what: "buffer", expected: buffers.len(), got: held.0 })
}

impl<D: Driver> Scope<'_, D> {
    /// Room for `count` values.
    pub(crate) fn room<W: Word>(&mut self, count: usize) -> Result<Held> {
        let too_many = Error::Shape { what: "values", expected: usize::MAX / W::BYTES, got: count };
        let buffer = self.driver.allocate(count.checked_mul(W::BYTES).ok_or(too_many)?)?;
        self.buffers.push(buffer);
        Ok(Held(self.buffers.len() - 1))
    }

    /// A buffer with values in it.
    pub(crate) fn put<W: Word>(&mut self, values: &[W]) -> Result<Held> {
        let held = self.room::<W>(values.len())?;
        self.replace(held, &bytes::write(values))?;
        Ok(held)
    }

    /// Copies bytes to the start of a buffer.
    pub(crate) fn replace(&mut self, held: Held, bytes: &[u8]) -> Result<()> {
        self.driver.upload(buffer(&self.buffers, held)?, bytes)
    }

    /// Sets every byte of a buffer to `value`.
    pub(crate) fn fill(&mut self, held: Held, value: u8) -> Result<()> {
        self.driver.fill(buffer(&self.buffers, held)?, value)
    }

    /// Starts a kernel.
    pub(crate) fn launch(&mut self, kernel: Kernel, blocks: [usize; 3], given: &[Given<'_>]) -> Result<()> {
        let mut arguments = vec![];
        for given in given {
            arguments.push(match given {
                Given::Held(held) => Argument::Buffer(buffer(&self.buffers, *held)?),
                Given::Kept(buffer) => Argument::Buffer(buffer),
                Given::Number(number) => Argument::Number(number_of(*number)?),
            });
        }
        let mut grid = [0; 3];
        for (axis, (to, from)) in grid.iter_mut().zip(blocks).enumerate() {
            *to = number_of(from)?;
            // A grid's second and third axes are short.
            let most = if axis == 0 { i32::MAX as usize } else { 65_535 };
            if from > most {
                return Err(Error::Shape { what: "blocks", expected: most, got: from });
            }
        }
        self.driver.launch(&Launch { kernel, blocks: grid, arguments: &arguments })
    }

    /// Waits, and gives the first `count` values of a buffer.
    pub(crate) fn take<A: Answer>(&mut self, held: Held, count: usize) -> Result<Vec<A>> {
        self.driver.wait()?;
        let mut answer = vec![0; count * A::BYTES];
        self.driver.download(buffer(&self.buffers, held)?, &mut answer)?;
        bytes::read(&answer)
    }
}

fn number_of(number: usize) -> Result<u32> {
    u32::try_from(number).map_err(|_| Error::Shape { what: "a size", expected: u32::MAX as usize, got: number })
}
