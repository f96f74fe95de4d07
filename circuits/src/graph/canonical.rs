//! The canonical bytes of a graph: what a statement says by their digest.

use super::{Graph, Node, Source};

/// Version of the layout.
pub const VERSION: u16 = 1;

/// Equal graphs have the same canonical bytes: of those that can be lowered, no others have.
impl PartialEq for Graph {
    fn eq(&self, other: &Self) -> bool {
        self.canonical_bytes() == other.canonical_bytes()
    }
}

impl Eq for Graph {}

impl Graph {
    /// The graph in bytes that no other graph has which an [`Architecture`](crate::architecture::Architecture) can hold.
    ///
    /// # Layout
    /// Numbers are big-endian, and a list is its length in one byte and its entries:
    /// `version` 2 ‖ `inputs` 4 ‖ `labels` 4 ‖ activation, gradient, rate and exponential bits 1 each ‖ list of losses (node 2,
    /// weight 4) ‖ list of momentum 4 ‖ `base` 32, zeros for none ‖ list of nodes.
    /// A node is: list of the letters of its operator ‖ list of settings (list of letters, value 4) ‖ list of inputs 2 (0 the
    /// input, 1 the labels, 2 and on the nodes) ‖ list of scales (role 1, bits 1) ‖ rate factor 4.
    /// Numbers and lists that are too long for their bytes are cut; there is no architecture of graphs with such numbers or lists.
    pub fn canonical_bytes(&self) -> Vec<u8> {
        let mut bytes = VERSION.to_be_bytes().to_vec();
        bytes.extend([self.inputs, self.labels].map(|columns| (columns as u32).to_be_bytes()).as_flattened());
        let p = &self.precision;
        bytes.extend([p.activation_bits, p.gradient_bits, p.rate_bits, p.exponential_bits].map(|bits| bits as u8));
        list(&mut bytes, &self.losses, |bytes, (node, weight)| {
            bytes.extend(node.to_be_bytes());
            bytes.extend(weight.to_be_bytes());
        });
        list(&mut bytes, &self.momentum, |bytes, coefficient| bytes.extend(coefficient.to_be_bytes()));
        bytes.extend(self.base.unwrap_or_default());
        list(&mut bytes, &self.nodes, |bytes, node| node.encode(bytes));
        bytes
    }
}

impl Node {
    fn encode(&self, bytes: &mut Vec<u8>) {
        let letters =
            |bytes: &mut Vec<u8>, name: &str| list(bytes, name.as_bytes(), |bytes, letter| bytes.push(*letter));
        letters(bytes, self.operator.name());
        let settings: Vec<(&str, u32)> = self.operator.settings().into_iter().collect();
        list(bytes, &settings, |bytes, (name, value)| {
            letters(bytes, name);
            bytes.extend(value.to_be_bytes());
        });
        list(bytes, &self.inputs, |bytes, source| {
            let number = match source {
                Source::Input => 0,
                Source::Labels => 1,
                Source::Node(node) => node.saturating_add(2),
            };
            bytes.extend(number.to_be_bytes());
        });
        let scales: Vec<(u8, u8)> = self.scales.iter().map(|(role, bits)| (*role, *bits)).collect();
        list(bytes, &scales, |bytes, (role, bits)| bytes.extend([*role, *bits]));
        bytes.extend(self.rate_factor.to_be_bytes());
    }
}

fn list<T>(bytes: &mut Vec<u8>, entries: &[T], encode: impl Fn(&mut Vec<u8>, &T)) {
    let count = entries.len().min(usize::from(u8::MAX));
    bytes.push(count as u8);
    entries.iter().take(count).for_each(|entry| encode(bytes, entry));
}
