#pragma once

#include <ATen/ATen.h>
#include <torch/nn/modules/linear.h>

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

/// Adapters by task: one encoder in stages for all tasks, and after chosen stages a small
/// perceptron that each task has to itself, around which the stage's output goes unchanged.
///     h = stage_k(x_t),   x_t <- h + U_k,t act(D_k,t h + d) + u,   prediction_t = head_t(x_t)
/// over dimension 1 (the channels of a picture, [N, C, ...]). U and u begin as zero, as hard
/// sharing: made for a pretrained encoder, which may be frozen.
/// Houlsby et al., ICML 2019 (arXiv 1902.00751); Rebuffi et al., NeurIPS 2017 (arXiv 1705.08045).
///
/// Behind the first adapter every task goes through the stages by itself.
///
/// Reads the input named `input`, or the only one there is where `input` is empty.
/// Parameters: "stages.<k>.*" (shared), "adapters.<task>.<k>.down.*", "adapters.<task>.<k>.up.*"
/// (2 channels bottleneck + channels + bottleneck numbers) and "heads.<task>.*".
class TaskAdaptersImpl : public Model {
 public:
  struct Stage {
    Encoder encoder;
    int64_t channels = 0;  // size of dimension 1 of its output; 0: no adapter
  };
  struct Options {
    int64_t bottleneck = 8;  // width between down and up
    nn::Activation activation = nn::Activation::relu;
  };

  /// Error: no stage, a stage without encoder, one module twice, negative channels, a bottleneck
  /// below 1.
  TaskAdaptersImpl(std::vector<Stage> stages, TaskRegistry tasks_given, Options options,
                   std::string input = {})
      : Model(std::move(tasks_given)),
        stages_(std::move(stages)),
        options_(options),
        input_(std::move(input)) {
    if (stages_.empty()) throw Error("TaskAdapters: no stage; give at least one");
    if (options_.bottleneck < 1)
      throw Error("TaskAdapters: found bottleneck {}, expected at least 1", options_.bottleneck);
    std::vector<Encoder> all;
    for (size_t k = 0; k < stages_.size(); ++k) {
      register_part("stages." + std::to_string(k), stages_[k].encoder);
      all.push_back(stages_[k].encoder);
      if (stages_[k].channels < 0)
        throw Error(
            "TaskAdapters: found {} channels after stage {}, expected the size of dimension "
            "1 of its output, or 0 for no adapter",
            stages_[k].channels, k);
    }
    sharing_detail::require_distinct(all, "stages");
    for (const Task& task : tasks()) {
      auto& own = adapters_.emplace_back();
      for (size_t k = 0; k < stages_.size(); ++k) own.push_back(adapter_after(k, task.name));
    }
    register_heads();
  }

  NamedTensors forward(const NamedTensors& inputs) override {
    sharing_detail::TaskStreams streams(input_of(inputs, input_));
    for (size_t k = 0; k < stages_.size(); ++k) {
      streams.run([&](const Tensor& x) {
        return pass(stages_[k].encoder, x, "stage " + std::to_string(k),
                    k == 0 ? "the input" : "its input");
      });
      if (stages_[k].channels == 0) continue;
      streams.part(adapters_.size(),
                   [&](size_t t, const Tensor& h) { return adapted(h, adapters_[t][k], k); });
    }
    representation_ = streams.common();
    return answers(streams.by_task(static_cast<size_t>(tasks().size())));
  }

  std::vector<Tensor> task_parameters(std::string_view task) override {
    std::vector<Tensor> parameters = Model::task_parameters(task);
    for (const auto& [down, up] : adapters_[static_cast<size_t>(tasks().index_of(task))])
      if (down)
        parameters.insert(parameters.end(), {down->weight, down->bias, up->weight, up->bias});
    return parameters;
  }

  /// The last stage's output where only that has adapters; undefined where tasks part earlier.
  Tensor representation() const override { return representation_; }

  const std::vector<Stage>& stages() const { return stages_; }
  const Options& options() const { return options_; }
  const std::string& input() const { return input_; }

 protected:
  std::shared_ptr<Model> make_again() const override {
    std::vector<Stage> copies;
    for (const Stage& stage : stages_) copies.push_back({stage.encoder.clone(), stage.channels});
    return std::make_shared<TaskAdaptersImpl>(std::move(copies), mtl::clone(tasks()), options_,
                                              input_);
  }

 private:
  struct Adapter {
    torch::nn::Linear down = nullptr, up = nullptr;  // empty: the stage has none
  };

  Adapter adapter_after(size_t k, const std::string& task) {
    const int64_t channels = stages_[k].channels;
    if (channels == 0) return {};
    const std::string name = "adapters." + task + "." + std::to_string(k);
    Adapter adapter = {torch::nn::Linear(channels, options_.bottleneck),
                       torch::nn::Linear(options_.bottleneck, channels)};
    const torch::NoGradGuard no_grad;
    adapter.up->weight.zero_();
    adapter.up->bias.zero_();
    register_part(name + ".down", adapter.down);
    register_part(name + ".up", adapter.up);
    return adapter;
  }

  Tensor adapted(const Tensor& h, const Adapter& adapter, size_t k) const {
    if (h.dim() < 2 || h.size(1) != stages_[k].channels)
      throw Error(
          "TaskAdapters: stage {} gives {}, and was said to have {} channels in dimension 1", k,
          shape_text(h), stages_[k].channels);
    const Tensor last = h.movedim(1, -1);
    const Tensor inner = nn::activate(options_.activation,
                                      at::linear(last, adapter.down->weight, adapter.down->bias));
    return h + at::linear(inner, adapter.up->weight, adapter.up->bias).movedim(-1, 1);
  }

  std::vector<Stage> stages_;
  Options options_;
  std::string input_;
  std::vector<std::vector<Adapter>> adapters_;  // by task and stage
  Tensor representation_;
};

struct TaskAdapters : ModelHolder<TaskAdaptersImpl> {
  using Impl = TaskAdaptersImpl;
  using Stage = TaskAdaptersImpl::Stage;
  using Options = TaskAdaptersImpl::Options;
  using ModelHolder<TaskAdaptersImpl>::ModelHolder;
  TaskAdapters(std::vector<Stage> stages, TaskRegistry tasks, Options options = {},
               std::string input = {})
      : ModelHolder(std::move(stages), std::move(tasks), options, std::move(input)) {}
};

}  // namespace mtl
