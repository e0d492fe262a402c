#pragma once

#include "mtl/train/train.hpp"

// Parts that several tests of the training loop use.

inline torch::Tensor squared_error(const torch::Tensor& prediction, const torch::Tensor& target) {
  return (prediction.squeeze(1) - target).square();
}

struct MeanError {
  std::string name = "error";
  double operator()(const torch::Tensor& p, const torch::Tensor& t,
                    const torch::Tensor& weights = torch::Tensor()) const {
    const auto errors = (p.squeeze(1) - t).abs();
    return (weights.defined() ? (errors * weights).sum() / weights.sum() : errors.mean())
        .item<double>();
  }
};

struct StopAfterEpoch {
  int64_t epoch;
  void on_epoch_end(mtl::TrainState& state) {
    if (state.epoch == epoch) state.stop("the test stops here");
  }
};
