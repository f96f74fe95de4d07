//! Every call of the driver fails once, once for good, and once silently: an error comes out, and no memory stays behind.

use gradproof_gpu::{Columns, Device, Error, Result, Shape, Weights};

use crate::emulated::{Emulated, Failure, device};
use crate::samples::bases;

/// A computation with a driver.
type Work = fn(&mut Device<Emulated>) -> Result<()>;

const WORK: [(&str, Work); 5] = [
    ("products", |device| device.fr_products(&[3.into()], &[5.into()], 1).map(|_| ())),
    ("sums", |device| device.fq_sums(&[3.into()], &[5.into()]).map(|_| ())),
    ("fold", |device| device.fold(&[3.into(), 4.into()], 2.into()).map(|_| ())),
    ("product", |device| {
        let shape = Shape { rows: 1, inputs: 2, outputs: 1, parts: 2 };
        device.product(&[1, 2], Weights::Narrow(&[3, 4]), shape).map(|_| ())
    }),
    ("commitment", |device| {
        let table = device.table(&bases(1, 2), 2, 2)?;
        let commitments = device.commit(&table, Columns::I16(&[1, -2]), 1);
        device.drop_table(table).and(commitments.map(|_| ()))
    }),
];

#[test]
fn every_call_may_fail() {
    for (name, work) in WORK {
        let mut device = device();
        work(&mut device).expect("no fault");
        let calls = device.driver().calls;
        assert!(calls > 5, "{name}");
        assert_eq!(device.driver().live(), 0, "{name}");
        for at in 0..calls {
            for failure in [Failure::At(at), Failure::From(at)] {
                let mut device = crate::emulated::device();
                device.driver().failure = failure;
                let outcome = work(&mut device);
                assert!(matches!(outcome, Err(Error::Driver { .. })), "{name}, {failure:?}: {outcome:?}");
                assert_eq!(device.driver().live(), 0, "{name}, {failure:?}");
            }
        }
        // A device that is not lost goes on.
        device.driver().failure = Failure::At(device.driver().calls + 3);
        assert!(work(&mut device).is_err(), "{name}");
        work(&mut device).expect("no fault");
    }
}

/// Memory that a computation does not fill itself is what another has left there: the interpreter reports that it was read.
#[test]
fn no_computation_reads_what_it_has_not_written() {
    let mut forgotten = 0;
    for (name, work) in WORK {
        let mut at = 0;
        loop {
            let mut device = device();
            device.driver().failure = Failure::Forgotten(at);
            let outcome = work(&mut device);
            assert_eq!(outcome.is_err(), device.driver().has_forgotten, "{name}, call {at}: {outcome:?}");
            forgotten += u32::from(device.driver().has_forgotten);
            if at >= device.driver().calls {
                break;
            }
            at += 1;
        }
    }
    assert!(forgotten > 10, "{forgotten}");
}
