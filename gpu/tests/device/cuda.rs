//! The driver for cards, over a library that stands in for NVIDIA's: every call of it is made as it has to be, and each fails once.

use std::path::PathBuf;
use std::process::Command;

use gradproof_gpu::{Columns, Cuda, Device, Driver, Error, Result, Shape, Weights};

use crate::samples::{bases, commitments};

/// The library, which `cargo test` builds as an example.
fn library() -> PathBuf {
    let program = std::env::current_exe().expect("a program");
    let folder = program.parent().and_then(|deps| deps.parent()).expect("a folder of the target");
    folder.join("examples/libdriver.so")
}

/// This process has loaded no driver, and may not, so another one does.
#[test]
fn cards_are_driven_as_their_driver_wants() {
    let library = library();
    assert!(library.exists(), "no {}: `cargo test -p gradproof-gpu` builds it", library.display());
    let folder = std::env::temp_dir().join(format!("gradproof-driver-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::copy(library, folder.join("libcuda.so")).expect("a library");
    let mut child = Command::new(std::env::current_exe().expect("a program"));
    child.args(["--exact", "--ignored", "cuda::in_a_process_with_the_library"]).env("LD_LIBRARY_PATH", &folder);
    let output = child.output().expect("it starts");
    std::fs::remove_dir_all(folder).expect("the folder goes");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// What a card is asked for, each kind of call at least once; whether the results are right.
fn work(number: usize) -> Result<bool> {
    let cuda = Cuda::open(number)?;
    cuda.memory_bytes()?;
    cuda.version()?;
    let mut device = Device::new(cuda);
    let right = device.fr_products(&[3.into()], &[5.into()], 2)? == [75.into()];
    let shape = Shape { rows: 1, inputs: 2, outputs: 1, parts: 2 };
    let right = right && device.product(&[3, -4], Weights::Wide(&[1 << 40, 5]), shape)? == [(3 << 40) - 20];
    let bases = bases(1, 2);
    let table = device.table(&bases, 2, 2)?;
    let committed = device.commit(&table, Columns::I16(&[1, -2]), 1);
    device.drop_table(table)?;
    device.driver().wait()?;
    Ok(right && committed? == commitments(&bases, &[1, -2], 1))
}

#[test]
#[ignore = "cards_are_driven_as_their_driver_wants starts it, with a library in the place of the driver's"]
fn in_a_process_with_the_library() {
    assert_eq!(Cuda::open(0).expect("it works").name(), "interpreter");
    assert!(work(0).expect("no fault"));
    assert!(matches!(Cuda::open(1000), Err(Error::NoDevice { number: 1000, count: 1000 })));
    // The n-th call fails, and all after it.
    let mut calls = 0;
    for number in 1.. {
        match work(number) {
            Ok(right) => {
                assert!(right);
                break;
            }
            Err(error) => assert!(matches!(error, Error::Driver { .. }), "call {number}: {error}"),
        }
        calls = number;
    }
    assert!(calls > 80, "{calls} calls");
    assert!(work(0).expect("another one"));
}
