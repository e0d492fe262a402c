#include "mtl/train/loss_scaling.hpp"

#include <string>
#include <vector>

#include "catch.hpp"
#include "error_text.hpp"
#include "temporary_folder.hpp"
#include "two_task_problem.hpp"

// Losses scaled while gradients are computed: on the CPU, in float32 or through casts to float16.

// What has a short name here is no other test's business where several are one translation unit.
namespace loss_scaling {
namespace {

namespace fs = std::filesystem;

struct Outcome {
  mtl::TrainingRun run;
  torch::Tensor weights;
  double scale = 0;
};

/// Notes the scale at the end, and what a step that was skipped left of the weights.
struct Notes {
  double* scale;
  void on_fit_end(mtl::TrainState& state) const { *scale = state.loss_scale.value; }
};

/// A regression whose prediction's gradient passes through float16, `steepness` times as large.
mtl::HardSharing half_model(double steepness) {
  torch::manual_seed(3);
  mtl::TaskRegistry tasks;
  tasks.add({.name = "temp",
             .head = mtl::nn::LinearHead(8, 1),
             .loss = [steepness](const torch::Tensor& p, const torch::Tensor& t) {
               const auto cast = p.squeeze(1).to(torch::kHalf).to(torch::kFloat);
               return (cast - t).square() * steepness;
             }});
  return mtl::HardSharing(mtl::nn::MlpEncoder({.input_size = 5, .hidden_sizes = {8}}), tasks);
}

Outcome trained(mtl::HardSharing model, const std::string& combiner_text,
                const mtl::TrainerOptions& options) {
  Outcome outcome;
  torch::optim::SGD optimizer(model->parameters(), torch::optim::SGDOptions(1e-3).momentum(0.5));
  auto combiner = mtl::make_combiner(combiner_text, model->tasks());
  auto data = weather_like(40, 1);
  if (model->tasks().size() == 1)
    data = mtl::TensorDataset(data.inputs(), {{"temp", data.targets()["temp"]}});
  mtl::BatchLoader train(data, {.batch_size = 8, .shuffle = true, .seed = 2});
  outcome.run = mtl::Trainer(model, optimizer, std::move(combiner), options)
                    .fit(train, Notes{&outcome.scale});
  outcome.weights = flat(model);
  return outcome;
}

mtl::TrainerOptions scaled_from(double start, int64_t epochs = 3) {
  return {.epochs = epochs, .max_grad_norm = 1, .loss_scaling = mtl::LossScaling{.start = start}};
}

}  // namespace

TEST_CASE(
    "LossScaling: a scale in float32 changes no bit, with parts of a batch and clipping too") {
  for (const std::string text :
       {"sum", "kendall", "famo", "upgrad", "graddrop", "moml", "mgda:at=representation"}) {
    INFO(text);
    const auto high = trained(two_task_model(0.2), text, scaled_from(65536)),
               low = trained(two_task_model(0.2), text, scaled_from(8)),
               none = trained(two_task_model(0.2), text, {.epochs = 3, .max_grad_norm = 1});
    CHECK(torch::equal(high.weights, low.weights));
    CHECK(torch::allclose(high.weights, none.weights, 1e-5, 1e-6));
    CHECK(high.run.overflowed_steps == 0);
    CHECK(high.scale == 65536);
  }
  auto parts = scaled_from(1024), others = scaled_from(16);
  for (mtl::TrainerOptions* options : {&parts, &others}) {
    options->accumulate = 2;
    options->max_task_grad_norm = 0.5;
  }
  CHECK(torch::equal(trained(two_task_model(), "upgrad", parts).weights,
                     trained(two_task_model(), "upgrad", others).weights));
}

TEST_CASE("LossScaling: steps beyond float16's range are skipped and said") {
  // Gradients of some 100 a row: up to a scale of some 500 they fit.
  const auto rough = trained(half_model(400), "sum", scaled_from(65536, 6));
  CHECK(rough.run.overflowed_steps >= 3);
  CHECK(rough.run.overflowed_steps < 12);
  CHECK(rough.scale == 65536 / std::exp2(rough.run.overflowed_steps));
  CHECK(contains(rough.run.brief(), "skipped for the loss scale's overflow"));
  CHECK(rough.run.faulty_batches == 0);
  CHECK(std::isfinite(rough.run.history.last().train.total));
  CHECK(rough.run.history.last().train.total < rough.run.history.at(3).train.total);
  CHECK(rough.weights.isfinite().all().item<bool>());
}

TEST_CASE("LossScaling: a skipped step leaves weights, momentum and dropout as they were") {
  // The first step at the height overflows once, then all is as in a run that began lower.
  auto model = half_model(400);
  const torch::Tensor before = flat(model);
  auto options = scaled_from(65536, 1);
  options.loss_scaling->backoff = 1.0 / 65536;  // the first overflow ends them
  const auto once = trained(model, "sum", options);
  CHECK(once.run.overflowed_steps == 1);
  CHECK(once.scale == 1);
  // The same by hand: the four batches behind the first.
  auto other = half_model(400);
  torch::optim::SGD optimizer(other->parameters(), torch::optim::SGDOptions(1e-3).momentum(0.5));
  auto data = weather_like(40, 1);
  mtl::BatchLoader train(mtl::TensorDataset(data.inputs(), {{"temp", data.targets()["temp"]}}),
                         {.batch_size = 8, .shuffle = true, .seed = 2});
  train.start_epoch(0);
  mtl::Batch batch;
  train.next(batch);
  while (train.next(batch)) {
    optimizer.zero_grad();
    mtl::task_losses(*other, other->forward(batch.inputs), batch).values[0].backward();
    torch::nn::utils::clip_grad_norm_(other->parameters(), 1);
    optimizer.step();
  }
  CHECK(torch::allclose(once.weights, flat(other), 1e-6, 1e-7));
  CHECK_FALSE(torch::equal(once.weights, before));
}

TEST_CASE("LossScaling: at its least the gradient is a fault, with its cause") {
  auto options = scaled_from(4);
  options.loss_scaling->least = 4;
  // 1e6 is beyond float16 whatever the scale.
  const std::string text = error_text([&] { trained(half_model(1e6), "sum", options); });
  INFO(text);
  CHECK(contains(text, "task \"temp\": its gradient is NaN or infinite"));
  options.faulty_batch = mtl::FaultyBatch::skip;
  options.loss_scaling->start = 16;
  // Two steps of the first epoch are taken for overflows, all others for faults.
  const std::string later = error_text([&] { trained(half_model(1e6), "sum", options); });
  INFO(later);
  CHECK(contains(later, "epoch 2: no batch led to a step"));
}

TEST_CASE("LossScaling: the scale grows after good steps and falls after an overflow") {
  mtl::LossScale scale{.value = 8, .options = mtl::LossScaling{.start = 8, .growth_interval = 2}};
  scale.made_step();
  CHECK(scale.value == 8);
  scale.made_step();
  CHECK(scale.value == 16);
  scale.made_step();
  CHECK(scale.overflowed());  // and the good step before it is forgotten
  scale.made_step();
  CHECK(scale.value == 8);
  scale.made_step();
  CHECK(scale.value == 16);
  for (int falls = 0; falls < 4; ++falls) CHECK(scale.overflowed());
  CHECK(scale.value == 1);
  CHECK_FALSE(scale.overflowed());
  CHECK(scale.overflows == 5);
  mtl::LossScale off;
  off.made_step();
  CHECK_FALSE(off.overflowed());
  CHECK(off.value == 1);
}

TEST_CASE("LossScaling: a resumed run has the scale and ends with the same bits") {
  const auto whole = trained(half_model(400), "sum", scaled_from(65536, 4));
  const TemporaryFolder folder;
  auto first = scaled_from(65536, 1), then = scaled_from(65536, 4);
  first.checkpoint = {.directory = folder.path()};
  then.checkpoint = {.directory = folder.path(), .resume = true};
  trained(half_model(400), "sum", first);
  const auto resumed = trained(half_model(400), "sum", then);
  CHECK(torch::equal(resumed.weights, whole.weights));
  CHECK(resumed.scale == whole.scale);
  CHECK(resumed.run.overflowed_steps == whole.run.overflowed_steps);
  auto plain = then;
  plain.loss_scaling.reset();
  CHECK(contains(error_text([&] { trained(half_model(400), "sum", plain); }), "losses scaled"));
}

TEST_CASE("LossScaling: a run that goes on within an epoch knows the overflows before it") {
  struct CutAtStep7 {
    void on_step_begin(mtl::TrainState& state) const {
      if (state.step == 7 && !state.resumed) throw mtl::Error("the test cuts it off here");
    }
  };
  // Of 5 batches an epoch two overflow in the first, all others are faults.
  const TemporaryFolder folder;
  auto options = scaled_from(16, 2);
  options.loss_scaling->least = 4;
  options.faulty_batch = mtl::FaultyBatch::skip;
  options.checkpoint = {.directory = folder.path(), .every_steps = 1};
  const auto run = [&] {
    auto model = half_model(1e6);
    torch::optim::SGD sgd(model->parameters(), 1e-3);
    const auto data = weather_like(40, 1);
    mtl::BatchLoader train(mtl::TensorDataset(data.inputs(), {{"temp", data.targets()["temp"]}}),
                           {.batch_size = 8});
    return error_text(
        [&] { mtl::Trainer(model, sgd, mtl::Sum(), options).fit(train, CutAtStep7{}); });
  };
  CHECK(contains(run(), "cuts it off"));
  options.checkpoint.resume = true;
  CHECK(contains(run(), "epoch 2: no batch led to a step"));
}

TEST_CASE("LossScaling: options that make no sense are errors") {
  const auto text = [](mtl::LossScaling scaling) {
    return error_text([&] { mtl::TrainerOptions{.loss_scaling = scaling}.check_options(); });
  };
  CHECK(contains(text({.start = 0.5}), "start 0.5"));
  CHECK(contains(text({.growth = 0.5}), "growth 0.5"));
  CHECK(contains(text({.backoff = 1}), "backoff 1"));
  CHECK(contains(text({.growth_interval = 0}), "growth_interval 0"));
  CHECK(contains(text({.least = 0}), "least 0"));
  CHECK(contains(error_text([] {
                   mtl::TrainerOptions{.arithmetic = mtl::Arithmetic::float16}.check_options();
                 }),
                 "float16 on the CPU"));
}

}  // namespace loss_scaling
