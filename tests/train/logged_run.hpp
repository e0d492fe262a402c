#pragma once

#include <filesystem>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "mtl/combine/combine.hpp"
#include "mtl/data/data.hpp"
#include "mtl/io/io.hpp"
#include "mtl/nn/nn.hpp"
#include "mtl/sharing/sharing.hpp"
#include "mtl/train/train.hpp"
#include "some_parts.hpp"

struct EqualWeights : mtl::GradientCombiner {
  Eigen::VectorXd weights(const Eigen::MatrixXd& gramian) override {
    return Eigen::VectorXd::Ones(gramian.rows());
  }
};

// Two tasks on 40 rows; `with_gap`: task "b" has no label in the first batch of 10.
inline mtl::TensorDataset two_targets(bool with_gap) {
  auto generator = mtl::make_generator(5);
  const auto x = torch::randn({40, 3}, generator);
  auto b = -x.select(1, 0).clone();
  if (with_gap) b.slice(0, 0, 10) = std::nan("");
  return mtl::TensorDataset({{"x", x}}, {{"a", x.select(1, 0) + x.select(1, 1)}, {"b", b}});
}

template <class... Callbacks>
mtl::TrainingRun logged_run(int64_t epochs, Callbacks&&... callbacks) {
  torch::manual_seed(1);
  mtl::TaskRegistry tasks;
  for (const auto* name : {"a", "b"})
    tasks.add({.name = name,
               .head = mtl::nn::LinearHead(4, 1),
               .loss = squared_error,
               .metrics = {MeanError{}}});
  auto model = mtl::HardSharing(mtl::nn::MlpEncoder({.input_size = 3, .hidden_sizes = {4}}), tasks);
  torch::optim::SGD sgd(model->parameters(), 0.01);
  EqualWeights combiner;
  const auto data = two_targets(true), valid_data = two_targets(false);
  mtl::BatchLoader loader(data, {.batch_size = 10}), valid(valid_data, {.batch_size = 40});
  mtl::Trainer trainer(model, sgd, combiner, {.epochs = epochs});
  return trainer.fit(loader, valid, std::forward<Callbacks>(callbacks)...);
}

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

inline int occurrences(const std::string& text, const std::string& part) {
  int count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

inline std::string event_file(const std::filesystem::path& directory) {
  std::string bytes;
  for (const auto& entry : std::filesystem::directory_iterator(directory))
    bytes += mtl::io::read_file(entry.path());
  return bytes;
}
