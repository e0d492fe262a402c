#include <cctype>
#include <cmath>

#include "catch.hpp"
#include "device.hpp"
#include "error_text.hpp"
#include "problem.hpp"
#include "temporary_folder.hpp"
#ifdef MTL_HAS_IMAGES
#include "../data/picture_files.hpp"
#endif

using torch::Tensor;

namespace {

mtl::TensorDataset rows_of(int64_t seed, int64_t rows) {
  const mtl::Batch all = problem_batch(3 * seed, 0, torch::kCPU, torch::kDouble, rows);
  return mtl::TensorDataset(all.inputs, all.targets);
}

/// Labels missing here and there.
mtl::TensorDataset gappy_rows(int64_t rows) {
  const mtl::Batch all = problem_batch(2, 0, torch::kCPU, torch::kDouble, rows);
  return mtl::TensorDataset(all.inputs, all.targets);
}

mtl::HardSharing model_with_metrics(torch::Device device) {
  torch::manual_seed(7);
  mtl::TaskRegistry tasks;
  for (mtl::Task task : problem_tasks(16)) {
    if (task.name == "kind") task.metrics = {mtl::Accuracy{}, mtl::F1{}};
    if (task.name == "rain") task.metrics = {mtl::RocAuc{}, mtl::Accuracy{}};
    if (task.name == "price") task.metrics = {mtl::R2{}, mtl::Mae{}};
    tasks.add(task);
  }
  mtl::HardSharing model(
      mtl::nn::MlpEncoder({.input_size = problem_inputs, .hidden_sizes = {24, 16}}), tasks);
  model->to(device, torch::kDouble);
  return model;
}

struct Trained {
  mtl::TrainingRun run;
  Tensor weights;
};

Trained train(torch::Device device, int64_t epochs, const std::filesystem::path& checkpoint = {},
              bool resume = false, bool prefetch = false) {
  auto model = model_with_metrics(device);
  torch::optim::Adam adam(model->parameters(), torch::optim::AdamOptions(5e-3));
  const auto combiner = mtl::make_combiner("gradnorm", model->tasks());
  mtl::BatchLoader batches(rows_of(1, 64), {.batch_size = 16, .shuffle = true, .seed = 4});
  mtl::BatchLoader valid(gappy_rows(40), {.batch_size = 16});
  mtl::Trainer trainer(model, adam, *combiner,
                       {.epochs = epochs, .max_grad_norm = 1.0, .device = device});
  std::vector<mtl::Callback> callbacks;
  callbacks.emplace_back(mtl::StepLr{.step_size = 2, .gamma = 0.5});
  callbacks.emplace_back(mtl::BestModel{});
  callbacks.emplace_back(mtl::EarlyStopping{.patience = 50});
  if (!checkpoint.empty())
    callbacks.emplace_back(mtl::Checkpointing{.directory = checkpoint, .resume = resume});
  mtl::Prefetch ahead(batches, {.device = device});
  Trained trained;
  trained.run = prefetch ? trainer.fit(ahead, valid, std::move(callbacks))
                         : trainer.fit(batches, valid, std::move(callbacks));
  trained.weights = flat_on_cpu(model->parameters());
  return trained;
}

/// Equal up to rounding that training has carried on; NaN: no label, on both sides.
bool alike(double x, double y) {
  return (std::isnan(x) && std::isnan(y)) || std::abs(x - y) <= 1e-8 * (1 + std::abs(x));
}

void check_alike(const Trained& a, const Trained& b) {
  REQUIRE(a.run.history.epochs.size() == b.run.history.epochs.size());
  for (size_t e = 0; e < a.run.history.epochs.size(); ++e) {
    const auto &x = a.run.history.epochs[e], &y = b.run.history.epochs[e];
    INFO("epoch " << e + 1);
    for (size_t t = 0; t < x.train.losses.size(); ++t) {
      CHECK(alike(x.train.losses[t], y.train.losses[t]));
      CHECK(alike(x.valid.losses[t], y.valid.losses[t]));
      for (size_t m = 0; m < x.valid.metrics[t].size(); ++m)
        CHECK(alike(x.valid.metrics[t][m], y.valid.metrics[t][m]));
    }
  }
  CHECK(a.weights.allclose(b.weights, 1e-6, 1e-8));
}

}  // namespace

TEST_CASE("Trainer, callbacks and metrics with a model on the device: the CPU's run") {
  const auto device = test_device();
  if (!device) return;
  const Trained here = train(torch::kCPU, 5), there = train(*device, 5);
  check_alike(here, there);
  CHECK(here.run.best_epoch == there.run.best_epoch);
  CHECK(there.run.history.epochs.back().train.total < there.run.history.epochs.front().train.total);
  check_alike(there, train(*device, 5, {}, false, /*prefetch=*/true));
}

TEST_CASE("A run on the device that was cut off goes on from its checkpoint, there or on the CPU") {
  const auto device = test_device();
  if (!device) return;
  const Trained whole = train(*device, 6);
  for (const auto second : {*device, torch::Device(torch::kCPU)}) {
    INFO("second half on " << second.str());
    TemporaryFolder folder;
    train(*device, 3, folder.path());
    check_alike(whole, train(second, 6, folder.path(), /*resume=*/true));
  }
}

TEST_CASE("predict and validate with a model on the device: the CPU's answers, on the CPU") {
  const auto device = test_device();
  if (!device) return;
  mtl::BatchLoader loader(gappy_rows(40), {.batch_size = 16});
  auto here = model_with_metrics(torch::kCPU), there = model_with_metrics(*device);
  const auto expected = mtl::predict(*here, loader), found = mtl::predict(*there, loader);
  for (const auto& item : expected.predictions) {
    REQUIRE(found.predictions[item.key()].is_cpu());
    CHECK(found.predictions[item.key()].allclose(item.value(), 1e-10, 1e-12));
  }
  for (const auto& item : expected.targets) CHECK(found.targets[item.key()].is_cpu());
}

TEST_CASE("Weights saved on the device load on the CPU") {
  const auto device = test_device();
  if (!device) return;
  TemporaryFolder folder;
  auto there = model_with_metrics(*device);
  mtl::io::write_safetensors(folder / "model.safetensors", mtl::nn::weights(*there));
  const auto read = mtl::io::read_safetensors(folder / "model.safetensors");
  for (const auto& item : mtl::nn::weights(*there))
    CHECK(read[item.key()].equal(item.value().cpu()));
}

TEST_CASE("A batch on another device than the model is a named Error") {
  const auto device = test_device();
  if (!device) return;
  auto model = model_with_metrics(*device);
  const mtl::Batch good = problem_batch(0, 0, *device, torch::kDouble);
  const mtl::Batch wrong = mtl::to(good, wrong_for(*device));
  const std::string wrong_name = wrong_for(*device).str();
  std::string input = error_text([&] { model->forward(wrong.inputs); });
  INFO(input);
  CHECK(contains(input, "\"x\""));
  for (char& c : input) c = static_cast<char>(std::tolower(c));  // LibTorch 1 says 'Meta'
  CHECK(contains(input, wrong_name));
  const auto predictions = model->forward(good.inputs);
  const std::string target = error_text([&] { mtl::task_losses(*model, predictions, wrong); });
  INFO(target);
  CHECK(contains(target, "task \"price\""));
  CHECK(contains(target, wrong_name));
}

#ifdef MTL_HAS_IMAGES
TEST_CASE("Pictures from files, read ahead, through a convolutional net on the device") {
  const auto device = test_device();
  if (!device) return;
  TemporaryFolder folder;
  std::vector<std::filesystem::path> files;
  for (int i = 0; i < 12; ++i) {
    const std::string kind = i % 2 == 0 ? "rgb.png" : "rgb.jpg";
    files.push_back(
        write_bytes(folder / (std::to_string(i) + kind.substr(3)), picture_bytes(kind)));
  }
  const auto trained = [&](torch::Device where) {
    torch::manual_seed(2);
    mtl::TaskRegistry tasks;
    tasks.add({.name = "side", .head = mtl::nn::LinearHead(8, 2), .loss = mtl::CrossEntropy{}});
    tasks.add(
        {.name = "shade", .head = mtl::nn::LinearHead(8, 1), .loss = mtl::MeanSquaredError{}});
    mtl::HardSharing model(mtl::nn::CnnEncoder({.channels = {8}}), tasks);
    model->to(where);
    torch::optim::SGD sgd(model->parameters(), 0.05);
    mtl::KendallUncertainty combiner(tasks);
    mtl::ImageDataset data(
        files, {{"side", torch::arange(12).remainder(2)}, {"shade", torch::linspace(0, 1, 12)}});
    mtl::ImageLoader loader(
        data, {.batch_size = 4,
               .seed = 1,
               .transform = mtl::images::Compose{{mtl::images::RandomResizedCrop{12, 12},
                                                  mtl::images::Flip{}}},
               .workers = 2});
    mtl::Prefetch train(loader, {.device = where});
    mtl::Trainer trainer(model, sgd, combiner, {.epochs = 3, .device = where});
    return trainer.fit(train);
  };
  const auto here = trained(torch::kCPU), there = trained(*device);
  for (size_t t = 0; t < 2; ++t)
    CHECK(there.history.epochs.back().train.losses[t] ==
          Approx(here.history.epochs.back().train.losses[t]).epsilon(1e-3));
}
#endif
