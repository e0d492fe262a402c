#include <csignal>

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/combine/combine.hpp"
#include "mtl/core/core.hpp"
#include "mtl/data/data.hpp"
#include "mtl/io/io.hpp"
#include "mtl/nn/nn.hpp"
#include "mtl/sharing/sharing.hpp"
#include "mtl/train/optimizer_state.hpp"
#include "mtl/train/train.hpp"
#include "some_parts.hpp"
#include "temporary_folder.hpp"

namespace {

/// Minimises the plain sum.
struct Sum : mtl::LossCombiner {
  torch::Tensor combine(const mtl::TaskLosses& losses) override {
    return torch::stack(losses.values).sum();
  }
};

/// A combiner with something to learn and something to remember.
struct Learned : mtl::LossCombiner {
  torch::Tensor s = torch::zeros({2}, torch::requires_grad());
  torch::Tensor combine(const mtl::TaskLosses& losses) override {
    return (torch::exp(-s) * torch::stack(losses.values)).sum() + 0.5 * s.sum();
  }
  std::vector<torch::Tensor> parameters() override { return {s}; }
  mtl::NamedTensors state_dict() const override { return {{"s", s}}; }
  void load_state_dict(const mtl::NamedTensors& state) override {
    torch::NoGradGuard no_grad;
    s.copy_(state["s"]);
  }
};

torch::Tensor cross_entropy(const torch::Tensor& prediction, const torch::Tensor& target) {
  return torch::nn::functional::cross_entropy(
      prediction, target, torch::nn::functional::CrossEntropyFuncOptions().reduction(torch::kNone));
}

mtl::TensorDataset weather_like(int64_t rows, uint64_t seed) {
  auto generator = mtl::make_generator(seed);
  const auto x = torch::randn({rows, 5}, generator);
  return mtl::TensorDataset({{"x", x}}, {{"temp", x.select(1, 0) * 2 + x.select(1, 1)},
                                         {"sky", (x.select(1, 2) > 0).to(torch::kLong)}});
}

mtl::HardSharing two_task_model(double dropout = 0.0) {
  torch::manual_seed(3);
  mtl::TaskRegistry tasks;
  tasks.add({.name = "temp",
             .head = mtl::nn::LinearHead(8, 1),
             .loss = squared_error,
             .metrics = {MeanError{}}});
  tasks.add({.name = "sky", .head = mtl::nn::LinearHead(8, 2), .loss = cross_entropy});
  return mtl::HardSharing(
      mtl::nn::MlpEncoder({.input_size = 5, .hidden_sizes = {8}, .dropout = dropout}), tasks);
}

struct CountSteps {
  int64_t* steps;
  void on_step_end(mtl::TrainState& state) { *steps = state.step; }
};

torch::Tensor flat(const mtl::HardSharing& model) {
  std::vector<torch::Tensor> parts;
  for (const auto& item : mtl::nn::weights(*model))
    parts.push_back(item.value().reshape(-1).to(torch::kDouble));
  return torch::cat(parts);
}

}  // namespace

TEST_CASE("Trainer: the same bits as a loop written by hand") {
  const auto data = weather_like(50, 1);
  auto model = two_task_model();
  torch::optim::Adam adam(model->parameters(), 1e-2);
  Sum sum;
  mtl::BatchLoader loader(data, {.batch_size = 16, .shuffle = true, .seed = 4});
  mtl::Trainer trainer(model, adam, sum, {.epochs = 3, .max_grad_norm = 0.5});
  trainer.fit(loader);

  auto by_hand = two_task_model();
  torch::optim::Adam its_adam(by_hand->parameters(), 1e-2);
  mtl::BatchLoader its_loader(data, {.batch_size = 16, .shuffle = true, .seed = 4});
  for (int64_t epoch = 0; epoch < 3; ++epoch) {
    its_loader.start_epoch(epoch);
    mtl::Batch batch;
    while (its_loader.next(batch)) {
      its_adam.zero_grad();
      const auto out = by_hand->forward(batch.inputs);
      auto loss = squared_error(out["temp"], batch.targets["temp"]).mean() +
                  cross_entropy(out["sky"], batch.targets["sky"]).mean();
      loss.backward();
      torch::nn::utils::clip_grad_norm_(by_hand->parameters(), 0.5);
      its_adam.step();
    }
  }
  CHECK(flat(model).equal(flat(by_hand)));
}

TEST_CASE(
    "Trainer: history holds the mean loss of each task over its labelled samples, and the "
    "metrics") {
  auto data = weather_like(20, 1);
  auto temp = data.targets()["temp"].clone();
  temp.slice(0, 0, 15) = std::nan("");  // the first batch of 8 has no label for this task at all
  mtl::TensorDataset valid(data.inputs(), {{"temp", temp}, {"sky", data.targets()["sky"]}});
  auto model = two_task_model();
  torch::optim::SGD sgd(model->parameters(), 0.1);
  Sum sum;
  mtl::BatchLoader train_loader(data), valid_loader(valid, {.batch_size = 8});
  mtl::Trainer trainer(model, sgd, sum, {.epochs = 1});
  const auto run = trainer.fit(train_loader, valid_loader);

  torch::NoGradGuard no_grad;
  const auto out = model->forward(valid.inputs());
  const auto& record = run.history.epochs.at(0).valid;
  const auto p = out["temp"].slice(0, 15), t = temp.slice(0, 15);
  CHECK(record.losses[0] == Approx(squared_error(p, t).mean().item<double>()));
  CHECK(record.losses[1] ==
        Approx(cross_entropy(out["sky"], data.targets()["sky"]).mean().item<double>()));
  CHECK(record.total == Approx(record.losses[0] + record.losses[1]));
  CHECK(record.metrics[0][0] == Approx(MeanError{}(p, t)));
  CHECK(run.best_epoch == 1);
  CHECK(run.stop_reason == "all 1 epochs done");
}

TEST_CASE("Trainer: a task without any label in a batch is left out and its head stays as it is") {
  auto data = weather_like(8, 1);
  mtl::TensorDataset without(
      data.inputs(), {{"temp", torch::full({8}, std::nan(""))}, {"sky", data.targets()["sky"]}});
  auto model = two_task_model();
  const auto before = model->task_parameters("temp")[0].detach().clone();
  torch::optim::SGD sgd(model->parameters(), 0.1);
  Sum sum;
  mtl::BatchLoader loader(without);
  const auto run = mtl::Trainer(model, sgd, sum, {.epochs = 2}).fit(loader);
  CHECK(model->task_parameters("temp")[0].equal(before));
  CHECK(std::isnan(run.history.epochs[0].train.losses[0]));
  CHECK(run.history.epochs[1].train.losses[1] < run.history.epochs[0].train.losses[1]);
}

TEST_CASE("Trainer: learnable parameters of the combiner are a group of the optimizer") {
  auto model = two_task_model();
  torch::optim::SGD sgd(model->parameters(), 0.1);
  Learned learned;
  mtl::Trainer trainer(model, sgd, learned, {.epochs = 1});
  REQUIRE(sgd.param_groups().size() == 2);
  mtl::BatchLoader loader(weather_like(16, 1));
  trainer.fit(loader);
  CHECK(learned.s.abs().sum().item<double>() > 0);
}

TEST_CASE("Trainer: a run that was stopped and resumed ends with the same bytes") {
  const auto data = weather_like(60, 1), held_out = weather_like(20, 2);
  const auto run_to = [&](const std::filesystem::path& folder, int64_t stop_after, bool resume) {
    auto model = two_task_model(0.3);
    torch::manual_seed(resume ? 99 : 5);  // a resumed process starts with another generator state
    torch::optim::AdamW adam(model->parameters(), 1e-2);
    Learned learned;
    mtl::BatchLoader train(data, {.batch_size = 16, .shuffle = true, .seed = 4}), valid(held_out);
    mtl::Trainer trainer(model, adam, learned, {.epochs = 6});
    const auto run =
        trainer.fit(train, valid, mtl::EarlyStopping{.patience = 3},
                    mtl::BestModel{.file = folder / "best.safetensors"},
                    mtl::StepLr{.step_size = 2, .gamma = 0.5}, StopAfterEpoch{stop_after},
                    mtl::Checkpointing{.directory = folder / "checkpoint", .resume = resume});
    return std::pair{run.history.csv(), flat(model)};
  };
  TemporaryFolder whole, parted;
  const auto straight = run_to(whole.path(), 0, false);
  const auto first = run_to(parted.path(), 3, false);
  CHECK(first.first != straight.first);
  const auto resumed = run_to(parted.path(), 0, true);
  CHECK(resumed.first == straight.first);
  CHECK(resumed.second.equal(straight.second));
  for (const char* file :
       {"best.safetensors", "checkpoint/checkpoint.json", "checkpoint/epoch-000006.safetensors"})
    CHECK(mtl::io::read_file(whole.path() / file) == mtl::io::read_file(parted.path() / file));
}

TEST_CASE("Trainer: Adam, AdamW, SGD, RMSprop and Adagrad resume from their saved state") {
  const auto check = [](auto make) {
    auto model = two_task_model(), copy = two_task_model();
    auto optimizer = make(model->parameters()), fresh = make(copy->parameters());
    Sum sum;
    mtl::BatchLoader loader(weather_like(16, 1));
    mtl::Trainer(model, optimizer, sum, {.epochs = 3}).fit(loader);
    mtl::nn::load_weights(*copy, mtl::nn::weights(*model));
    mtl::load_optimizer_state(fresh, mtl::optimizer_state(optimizer));
    mtl::Trainer(model, optimizer, sum, {.epochs = 2}).fit(loader);
    mtl::Trainer(copy, fresh, sum, {.epochs = 2}).fit(loader);
    CHECK(flat(model).equal(flat(copy)));
  };
  using Parameters = std::vector<torch::Tensor>;
  check([](Parameters p) {
    return torch::optim::Adam(std::move(p), torch::optim::AdamOptions(0.01).amsgrad(true));
  });
  check([](Parameters p) { return torch::optim::AdamW(std::move(p)); });
  check([](Parameters p) {
    return torch::optim::SGD(std::move(p), torch::optim::SGDOptions(0.01).momentum(0.9));
  });
  check([](Parameters p) {
    return torch::optim::RMSprop(std::move(p),
                                 torch::optim::RMSpropOptions(0.01).momentum(0.5).centered(true));
  });
  check([](Parameters p) {
    return torch::optim::Adagrad(std::move(p), torch::optim::AdagradOptions(0.01));
  });
}

TEST_CASE("Checkpoint: a damaged or foreign one is an error that names the file") {
  TemporaryFolder folder;
  const auto fit = [&](auto& model, bool resume) {
    torch::optim::Adam adam(model->parameters(), 1e-2);
    Sum sum;
    mtl::BatchLoader loader(weather_like(16, 1));
    mtl::Trainer(model, adam, sum, {.epochs = 1})
        .fit(loader, mtl::NoValidation{},
             mtl::Checkpointing{.directory = folder.path(), .resume = resume});
  };
  auto model = two_task_model();
  fit(model, false);
  const auto json = folder.path() / "checkpoint.json",
             tensors = folder.path() / "epoch-000001.safetensors";
  SECTION("cut JSON") {
    mtl::io::write_file_atomically(json, mtl::io::read_file(json).substr(0, 40));
    CHECK(error_text([&] { fit(model, true); }).find("checkpoint.json") != std::string::npos);
  }
  SECTION("JSON without a key") {
    mtl::io::write_file_atomically(json, "{\"format\": 1}");
    CHECK(error_text([&] { fit(model, true); }).find("checkpoint.json") != std::string::npos);
  }
  SECTION("cut tensors") {
    mtl::io::write_file_atomically(tensors, mtl::io::read_file(tensors).substr(0, 100));
    CHECK(error_text([&] { fit(model, true); }).find("epoch-000001") != std::string::npos);
  }
  SECTION("missing tensors") {
    std::filesystem::remove(tensors);
    CHECK(error_text([&] { fit(model, true); }).find("epoch-000001") != std::string::npos);
  }
  SECTION("another model") {
    mtl::TaskRegistry tasks;
    tasks.add({.name = "temp",
               .head = mtl::nn::LinearHead(4, 1),
               .loss = squared_error,
               .metrics = {MeanError{}}});
    tasks.add({.name = "sky", .head = mtl::nn::LinearHead(4, 2), .loss = cross_entropy});
    mtl::HardSharing other(mtl::nn::MlpEncoder({.input_size = 5, .hidden_sizes = {4}}), tasks);
    CHECK(error_text([&] { fit(other, true); }).find("another model") != std::string::npos);
  }
}

TEST_CASE("Trainer: NaN and infinity stop the run and the text says what was at fault") {
  auto model = two_task_model();
  torch::optim::SGD sgd(model->parameters(), 0.1);
  Sum sum;
  auto data = weather_like(8, 1);
  auto x = data.inputs()["x"].clone(), temp = data.targets()["temp"].clone();
  const auto text = [&](mtl::TrainerOptions options) {
    mtl::TensorDataset faulty({{"x", x}}, {{"temp", temp}, {"sky", data.targets()["sky"]}});
    mtl::BatchLoader loader(faulty, {.batch_size = 4});
    return error_text([&] { mtl::Trainer(model, sgd, sum, options).fit(loader); });
  };
  const auto holds = [](const std::string& whole, std::initializer_list<const char*> parts) {
    INFO(whole);
    for (const char* part : parts) CHECK(whole.find(part) != std::string::npos);
  };
  SECTION("input") {
    x[5][0] = std::nan("");
    holds(text({.epochs = 1}), {"epoch 1, batch 2 of 2", "task \"temp\"", "input \"x\"", "row 1"});
  }
  SECTION("target") {
    temp[2] = std::numeric_limits<float>::infinity();
    holds(text({.epochs = 1}),
          {"batch 1 of 2", "task \"temp\"", "target \"temp\" holds infinity in row 2"});
  }
  SECTION("prediction") {
    temp *= 0;
    {
      torch::NoGradGuard no_grad;
      model->task_parameters("temp")[0].fill_(3e38);
    }
    holds(text({.epochs = 1}), {"task \"temp\"", "prediction"});
  }
  SECTION("gradient") {
    mtl::TaskRegistry tasks;
    // sqrt of zero: the loss is finite, its gradient is not
    tasks.add({.name = "root",
               .head = mtl::nn::LinearHead(8, 1),
               .loss = [](const torch::Tensor& p, const torch::Tensor& t) -> torch::Tensor {
                 return (p.squeeze(1) - p.squeeze(1).detach() + 0 * t).sqrt();
               },
               .target = "temp"});
    mtl::HardSharing rooted(mtl::nn::MlpEncoder({.input_size = 5, .hidden_sizes = {8}}), tasks);
    torch::optim::SGD its_sgd(rooted->parameters(), 0.1);
    mtl::BatchLoader loader(data, {.batch_size = 4});
    const auto before = flat(rooted);
    holds(error_text([&] {
            mtl::Trainer(rooted, its_sgd, sum, {.epochs = 1, .max_grad_norm = 1.0}).fit(loader);
          }),
          {"batch 1 of 2", "task \"root\"", "gradient"});
    CHECK(flat(rooted).equal(before));
  }
  SECTION("skipped on demand") {
    x[5][0] = std::nan("");
    mtl::TensorDataset faulty({{"x", x}}, {{"temp", temp}, {"sky", data.targets()["sky"]}});
    mtl::BatchLoader loader(faulty, {.batch_size = 4});
    const auto run =
        mtl::Trainer(model, sgd, sum, {.epochs = 3, .faulty_batch = mtl::FaultyBatch::skip})
            .fit(loader);
    CHECK(run.faulty_batches == 3);
    CHECK(flat(model).isfinite().all().item<bool>());
  }
}

TEST_CASE("Callback: one given by name is used in place, one given as a value is kept") {
  auto model = two_task_model();
  torch::optim::SGD sgd(model->parameters(), 0.1);
  Sum sum;
  mtl::BatchLoader loader(weather_like(8, 1), {.batch_size = 4});
  mtl::EarlyStopping stopping{.patience = 5};
  int64_t steps = 0;
  mtl::Trainer(model, sgd, sum, {.epochs = 2}).fit(loader, loader, stopping, CountSteps{&steps});
  CHECK(std::isfinite(stopping.best.value));
  CHECK(steps == 4);
}

TEST_CASE("Trainer: options that make no sense are errors when it is made") {
  auto model = two_task_model();
  torch::optim::SGD sgd(model->parameters(), 0.1);
  Sum sum;
  CHECK_THROWS_AS(mtl::Trainer(model, sgd, sum, {.epochs = 0}), mtl::Error);
  CHECK_THROWS_AS(mtl::Trainer(model, sgd, sum, {.max_grad_norm = -1}), mtl::Error);
}
