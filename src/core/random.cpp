#include "mtl/core/random.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>

#include <cmath>
#include <mutex>
#include <string>

#include "mtl/core/error.hpp"

namespace mtl {

torch::Generator make_generator(uint64_t seed) { return at::detail::createCPUGenerator(seed); }

Tensor generator_state(const torch::Generator& generator) {
  auto shared = generator;  // get_state is not const in every LibTorch
  std::lock_guard<std::mutex> lock(shared.mutex());
  return shared.get_state();
}

void set_generator_state(torch::Generator& generator, const Tensor& state) {
  std::lock_guard<std::mutex> lock(generator.mutex());
  try {
    generator.set_state(state.contiguous());
  } catch (const c10::Error& error) {
    const std::string text = error.what_without_backtrace();
    throw Error("the state of a generator, {}, is none of this one's: {}", shape_text(state),
                text.substr(0, text.find('\n')));
  }
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

uint64_t draw_seed(torch::Generator& generator) {
  std::lock_guard<std::mutex> lock(generator.mutex());
  return at::check_generator<at::CPUGeneratorImpl>(generator)->random64();
}

namespace {

int significant_bits(at::ScalarType type) {
  switch (type) {
    case at::kDouble:
      return 53;
    case at::kHalf:
      return 11;
    case at::kBFloat16:
      return 8;
    default:
      return 24;
  }
}

template <class T>
void fill_with_uniforms(uint64_t seed, int bits, const Tensor& result) {
  T* const values = result.data_ptr<T>();
  const T unit = std::ldexp(T(1), -bits);
  at::parallel_for(0, result.numel(), 1 << 15, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      values[i] = static_cast<T>(mix_seed(seed, static_cast<uint64_t>(i)) >> (64 - bits)) * unit;
  });
}

// mix_seed in signed integers, whose products wrap around on a device just so.
Tensor mixed_on_device(uint64_t seed, int64_t count, at::Device device) {
  const auto number = [](uint64_t value) { return static_cast<int64_t>(value); };
  const auto fold = [](Tensor& z, int by) {  // z ^ (z >> by), the shift filling up with zeros
    z.bitwise_xor_(z.bitwise_right_shift(by).bitwise_and_((int64_t{1} << (64 - by)) - 1));
  };
  Tensor z = at::arange(1, count + 1, at::TensorOptions(at::kLong).device(device));
  z.mul_(number(0x9e3779b97f4a7c15ULL)).add_(number(seed));
  fold(z, 30);
  z.mul_(number(0xbf58476d1ce4e5b9ULL));
  fold(z, 27);
  z.mul_(number(0x94d049bb133111ebULL));
  fold(z, 31);
  return z;
}

}  // namespace

Tensor uniforms(uint64_t seed, const Tensor& like) {
  const int bits = significant_bits(like.scalar_type());
  const auto type = like.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  if (!like.is_cpu()) {
    const auto z = mixed_on_device(seed, like.numel(), like.device());
    const auto top = z.bitwise_right_shift(64 - bits).bitwise_and_((int64_t{1} << bits) - 1);
    return top.to(type).mul_(std::ldexp(1.0, -bits)).to(like.scalar_type()).view(like.sizes());
  }
  const auto result = at::empty(like.sizes(), like.options().dtype(type));
  if (type == at::kDouble) {
    fill_with_uniforms<double>(seed, bits, result);
  } else {
    fill_with_uniforms<float>(seed, bits, result);
  }
  return result.to(like.scalar_type());
}

}  // namespace mtl
