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

/// Cross-stitch networks: an encoder a task, in stages; after each stage every task goes on with a
/// learned linear combination of what all tasks have there.
///     h_t = stage_k,t(x_t),   x'_t = sum_u alpha_k[t, u] h_u,   prediction_t = head_t(x_t)
/// Misra et al., CVPR 2016 (arXiv 1604.03539).
///
/// Reads the input named `input`, or the only one there is where `input` is empty.
/// Parameters: "columns.<task>.<k>.*", "stitches.<k>.<task>" (row t of alpha_k: [T], or [T, C]
/// where it has a number a channel) and "heads.<task>.*". A row of the last stitch belongs to its
/// task, like the head; all else is shared. With one task there is nothing to stitch: one encoder
/// and its head.
class CrossStitchImpl : public Model {
 public:
  struct Options {
    double own = 0.9;  // alpha[t, t] at the start; the others share the rest, so that scales stay
    std::vector<int64_t> channels =
        {};  // by stage the size of dimension 1, for one alpha a channel
             // as in the paper's convolutions; empty: one a stage
  };

  /// `columns`: the stages of each task's encoder, in the order of the registry (mtl::several).
  /// Error: not one a task, without stages or of different lengths, one module twice; `own` not
  /// finite; channels for another number of stages.
  CrossStitchImpl(std::vector<Stages> columns, TaskRegistry tasks_given, Options options,
                  std::string input = {})
      : Model(std::move(tasks_given)),
        columns_(std::move(columns)),
        options_(std::move(options)),
        input_(std::move(input)) {
    sharing_detail::check_columns(columns_, tasks());
    if (!(options_.own > -1e300 && options_.own < 1e300))
      throw Error("CrossStitch: found own {}, expected a finite number", options_.own);
    if (!options_.channels.empty() && options_.channels.size() != columns_[0].size())
      throw Error(
          "CrossStitch: found channels for {} stages, and there are {}; give one number a "
          "stage, or none",
          options_.channels.size(), columns_[0].size());
    for (size_t t = 0; t < columns_.size(); ++t)
      register_parts("columns." + tasks()[static_cast<int64_t>(t)].name, columns_[t]);
    make_stitches();
    register_heads();
  }

  NamedTensors forward(const NamedTensors& inputs) override {
    const size_t task_count = columns_.size();
    std::vector<Tensor> states(task_count, input_of(inputs, input_));
    for (size_t k = 0; k < columns_[0].size(); ++k) {
      const auto name = [&](size_t t) {
        return "stage " + std::to_string(k) + " of task \"" +
               tasks()[static_cast<int64_t>(t)].name + "\"";
      };
      for (size_t t = 0; t < task_count; ++t)
        states[t] = pass(columns_[t][k], states[t], name(t), k == 0 ? "the input" : "its input");
      if (stitches_.empty()) continue;
      sharing_detail::require_same_shape(states, name);
      const Tensor all = at::stack(states);  // [T, N, ...]
      for (size_t t = 0; t < task_count; ++t) states[t] = combined(stitches_[k][t], all, k);
    }
    return answers(states);
  }

  std::vector<Tensor> task_parameters(std::string_view task) override {
    std::vector<Tensor> parameters = Model::task_parameters(task);
    if (!stitches_.empty())
      parameters.push_back(stitches_.back()[static_cast<size_t>(tasks().index_of(task))]);
    return parameters;
  }

  /// alpha after stage `k`: [T, T], or [T, T, C]; row t is what task t goes on with. Error: there
  /// is no such stage.
  Tensor stitch(size_t k) const {
    if (k >= columns_[0].size())
      throw Error("CrossStitch: there is no stage {}, but 0 to {}", k, columns_[0].size() - 1);
    return stitches_.empty() ? at::ones({1, 1}) : at::stack(stitches_.at(k)).detach();
  }

  const std::vector<Stages>& columns() const { return columns_; }
  const Options& options() const { return options_; }
  const std::string& input() const { return input_; }

 protected:
  std::shared_ptr<Model> make_again() const override {
    return std::make_shared<CrossStitchImpl>(sharing_detail::clones_of(columns_),
                                             mtl::clone(tasks()), options_, input_);
  }

 private:
  void make_stitches() {
    const int64_t task_count = tasks().size();
    if (task_count == 1) return;
    const double other = (1 - options_.own) / static_cast<double>(task_count - 1);
    for (size_t k = 0; k < columns_[0].size(); ++k) {
      auto& rows = stitches_.emplace_back();
      for (int64_t t = 0; t < task_count; ++t) {
        Tensor row = at::full({task_count}, other);
        row[t].fill_(options_.own);
        if (!options_.channels.empty()) row = row.unsqueeze(1).repeat({1, options_.channels[k]});
        rows.push_back(
            register_weight("stitches." + std::to_string(k) + "." + tasks()[t].name, row));
      }
    }
  }

  /// row [T] or [T, C], all [T, N, C, ...] -> [N, C, ...]
  Tensor combined(const Tensor& row, const Tensor& all, size_t k) const {
    if (row.dim() == 1) return at::tensordot(row, all, {0}, {0});
    if (all.dim() < 3 || all.size(2) != row.size(1))
      throw Error("CrossStitch: stage {} gives {}, and was said to have {} channels in dimension 1",
                  k, shape_text(all[0]), row.size(1));
    std::vector<int64_t> shape(static_cast<size_t>(all.dim()), 1);
    shape[0] = row.size(0);
    shape[2] = row.size(1);
    return (row.view(shape) * all).sum(0);
  }

  std::vector<Stages> columns_;
  Options options_;
  std::string input_;
  std::vector<std::vector<Tensor>> stitches_;  // by stage and task; none for one task
};

struct CrossStitch : ModelHolder<CrossStitchImpl> {
  using Impl = CrossStitchImpl;
  using Options = CrossStitchImpl::Options;
  using ModelHolder<CrossStitchImpl>::ModelHolder;
  CrossStitch(std::vector<Stages> columns, TaskRegistry tasks, Options options = {},
              std::string input = {})
      : ModelHolder(std::move(columns), std::move(tasks), std::move(options), std::move(input)) {}
};

}  // namespace mtl
