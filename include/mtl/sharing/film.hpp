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
#include "mtl/sharing/task_streams.hpp"

namespace mtl {

/// Feature-wise linear modulation (FiLM) by task: one encoder in stages for all tasks, and after
/// chosen stages a scale and a shift a channel that each task has to itself. Two numbers a channel
/// let a task stress what it needs; they begin as 1 and 0, as hard sharing.
///     x_t <- scale_k,t * stage_k(x_t) + shift_k,t,   prediction_t = head_t(x_t)
/// Perez et al., AAAI 2018 (arXiv 1709.07871), with the task in the place of the question.
///
/// Behind the first modulation every task goes through the stages by itself: modulate late where
/// time counts. Running statistics of such stages see all tasks' streams, one after the other.
///
/// Reads the input named `input`, or the only one there is where `input` is empty.
/// Parameters: "stages.<k>.*" (shared), "modulations.<task>.<k>.scale", "modulations.<task>.<k>
/// .shift" [channels] and "heads.<task>.*".
class FilmImpl : public Model {
 public:
  struct Stage {
    Encoder encoder;
    int64_t channels = 0;  // size of dimension 1 of its output; 0: not modulated
  };

  /// Error: no stage, a stage without encoder, one module twice, negative channels.
  FilmImpl(std::vector<Stage> stages, TaskRegistry tasks_given, std::string input = {})
      : Model(std::move(tasks_given)), stages_(std::move(stages)), input_(std::move(input)) {
    if (stages_.empty()) throw Error("Film: no stage; give at least one");
    std::vector<Encoder> all;
    for (size_t k = 0; k < stages_.size(); ++k) {
      register_part("stages." + std::to_string(k), stages_[k].encoder);
      all.push_back(stages_[k].encoder);
      if (stages_[k].channels < 0)
        throw Error(
            "Film: found {} channels after stage {}, expected the size of dimension 1 of its "
            "output, or 0 where it is not modulated",
            stages_[k].channels, k);
    }
    sharing_detail::require_distinct(all, "stages");
    for (const Task& task : tasks()) {
      auto& own = modulations_.emplace_back();
      for (size_t k = 0; k < stages_.size(); ++k) {
        const std::string name = "modulations." + task.name + "." + std::to_string(k);
        const int64_t channels = stages_[k].channels;
        own.push_back(channels == 0
                          ? Modulation{}
                          : Modulation{register_weight(name + ".scale", at::ones({channels})),
                                       register_weight(name + ".shift", at::zeros({channels}))});
      }
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
      streams.part(modulations_.size(),
                   [&](size_t t, const Tensor& x) { return modulated(x, modulations_[t][k], k); });
    }
    representation_ = streams.common();
    return answers(streams.by_task(static_cast<size_t>(tasks().size())));
  }

  std::vector<Tensor> task_parameters(std::string_view task) override {
    std::vector<Tensor> parameters = Model::task_parameters(task);
    for (const auto& [scale, shift] : modulations_[static_cast<size_t>(tasks().index_of(task))])
      if (scale.defined()) parameters.insert(parameters.end(), {scale, shift});
    return parameters;
  }

  /// The last stage's output where only that is modulated; undefined where tasks part earlier.
  Tensor representation() const override { return representation_; }

  const std::vector<Stage>& stages() const { return stages_; }
  const std::string& input() const { return input_; }

 protected:
  std::shared_ptr<Model> make_again() const override {
    std::vector<Stage> copies;
    for (const Stage& stage : stages_) copies.push_back({stage.encoder.clone(), stage.channels});
    return std::make_shared<FilmImpl>(std::move(copies), mtl::clone(tasks()), input_);
  }

 private:
  struct Modulation {
    Tensor scale, shift;  // [channels]
  };

  static Tensor modulated(const Tensor& x, const Modulation& by, size_t k) {
    if (x.dim() < 2 || x.size(1) != by.scale.size(0))
      throw Error("Film: stage {} gives {}, and was said to have {} channels in dimension 1", k,
                  shape_text(x), by.scale.size(0));
    std::vector<int64_t> shape(static_cast<size_t>(x.dim()), 1);
    shape[1] = by.scale.size(0);
    return x * by.scale.view(shape) + by.shift.view(shape);
  }

  std::vector<Stage> stages_;
  std::string input_;
  std::vector<std::vector<Modulation>> modulations_;  // by task and stage
  Tensor representation_;
};

struct Film : ModelHolder<FilmImpl> {
  using Impl = FilmImpl;
  using Stage = FilmImpl::Stage;
  using ModelHolder<FilmImpl>::ModelHolder;
  Film(std::vector<Stage> stages, TaskRegistry tasks, std::string input = {})
      : ModelHolder(std::move(stages), std::move(tasks), std::move(input)) {}
};

}  // namespace mtl
