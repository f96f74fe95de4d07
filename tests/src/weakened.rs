//! Relations that lack a primitive: what somebody proves who lowers a graph in another way than the verifier.

use gradproof_circuits::program::{Claimed, LookUp, Schedule, Table};
use gradproof_circuits::relations::{Relations, Tree};

/// The relations without each of their primitives in turn, with what it was.
pub fn weakened(relations: &Relations) -> Vec<(String, Relations)> {
    let mut list = Vec::new();
    let mut add = |what: String, change: &dyn Fn(&mut Relations)| {
        let mut other = relations.clone();
        change(&mut other);
        other.schedule = Schedule::new(&other.sums, &other.parameters);
        list.push((what, other));
    };
    let lookups: Vec<LookUp> = relations.tree.lookups.iter().map(|(lookup, _)| lookup.clone()).collect();
    for (i, lookup) in lookups.iter().enumerate() {
        add(format!("look-up {i}: {:?}", lookup.table), &|r| {
            let mut others = lookups.clone();
            if lookup.table == Table::Exponential {
                others.remove(i);
            } else {
                // Others need the evaluations of its tensors: it looks up a row of zeros, which its table has.
                for form in &mut others[i].tuple {
                    form.constant = 0;
                    form.terms.iter_mut().for_each(|(_, factor, _)| *factor = 0);
                }
            }
            r.tree = Tree::new(others);
        });
    }
    for i in 0..relations.pointwise.len() {
        add(format!("pointwise relation {i}"), &|r| {
            let gone = r.pointwise.remove(i);
            r.sums.retain(|sum| !gone.tensors.iter().any(|(tensor, _)| *tensor == sum.tensor));
        });
    }
    for i in 0..relations.identities.len() {
        add(format!("identity {i}"), &|r| _ = r.identities.remove(i));
    }
    for (i, sum) in relations.sums.iter().enumerate() {
        if matches!(sum.claimed, Claimed::Rounded(_)) {
            add(format!("{}", sum.tensor), &|r| _ = r.sums.remove(i));
        }
        for j in 0..sum.addends.len() {
            add(format!("addend {j} of {}", sum.tensor), &|r| _ = r.sums[i].addends.remove(j));
        }
    }
    for (i, parameter) in relations.parameters.iter().enumerate() {
        for j in 0..parameter.updates.len() {
            add(format!("update {j} of {}", parameter.ends[0]), &|r| _ = r.parameters[i].updates.remove(j));
        }
    }
    list
}
