#pragma once

namespace mtl {

/// In what the forward passes of a training compute.
enum class Arithmetic {
  float32,
  /// Matrix products and convolutions in 8 bits of mantissa, where torch's autocast takes them;
  /// what needs more (softmax, norms) in float32. Weights, predictions, losses, gradients and the
  /// optimizer stay in float32, so that no scaling is needed.
  bfloat16,
  /// As bfloat16, in float16, on a CUDA device: 10 bits of mantissa, and a range so small that
  /// gradients vanish unless the losses are scaled (LossScaling), as they are then.
  float16,
};

}  // namespace mtl
