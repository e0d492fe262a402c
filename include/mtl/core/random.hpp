#pragma once

#include <cstdint>

#include <ATen/core/Generator.h>

#include "mtl/core/tensor.hpp"

namespace mtl {

/// A CPU generator of its own, for draws that shall not depend on anybody else's.
torch::Generator make_generator(uint64_t seed);

/// The whole state of a generator as a byte tensor, and back.
Tensor generator_state(const torch::Generator& generator);
void set_generator_state(torch::Generator& generator, const Tensor& state);

/// torch's default CPU generator: what dropout and initialization draw from.
Tensor default_generator_state();
void set_default_generator_state(const Tensor& state);

/// Puts the default generator's state back at the end of a scope: what is drawn meanwhile changes
/// nothing for others.
class KeepGenerator {
 public:
  KeepGenerator() : state_(default_generator_state()) {}
  ~KeepGenerator() { set_default_generator_state(state_); }
  KeepGenerator(const KeepGenerator&) = delete;
  KeepGenerator& operator=(const KeepGenerator&) = delete;

 private:
  Tensor state_;
};

/// One well-mixed seed from several numbers, such as (seed, epoch).
uint64_t mix_seed(uint64_t seed, uint64_t number);

/// The generator's next 64 bits.
uint64_t draw_seed(torch::Generator& generator);

/// Uniform draws in [0, 1) of the shape and type of `like` and beside it. Element i comes from
/// mix_seed(seed, i) alone, so that they are the same on every device and need not travel.
Tensor uniforms(uint64_t seed, const Tensor& like);

}  // namespace mtl
