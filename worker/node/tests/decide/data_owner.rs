//! What a data owner does.

use gradproof_chain::Address;
use gradproof_chain::market::State;
use gradproof_node::decide::is_void;
use gradproof_node::facts::{Facts, Role};

use crate::scene::*;

const OWNER: Address = Address::repeat_byte(0x4e);

#[test]
fn a_job_that_can_pay_nothing_is_forgotten_at_once() {
    let facts = Facts::new(Role::DataOwner);
    let mut open = job(OWNER, State::Open);
    assert!(!is_void(&open, &facts));
    open.job.job.deadline = uint(NOW - 1);
    assert!(is_void(&open, &facts), "nobody can take it, and nobody has to take it back");
    assert!(!is_void(&open, &Facts::new(Role::Requester)), "who posted it takes it back");
    assert!(is_void(&job(OWNER, State::Cancelled), &facts));
    for state in [State::None, State::Assigned, State::Running, State::Completed, State::Stopped, State::Left] {
        assert!(!is_void(&job(OWNER, state), &facts), "{state:?}");
    }
}
