#include "joint_run.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "../checkpoints.hpp"
#include "../run_identity.hpp"
#include "mtl/core/error.hpp"
#include "mtl/core/random.hpp"
#include "mtl/io/json.hpp"
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

void require_one_run(const Processes& processes, const TrainState& state,
                     const TrainerOptions& options, const Checkpointing& checkpoints) {
  io::Json own = train_detail::made_of(state);
  for (const auto& item : state.model.named_parameters())
    own["parameters"].push_back(fmt::format(
        "{} {} of type {}{}", item.key(), shape_text(item.value()),
        toString(item.value().scalar_type()), item.value().requires_grad() ? "" : ", frozen"));
  own["options"] = io::Json::array({fmt::format(
      "{} epochs, max_grad_norm {}, faulty batches skipped {}, checkpoints {}, within epochs {}, "
      "resume {}",
      options.epochs, options.max_grad_norm, options.faulty_batch == FaultyBatch::skip,
      !checkpoints.directory.empty(), checkpoints.within_epochs(), checkpoints.resume)});
  const auto texts = processes.gather_texts(io::json_text(own, -1));
  for (size_t p = 1; p < texts.size(); ++p)
    train_detail::compare(
        io::parse_json(texts[p]), io::parse_json(texts[0]),
        fmt::format("process {} trains another run than process 0", p), "process 0",
        "give all processes the same model, optimizer, combiner, loaders, options "
        "and callbacks");
}

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
