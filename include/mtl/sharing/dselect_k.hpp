#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mtl/combine/faulty_step.hpp"
#include "mtl/sharing/clone.hpp"
#include "mtl/sharing/model_holder.hpp"
#include "mtl/sharing/parts.hpp"
#include "mtl/sharing/softmax_gate.hpp"

namespace mtl {

/// Mixture of experts whose gates choose few of them: each gate is a convex combination of
/// `selected` choices of one expert, and each choice a binary code that becomes exact where its
/// numbers leave [-gamma / 2, gamma / 2], yet can be differentiated on the way.
///     q_t = sum_i softmax(a_t)_i r(z_t,i),   f_t = sum_e (q_t)_e expert_e(x),  head_t(f_t)
///     r(z)_e = prod_b S(z_b) where bit b of e is 1, 1 - S(z_b) where it is 0
///     S(z) = 0 below -gamma / 2, 1 above gamma / 2, -2 z^3 / gamma^3 + 3 z / (2 gamma) + 1 / 2
/// a_t [selected] and z_t,i [bits] are parameters, or A_t x and Z_t,i x by sample.
/// Hazimeh et al., NeurIPS 2021 (arXiv 2106.03760). The penalty drives the choices to one expert
/// each, and, where the experts are no power of 2, to one that exists:
///     penalty = sum_t mean over samples of
///               sum_i entropy * H(r(z_t,i)) + (1 / sum_e r(z_t,i)_e where codes are left over)
/// It goes around the combiner: after its backward() add `model->penalty().backward()`, in the
/// trainer mtl::AddPenalty. Without it the gates stay dense for longer. An expert of which nobody
/// takes anything in a batch does not run.
///
/// Reads the input named `input`, or the only one there is where `input` is empty.
/// Parameters: "experts.<e>.*" (shared), "gates.<task>.select" and "gates.<task>.code" (the
/// task's), and "heads.<task>.*".
class DSelectKImpl : public Model {
 public:
  struct Options {
    int64_t selected = 2;         // experts a task uses at most, k in the paper
    int64_t gate_input_size = 0;  // values a sample of the input: gates by sample; 0: by task only
    double gamma = 1.0;           // width in which a bit is undecided
    double entropy = 1e-2;        // weight of the entropy in the penalty
  };

  /// Error: fewer than two experts, one module twice, options out of their range.
  DSelectKImpl(std::vector<Encoder> experts, TaskRegistry tasks_given, Options options,
               std::string input = {})
      : Model(std::move(tasks_given)),
        experts_(std::move(experts)),
        options_(options),
        input_(std::move(input)) {
    if (experts_.size() < 2)
      throw Error("DSelectK: found {} experts, expected at least 2 to choose from",
                  experts_.size());
    sharing_detail::require_distinct(experts_, "experts");
    check_options();
    register_parts("experts", experts_);
    make_gates();
    register_heads();
  }

  NamedTensors forward(const NamedTensors& inputs) override {
    const Tensor x = input_of(inputs, input_);
    const Tensor seen = options_.gate_input_size > 0 ? values_of(x) : Tensor();
    if (seen.defined()) gate_input_ = seen.detach();
    std::vector<Tensor> weights;  // by task
    for (size_t t = 0; t < select_.size(); ++t) weights.push_back(gate_of(t, seen).weights());
    const std::vector<int64_t> chosen = chosen_experts(weights);
    const auto name = [&](size_t k) { return "expert " + std::to_string(chosen[k]); };
    std::vector<Tensor> outputs;
    for (size_t k = 0; k < chosen.size(); ++k)
      outputs.push_back(pass(experts_[static_cast<size_t>(chosen[k])], x, name(k), "the input"));
    sharing_detail::require_same_shape(outputs, name);
    const Tensor all = beside_each_other(outputs);
    const Tensor index = at::tensor(chosen, at::kLong).to(all.device());
    std::vector<Tensor> by_task;
    for (const Tensor& of_task : weights)
      by_task.push_back(mixed(of_task.index_select(-1, index), all, outputs[0]));
    return answers(by_task);
  }

  std::vector<Tensor> task_parameters(std::string_view task) override {
    const auto t = static_cast<size_t>(tasks().index_of(task));
    std::vector<Tensor> parameters = Model::task_parameters(task);
    parameters.push_back(select_[t]);
    parameters.push_back(code_[t]);
    return parameters;
  }

  /// What a task takes of each expert, [experts] or, by sample of the last forward, [N, experts].
  Tensor gate_weights(std::string_view task) const {
    return gate_of(static_cast<size_t>(tasks().index_of(task)), last_seen()).weights().detach();
  }

  /// The penalty of the gates as they are, by sample on the inputs of the last forward: scalar with
  /// a graph of its own. Error: gates by sample, and no forward yet.
  Tensor penalty() const {
    std::vector<Tensor> terms;
    for (size_t t = 0; t < select_.size(); ++t) {
      const Tensor choices = gate_of(t, last_seen()).choices;  // [..., selected, experts]
      Tensor by_choice = -options_.entropy * (choices * (choices + 1e-6).log()).sum(-1);
      if ((size_t{1} << bits()) != experts_.size()) by_choice = by_choice + 1 / choices.sum(-1);
      const Tensor by_sample = by_choice.sum(-1);
      terms.push_back(by_sample.numel() == 0 ? by_sample.sum() : by_sample.mean());
    }
    return sharing_detail::with_graph(at::stack(terms).sum());
  }

  const std::vector<Encoder>& experts() const { return experts_; }
  const Options& options() const { return options_; }
  const std::string& input() const { return input_; }

 protected:
  std::shared_ptr<Model> make_again() const override {
    return std::make_shared<DSelectKImpl>(sharing_detail::clones_of(experts_), mtl::clone(tasks()),
                                          options_, input_);
  }

 private:
  struct Gate {
    Tensor shares;   // [selected] or [N, selected], sums to 1
    Tensor choices;  // [..., selected, experts]
    Tensor weights() const { return (shares.unsqueeze(-1) * choices).sum(-2); }
  };

  int64_t bits() const {
    int64_t count = 0;
    while ((size_t{1} << count) < experts_.size()) ++count;
    return count;
  }

  void check_options() const {
    if (options_.selected < 1)
      throw Error("DSelectK: found selected {}, expected at least 1", options_.selected);
    if (options_.gate_input_size < 0)
      throw Error(
          "DSelectK: found gate_input_size {}, expected the values a sample, or 0 for gates "
          "by task only",
          options_.gate_input_size);
    if (!(options_.gamma > 0 && options_.gamma < 1e300))
      throw Error("DSelectK: found gamma {}, expected a number above 0", options_.gamma);
    if (!(options_.entropy >= 0 && options_.entropy < 1e300))
      throw Error("DSelectK: found entropy {}, expected a number of at least 0", options_.entropy);
  }

  void make_gates() {
    std::vector<int64_t> select = {options_.selected}, code = {options_.selected, bits()};
    if (options_.gate_input_size > 0) {
      select.push_back(options_.gate_input_size);
      code.push_back(options_.gate_input_size);
    }
    // Near 0 every bit is undecided and has its steepest slope; exactly 0 would tell the choices of
    // a gate apart by nothing.
    const double bound = options_.gamma / 100;
    for (const Task& task : tasks()) {
      select_.push_back(register_weight("gates." + task.name + ".select",
                                        at::empty(select).uniform_(-bound, bound)));
      code_.push_back(
          register_weight("gates." + task.name + ".code", at::empty(code).uniform_(-bound, bound)));
    }
  }

  /// The experts that somebody takes something of; one where nobody does. The others need not run:
  /// a bit that is decided has no slope, so that they would teach nothing.
  std::vector<int64_t> chosen_experts(const std::vector<Tensor>& weights) const {
    const auto experts = static_cast<int64_t>(experts_.size());
    const Tensor taken = (at::stack(weights).detach().reshape({-1, experts}) != 0).any(0).cpu();
    std::vector<int64_t> chosen;
    for (int64_t e = 0; e < experts; ++e)
      if (taken[e].item<bool>()) chosen.push_back(e);
    if (chosen.empty()) chosen.push_back(0);
    return chosen;
  }

  Tensor values_of(const Tensor& x) const {
    const Tensor values = x.dim() < 2 ? x : x.flatten(1);
    if (x.dim() < 2 || values.size(1) != options_.gate_input_size)
      throw FaultyStep(
          "DSelectK: the gates do not take the input {}: expected {} values a sample; give "
          "the true number as gate_input_size",
          shape_text(x), options_.gate_input_size);
    if (!x.is_floating_point())
      throw FaultyStep(
          "DSelectK: the gates do not take the input {} of type {}, expected real numbers",
          shape_text(x), toString(x.scalar_type()));
    return values.to(select_[0].scalar_type());
  }

  const Tensor& last_seen() const {
    if (options_.gate_input_size > 0 && !gate_input_.defined())
      throw Error(
          "DSelectK: the gates choose by sample, and no batch has been seen; call forward "
          "first");
    return gate_input_;
  }

  /// `seen` [N, gate_input_size], or undefined for gates by task only.
  Gate gate_of(size_t t, const Tensor& seen) const {
    Tensor select = select_[t], code = code_[t];
    if (seen.defined()) {
      select = at::linear(seen, select);
      code = at::linear(seen, code.flatten(0, 1)).view({-1, options_.selected, bits()});
    }
    const double gamma = options_.gamma;
    const Tensor z = code.clamp(-gamma / 2, gamma / 2);
    const Tensor on = z.pow(3) * (-2 / (gamma * gamma * gamma)) + z * (1.5 / gamma) + 0.5;
    std::vector<Tensor> choices;
    for (size_t e = 0; e < experts_.size(); ++e) {
      Tensor product;
      for (int64_t b = 0; b < bits(); ++b) {
        const Tensor bit = on.select(-1, b);
        const Tensor factor = ((e >> b) & 1) != 0 ? bit : 1 - bit;
        product = product.defined() ? product * factor : factor;
      }
      choices.push_back(product);
    }
    return {select.softmax(-1), at::stack(choices, -1)};
  }

  std::vector<Encoder> experts_;
  Options options_;
  std::string input_;
  std::vector<Tensor> select_, code_;  // by task
  Tensor gate_input_;                  // of the last forward [N, gate_input_size], without graph
};

struct DSelectK : ModelHolder<DSelectKImpl> {
  using Impl = DSelectKImpl;
  using Options = DSelectKImpl::Options;
  using ModelHolder<DSelectKImpl>::ModelHolder;
  DSelectK(std::vector<Encoder> experts, TaskRegistry tasks, Options options = {},
           std::string input = {})
      : ModelHolder(std::move(experts), std::move(tasks), options, std::move(input)) {}
};

}  // namespace mtl
