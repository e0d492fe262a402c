#pragma once

namespace mtl {

/// In what the forward passes of a training compute.
enum class Arithmetic {
  float32,
  /// Matrix products and convolutions in 8 bits of mantissa, where torch's autocast takes them;
  /// what needs more (softmax, norms) in float32. Weights, predictions, losses, gradients and the
  /// optimizer stay in float32, so that no scaling is needed.
  bfloat16,
};

}  // namespace mtl
