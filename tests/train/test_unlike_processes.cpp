#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/io/io.hpp"
#include "spawned.hpp"
#include "temporary_folder.hpp"
#include "two_task_problem.hpp"

// Processes of one run that are not of one mind.

namespace unlike_processes {
namespace {

constexpr const char* worker = "worker of processes that differ";

std::string variable(const char* name) {  // empty where a person starts the worker
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string file_name(const std::string& name, const std::string& rank) {
  return variable("MTL_TEST_FOLDER") + "/" + name + "." + rank;
}
void write_text(const std::string& name, const std::string& text) {
  mtl::io::write_file_atomically(file_name(name, variable("RANK")), text);
}

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

}  // namespace

// What the spawned processes do.
TEST_CASE("worker of processes that differ", "[.]") {
  auto processes = mtl::Processes::from_environment({.timeout = std::chrono::seconds(20)});
  const std::string what = variable("MTL_TEST_JOB");
  write_text("error", unlike(processes, what));
}

TEST_CASE("processes: one that is to train another run is an error in all of them") {
  if (!mtl::Processes::available()) {
    WARN("skipped: the library was built without Gloo");
    return;
  }
  for (const auto& [what, text] : std::vector<std::pair<std::string, std::string>>{
           {"tasks", "tasks: found sky, process 0 has temp"},
           {"frozen", "parameters: found encoder.layers.0.weight [8, 5] of type Float, frozen"},
           {"rate", "optimizer's group 0: found 6 tensors, lr 0.5"},
           {"seed", "shuffled with seed 8"},
           {"schedule", "callbacks with a memory: found mtl::StepLr, process 0 has none"},
           {"epochs", "options: found 3 epochs"},
           {"validation", "validation data: found none, process 0 has 24 samples"}}) {
    const TemporaryFolder folder;
    Spawned spawned(2, worker,
                    {"MTL_TEST_FOLDER=" + folder.path().string(), "MTL_TEST_JOB=" + what});
    for (const int rank : {0, 1}) {
      INFO(what << ", process " << rank);
      REQUIRE(spawned.ended(static_cast<size_t>(rank)) == 0);
      const auto error = mtl::io::read_file(folder / ("error." + std::to_string(rank)));
      INFO(error);
      CHECK(contains(error, "process 1 trains another run than process 0: "));
      CHECK(contains(error, text));
    }
  }
}

}  // namespace unlike_processes
