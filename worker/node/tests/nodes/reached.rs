//! Whether others reach a node: one of them dials it at the addresses of its entry in the register, and nowhere else.

use crate::member::Member;
use crate::scene::Scene;

/// The one address of nodes here: what nobody listens at is refused at once.
const LISTEN: &str = "/ip4/127.0.0.1/tcp/0";

#[test]
fn a_node_learns_from_another_whether_its_registered_addresses_are_reached() {
    let Some(scene) = Scene::start("a_node_learns_from_another") else { return };
    let over_tcp = |member: Member| member.with(|config| config.listen = vec![LISTEN.into()]);
    let mut asker = over_tcp(Member::requester(&scene, 0x11));
    asker.start(&scene);
    asker.kill();
    assert_eq!(asker.reach(&scene), None, "there is nobody to ask");

    // Each is asked once a minute for one account.
    let helper = |seed| {
        let mut helper = over_tcp(Member::provider(&scene, seed));
        helper.start(&scene);
        // It knows the asker when it has read the register.
        let read = scene.block();
        scene.until("it has seen a later block", || scene.block() > read + 3);
        helper
    };
    let mut first = helper(0x21);
    let registered = asker.address().to_owned();
    let reach = asker.reach(&scene).expect("the other one answers");
    assert_eq!((reach.by, reach.addresses), (first.account(), vec![(registered.clone(), true)]));
    assert_eq!(asker.reach(&scene), None, "once a minute");
    first.kill();

    let second = helper(0x22);
    let elsewhere = asker.with(|config| config.listen = vec![LISTEN.into()]);
    let reach = elsewhere.reach(&scene).expect("the other one answers");
    assert_eq!((reach.by, reach.addresses), (second.account(), vec![(registered, false)]));
}
