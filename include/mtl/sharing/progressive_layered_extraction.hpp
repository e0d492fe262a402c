#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mtl/sharing/clone.hpp"
#include "mtl/sharing/model_holder.hpp"
#include "mtl/sharing/parts.hpp"
#include "mtl/sharing/softmax_gate.hpp"

namespace mtl {

/// Progressive layered extraction (PLE): levels of experts, some shared and some of one task, from
/// which a task's gate takes only its own and the shared ones. Against the seesaw in which one task
/// gains what another loses. One level is customized gate control (CGC).
///     level l, task t:  x_t <- sum_e softmax(W_t x_t)_e expert_e(...)   over its own, then shared
///     level l, shared:  x_s <- sum_e softmax(W_s x_s)_e expert_e(...)   over all: the tasks' own
///                       in the order of the registry, then the shared ones; not in the last level
///     prediction_t = head_t(x_t)
/// where a task's experts read x_t, the shared ones x_s, and both begin as the input.
/// Tang et al., RecSys 2020 (doi 10.1145/3383313.3412236).
///
/// Reads the input named `input`, or the only one there is where `input` is empty.
/// Parameters: "levels.<l>.tasks.<task>.<e>.*", "levels.<l>.shared.<e>.*", "levels.<l>.gates.<task>
/// .weight", "levels.<l>.shared_gate.weight" and "heads.<task>.*". What reaches one task only is
/// that task's: its head; of the last level its experts and gate; of the last but one its gate.
class ProgressiveLayeredExtractionImpl : public Model {
 public:
  struct Level {
    std::vector<std::vector<Encoder>> by_task;  // a list a task, in the order of the registry
    std::vector<Encoder> shared;
    int64_t gate_input_size = 0;  // values a sample of what the level reads, which its gates see
  };

  /// Error: no level; experts not for every task; a level in which a task has no expert to choose,
  /// or without shared experts; one module twice; a gate_input_size below 1.
  ProgressiveLayeredExtractionImpl(std::vector<Level> levels, TaskRegistry tasks_given,
                                   std::string input = {})
      : Model(std::move(tasks_given)), levels_(std::move(levels)), input_(std::move(input)) {
    if (levels_.empty())
      throw Error("ProgressiveLayeredExtraction: no level; give one for CGC, several for PLE");
    check_levels();
    for (size_t l = 0; l < levels_.size(); ++l) register_level(l);
    register_heads();
  }

  NamedTensors forward(const NamedTensors& inputs) override {
    Tensor shared = input_of(inputs, input_);
    std::vector<Tensor> by_task(static_cast<size_t>(tasks().size()), shared);
    for (size_t l = 0; l < levels_.size(); ++l) extract(l, by_task, shared);
    return answers(by_task);
  }

  std::vector<Tensor> task_parameters(std::string_view task) override {
    const auto t = static_cast<size_t>(tasks().index_of(task));
    const size_t last = levels_.size() - 1;
    std::vector<Tensor> parameters = Model::task_parameters(task);
    sharing_detail::append_parameters(parameters, levels_[last].by_task[t]);
    for (size_t l = last == 0 ? 0 : last - 1; l <= last; ++l)
      sharing_detail::append_parameters(parameters, {gates_[l][t]});
    return parameters;
  }

  const std::vector<Level>& levels() const { return levels_; }
  const std::string& input() const { return input_; }

 protected:
  std::shared_ptr<Model> make_again() const override {
    std::vector<Level> copies;
    for (const Level& level : levels_)
      copies.push_back({sharing_detail::clones_of(level.by_task),
                        sharing_detail::clones_of(level.shared), level.gate_input_size});
    return std::make_shared<ProgressiveLayeredExtractionImpl>(std::move(copies),
                                                              mtl::clone(tasks()), input_);
  }

 private:
  void check_levels() const {
    std::vector<Encoder> all;
    for (size_t l = 0; l < levels_.size(); ++l) {
      const Level& level = levels_[l];
      sharing_detail::require_one_a_task(level.by_task.size(), tasks(),
                                         "lists of experts in level " + std::to_string(l));
      if (level.shared.empty())
        throw Error(
            "ProgressiveLayeredExtraction: level {} has no shared expert, so that the tasks "
            "would have nothing in common; give at least one",
            l);
      for (const auto& own : level.by_task) all.insert(all.end(), own.begin(), own.end());
      all.insert(all.end(), level.shared.begin(), level.shared.end());
    }
    sharing_detail::require_distinct(all, "experts, counted over all levels,");
  }

  void register_level(size_t l) {
    const Level& level = levels_[l];
    const std::string prefix = "levels." + std::to_string(l) + ".";
    const auto gate = [&](const std::string& name, size_t experts) {
      const nn::Layer made = SoftmaxGate(
          {.input_size = level.gate_input_size, .experts = static_cast<int64_t>(experts)});
      register_part(prefix + name, made);
      return made;
    };
    size_t all = level.shared.size();
    auto& gates = gates_.emplace_back();
    for (size_t t = 0; t < level.by_task.size(); ++t) {
      const std::string& name = tasks()[static_cast<int64_t>(t)].name;
      for (size_t e = 0; e < level.by_task[t].size(); ++e)
        register_part(prefix + "tasks." + name + "." + std::to_string(e), level.by_task[t][e]);
      gates.push_back(gate("gates." + name, level.by_task[t].size() + level.shared.size()));
      all += level.by_task[t].size();
    }
    for (size_t e = 0; e < level.shared.size(); ++e)
      register_part(prefix + "shared." + std::to_string(e), level.shared[e]);
    if (l + 1 < levels_.size()) shared_gates_.push_back(gate("shared_gate", all));
  }

  void extract(size_t l, std::vector<Tensor>& by_task, Tensor& shared) const {
    const Level& level = levels_[l];
    const std::string place = "level " + std::to_string(l);
    std::vector<Tensor> all;
    const auto run = [&](const std::vector<Encoder>& experts, const Tensor& x,
                         const std::string& whose) {
      std::vector<Tensor> outputs;
      for (size_t e = 0; e < experts.size(); ++e)
        outputs.push_back(pass(experts[e], x,
                               whose + " expert " + std::to_string(e) + " of " + place,
                               "the level's input"));
      all.insert(all.end(), outputs.begin(), outputs.end());
      return outputs;
    };
    std::vector<std::vector<Tensor>> own;
    for (size_t t = 0; t < by_task.size(); ++t)
      own.push_back(run(level.by_task[t], by_task[t],
                        "task \"" + tasks()[static_cast<int64_t>(t)].name + "\"'s"));
    const std::vector<Tensor> common = run(level.shared, shared, "the shared");
    sharing_detail::require_same_shape(
        all, [&](size_t e) { return "expert " + std::to_string(e) + " of all in " + place; });

    for (size_t t = 0; t < by_task.size(); ++t) {
      std::vector<Tensor> outputs = own[t];
      outputs.insert(outputs.end(), common.begin(), common.end());
      const Tensor weights =
          pass(gates_[l][t], by_task[t],
               "the gate of task \"" + tasks()[static_cast<int64_t>(t)].name + "\" in " + place,
               "the level's input");
      by_task[t] = mixed(weights, beside_each_other(outputs), all[0]);
    }
    if (l == shared_gates_.size()) return;
    const Tensor weights =
        pass(shared_gates_[l], shared, "the shared gate of " + place, "the level's input");
    shared = mixed(weights, beside_each_other(all), all[0]);
  }

  std::vector<Level> levels_;
  std::string input_;
  std::vector<std::vector<nn::Layer>> gates_;  // by level and task
  std::vector<nn::Layer> shared_gates_;        // by level but the last
};

struct ProgressiveLayeredExtraction : ModelHolder<ProgressiveLayeredExtractionImpl> {
  using Impl = ProgressiveLayeredExtractionImpl;
  using Level = ProgressiveLayeredExtractionImpl::Level;
  using ModelHolder<ProgressiveLayeredExtractionImpl>::ModelHolder;
  ProgressiveLayeredExtraction(std::vector<Level> levels, TaskRegistry tasks,
                               std::string input = {})
      : ModelHolder(std::move(levels), std::move(tasks), std::move(input)) {}
};

}  // namespace mtl
