#include <cmath>
#include <string>
#include <vector>

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/task/tasks.hpp"
#include "temporary_folder.hpp"
#include "two_task_problem.hpp"

// Several batches of the loader as one step.

namespace {

/// Four tasks in double precision: labels missing by row and by part, class and sample weights.
mtl::TensorDataset four_targets(int64_t rows) {
  auto generator = mtl::make_generator(11);
  const auto x = torch::randn({rows, 5}, generator, torch::kDouble);
  const auto half = x.select(1, 0).clone();
  half.slice(0, 0, rows, 3).fill_(std::nan(""));
  half.slice(0, 8, 16).fill_(std::nan(""));  // a part without any
  const auto kind = (x.select(1, 1) > 0).to(torch::kLong) + (x.select(1, 2) > 0.5).to(torch::kLong);
  kind.slice(0, 1, rows, 5).fill_(mtl::missing_class);
  return mtl::TensorDataset({{"x", x}},
                            {{"half", half},
                             {"kind", kind},
                             {"sum", x.sum(1)},
                             {"odd", (x.select(1, 3) > 0).to(x.dtype())}},
                            torch::rand({rows}, generator, torch::kDouble) + 0.1,
                            {{"sum", torch::rand({rows}, generator, torch::kDouble)}});
}

mtl::HardSharing four_task_model(bool normed = false) {
  torch::manual_seed(7);
  mtl::TaskRegistry tasks;
  tasks.add({.name = "half", .head = mtl::nn::LinearHead(6, 1), .loss = mtl::Huber{}});
  tasks.add({.name = "kind",
             .head = mtl::nn::LinearHead(6, 3),
             .loss = mtl::CrossEntropy{.class_weights = torch::tensor({1.0, 0.3, 2.0})}});
  tasks.add({.name = "sum", .head = mtl::nn::LinearHead(6, 1), .loss = mtl::MeanSquaredError{}});
  tasks.add({.name = "odd", .head = mtl::nn::LinearHead(6, 1), .loss = mtl::BinaryCrossEntropy{}});
  torch::nn::Sequential encoder(torch::nn::Linear(5, 6), torch::nn::Tanh());
  if (normed) encoder = torch::nn::Sequential(torch::nn::Linear(5, 6), torch::nn::BatchNorm1d(6));
  auto model = mtl::HardSharing(encoder, tasks);
  model->to(torch::kDouble);
  return model;
}

struct PartsRun {
  torch::Tensor weights;
  mtl::NamedTensors of_combiner = mtl::NamedTensors();
  mtl::TrainingRun run;
};

PartsRun run_in_parts(const std::string& combiner_text, int64_t batch_size, int64_t accumulate,
                      int64_t rows = 96) {
  auto model = four_task_model();
  const auto combiner = mtl::make_combiner(combiner_text, 4);
  torch::optim::SGD sgd(model->parameters(), 0.05);
  mtl::BatchLoader train(four_targets(rows),
                         {.batch_size = batch_size, .shuffle = true, .seed = 2});
  mtl::Trainer trainer(model, sgd, *combiner,
                       {.epochs = 2, .max_grad_norm = 1, .accumulate = accumulate});
  PartsRun result;
  result.run = trainer.fit(train);
  result.weights = flat(model);
  result.of_combiner = mtl::nn::cloned(combiner->state_dict());
  return result;
}

}  // namespace

TEST_CASE("accumulate: four batches of 8 are one of 32, for every combiner") {
  for (const auto& name : mtl::combiner_names()) {
    INFO(name);
    const std::string text = name == "fixed" ? "fixed:weights=1/0.5/2/1" : name;
    const auto whole = run_in_parts(text, 32, 1), parts = run_in_parts(text, 8, 4);
    CHECK(parts.run.steps == whole.run.steps);
    CHECK(torch::allclose(parts.weights, whole.weights, 1e-7, 1e-9));
    for (const auto& item : whole.of_combiner)
      CHECK(torch::allclose(parts.of_combiner[item.key()].to(torch::kDouble),
                            item.value().to(torch::kDouble), 1e-6, 1e-8, /*equal_nan=*/true));
    for (const auto* task : {"half", "kind", "sum", "odd"})
      CHECK(parts.run.history.last().train(task) ==
            Approx(whole.run.history.last().train(task)).epsilon(1e-9));
  }
}

TEST_CASE("accumulate: the last step of an epoch has the batches that are left") {
  const auto whole = run_in_parts("upgrad", 16, 1, 56), parts = run_in_parts("upgrad", 8, 2, 56);
  CHECK(parts.run.steps == 8);
  CHECK(torch::allclose(parts.weights, whole.weights, 1e-7, 1e-9));
}

TEST_CASE("accumulate: a combiner that compares at the representation is told why it cannot") {
  CHECK(contains(error_text([] { run_in_parts("upgrad:at=representation", 8, 2); }),
                 "parts of a batch have none in common"));
}

TEST_CASE("accumulate: BatchNorm normalizes each part by itself") {
  const auto data = four_targets(16);
  const auto parts = batches_of(data);
  REQUIRE(parts.size() == 2);
  auto model = four_task_model(true);
  torch::optim::SGD sgd(model->parameters(), 0.0);
  mtl::BatchLoader train(data, {.batch_size = 8});
  mtl::Trainer(model, sgd, mtl::Sum(), {.epochs = 1, .accumulate = 2}).fit(train);
  auto by_hand = four_task_model(true);
  by_hand->train();
  for (const auto& part : parts) by_hand->forward(part.inputs);
  CHECK(flat(model).equal(flat(by_hand)));
}

TEST_CASE("accumulate: schedules, counts and callbacks see steps") {
  struct Steps {
    std::vector<int64_t> batches;
    void on_step_end(mtl::TrainState& state) {
      CHECK(state.batches == 3);
      CHECK(state.losses->samples[2] == (state.batch == 3 ? 8 : 16));
      batches.push_back(state.batch);
    }
  } steps;
  auto model = four_task_model();
  torch::optim::SGD sgd(model->parameters(), 0.1);
  mtl::BatchLoader train(four_targets(40), {.batch_size = 8});
  mtl::Trainer trainer(model, sgd, mtl::Sum(), {.epochs = 1, .accumulate = 2});
  CHECK(trainer.fit(train, steps).steps == 3);
  CHECK(steps.batches == std::vector<int64_t>{1, 2, 3});
}

TEST_CASE("accumulate: a faulty part makes its whole step faulty") {
  const auto data = weather_like(64, 1);
  auto batches = batches_of(data);
  batches[2].inputs["x"][3][1] = std::nan("");
  const auto fit = [&](mtl::FaultyBatch faulty, std::vector<mtl::Batch> list,
                       mtl::TrainingRun& run) {
    auto model = two_task_model();
    torch::optim::SGD sgd(model->parameters(), 0.01);
    ListLoader train(std::move(list));
    mtl::Trainer trainer(model, sgd, mtl::Sum(),
                         {.epochs = 1, .accumulate = 2, .faulty_batch = faulty});
    run = trainer.fit(train);
    return flat(model);
  };
  mtl::TrainingRun run;
  const auto text = error_text([&] { fit(mtl::FaultyBatch::stop, batches, run); });
  CHECK(contains(text,
                 "epoch 1, batch 2 of 4: task \"temp\": the loss is NaN or infinite: input "
                 "\"x\" holds NaN or infinity in row 3"));
  const auto skipped = fit(mtl::FaultyBatch::skip, batches, run);
  CHECK(run.faulty_batches == 1);
  batches.erase(batches.begin() + 2, batches.begin() + 4);
  CHECK(fit(mtl::FaultyBatch::stop, batches, run).equal(skipped));
}

TEST_CASE("accumulate: an infinite gradient is found in the part that has it") {
  struct Steep {  // its loss is finite, its slope at 0 is not
    torch::Tensor operator()(const torch::Tensor& prediction, const torch::Tensor& target) const {
      const auto error = prediction.squeeze(1) * (target == 0).logical_not();
      return error.abs().sqrt();
    }
  };
  auto batches = batches_of(weather_like(16, 1));
  batches[1].targets["temp"].fill_(0);
  torch::manual_seed(3);
  mtl::TaskRegistry tasks;
  tasks.add({.name = "temp", .head = mtl::nn::LinearHead(8, 1), .loss = Steep{}});
  tasks.add({.name = "sky", .head = mtl::nn::LinearHead(8, 2), .loss = cross_entropy});
  auto model = mtl::HardSharing(mtl::nn::MlpEncoder({.input_size = 5, .hidden_sizes = {8}}), tasks);
  torch::optim::SGD sgd(model->parameters(), 0.01);
  ListLoader train(batches);
  mtl::Trainer trainer(model, sgd, mtl::Sum(), {.epochs = 1, .accumulate = 2});
  CHECK(contains(error_text([&] { trainer.fit(train); }), "task \"temp\": its gradient is NaN"));
}

TEST_CASE("accumulate: it belongs to what a run is made of, and is at least 1") {
  const TemporaryFolder folder;
  const auto fit = [&](int64_t accumulate) {
    auto model = two_task_model();
    torch::optim::SGD sgd(model->parameters(), 0.01);
    mtl::BatchLoader train(weather_like(32, 1), {.batch_size = 8});
    mtl::Trainer(model, sgd, mtl::Sum(),
                 {.epochs = 1, .accumulate = accumulate, .checkpoint = {folder.path(), true}})
        .fit(train);
  };
  fit(2);
  CHECK(contains(error_text([&] { fit(4); }), "2 batches a step"));
  CHECK(contains(error_text([&] { fit(0); }), "found accumulate 0"));
}
