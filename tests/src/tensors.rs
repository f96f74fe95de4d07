//! The tensors of a multilayer perceptron, by their layers: from 1 on.

use gradproof_circuits::operators::{
    ACTIVATION, BACKWARD_LIMB, BACKWARD_PRODUCT, BIAS, DERIVATIVE, FORWARD_LIMB, GRADIENT, NEGATIVE, WEIGHT,
};
use gradproof_circuits::program::{End, Role, Tensor};

/// Node of the activation after a dense layer, or of the loss after the last one.
pub fn node(layer: usize) -> usize {
    2 * layer - 1
}

/// A tensor of the softmax after so many layers.
pub fn softmax(role: Role, layers: usize) -> Tensor {
    role.at(node(layers))
}

/// Weights of a layer.
pub fn weight(end: End, layer: usize) -> Tensor {
    WEIGHT.end(node(layer) - 1, end)
}

/// Biases of a layer.
pub fn bias(end: End, layer: usize) -> Tensor {
    BIAS.end(node(layer) - 1, end)
}

/// Activations of a hidden layer.
pub fn activation(layer: usize) -> Tensor {
    ACTIVATION.at(node(layer))
}

/// Negative parts of the pre-activations of a hidden layer.
pub fn negative(layer: usize) -> Tensor {
    NEGATIVE.at(node(layer))
}

/// Derivatives of a hidden layer.
pub fn derivative(layer: usize) -> Tensor {
    DERIVATIVE.at(node(layer))
}

/// Gradients at the pre-activations of a layer.
pub fn gradient(layer: usize) -> Tensor {
    GRADIENT.at(node(layer))
}

/// Unrounded gradients of a hidden layer.
pub fn backward_product(layer: usize) -> Tensor {
    BACKWARD_PRODUCT.at(node(layer))
}

/// A limb of the remainders of a layer's forward product.
pub fn forward_limb(layer: usize, limb: usize) -> Tensor {
    FORWARD_LIMB.part(node(layer), limb)
}

/// A limb of the remainders of a hidden layer's gradients.
pub fn backward_limb(layer: usize, limb: usize) -> Tensor {
    BACKWARD_LIMB.part(node(layer), limb)
}
