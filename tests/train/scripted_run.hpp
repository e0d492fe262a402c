#pragma once

#include <string>
#include <utility>
#include <vector>

#include "mtl/combine/combine.hpp"
#include "mtl/nn/nn.hpp"
#include "mtl/sharing/sharing.hpp"
#include "mtl/train/train.hpp"
#include "some_parts.hpp"

struct Accuracy {
  std::string name = "accuracy";
  static constexpr bool higher_is_better = true;
  double operator()(const torch::Tensor&, const torch::Tensor&) const { return 0; }
};

inline mtl::TaskRegistry two_tasks() {
  mtl::TaskRegistry tasks;
  for (const auto* name : {"a", "b"})
    tasks.add({.name = name,
               .head = mtl::nn::LinearHead(2, 1),
               .loss = squared_error,
               .metrics = {MeanError{}, Accuracy{}}});
  return tasks;
}

/// A fit whose results the test writes itself: callbacks see what they would see in a real one.
class ScriptedRun {
 public:
  explicit ScriptedRun(std::vector<mtl::Callback> given, bool validation = true,
                       int64_t epochs = 100)
      : callbacks_(std::move(given)), state{*model_, sgd_, combiner_, callbacks_, epochs, 4} {
    state.history = {mtl::result_names(model_->tasks()), {}};
    state.has_validation = validation;
    call(&mtl::Callback::on_fit_begin);
  }
  ScriptedRun(const ScriptedRun&) = delete;
  ScriptedRun& operator=(const ScriptedRun&) = delete;

  /// Both parts have these losses by task; the validation part also these metrics.
  void epoch(std::vector<double> losses, std::vector<std::vector<double>> metrics = {}) {
    mtl::SplitRecord split;
    split.total = 0;
    for (double loss : losses)
      if (loss == loss) split.total += loss;
    split.losses = losses;
    mtl::EpochRecord record;
    record.epoch = ++state.epoch;
    call(&mtl::Callback::on_epoch_begin);
    record.learning_rate = rate();
    record.train = split;
    if (state.has_validation) record.valid = split;
    for (auto& of_task : metrics) record.valid.metrics.push_back(std::move(of_task));
    state.history.add(std::move(record));
    call(&mtl::Callback::on_epoch_end);
  }
  void end() { call(&mtl::Callback::on_fit_end); }

  double rate() const { return mtl::learning_rates(sgd_).at(0); }
  void set_weights(double value) {
    torch::NoGradGuard no_grad;
    for (auto& parameter : model_->parameters()) parameter.fill_(value);
  }
  double weight() const { return model_->parameters()[0].view(-1)[0].item<double>(); }

 private:
  void call(mtl::Callback::Hook mtl::Callback::*hook) {
    for (auto& callback : callbacks_)
      if (callback.*hook) (callback.*hook)(state);
  }

  mtl::HardSharing model_ =
      mtl::HardSharing(mtl::nn::MlpEncoder({.input_size = 2, .hidden_sizes = {2}}), two_tasks());
  torch::optim::SGD sgd_ = torch::optim::SGD(model_->parameters(), 0.1);
  mtl::FixedWeights combiner_ = mtl::FixedWeights({1, 1});
  std::vector<mtl::Callback> callbacks_;

 public:
  mtl::TrainState state;
};
