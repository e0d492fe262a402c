#include "joint_run.hpp"

#include "../checkpoints.hpp"
#include "mtl/core/random.hpp"
#include "mtl/nn/weights.hpp"

namespace mtl {
namespace {

Tensor common_generator_state(const Processes& processes) {
  const Tensor state = default_generator_state().clone();
  processes.broadcast(std::vector<Tensor>{state});
  return state;
}

/// Draws of its own for this process, which go on from a state that all have in common.
void part_ways(const Processes& processes, const Tensor& common) {
  set_default_generator_state(common);
  if (processes.is_first()) return;
  torch::Generator from = make_generator(0);
  set_generator_state(from, common);
  set_default_generator_state(generator_state(
      make_generator(mix_seed(draw_seed(from), static_cast<uint64_t>(processes.rank())))));
}

}  // namespace

void begin_together(const Processes& processes, TrainState& state) {
  std::vector<Tensor> weights;
  for (const auto& item : nn::weights(state.model)) weights.push_back(item.value());
  processes.broadcast(weights);
  if (!state.resumed) part_ways(processes, common_generator_state(processes));
}

Tensor gathered_generators(const Processes& processes) {
  NamedTensors own;
  own.insert("generator", default_generator_state());
  std::vector<Tensor> states;
  const auto all = processes.gather(own);
  for (const NamedTensors& of_process : all) states.push_back(of_process["generator"]);
  return torch::stack(states);
}

void take_generator(const Processes& processes, const NamedTensors& memory) {
  const Tensor* states = memory.find(process_generators);
  if (states != nullptr && states->size(0) == processes.count())
    set_default_generator_state((*states)[processes.rank()].clone());
  else
    part_ways(processes, memory["generator"]);
}

void draw_together(const Processes* processes, const std::function<void()>& act) {
  if (processes == nullptr || !processes->several()) return act();
  const Tensor common = common_generator_state(*processes);
  if (processes->is_first()) return act();
  const KeepGenerator own;
  set_default_generator_state(common);
  act();
}

}  // namespace mtl
