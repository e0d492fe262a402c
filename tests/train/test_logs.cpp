#include <sstream>

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/combine/combine.hpp"
#include "mtl/data/data.hpp"
#include "mtl/io/io.hpp"
#include "mtl/nn/nn.hpp"
#include "mtl/sharing/sharing.hpp"
#include "mtl/train/train.hpp"
#include "some_parts.hpp"
#include "temporary_folder.hpp"

namespace {

struct EqualWeights : mtl::GradientCombiner {
  Eigen::VectorXd weights(const Eigen::MatrixXd& gramian) override {
    return Eigen::VectorXd::Ones(gramian.rows());
  }
};

// Two tasks on 40 rows; `with_gap`: task "b" has no label in the first batch of 10.
mtl::TensorDataset two_targets(bool with_gap) {
  auto generator = mtl::make_generator(5);
  const auto x = torch::randn({40, 3}, generator);
  auto b = -x.select(1, 0).clone();
  if (with_gap) b.slice(0, 0, 10) = std::nan("");
  return mtl::TensorDataset({{"x", x}}, {{"a", x.select(1, 0) + x.select(1, 1)}, {"b", b}});
}

template <class... Callbacks>
mtl::TrainingRun train(int64_t epochs, Callbacks&&... callbacks) {
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

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

int occurrences(const std::string& text, const std::string& part) {
  int count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

std::string event_file(const std::filesystem::path& directory) {
  std::string bytes;
  for (const auto& entry : std::filesystem::directory_iterator(directory))
    bytes += mtl::io::read_file(entry.path());
  return bytes;
}

}  // namespace

TEST_CASE("CsvLog: the file is the history") {
  const TemporaryFolder folder;
  const auto run = train(3, mtl::CsvLog{.file = folder / "history.csv"});
  CHECK(mtl::io::read_file(folder / "history.csv") == run.history.csv());
  CHECK(lines_of(run.history.csv()).size() == 4);
}

TEST_CASE("TensorBoard: every loss and metric of every epoch") {
  const TemporaryFolder folder;
  train(3, mtl::TensorBoard{.directory = folder / "board"});
  const auto events = event_file(folder / "board");
  for (const auto* tag : {"learning_rate", "total/train", "total/valid", "a/loss/train",
                          "a/loss/valid", "a/error/valid", "b/loss/train", "b/error/valid"})
    CHECK(occurrences(events, tag) == 3);
}

TEST_CASE("CombinerLog: one line a reporting step and task that has labels") {
  const TemporaryFolder folder;
  mtl::CombinerLog log{.csv = folder / "combiner.csv", .tensorboard = folder / "board", .every = 2};
  train(2, log);  // 4 steps an epoch: reports at 1, 3, 5, 7; in 1 and 5 task "b" has no label
  REQUIRE(log.entries.size() == 4);
  CHECK(log.entries[1].step == 3);
  CHECK(log.entries[0].report.names == std::vector<std::string>{"a"});

  const auto lines = lines_of(mtl::io::read_file(folder / "combiner.csv"));
  REQUIRE(lines.size() == 1 + 1 + 2 + 1 + 2);
  CHECK(lines[0] == "step,task,norm,weight,share,conflicts,stationary,cosine_a,cosine_b");
  CHECK(lines[1].starts_with("1,a,"));
  CHECK(lines[1].ends_with(","));  // no cosine with a task that has no labels
  const auto& report = log.entries[1].report;
  CHECK(lines[2] == "3,a," + mtl::io::csv_number(report.norms[0]) + ",1," +
                        mtl::io::csv_number(report.shares[0]) + "," +
                        std::to_string(report.conflicts) + ",0," +
                        mtl::io::csv_number(report.cosines(0, 0)) + "," +
                        mtl::io::csv_number(report.cosines(0, 1)));
  const auto events = event_file(folder / "board");
  CHECK(occurrences(events, "weight/a") == 4);
  CHECK(occurrences(events, "weight/b") == 2);
  CHECK(occurrences(events, "cosine/a/b") == 2);
  CHECK(occurrences(events, "conflicts") == 4);
}

TEST_CASE("CombinerLog: a resumed run leaves the file of one that was never interrupted") {
  const TemporaryFolder folder;
  train(4, mtl::CombinerLog{.csv = folder / "whole.csv", .every = 3});
  const auto checkpointing = [&](bool resume) {
    return mtl::Checkpointing{.directory = folder / "checkpoint", .resume = resume};
  };
  const auto log = [&] { return mtl::CombinerLog{.csv = folder / "parts.csv", .every = 3}; };
  train(4, checkpointing(false), log(), StopAfterEpoch{2});
  // What a killed run had written beyond its last checkpoint.
  mtl::io::write_file_atomically(folder / "parts.csv",
                                 mtl::io::read_file(folder / "parts.csv") + "10,a,9,9,9,9,0,1,1\n");
  train(4, checkpointing(true), log(), StopAfterEpoch{4});
  CHECK(mtl::io::read_file(folder / "parts.csv") == mtl::io::read_file(folder / "whole.csv"));
}

TEST_CASE("CombinerLog: an interval below 1 is an error") {
  CHECK(contains(error_text([] { train(1, mtl::CombinerLog{.every = 0}); }), "found every 0"));
}
