#include "step_memory.hpp"

#include <ATen/Context.h>

#include <cstring>
#include <mutex>

#include "mtl/nn/weights.hpp"

namespace mtl {
namespace {

at::CPUGeneratorImpl& cpu_generator() {
  static const torch::Generator& generator = at::detail::getDefaultCPUGenerator();
  return *generator.get<at::CPUGeneratorImpl>();
}

/// Past autograd's version counter: a graph that saved the buffer does not read it again.
void copy_values(const Tensor& to, const Tensor& from) {
  if (to.is_cpu() && to.is_contiguous() && from.is_contiguous())
    std::memcpy(to.data_ptr(), from.data_ptr(), to.nbytes());
  else
    nn::each_once(to, to.variable_data()).copy_(nn::each_once(to, from));
}

}  // namespace

void BufferMemory::remember() {
  if (saved_.size() != buffers_.size())
    for (const Tensor& buffer : buffers_)
      saved_.push_back(torch::empty_like(buffer.variable_data(), at::MemoryFormat::Preserve));
  for (size_t b = 0; b < buffers_.size(); ++b) copy_values(saved_[b], buffers_[b]);
}

void BufferMemory::put_back() {
  for (size_t b = 0; b < saved_.size(); ++b) copy_values(buffers_[b], saved_[b]);
}

void StepMemory::remember() {
  buffers_.remember();
  if (combiner_ != nullptr) of_combiner_ = nn::cloned(combiner_->state_dict());
  at::CPUGeneratorImpl& generator = cpu_generator();
  const std::lock_guard lock(generator.mutex_);
  engine_ = generator.engine();
  next_float_ = generator.next_float_normal_sample();
  next_double_ = generator.next_double_normal_sample();
  if (!device_.is_cpu()) {
    const torch::Generator& other = at::globalContext().defaultGenerator(device_);
    state_ = other.get_state();
  }
}

void StepMemory::put_back() {
  buffers_.put_back();
  if (combiner_ != nullptr) combiner_->load_state_dict(of_combiner_);
  at::CPUGeneratorImpl& generator = cpu_generator();
  const std::lock_guard lock(generator.mutex_);
  generator.set_engine(engine_);
  generator.set_next_float_normal_sample(next_float_);
  generator.set_next_double_normal_sample(next_double_);
  if (!device_.is_cpu()) {
    torch::Generator other = at::globalContext().defaultGenerator(device_);
    other.set_state(state_);
  }
}

}  // namespace mtl
