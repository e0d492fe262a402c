#include "mtl/core/random.hpp"

#include <ATen/CPUGeneratorImpl.h>

#include <mutex>

namespace mtl {

torch::Generator make_generator(uint64_t seed) { return at::detail::createCPUGenerator(seed); }

Tensor generator_state(const torch::Generator& generator) {
  auto shared = generator;  // get_state is not const in every LibTorch
  std::lock_guard<std::mutex> lock(shared.mutex());
  return shared.get_state();
}

void set_generator_state(torch::Generator& generator, const Tensor& state) {
  std::lock_guard<std::mutex> lock(generator.mutex());
  generator.set_state(state);
}

Tensor default_generator_state() { return generator_state(at::detail::getDefaultCPUGenerator()); }

void set_default_generator_state(const Tensor& state) {
  auto generator = at::detail::getDefaultCPUGenerator();
  set_generator_state(generator, state);
}

uint64_t mix_seed(uint64_t seed, uint64_t number) {
  // splitmix64 (Steele, Lea, Flood, OOPSLA 2014)
  uint64_t z = seed + 0x9e3779b97f4a7c15ULL * (number + 1);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

}  // namespace mtl
