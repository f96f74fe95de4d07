//! Arithmetic as a graph in which equal sub-expressions are one node, and its Yul.

use std::collections::HashMap;

use halo2_axiom::halo2curves::bn256::Fr;
use halo2_axiom::halo2curves::ff::Field;

use super::source::{Memory, SourceText, number};

/// Operands on the stack at once, above which a part is stored in memory: the machine reaches sixteen.
const DEPTH: usize = 7;

/// A node: an index into the graph, which holds operands before what is made of them.
pub(super) type Id = usize;

#[derive(Clone, PartialEq, Eq, Hash)]
enum Node {
    Constant(Fr),
    Word(String),
    Negate(Id),
    Add(Id, Id),
    Multiply(Id, Id),
}

/// Nodes, each of which is there once.
#[derive(Default)]
pub(super) struct Graph {
    nodes: Vec<Node>,
    ids: HashMap<Node, Id>,
}

impl Graph {
    fn node(&mut self, node: Node) -> Id {
        if let Some(id) = self.ids.get(&node) {
            return *id;
        }
        self.ids.insert(node.clone(), self.nodes.len());
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    fn constant_of(&self, id: Id) -> Option<Fr> {
        match self.nodes.get(id) {
            Some(Node::Constant(value)) => Some(*value),
            _ => None,
        }
    }

    fn negated(&self, id: Id) -> Option<Id> {
        match self.nodes.get(id) {
            Some(Node::Negate(inner)) => Some(*inner),
            _ => None,
        }
    }

    /// A number.
    pub fn constant(&mut self, value: Fr) -> Id {
        self.node(Node::Constant(value))
    }

    /// A word of memory by its name.
    pub fn word(&mut self, name: impl Into<String>) -> Id {
        self.node(Node::Word(name.into()))
    }

    /// `-a`.
    pub fn negate(&mut self, a: Id) -> Id {
        match (self.constant_of(a), self.negated(a)) {
            (Some(value), _) => self.constant(-value),
            (_, Some(inner)) => inner,
            _ => self.node(Node::Negate(a)),
        }
    }

    /// `a + b`.
    pub fn add(&mut self, a: Id, b: Id) -> Id {
        match (self.constant_of(a), self.constant_of(b)) {
            (Some(left), Some(right)) => return self.constant(left + right),
            (Some(zero), _) if bool::from(zero.is_zero()) => return b,
            (_, Some(zero)) if bool::from(zero.is_zero()) => return a,
            _ => {}
        }
        match (self.negated(a), self.negated(b)) {
            (Some(left), Some(right)) => {
                let sum = self.add(left, right);
                self.negate(sum)
            }
            // A difference is written as the sum with a negated second operand.
            (Some(_), None) => self.node(Node::Add(b, a)),
            (None, Some(_)) => self.node(Node::Add(a, b)),
            (None, None) => self.node(Node::Add(a.min(b), a.max(b))),
        }
    }

    /// `a - b`.
    pub fn subtract(&mut self, a: Id, b: Id) -> Id {
        let b = self.negate(b);
        self.add(a, b)
    }

    /// `a · b`.
    pub fn multiply(&mut self, a: Id, b: Id) -> Id {
        match (self.constant_of(a), self.constant_of(b)) {
            (Some(left), Some(right)) => return self.constant(left * right),
            (Some(value), None) => return self.scale(b, value),
            (None, Some(value)) => return self.scale(a, value),
            (None, None) => {}
        }
        match (self.negated(a), self.negated(b)) {
            (Some(left), Some(right)) => self.multiply(left, right),
            (Some(left), None) => {
                let product = self.multiply(left, b);
                self.negate(product)
            }
            (None, Some(right)) => {
                let product = self.multiply(a, right);
                self.negate(product)
            }
            (None, None) => self.node(Node::Multiply(a.min(b), a.max(b))),
        }
    }

    /// `value · a`.
    fn scale(&mut self, a: Id, value: Fr) -> Id {
        if bool::from(value.is_zero()) {
            return self.constant(Fr::ZERO);
        }
        if value == Fr::ONE {
            return a;
        }
        if value == -Fr::ONE {
            return self.negate(a);
        }
        // A small coefficient has a short encoding, its negative has not.
        let value = self.constant(value);
        match self.negated(a) {
            Some(inner) => {
                let product = self.multiply(value, inner);
                self.negate(product)
            }
            None => self.node(Node::Multiply(a.min(value), a.max(value))),
        }
    }

    /// How often each node is an operand of what `roots` need, or a root.
    fn uses(&self, roots: &[Id]) -> Vec<usize> {
        let mut uses = vec![0usize; self.nodes.len()];
        let mut open = roots.to_vec();
        while let Some(id) = open.pop() {
            let (Some(count), Some(node)) = (uses.get_mut(id), self.nodes.get(id)) else { continue };
            *count += 1;
            if *count == 1 {
                match node {
                    Node::Constant(_) | Node::Word(_) => {}
                    Node::Negate(a) => open.push(*a),
                    Node::Add(a, b) | Node::Multiply(a, b) => open.extend([*a, *b]),
                }
            }
        }
        uses
    }
}

/// Writes nodes of a graph as Yul over the modulus `r`; what several of them need is computed once, and kept in memory.
pub(super) struct Writer<'a> {
    graph: &'a Graph,
    uses: Vec<usize>,
    written: HashMap<Id, (String, usize)>,
    stored: usize,
}

impl<'a> Writer<'a> {
    /// A writer of `roots`, in their order.
    pub fn new(graph: &'a Graph, roots: &[Id]) -> Self {
        Self { graph, uses: graph.uses(roots), written: HashMap::new(), stored: 0 }
    }

    /// The expression of a node, at most `r`; lines that it needs before are written to `source`.
    pub fn expression(&mut self, id: Id, memory: &mut Memory, source: &mut SourceText) -> String {
        self.visit(id, memory, source).0
    }

    fn visit(&mut self, id: Id, memory: &mut Memory, source: &mut SourceText) -> (String, usize) {
        if let Some(written) = self.written.get(&id) {
            return written.clone();
        }
        let Some(node) = self.graph.nodes.get(id) else { return (String::from("0"), 1) };
        let (text, depth, worth) = match node {
            Node::Constant(value) => (number(value), 1, false),
            Node::Word(name) => (format!("mload({name})"), 1, false),
            Node::Negate(a) => {
                let (a, depth) = self.visit(*a, memory, source);
                (format!("sub(r, {a})"), depth, depth > 1)
            }
            Node::Add(a, b) | Node::Multiply(a, b) => {
                let operation = if matches!(node, Node::Add(..)) { "addmod" } else { "mulmod" };
                let (a, b) = (self.visit(*a, memory, source), self.visit(*b, memory, source));
                // Yul evaluates the last operand first, above the modulus.
                let (deep, shallow) = if a.1 > b.1 { (a, b) } else { (b, a) };
                let depth = (deep.1 + 1).max(shallow.1 + 2);
                (format!("{operation}({}, {}, r)", shallow.0, deep.0), depth, true)
            }
        };
        let shared = worth && self.uses.get(id).is_some_and(|uses| *uses > 1);
        let written = if shared || depth > DEPTH {
            let name = format!("SHARED_{}", self.stored);
            self.stored += 1;
            memory.place(name.as_str(), 1);
            source.line(format!("mstore({name}, {text})"));
            (format!("mload({name})"), 1)
        } else {
            (text, depth)
        };
        self.written.insert(id, written.clone());
        written
    }
}
