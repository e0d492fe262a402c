// An auxiliary task is trained and shown, and has no say in what is best.
#include <cmath>

#include "error_text.hpp"
#include "scripted_run.hpp"
#include "two_task_problem.hpp"

namespace {

mtl::HardSharing helped_model() {
  torch::manual_seed(3);
  mtl::TaskRegistry tasks;
  for (mtl::Task task : weather_tasks(8)) {
    task.auxiliary = task.name == "sky";
    tasks.add(task);
  }
  return {mtl::nn::MlpEncoder({.input_size = 5, .hidden_sizes = {8}}), tasks};
}

}  // namespace

TEST_CASE("auxiliary tasks: trained to the bit as any other, left out of both totals") {
  const auto run_of = [](mtl::HardSharing model) {
    torch::optim::SGD sgd(model->parameters(), 0.01);
    mtl::KendallUncertainty combiner(model->tasks());
    mtl::BatchLoader train(weather_like(32, 1)), valid(weather_like(16, 2));
    auto run = mtl::Trainer(model, sgd, combiner, {.epochs = 3}).fit(train, valid);
    return std::pair{std::move(run), flat(model)};
  };
  torch::manual_seed(3);
  const auto tasks = weather_tasks(8);
  const auto [plain, plain_weights] =
      run_of({mtl::nn::MlpEncoder({.input_size = 5, .hidden_sizes = {8}}), tasks});
  const auto [helped, weights] = run_of(helped_model());
  CHECK(weights.equal(plain_weights));
  for (size_t e = 0; e < 3; ++e) {
    const auto& record = helped.history.epochs[e];
    CHECK(record.train.losses == plain.history.epochs[e].train.losses);
    CHECK(record.valid.losses == plain.history.epochs[e].valid.losses);
    CHECK(record.valid.total != plain.history.epochs[e].valid.total);
    CHECK_FALSE(std::isnan(record.valid("sky")));
  }
  CHECK(contains(helped.history.csv(), "valid_sky"));

  auto model = helped_model();
  mtl::BatchLoader valid(weather_like(16, 2));
  const auto record = mtl::validate(model, valid);
  CHECK(record.total == record.losses[0]);
}

TEST_CASE("auxiliary tasks: an epoch that lacks one's loss may be the best") {
  mtl::EarlyStopping stopping{.patience = 2};
  ScriptedRun run({stopping});
  run.state.history.auxiliary = {false, true};
  run.epoch({1, 1});
  run.epoch({0.9, std::nan("")});
  CHECK(stopping.best.value == Approx(0.9));
  run.epoch({0.8, std::nan("")});
  CHECK(stopping.worse_epochs == 0);
  CHECK(run.state.history.best_epoch() == 3);
}

TEST_CASE("auxiliary tasks: where only they have labels there is no total; a model needs others") {
  auto model = helped_model();
  const auto data = weather_like(16, 2);
  mtl::BatchLoader valid(mtl::TensorDataset(data.inputs(), {{"sky", data.targets()["sky"]}}));
  CHECK(
      contains(error_text([&] { mtl::validate(model, valid); }), "no task that is not auxiliary"));
  mtl::TaskRegistry tasks;
  tasks.add(
      {.name = "a", .head = mtl::nn::LinearHead(8, 1), .loss = squared_error, .auxiliary = true});
  CHECK(contains(error_text([&] {
                   mtl::HardSharing(mtl::nn::MlpEncoder({.input_size = 5, .hidden_sizes = {8}}),
                                    tasks);
                 }),
                 "all tasks are auxiliary"));
}
