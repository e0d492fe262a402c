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

/// Multi-gate mixture of experts (MMoE): several encoders that all tasks share, and for each task a
/// gate that says by sample how much of each it takes.
///     f_t = sum_e softmax(W_t x)_e expert_e(x),   prediction_t = head_t(f_t)
/// Ma et al., KDD 2018 (doi 10.1145/3219819.3220007); its towers are the heads.
///
/// Reads the input named `input`, or the only one there is where `input` is empty.
/// Parameters: "experts.<e>.*" (shared), "gates.<task>.weight" [experts, gate_input_size] and
/// "heads.<task>.*". One expert is hard sharing, one task a mixture of experts.
class MixtureOfExpertsImpl : public Model {
 public:
  struct Options {
    int64_t gate_input_size = 0;  // values a sample of the input, which the gates see flattened
  };

  /// Error: no expert, one module twice, a gate_input_size below 1.
  MixtureOfExpertsImpl(std::vector<Encoder> experts, TaskRegistry tasks_given, Options options,
                       std::string input = {})
      : Model(std::move(tasks_given)),
        experts_(std::move(experts)),
        options_(options),
        input_(std::move(input)) {
    if (experts_.empty()) throw Error("MixtureOfExperts: no expert; give at least one encoder");
    sharing_detail::require_distinct(experts_, "experts");
    register_parts("experts", experts_);
    for (const Task& task : tasks()) {
      gates_.emplace_back(SoftmaxGate({.input_size = options_.gate_input_size,
                                       .experts = static_cast<int64_t>(experts_.size())}));
      register_part("gates." + task.name, gates_.back());
    }
    register_heads();
  }

  NamedTensors forward(const NamedTensors& inputs) override {
    const Tensor x = input_of(inputs, input_);
    const auto name = [](size_t e) { return "expert " + std::to_string(e); };
    std::vector<Tensor> outputs;
    for (size_t e = 0; e < experts_.size(); ++e)
      outputs.push_back(pass(experts_[e], x, name(e), "the input"));
    sharing_detail::require_same_shape(outputs, name);
    const Tensor all = beside_each_other(outputs);
    gate_weights_ = NamedTensors();
    std::vector<Tensor> by_task;
    for (size_t t = 0; t < gates_.size(); ++t) {
      const std::string& task = tasks()[static_cast<int64_t>(t)].name;
      const Tensor weights = pass(gates_[t], x, "the gate of task \"" + task + "\"", "the input");
      gate_weights_.insert(task, weights.detach());
      by_task.push_back(mixed(weights, all, outputs[0]));
    }
    return answers(by_task);
  }

  std::vector<Tensor> task_parameters(std::string_view task) override {
    std::vector<Tensor> parameters = Model::task_parameters(task);
    sharing_detail::append_parameters(parameters,
                                      {gates_[static_cast<size_t>(tasks().index_of(task))]});
    return parameters;
  }

  /// What each task took of each expert in the last forward: by task [N, experts].
  const NamedTensors& gate_weights() const { return gate_weights_; }

  const std::vector<Encoder>& experts() const { return experts_; }
  const Options& options() const { return options_; }
  const std::string& input() const { return input_; }

 protected:
  std::shared_ptr<Model> make_again() const override {
    return std::make_shared<MixtureOfExpertsImpl>(sharing_detail::clones_of(experts_),
                                                  mtl::clone(tasks()), options_, input_);
  }

 private:
  std::vector<Encoder> experts_;
  Options options_;
  std::string input_;
  std::vector<nn::Layer> gates_;
  NamedTensors gate_weights_ = NamedTensors();
};

struct MixtureOfExperts : ModelHolder<MixtureOfExpertsImpl> {
  using Impl = MixtureOfExpertsImpl;
  using Options = MixtureOfExpertsImpl::Options;
  using ModelHolder<MixtureOfExpertsImpl>::ModelHolder;
  MixtureOfExperts(std::vector<Encoder> experts, TaskRegistry tasks, Options options,
                   std::string input = {})
      : ModelHolder(std::move(experts), std::move(tasks), options, std::move(input)) {}
};

}  // namespace mtl
