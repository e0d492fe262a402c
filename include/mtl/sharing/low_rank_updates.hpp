#pragma once

#include <ATen/ATen.h>
#include <torch/nn/init.h>
#include <torch/nn/modules/linear.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mtl/nn/activation.hpp"
#include "mtl/sharing/clone.hpp"
#include "mtl/sharing/model_holder.hpp"
#include "mtl/sharing/parts.hpp"
#include "mtl/sharing/task_streams.hpp"

namespace mtl {

/// Low-rank updates of linear layers, one for all tasks and one for each: a pretrained encoder,
/// mostly frozen, is tuned by few numbers, and the tasks part by fewer still.
///     y_t = W x_t + b + s B A x_t + s_t B_t A_t x_t,   x_t <- act(y_t)
///     prediction_t = head_t(x_t)
/// A [rank, in] begins at random, B [out, rank] as zero: as the encoder that was given.
/// Agiza et al., CVPR 2024 (arXiv 2403.20320, MTLoRA), after Hu et al. 2021 (arXiv 2106.09685).
///
/// W and b are trained unless frozen (`set_requires_grad(false)` on layers()' parameters). Behind
/// the first layer with updates by task every task goes through the layers by itself.
///
/// Reads the input named `input`, or the only one there is where `input` is empty.
/// Parameters: "layers.<k>.*", "shared_updates.<k>.a", "shared_updates.<k>.b" (shared),
/// "task_updates.<task>.<k>.a", "task_updates.<task>.<k>.b" and "heads.<task>.*".
class LowRankUpdatesImpl : public Model {
 public:
  struct Layer {
    torch::nn::Linear linear = nullptr;
    bool by_task = true;  // has updates by task
  };
  struct Options {
    int64_t rank = 4;                                  // of the shared updates; 0: none
    int64_t task_rank = 4;                             // of those by task
    double scale = 1.0;                                // s
    double task_scale = 1.0;                           // s_t
    nn::Activation activation = nn::Activation::relu;  // after each layer
  };

  /// Error: no layer, an empty one, one module twice, a negative rank, a task_rank below 1 where a
  /// layer has updates by task, a scale that is not finite.
  LowRankUpdatesImpl(std::vector<Layer> layers, TaskRegistry tasks_given, Options options,
                     std::string input = {})
      : Model(std::move(tasks_given)),
        layers_(std::move(layers)),
        options_(options),
        input_(std::move(input)) {
    check();
    for (size_t k = 0; k < layers_.size(); ++k) {
      register_part("layers." + std::to_string(k), layers_[k].linear);
      shared_.push_back(options_.rank == 0 ? Update{}
                                           : make_update("shared_updates." + std::to_string(k),
                                                         *layers_[k].linear, options_.rank));
    }
    for (const Task& task : tasks()) {
      auto& own = by_task_.emplace_back();
      for (size_t k = 0; k < layers_.size(); ++k)
        own.push_back(layers_[k].by_task
                          ? make_update("task_updates." + task.name + "." + std::to_string(k),
                                        *layers_[k].linear, options_.task_rank)
                          : Update{});
    }
    register_heads();
  }

  NamedTensors forward(const NamedTensors& inputs) override {
    sharing_detail::TaskStreams streams(input_of(inputs, input_));
    const auto shared = [&](const Tensor& x, size_t k) {
      const Tensor y = pass(layers_[k].linear, x, "layer " + std::to_string(k),
                            k == 0 ? "the input" : "its input");
      return shared_[k].a.defined() ? y + options_.scale * updated(x, shared_[k]) : y;
    };
    for (size_t k = 0; k < layers_.size(); ++k) {
      if (layers_[k].by_task) {
        // Where the tasks part, what they have in common is computed once.
        const Tensor common = streams.parted() ? Tensor() : shared(streams.of(0), k);
        streams.part(by_task_.size(), [&](size_t t, const Tensor& x) {
          return nn::activate(options_.activation,
                              (common.defined() ? common : shared(x, k)) +
                                  options_.task_scale * updated(x, by_task_[t][k]));
        });
      } else {
        streams.run(
            [&](const Tensor& x) { return nn::activate(options_.activation, shared(x, k)); });
      }
    }
    representation_ = streams.parted() ? Tensor() : streams.common();
    return answers(streams.by_task(static_cast<size_t>(tasks().size())));
  }

  std::vector<Tensor> task_parameters(std::string_view task) override {
    std::vector<Tensor> parameters = Model::task_parameters(task);
    for (const auto& [a, b] : by_task_[static_cast<size_t>(tasks().index_of(task))])
      if (a.defined()) parameters.insert(parameters.end(), {a, b});
    return parameters;
  }

  /// The last layer's output where no layer has updates by task; undefined otherwise.
  Tensor representation() const override { return representation_; }

  const std::vector<Layer>& layers() const { return layers_; }
  const Options& options() const { return options_; }
  const std::string& input() const { return input_; }

 protected:
  std::shared_ptr<Model> make_again() const override {
    std::vector<Layer> copies;
    for (const Layer& layer : layers_) copies.push_back({mtl::clone(layer.linear), layer.by_task});
    return std::make_shared<LowRankUpdatesImpl>(std::move(copies), mtl::clone(tasks()), options_,
                                                input_);
  }

 private:
  struct Update {
    Tensor a, b;  // [rank, in], [out, rank]; undefined: none
  };

  void check() const {
    if (layers_.empty()) throw Error("LowRankUpdates: no layer; give at least one");
    std::vector<Encoder> all;
    bool by_task = false;
    for (size_t k = 0; k < layers_.size(); ++k) {
      if (layers_[k].linear.is_empty())
        throw Error("LowRankUpdates: layer {} is empty; give a torch::nn::Linear", k);
      all.emplace_back(layers_[k].linear);
      by_task = by_task || layers_[k].by_task;
    }
    sharing_detail::require_distinct(all, "layers");
    if (options_.rank < 0)
      throw Error("LowRankUpdates: found rank {}, expected at least 1, or 0 for no shared updates",
                  options_.rank);
    if (by_task && options_.task_rank < 1)
      throw Error(
          "LowRankUpdates: found task_rank {}, expected at least 1; a layer without updates "
          "by task has by_task = false",
          options_.task_rank);
    for (const double scale : {options_.scale, options_.task_scale})
      if (!(scale > -1e300 && scale < 1e300))
        throw Error("LowRankUpdates: found a scale of {}, expected a finite number", scale);
  }

  Update make_update(const std::string& name, const torch::nn::LinearImpl& linear, int64_t rank) {
    Tensor a = at::empty({rank, linear.weight.size(1)});
    torch::nn::init::kaiming_uniform_(a, std::sqrt(5.0));
    return {register_weight(name + ".a", a),
            register_weight(name + ".b", at::zeros({linear.weight.size(0), rank}))};
  }

  static Tensor updated(const Tensor& x, const Update& update) {
    return at::linear(at::linear(x, update.a), update.b);
  }

  std::vector<Layer> layers_;
  Options options_;
  std::string input_;
  std::vector<Update> shared_;                // by layer
  std::vector<std::vector<Update>> by_task_;  // by task and layer
  Tensor representation_;
};

struct LowRankUpdates : ModelHolder<LowRankUpdatesImpl> {
  using Impl = LowRankUpdatesImpl;
  using Layer = LowRankUpdatesImpl::Layer;
  using Options = LowRankUpdatesImpl::Options;
  using ModelHolder<LowRankUpdatesImpl>::ModelHolder;
  LowRankUpdates(std::vector<Layer> layers, TaskRegistry tasks, Options options = {},
                 std::string input = {})
      : ModelHolder(std::move(layers), std::move(tasks), options, std::move(input)) {}
};

}  // namespace mtl
