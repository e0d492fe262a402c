#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "error_text.hpp"
#include "process_jobs.hpp"
#include "spawned.hpp"
#include "temporary_folder.hpp"
#include "two_task_problem.hpp"

// Processes of one run that are not of one mind.

namespace unlike_processes {
namespace {

using namespace process_jobs;

constexpr const char* worker = "worker of processes that differ";

mtl::BatchLoader loader(uint64_t seed = 7) {
  return mtl::BatchLoader(weather_like(24, 1), {.batch_size = 8, .shuffle = true, .seed = seed});
}

/// The error of a run in which process 1 does one thing otherwise than process 0.
std::string unlike(mtl::Processes& processes, const std::string& what) {
  const auto differs_in = [&](const char* name) { return processes.rank() == 1 && what == name; };
  mtl::TaskRegistry tasks = weather_tasks(8);
  if (differs_in("tasks")) {
    const mtl::TaskRegistry turned = weather_tasks(8);
    tasks = mtl::TaskRegistry();
    tasks.add(turned[1]);
    tasks.add(turned[0]);
  }
  mtl::HardSharing model(mtl::nn::MlpEncoder({.input_size = 5, .hidden_sizes = {8}}), tasks);
  if (differs_in("frozen")) model->parameters()[0].set_requires_grad(false);
  torch::optim::SGD sgd(model->parameters(), differs_in("rate") ? 0.5 : 0.1);
  auto train = loader(differs_in("seed") ? 8 : 7), valid = loader();
  std::vector<mtl::Callback> callbacks;
  if (differs_in("schedule")) callbacks.emplace_back(mtl::StepLr{.step_size = 1});
  mtl::Trainer trainer(model, sgd, mtl::Sum(),
                       {.epochs = differs_in("epochs") ? 3 : 2, .processes = &processes});
  return error_text([&] {
    if (differs_in("validation"))
      trainer.fit(train, callbacks);
    else
      trainer.fit(train, valid, callbacks);
  });
}

/// Stops its process alone.
struct StopsAlone {
  int64_t step;
  void act(mtl::TrainState& state) const {
    if (state.step == step && variable("RANK") == "1") state.stop("process 1 has enough");
  }
  void on_fit_begin(mtl::TrainState& state) const { act(state); }
  void on_step_end(mtl::TrainState& state) const { act(state); }
};

struct FreezesAlone {
  void on_step_end(mtl::TrainState& state) const {
    if (variable("RANK") == "1") state.freeze("sky");
  }
};

void stopped_at(mtl::Processes& processes, int64_t step, const std::string& name) {
  auto model = normed_model();
  torch::optim::SGD sgd(model->parameters(), 0.1);
  auto train = loader();
  const auto run = mtl::Trainer(model, sgd, mtl::Sum(), {.epochs = 2, .processes = &processes})
                       .fit(train, StopsAlone{step});
  write_text(name + " text", std::to_string(run.steps) + " " + run.stop_text);
  write_weights(name, flat(model));
}

/// Batches of 8 rows; those of process 0 in the second have weight 0, and are NaN.
void left_out_share(mtl::Processes& processes) {
  auto batches = batches_of(weather_like(24, 1));
  const auto x = batches[1].inputs["x"].clone(), weights = torch::ones({8});
  x.narrow(0, 0, 4).fill_(std::nan(""));
  weights.narrow(0, 0, 4).zero_();
  batches[1].inputs["x"] = x;
  batches[1].sample_weights = weights;
  ListLoader train(batches);
  auto model = normed_model();
  torch::optim::SGD sgd(model->parameters(), 0.1);
  mtl::Trainer(model, sgd, mtl::Sum(), {.epochs = 1, .processes = &processes}).fit(train);
  write_weights("left out", flat(model));
}

/// In double precision; process 0 has one row of the second batch, which BatchNorm cannot use.
void share_of_one_row(mtl::Processes& processes) {
  const auto data = weather_like(24, 1);
  auto batches = batches_of(
      mtl::TensorDataset({{"x", data.inputs()["x"].to(torch::kDouble)}}, data.targets()));
  batches[1] = mtl::batch_rows(batches[1], torch::arange(3));
  ListLoader train(batches);
  auto model = normed_model();
  model->to(torch::kDouble);
  torch::optim::SGD sgd(model->parameters(), 0.1);
  auto options = skipping(1);
  options.processes = &processes;
  const auto run = mtl::Trainer(model, sgd, mtl::Sum(), options).fit(train);
  write_text("one row", std::to_string(run.faulty_batches) + " " + run.first_fault);
}

/// A penalty that each process sees otherwise, in mean `strength`: as of samples of its share.
void penalised(mtl::Processes* processes, double strength, const std::string& name) {
  auto model = two_task_model();
  torch::optim::SGD sgd(model->parameters(), 0.1);
  auto train = loader();
  const auto penalty = [&] { return strength * model->parameters()[0].square().sum(); };
  mtl::Trainer(model, sgd, mtl::Sum(), {.epochs = 2, .processes = processes})
      .fit(train, mtl::AddPenalty{penalty});
  write_weights(name, flat(model));
}

/// Weights drawn from torch's generator, which is another in each process.
std::string drawn_apart(mtl::Processes& processes) {
  auto model = two_task_model();
  torch::optim::SGD sgd(model->parameters(), 0.1);
  auto combiner = mtl::gradient_combiner([](const Eigen::MatrixXd& gramian) {
    return Eigen::VectorXd::Constant(gramian.rows(), torch::rand({1}).item<double>());
  });
  auto train = loader();
  mtl::Trainer trainer(model, sgd, combiner, {.epochs = 2, .processes = &processes});
  return error_text([&] { trainer.fit(train); });
}

/// What each of two processes with this job writes under `name`.
std::vector<std::string> written_by_each(const std::string& what, const std::string& name) {
  const TemporaryFolder folder;
  Spawned spawned(2, worker, job(folder, what));
  std::vector<std::string> texts;
  for (const int rank : {0, 1}) {
    INFO(what << ", process " << rank);
    REQUIRE(spawned.ended(static_cast<size_t>(rank)) == 0);
    texts.push_back(read_text(folder.path(), name, rank));
  }
  return texts;
}

}  // namespace

// What the spawned processes do.
TEST_CASE("worker of processes that differ", "[.]") {
  auto processes = mtl::Processes::from_environment({.timeout = std::chrono::seconds(20)});
  const std::string what = variable("MTL_TEST_JOB");
  if (what == "drawn") return write_text("drawn", drawn_apart(processes));
  if (what != "apart") return write_text("error", unlike(processes, what));
  stopped_at(processes, 0, "begin");
  stopped_at(processes, 2, "step");
  left_out_share(processes);
  share_of_one_row(processes);
  penalised(&processes, processes.is_first() ? 0.1 : 0.3, "each its own penalty");
  penalised(nullptr, 0.2, "their mean");
  auto model = two_task_model();
  torch::optim::SGD sgd(model->parameters(), 0.1);
  auto train = loader();
  mtl::Trainer trainer(model, sgd, mtl::Sum(), {.epochs = 2, .processes = &processes});
  write_text("frozen", error_text([&] { trainer.fit(train, FreezesAlone{}); }));
}

TEST_CASE("processes: one that is to train another run is an error in all of them") {
  if (without_gloo()) return;
  for (const auto& [what, text] : std::vector<std::pair<std::string, std::string>>{
           {"tasks", "tasks: found sky, process 0 has temp"},
           {"frozen", "parameters: found encoder.layers.0.weight [8, 5] of type Float, frozen"},
           {"rate", "optimizer's group 0: found 6 tensors, lr 0.5"},
           {"seed", "shuffled with seed 8"},
           {"schedule", "callbacks with a memory: found mtl::StepLr, process 0 has none"},
           {"epochs", "options: found 3 epochs"},
           {"validation", "validation data: found none, process 0 has 24 samples"}}) {
    for (const std::string& error : written_by_each(what, "error")) {
      INFO(what << ": " << error);
      CHECK(contains(error, "process 1 trains another run than process 0: "));
      CHECK(contains(error, text));
    }
  }
}

TEST_CASE("processes: who stops, freezes or has no rows alone") {
  if (without_gloo()) return;
  const TemporaryFolder folder;
  Spawned spawned(2, worker, job(folder, "apart"));
  for (const size_t rank : {0, 1}) REQUIRE(spawned.ended(rank) == 0);
  const auto text = [&](const std::string& name, int rank) {
    return read_text(folder.path(), name, rank);
  };
  const auto weights = [&](const std::string& name, int rank) {
    return read_weights(folder.path(), name, rank);
  };
  for (const int rank : {0, 1}) {
    CHECK(text("begin text", rank) == "0 process 1 has enough");
    CHECK(text("step text", rank) == "2 process 1 has enough");
    CHECK(weights("left out", rank).isfinite().all().item<bool>());
    INFO(text("one row", rank));
    CHECK(text("one row", rank).starts_with("1 epoch 1, batch 2 of 3: process 0: "));
    CHECK(contains(text("one row", rank), "does not take input \"x\" [1, 5]"));
    CHECK(contains(text("frozen", rank), "has frozen other tasks than the others"));
    const auto mean = weights("their mean", rank);
    CHECK(torch::allclose(weights("each its own penalty", rank), mean, 1e-4, 1e-5));
  }
  for (const std::string name : {"step", "each its own penalty"})  // running statistics, too
    CHECK(weights(name, 0).equal(weights(name, 1)));
}

TEST_CASE("processes: weights that come apart are an error") {
  if (without_gloo()) return;
  for (const std::string& error : written_by_each("drawn", "drawn")) {
    INFO(error);
    CHECK(contains(error, "the weights of process 1 have come apart from those of process 0"));
    CHECK(contains(error, "encoder.layers.0.weight"));
  }
}

}  // namespace unlike_processes
