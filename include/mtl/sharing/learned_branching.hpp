#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mtl/sharing/clone.hpp"
#include "mtl/sharing/model_holder.hpp"
#include "mtl/sharing/parts.hpp"

namespace mtl {

/// Learning to branch (LTB): levels of candidate nodes, of which each chooses by its logits which
/// node of the level before it reads, and each task which node of the last level. What the choices
/// leave is a tree: tasks share as far as their paths do.
///     x_i = sum_j d_ij v_j,   v_i = node_i(x_i),   d_i = softmax((logits_i + Gumbel noise) / tau)
/// while training; the largest logit alone, in evaluation mode. Nodes of level 0 read the input.
/// Guo, Lee and Ulbricht, ICML 2020 (arXiv 2006.01895).
///
/// Lower the temperature tau as training goes on (`set_temperature`), so that the choices sharpen;
/// `choices()` tells the tree, which Branched trains anew, as in the paper. The noise is drawn from
/// LibTorch's global generator, as dropout is.
///
/// Reads the input named `input`, or the only one there is where `input` is empty.
/// Parameters: "nodes.<l>.<i>.*", "choices.<l>.<i>" [nodes before] for l > 0 (shared),
/// "task_choices.<task>" [nodes of the last level] and "heads.<task>.*" (the task's).
class LearnedBranchingImpl : public Model {
 public:
  struct Options {
    double temperature = 10.0;  // tau at the start, high: all nodes are tried
  };
  /// Who reads whom: `parents[l - 1][i]` is the node of level l - 1 that node i of level l reads,
  /// `of_tasks[t]` the node of the last level that task t reads.
  struct Choices {
    std::vector<std::vector<int64_t>> parents;
    std::vector<int64_t> of_tasks;
  };

  /// Error: no level, a level without nodes, one module twice, a temperature not above 0.
  LearnedBranchingImpl(std::vector<Stages> levels, TaskRegistry tasks_given, Options options,
                       std::string input = {})
      : Model(std::move(tasks_given)),
        levels_(std::move(levels)),
        options_(options),
        input_(std::move(input)) {
    if (levels_.empty()) throw Error("LearnedBranching: no level; give at least one");
    set_temperature(options_.temperature);
    std::vector<Encoder> all;
    for (size_t l = 0; l < levels_.size(); ++l) {
      if (levels_[l].empty())
        throw Error("LearnedBranching: level {} has no nodes; give at least one", l);
      all.insert(all.end(), levels_[l].begin(), levels_[l].end());
      auto& logits = logits_.emplace_back();
      for (size_t i = 0; i < levels_[l].size(); ++i) {
        const std::string place = std::to_string(l) + "." + std::to_string(i);
        register_part("nodes." + place, levels_[l][i]);
        if (l > 0)
          logits.push_back(register_weight("choices." + place, even_logits(levels_[l - 1])));
      }
    }
    sharing_detail::require_distinct(all, "nodes, counted over all levels,");
    for (const Task& task : tasks())
      task_logits_.push_back(
          register_weight("task_choices." + task.name, even_logits(levels_.back())));
    register_heads();
  }

  NamedTensors forward(const NamedTensors& inputs) override {
    const Tensor x = input_of(inputs, input_);
    return is_training() ? mixed_forward(x) : chosen_forward(x);
  }

  std::vector<Tensor> task_parameters(std::string_view task) override {
    std::vector<Tensor> parameters = Model::task_parameters(task);
    parameters.push_back(task_logits_[static_cast<size_t>(tasks().index_of(task))]);
    return parameters;
  }

  /// The largest logits as they are.
  Choices choices() const {
    Choices all;
    for (size_t l = 1; l < levels_.size(); ++l) {
      auto& parents = all.parents.emplace_back();
      for (const Tensor& logits : logits_[l]) parents.push_back(logits.argmax().item<int64_t>());
    }
    for (const Tensor& logits : task_logits_)
      all.of_tasks.push_back(logits.argmax().item<int64_t>());
    return all;
  }

  /// Error: not above 0.
  void set_temperature(double temperature) {
    if (!(temperature > 0 && temperature < 1e300))
      throw Error("LearnedBranching: found temperature {}, expected a number above 0", temperature);
    options_.temperature = temperature;
  }

  const std::vector<Stages>& levels() const { return levels_; }
  const Options& options() const { return options_; }
  const std::string& input() const { return input_; }

 protected:
  std::shared_ptr<Model> make_again() const override {
    return std::make_shared<LearnedBranchingImpl>(sharing_detail::clones_of(levels_),
                                                  mtl::clone(tasks()), options_, input_);
  }

 private:
  static Tensor even_logits(const Stages& nodes) {
    return at::zeros({static_cast<int64_t>(nodes.size())});
  }

  Tensor run(size_t l, size_t i, const Tensor& x) const {
    return pass(levels_[l][i], x, "node " + std::to_string(i) + " of level " + std::to_string(l),
                l == 0 ? "the input" : "what it chose");
  }

  /// `outputs` [nodes, N, ...]
  Tensor mixture(const Tensor& logits, const Tensor& outputs) const {
    // A uniform draw of 0 would give infinite noise.
    const Tensor uniform = at::rand_like(logits).clamp_min(1e-20);
    const Tensor noise = -(-uniform.log()).clamp_min(1e-20).log();
    // One that has been lowered for very long would give infinite quotients, and their softmax NaN.
    const double temperature = std::max(options_.temperature, 1e-30);
    return at::tensordot(((logits + noise) / temperature).softmax(0), outputs, {0}, {0});
  }

  NamedTensors mixed_forward(const Tensor& x) const {
    Tensor outputs;  // of the level before
    for (size_t l = 0; l < levels_.size(); ++l) {
      std::vector<Tensor> now;
      for (size_t i = 0; i < levels_[l].size(); ++i)
        now.push_back(run(l, i, l == 0 ? x : mixture(logits_[l][i], outputs)));
      sharing_detail::require_same_shape(now, [&](size_t i) {
        return "node " + std::to_string(i) + " of level " + std::to_string(l);
      });
      outputs = at::stack(now);
    }
    NamedTensors predictions;
    for (int64_t t = 0; t < tasks().size(); ++t)
      predictions.insert(
          tasks()[t].name,
          answer(tasks()[t], mixture(task_logits_[static_cast<size_t>(t)], outputs)));
    return predictions;
  }

  /// Runs the nodes that a task's path goes through, each once.
  NamedTensors chosen_forward(const Tensor& x) const {
    const Choices chosen = choices();
    std::vector<std::vector<Tensor>> outputs;
    for (const Stages& level : levels_) outputs.emplace_back(level.size());
    std::vector<Tensor> by_task;
    for (const int64_t of_task : chosen.of_tasks) {
      std::vector<size_t> path(levels_.size());  // the node of each level
      path.back() = static_cast<size_t>(of_task);
      for (size_t l = levels_.size() - 1; l > 0; --l)
        path[l - 1] = static_cast<size_t>(chosen.parents[l - 1][path[l]]);
      for (size_t l = 0; l < levels_.size(); ++l)
        if (Tensor& output = outputs[l][path[l]]; !output.defined())
          output = run(l, path[l], l == 0 ? x : outputs[l - 1][path[l - 1]]);
      by_task.push_back(outputs.back()[path.back()]);
    }
    return answers(by_task);
  }

  std::vector<Stages> levels_;
  Options options_;
  std::string input_;
  std::vector<std::vector<Tensor>> logits_;  // by level and node; none for level 0
  std::vector<Tensor> task_logits_;
};

struct LearnedBranching : ModelHolder<LearnedBranchingImpl> {
  using Impl = LearnedBranchingImpl;
  using Options = LearnedBranchingImpl::Options;
  using Choices = LearnedBranchingImpl::Choices;
  using ModelHolder<LearnedBranchingImpl>::ModelHolder;
  LearnedBranching(std::vector<Stages> levels, TaskRegistry tasks, Options options = {},
                   std::string input = {})
      : ModelHolder(std::move(levels), std::move(tasks), options, std::move(input)) {}
};

}  // namespace mtl
