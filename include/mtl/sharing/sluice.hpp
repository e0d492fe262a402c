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

namespace mtl {

/// Sluice networks: an encoder a task, in stages, whose outputs fall into subspaces. After each
/// stage every subspace goes on with a learned combination of all tasks' subspaces, and what a head
/// reads is a learned combination of all stages. Cross-stitch with subspaces and skips.
///     h_t = stage_k,t(x_t) = (h_t1, ..., h_tG) along dimension 1
///     x'_tg = sum_{u,f} alpha_k[tg, uf] h_uf,   prediction_t = head_t(sum_k beta_t[k] x'_t of k)
/// Ruder et al., AAAI 2019 (arXiv 1705.08142). The penalty keeps a stage's subspaces apart:
///     penalty = strength * sum over stages, tasks and pairs g < f of |W_g W_f'|_F^2
/// where W_g are the rows of a stage's weight that give subspace g. It goes around the combiner:
/// after its backward() add `model->penalty().backward()`, in the trainer mtl::AddPenalty.
///
/// Reads the input named `input`, or the only one there is where `input` is empty.
/// Parameters: "columns.<task>.<k>.*", "alphas.<k>.<task>" (rows of alpha_k [G, T G]),
/// "betas.<task>" [stages] and "heads.<task>.*". The betas and the rows of the last alpha belong to
/// their task, all else but the heads is shared.
class SluiceImpl : public Model {
 public:
  struct Options {
    int64_t subspaces = 2;
    double own = 0.9;   // alpha of a subspace for itself at the start; the others share the rest
    double last = 0.9;  // beta of the last stage at the start; the others share the rest
    double strength = 0.0;  // of the penalty
  };

  /// `columns`: the stages of each task's encoder, in the order of the registry (mtl::several); all
  /// stages give one shape, as their outputs are added.
  /// Error: not one a task, without stages or of different lengths, one module twice; options out
  /// of their range.
  SluiceImpl(std::vector<Stages> columns, TaskRegistry tasks_given, Options options,
             std::string input = {})
      : Model(std::move(tasks_given)),
        columns_(std::move(columns)),
        options_(options),
        input_(std::move(input)) {
    sharing_detail::check_columns(columns_, tasks());
    if (options_.subspaces < 1)
      throw Error("Sluice: found {} subspaces, expected at least 1", options_.subspaces);
    for (const double value : {options_.own, options_.last})
      if (!(value > -1e300 && value < 1e300))
        throw Error("Sluice: found {} for own or last, expected a finite number", value);
    if (!(options_.strength >= 0 && options_.strength < 1e300))
      throw Error("Sluice: found strength {}, expected a number of at least 0", options_.strength);
    for (size_t t = 0; t < columns_.size(); ++t)
      register_parts("columns." + tasks()[static_cast<int64_t>(t)].name, columns_[t]);
    make_mixtures();
    register_heads();
  }

  NamedTensors forward(const NamedTensors& inputs) override {
    const size_t task_count = columns_.size();
    std::vector<Tensor> states(task_count, input_of(inputs, input_)), added(task_count);
    for (size_t k = 0; k < columns_[0].size(); ++k) {
      const auto name = [&](size_t t) {
        return "stage " + std::to_string(k) + " of task \"" +
               tasks()[static_cast<int64_t>(t)].name + "\"";
      };
      for (size_t t = 0; t < task_count; ++t)
        states[t] = pass(columns_[t][k], states[t], name(t), k == 0 ? "the input" : "its input");
      sharing_detail::require_same_shape(states, name);
      const Tensor subspaces = subspaces_of(states, k);
      for (size_t t = 0; t < task_count; ++t) {
        states[t] = at::tensordot(alphas_[k][t], subspaces, {1}, {0})
                        .transpose(0, 1)
                        .reshape(states[t].sizes());
        if (k > 0 && states[t].sizes() != added[t].sizes())
          throw Error(
              "Sluice: {} gives {}, the stages before {}; all stages are added, so that they "
              "must have one shape",
              name(t), shape_text(states[t]), shape_text(added[t]));
        const Tensor part = betas_[t][static_cast<int64_t>(k)] * states[t];
        added[t] = k == 0 ? part : added[t] + part;
      }
    }
    return answers(added);
  }

  std::vector<Tensor> task_parameters(std::string_view task) override {
    const auto t = static_cast<size_t>(tasks().index_of(task));
    std::vector<Tensor> parameters = Model::task_parameters(task);
    parameters.push_back(betas_[t]);
    parameters.push_back(alphas_.back()[t]);
    return parameters;
  }

  /// The penalty of the weights as they are: scalar with a graph of its own. It takes every weight
  /// of two or more dimensions whose first one the subspaces divide: give stages of one layer.
  Tensor penalty() const {
    std::vector<Tensor> terms;
    for (const Stages& column : columns_)
      for (const Encoder& stage : column)
        for (const Tensor& weight : stage.module()->parameters()) {
          if (weight.dim() < 2 || weight.size(0) % options_.subspaces != 0) continue;
          const auto rows = weight.flatten(1).chunk(options_.subspaces);
          for (size_t g = 0; g < rows.size(); ++g)
            for (size_t f = g + 1; f < rows.size(); ++f)
              terms.push_back(at::mm(rows[g], rows[f].t()).square().sum());
        }
    if (terms.empty()) return sharing_detail::with_graph(at::zeros({}));
    return sharing_detail::with_graph(options_.strength * at::stack(terms).sum());
  }

  const std::vector<Stages>& columns() const { return columns_; }
  const Options& options() const { return options_; }
  const std::string& input() const { return input_; }

 protected:
  std::shared_ptr<Model> make_again() const override {
    return std::make_shared<SluiceImpl>(sharing_detail::clones_of(columns_), mtl::clone(tasks()),
                                        options_, input_);
  }

 private:
  void make_mixtures() {
    const int64_t task_count = tasks().size(), groups = options_.subspaces;
    const int64_t all = task_count * groups, stages = static_cast<int64_t>(columns_[0].size());
    const double other = all > 1 ? (1 - options_.own) / static_cast<double>(all - 1) : 0;
    const double before = stages > 1 ? (1 - options_.last) / static_cast<double>(stages - 1) : 0;
    for (int64_t k = 0; k < stages; ++k) {
      auto& rows = alphas_.emplace_back();
      for (int64_t t = 0; t < task_count; ++t) {
        Tensor row = at::full({groups, all}, other);
        for (int64_t g = 0; g < groups; ++g)
          row[g][t * groups + g].fill_(all > 1 ? options_.own : 1.0);
        rows.push_back(register_weight("alphas." + std::to_string(k) + "." + tasks()[t].name, row));
      }
    }
    for (const Task& task : tasks()) {
      Tensor beta = at::full({stages}, before);
      beta[stages - 1].fill_(stages > 1 ? options_.last : 1.0);
      betas_.push_back(register_weight("betas." + task.name, beta));
    }
  }

  /// [T G, N, C / G, ...]
  Tensor subspaces_of(const std::vector<Tensor>& states, size_t k) const {
    std::vector<Tensor> all;
    for (const Tensor& state : states) {
      if (state.dim() < 2 || state.size(1) % options_.subspaces != 0)
        throw Error(
            "Sluice: stage {} gives {}, and dimension 1 does not fall into {} equal "
            "subspaces",
            k, shape_text(state), options_.subspaces);
      for (const Tensor& subspace : state.chunk(options_.subspaces, 1)) all.push_back(subspace);
    }
    return at::stack(all);
  }

  std::vector<Stages> columns_;
  Options options_;
  std::string input_;
  std::vector<std::vector<Tensor>> alphas_;  // by stage and task
  std::vector<Tensor> betas_;                // by task
};

struct Sluice : ModelHolder<SluiceImpl> {
  using Impl = SluiceImpl;
  using Options = SluiceImpl::Options;
  using ModelHolder<SluiceImpl>::ModelHolder;
  Sluice(std::vector<Stages> columns, TaskRegistry tasks, Options options = {},
         std::string input = {})
      : ModelHolder(std::move(columns), std::move(tasks), options, std::move(input)) {}
};

}  // namespace mtl
