#include "catch.hpp"
#include "error_text.hpp"
#include "logged_run.hpp"
#include "schedule_golden.hpp"
#include "temporary_folder.hpp"

TEST_CASE("CsvLog: the file is the history") {
  const TemporaryFolder folder;
  const auto run = logged_run(3, mtl::CsvLog{.file = folder / "history.csv"});
  CHECK(mtl::io::read_file(folder / "history.csv") == run.history.csv());
  CHECK(lines_of(run.history.csv()).size() == 4);
}

TEST_CASE("CsvLog: a second fit and a resumed one write their own history") {
  const TemporaryFolder folder;
  mtl::CsvLog log{.file = folder / "run" / "history.csv"};
  const mtl::Checkpointing checkpoint{.directory = folder / "checkpoint"};
  logged_run(2, log);
  logged_run(1, log, checkpoint);
  CHECK(lines_of(mtl::io::read_file(log.file)).size() == 2);
  mtl::Checkpointing resume = checkpoint;
  resume.resume = true;
  const auto run = logged_run(3, log, resume);
  CHECK(mtl::io::read_file(log.file) == run.history.csv());
}

TEST_CASE("CsvLog: two columns of one name are an error before training") {
  const TemporaryFolder folder;
  mtl::HardSharing model(
      mtl::nn::MlpEncoder({.input_size = 3, .hidden_sizes = {4}}),
      {{.name = "total", .head = mtl::nn::LinearHead(4, 1), .loss = squared_error, .target = "a"}});
  torch::optim::SGD sgd(model->parameters(), 0.01);
  mtl::BatchLoader loader(two_targets(false));
  mtl::Trainer trainer(model, sgd, EqualWeights(), {.epochs = 1});
  const auto before = model->parameters()[0].detach().clone();
  CHECK(contains(
      error_text([&] { trainer.fit(loader, mtl::CsvLog{.file = folder / "history.csv"}); }),
      "CsvLog: two columns would be called \"train_total\""));
  CHECK(model->parameters()[0].equal(before));
  CHECK_FALSE(std::filesystem::exists(folder / "history.csv"));
}

TEST_CASE("CsvLog: no file is an error when it joins") {
  CHECK(contains(joining_error(mtl::CsvLog{}), "CsvLog: found no file"));
}

namespace {

/// A second group joins as epoch 2 begins.
struct LateGroup {
  void on_epoch_begin(mtl::TrainState& state) const {
    if (state.epoch != 2) return;
    static torch::Tensor more = torch::zeros({1}).requires_grad_();
    state.optimizer.add_param_group(
        torch::optim::OptimizerParamGroup({more}, std::make_unique<torch::optim::SGDOptions>(0.5)));
  }
};

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream stream(line);
  for (std::string cell; std::getline(stream, cell, ',');) cells.push_back(cell);
  return cells;
}

}  // namespace

TEST_CASE("CsvLog: every group has its learning rate, empty before it joined") {
  const TemporaryFolder folder;
  const auto file = folder / "history.csv";
  const auto run = logged_run(3, mtl::CsvLog{.file = file}, LateGroup{},
                              mtl::StepLr{.step_size = 2, .gamma = 0.1});
  const auto lines = lines_of(mtl::io::read_file(file));
  REQUIRE(lines.size() == 4);
  CHECK(lines[0].starts_with("epoch,learning_rate,learning_rate_1,train_total,train_a"));
  CHECK(cells_of(lines[1])[1] == "0.01");
  CHECK(cells_of(lines[1])[2].empty());
  CHECK(cells_of(lines[2])[2] == "0.5");
  CHECK(cells_of(lines[3])[1] == "0.001");
  CHECK(cells_of(lines[3])[2] == "0.5");  // schedules leave it alone
  CHECK(mtl::io::read_file(file) == run.history.csv());
  for (const auto& line : lines) CHECK(cells_of(line).size() == cells_of(lines[0]).size());
}

TEST_CASE("CsvLog: a resumed run has the rates of all its groups") {
  const TemporaryFolder folder;
  const auto rates = [&](bool resume, int64_t epochs, const std::string& directory) {
    torch::manual_seed(1);
    mtl::TaskRegistry tasks;
    for (const auto* name : {"a", "b"})
      tasks.add({.name = name, .head = mtl::nn::LinearHead(4, 1), .loss = squared_error});
    auto model =
        mtl::HardSharing(mtl::nn::MlpEncoder({.input_size = 3, .hidden_sizes = {4}}), tasks);
    torch::optim::SGD sgd(model->parameters(), 0.01);
    mtl::BatchLoader loader(two_targets(true), {.batch_size = 10});
    // The combiner's own parameters are a second group.
    mtl::Trainer trainer(
        model, sgd, mtl::KendallUncertainty(tasks),
        {.epochs = epochs, .checkpoint = {.directory = folder / directory, .resume = resume}});
    return trainer.fit(loader, mtl::StepLr{.step_size = 1, .gamma = 0.5}).history.csv();
  };
  const std::string whole = rates(false, 4, "whole");
  rates(false, 2, "parts");
  CHECK(rates(true, 4, "parts") == whole);
  CHECK(cells_of(lines_of(whole)[4])[2] == "0.00125");
}

namespace {

struct OnlyWrites {
  static constexpr bool only_writes = true;
  int* calls;
  void on_epoch_end(mtl::TrainState&) const { ++*calls; }
};

}  // namespace

TEST_CASE("Callback: what only writes is not called where another process does") {
  int calls = 0;
  mtl::HardSharing model(
      mtl::nn::MlpEncoder({.input_size = 2, .hidden_sizes = {2}}),
      mtl::TaskRegistry{{.name = "a", .head = mtl::nn::LinearHead(2, 1), .loss = squared_error}});
  torch::optim::SGD sgd(model->parameters(), 0.1);
  mtl::Sum sum;
  std::vector<mtl::Callback> callbacks{OnlyWrites{&calls}};
  mtl::TrainState state{*model, sgd, sum, callbacks, 1, 1};
  callbacks[0].on_epoch_end(state);
  state.writes = false;
  callbacks[0].on_epoch_end(state);
  CHECK(calls == 1);
}
