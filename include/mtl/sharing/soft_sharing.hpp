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

/// Soft sharing: an encoder a task, all of one structure, whose weights a penalty draws together.
///     prediction_t = head_t(encoder_t(input))
///     penalty = strength * sum over the encoder's parameters p of
///       l2           sum_{t<u} |p_t - p_u|^2               Duong et al., ACL 2015
///       l1           sum_{t<u} |p_t - p_u|_1               few entries differ
///       trace_norm   |(p_1, ..., p_T)|_*, the sum of the singular values of [T, size of p]: few
///                    directions in common              Yang and Hospedales 2016 (arXiv 1606.04038)
///
/// The penalty is no task's loss and goes around the combiner: after its backward() add
/// `model->penalty().backward()`; in the trainer, the callback mtl::AddPenalty does.
///
/// Reads the input named `input`, or the only one there is where `input` is empty.
/// Parameters: "encoders.<task>.*" and "heads.<task>.*", all of one task; none is shared, so that
/// methods that compare gradients have nothing to compare.
class SoftSharingImpl : public Model {
 public:
  enum class Penalty { l2, l1, trace_norm };
  struct Options {
    Penalty penalty = Penalty::l2;
    double strength = 1e-3;  // small against the losses: the penalty sums over all weights
  };

  /// `encoders`: one a task, in the order of the registry (mtl::several).
  /// Error: another number, encoders of different structure, one module twice, a strength that is
  /// negative or not finite.
  SoftSharingImpl(std::vector<Encoder> encoders, TaskRegistry tasks_given, Options options,
                  std::string input = {})
      : Model(std::move(tasks_given)),
        encoders_(std::move(encoders)),
        options_(options),
        input_(std::move(input)) {
    sharing_detail::require_one_a_task(encoders_.size(), tasks(), "encoders");
    sharing_detail::require_distinct(encoders_, "encoders");
    if (!(options_.strength >= 0 && options_.strength < 1e300))
      throw Error("SoftSharing: found strength {}, expected a number of at least 0",
                  options_.strength);
    for (int64_t t = 0; t < tasks().size(); ++t)
      register_part("encoders." + tasks()[t].name, encoders_[static_cast<size_t>(t)]);
    register_heads();
    require_one_structure();
  }

  NamedTensors forward(const NamedTensors& inputs) override {
    std::vector<Tensor> by_task;
    for (size_t t = 0; t < encoders_.size(); ++t)
      by_task.push_back(
          encode(encoders_[t], inputs, input_,
                 "the encoder of task \"" + tasks()[static_cast<int64_t>(t)].name + "\""));
    return answers(by_task);
  }

  std::vector<Tensor> task_parameters(std::string_view task) override {
    std::vector<Tensor> parameters = Model::task_parameters(task);
    sharing_detail::append_parameters(parameters,
                                      {encoders_[static_cast<size_t>(tasks().index_of(task))]});
    return parameters;
  }

  /// The penalty of the weights as they are: scalar with a graph of its own. 0 for one task.
  Tensor penalty() const {
    std::vector<std::vector<Tensor>> by_encoder;
    for (const Encoder& encoder : encoders_) by_encoder.push_back(encoder.module()->parameters());
    std::vector<Tensor> terms;
    for (size_t p = 0; p < by_encoder[0].size() && encoders_.size() > 1; ++p) {
      std::vector<Tensor> rows;
      for (const auto& parameters : by_encoder) rows.push_back(parameters[p].flatten());
      terms.push_back(penalty_of(at::stack(rows)));
    }
    if (terms.empty()) return sharing_detail::with_graph(at::zeros({}));
    return sharing_detail::with_graph(options_.strength * at::stack(terms).sum());
  }

  const std::vector<Encoder>& encoders() const { return encoders_; }
  const Options& options() const { return options_; }
  const std::string& input() const { return input_; }

 protected:
  std::shared_ptr<Model> make_again() const override {
    return std::make_shared<SoftSharingImpl>(sharing_detail::clones_of(encoders_),
                                             mtl::clone(tasks()), options_, input_);
  }

 private:
  /// `rows` [T, P]: one parameter of all tasks.
  Tensor penalty_of(const Tensor& rows) const {
    switch (options_.penalty) {
      case Penalty::l2:  // the sum over pairs is T times that around the mean
        return static_cast<double>(rows.size(0)) * (rows - rows.mean(0, true)).square().sum();
      case Penalty::l1: {
        Tensor sum = at::zeros({}, rows.options());
        for (int64_t t = 1; t < rows.size(0); ++t)
          sum = sum + (rows.slice(0, 0, t) - rows[t]).abs().sum();
        return sum;
      }
      case Penalty::trace_norm:
        // LibTorch decomposes nothing of less than float32.
        return at::linalg_svdvals(rows.to(at::promote_types(rows.scalar_type(), at::kFloat)))
            .sum()
            .to(rows.scalar_type());
    }
    throw Error("SoftSharing: unknown penalty {}", static_cast<int>(options_.penalty));
  }

  void require_one_structure() const {
    const auto first = encoders_[0].module()->named_parameters();
    for (size_t t = 1; t < encoders_.size(); ++t) {
      const std::string& name = tasks()[static_cast<int64_t>(t)].name;
      const auto other = encoders_[t].module()->named_parameters();
      if (other.keys() != first.keys())
        throw Error(
            "SoftSharing: the encoder of task \"{}\" has other parameters than that of task "
            "\"{}\"; their weights are compared one by one, so make all in the same way",
            name, tasks()[0].name);
      for (const auto& item : first)
        if (other[item.key()].sizes() != item.value().sizes())
          throw Error(
              "SoftSharing: \"{}\" has shape {} in the encoder of task \"{}\" and {} in that "
              "of task \"{}\"; their weights are compared one by one, so make all in the "
              "same way",
              item.key(), shape_text(other[item.key()]), name, shape_text(item.value()),
              tasks()[0].name);
    }
  }

  std::vector<Encoder> encoders_;
  Options options_;
  std::string input_;
};

struct SoftSharing : ModelHolder<SoftSharingImpl> {
  using Impl = SoftSharingImpl;
  using Options = SoftSharingImpl::Options;
  using Penalty = SoftSharingImpl::Penalty;
  using ModelHolder<SoftSharingImpl>::ModelHolder;
  SoftSharing(std::vector<Encoder> encoders, TaskRegistry tasks, Options options = {},
              std::string input = {})
      : ModelHolder(std::move(encoders), std::move(tasks), options, std::move(input)) {}
};

}  // namespace mtl
