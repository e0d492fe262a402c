#include <algorithm>
#include <cmath>
#include <vector>

#include "catch.hpp"
#include "complex_layer.hpp"
#include "error_text.hpp"
#include "temporary_folder.hpp"

namespace {

/// The weights after every step, as they are trained.
struct Trace {
  std::vector<torch::Tensor> weights;
  void on_step_end(mtl::TrainState& state) {
    std::vector<torch::Tensor> parts;
    for (const auto& item : mtl::nn::weights(state.model))
      parts.push_back(item.value().reshape(-1).to(torch::kDouble));
    weights.push_back(torch::cat(parts).clone());
  }
};

template <class... Callbacks>
mtl::TrainingRun averaged_run(mtl::HardSharing& model, mtl::TrainerOptions options,
                              Callbacks&&... callbacks) {
  torch::optim::SGD sgd(model->parameters(), torch::optim::SGDOptions(0.05).momentum(0.9));
  mtl::BatchLoader train(weather_like(48, 1), {.batch_size = 8, .shuffle = true});
  mtl::BatchLoader valid(weather_like(16, 2));
  mtl::Trainer trainer(model, sgd, mtl::Sum(), options);
  return trainer.fit(train, valid, std::forward<Callbacks>(callbacks)...);
}

}  // namespace

TEST_CASE("AverageWeights: the run ends with the moving average of the weights after each step") {
  for (const bool warm_up : {false, true}) {
    auto model = normed_model();  // running statistics are averaged as well
    auto average = flat(model);
    Trace trace;
    mtl::AverageWeights averaging{.decay = 0.9, .warm_up = warm_up};
    averaged_run(model, {.epochs = 2}, trace, averaging);
    REQUIRE(trace.weights.size() == 12);
    for (size_t n = 1; n <= trace.weights.size(); ++n) {
      const auto step = static_cast<double>(n);
      const double d = warm_up ? std::min(0.9, (1 + step) / (10 + step)) : 0.9;
      average = d * average + (1 - d) * trace.weights[n - 1];
    }
    // num_batches_tracked is a whole number, copied.
    const auto whole = trace.weights.back() == trace.weights.back().round();
    CHECK(torch::allclose(flat(model).masked_fill(whole, 0), average.masked_fill(whole, 0), 1e-5,
                          1e-6));
    CHECK(averaging.steps == 12);
  }
}

TEST_CASE("AverageWeights: training goes on from the weights, the validation sees the average") {
  auto plain = two_task_model(), averaged = two_task_model();
  Trace plain_trace, averaged_trace;
  const auto plain_run = averaged_run(plain, {.epochs = 3}, plain_trace);
  const auto run =
      averaged_run(averaged, {.epochs = 3}, averaged_trace, mtl::AverageWeights{.decay = 0.95});
  REQUIRE(plain_trace.weights.size() == averaged_trace.weights.size());
  for (size_t n = 0; n < plain_trace.weights.size(); ++n)
    CHECK(averaged_trace.weights[n].equal(plain_trace.weights[n]));
  CHECK(run.history.last().valid.total != plain_run.history.last().valid.total);
  // At the end the model is what the last validation has seen.
  mtl::BatchLoader valid(weather_like(16, 2));
  CHECK(mtl::validate(averaged, valid)("temp") == run.history.last().valid("temp"));
}

TEST_CASE("AverageWeights: without keep the model ends as it was trained") {
  auto plain = two_task_model(), averaged = two_task_model();
  averaged_run(plain, {.epochs = 1});
  averaged_run(averaged, {.epochs = 1}, mtl::AverageWeights{.keep = false});
  CHECK(flat(averaged).equal(flat(plain)));
}

TEST_CASE("AverageWeights: the best model is an averaged one, and has the last word") {
  auto model = two_task_model();
  const auto lowest = [](const mtl::EpochRecord& epoch) {
    return static_cast<double>(std::abs(epoch.epoch - 2));
  };
  const auto run = averaged_run(model, {.epochs = 4}, mtl::BestModel{.watch = lowest},
                                mtl::AverageWeights{.decay = 0.9});
  mtl::BatchLoader valid(weather_like(16, 2));
  CHECK(mtl::validate(model, valid)("temp") == run.history.at(2).valid("temp"));
}

TEST_CASE("AverageWeights: where nobody puts the best back, the run ends with the average") {
  const TemporaryFolder folder;
  auto alone = two_task_model(), by_task = two_task_model(), only_kept = two_task_model();
  const mtl::AverageWeights averaging{.decay = 0.9};
  averaged_run(alone, {.epochs = 2}, averaging);
  averaged_run(by_task, {.epochs = 2}, mtl::BestByTask{.folder = folder.path()}, averaging);
  averaged_run(only_kept, {.epochs = 2}, mtl::BestModel{.reload = false}, averaging);
  CHECK(flat(by_task).equal(flat(alone)));
  CHECK(flat(only_kept).equal(flat(alone)));
}

TEST_CASE("AverageWeights: a run that fails in or behind the validation ends with the best model") {
  struct Failing {
    void on_epoch_end(mtl::TrainState& state) {
      if (state.epoch == 3) throw mtl::Error("the test fails here");
    }
    void on_steps_end(mtl::TrainState& state) {
      if (state.epoch == 3 && early) throw mtl::Error("the test fails here");
    }
    bool early = false;
  };
  for (const bool early : {false, true}) {
    auto model = two_task_model();
    mtl::BestModel best;
    // Between the two the averaged weights are in the model at the epoch's end.
    const auto fails = [&] {
      if (early)
        averaged_run(model, {.epochs = 4}, best, mtl::AverageWeights{.decay = 0.9}, Failing{true});
      else
        averaged_run(model, {.epochs = 4}, best, Failing{}, mtl::AverageWeights{.decay = 0.9});
    };
    CHECK(contains(error_text(fails), "the test fails here"));
    REQUIRE_FALSE(best.weights.is_empty());
    for (const auto& item : mtl::nn::weights(*model))
      CHECK(item.value().equal(best.weights[item.key()]));
  }
}

TEST_CASE("AverageWeights: ahead of the best model, or twice, it is refused") {
  auto model = two_task_model();
  CHECK(contains(error_text([&] {
                   averaged_run(model, {.epochs = 1}, mtl::AverageWeights{}, mtl::BestModel{});
                 }),
                 "mtl::BestModel comes behind it"));
  CHECK(contains(error_text([&] {
                   averaged_run(model, {.epochs = 1}, mtl::AverageWeights{},
                                mtl::AverageWeights{.decay = 0.9});
                 }),
                 "found two of it"));
  CHECK(contains(
      error_text([&] { averaged_run(model, {.epochs = 1}, mtl::AverageWeights{.decay = 1}); }),
      "found decay 1"));
}

TEST_CASE("AverageWeights: a resumed run ends with the same bits, another decay is refused") {
  const TemporaryFolder folder;
  const auto fit = [&](const std::string& name, int64_t epochs, double decay) {
    auto model = two_task_model(0.2);
    averaged_run(model, {.epochs = epochs, .checkpoint = {folder / name, true}},
                 mtl::AverageWeights{.decay = decay});
    return flat(model);
  };
  const auto whole = fit("whole", 4, 0.9);
  fit("parts", 2, 0.9);
  CHECK(contains(error_text([&] { fit("parts", 4, 0.8); }), "decay 0.9"));
  CHECK(fit("parts", 4, 0.9).equal(whole));
}

TEST_CASE("AverageWeights: a checkpoint's averages of another shape are an error") {
  const TemporaryFolder folder;
  const auto fit = [&](int64_t epochs) {
    auto model = two_task_model();
    averaged_run(model, {.epochs = epochs, .checkpoint = {folder.path(), true}},
                 mtl::AverageWeights{});
  };
  fit(1);
  const auto file = folder / "epoch-000001.safetensors";
  mtl::io::Metadata metadata;
  mtl::NamedTensors tensors = mtl::io::read_safetensors(file, &metadata);
  std::string changed;
  for (auto& item : tensors)
    if (item.key().find(".weights.") != std::string::npos && changed.empty()) {
      changed = item.key();
      item.value() = item.value().flatten().repeat(2);
    }
  REQUIRE_FALSE(changed.empty());
  mtl::io::write_safetensors(file, tensors, {{"mtl_checkpoint", metadata.at("mtl_checkpoint")}});
  CHECK(contains(error_text([&] { fit(2); }), "has shape"));
}

TEST_CASE(
    "AverageWeights: an error between validation and the epoch's end gives the weights back") {
  struct Throws {
    torch::Tensor trained;
    void on_steps_end(mtl::TrainState&) { throw mtl::Error("on purpose"); }
  };
  auto plain = two_task_model(), averaged = two_task_model();
  averaged_run(plain, {.epochs = 1});
  CHECK(error_text([&] {
          averaged_run(averaged, {.epochs = 1}, mtl::AverageWeights{.keep = false}, Throws{});
        }) == "on purpose");
  CHECK(flat(averaged).equal(flat(plain)));
}

TEST_CASE("AverageWeights: complex weights are averaged, too") {
  struct Weights {
    std::vector<torch::Tensor> after_steps = {};
    void on_step_end(mtl::TrainState& state) {
      after_steps.push_back(state.model.named_parameters()["encoder.weight"].detach().clone());
    }
  };
  auto model = complex_model();
  auto average = complex_weight(model).detach().clone();
  Weights weights;
  complex_run(model, {.epochs = 1}, weights, mtl::AverageWeights{.decay = 0.8, .warm_up = false});
  for (const auto& weight : weights.after_steps) average = 0.8 * average + 0.2 * weight;
  CHECK(torch::allclose(complex_weight(model), average, 1e-5, 1e-6));
}

TEST_CASE("AverageWeights: in bfloat16 the average is not lost") {
  auto model = two_task_model();
  model->to(torch::kBFloat16);
  const auto fill = [&](double value) {
    const torch::NoGradGuard no_grad;
    for (auto& parameter : model->parameters()) parameter.fill_(value);
  };
  torch::optim::SGD sgd(model->parameters(), 0.1);
  mtl::Sum sum;
  std::vector<mtl::Callback> none;
  mtl::TrainState state{*model, sgd, sum, none, 1, 1000};
  mtl::AverageWeights average{.decay = 0.999, .warm_up = false};
  fill(0);
  average.on_fit_begin(state);
  fill(1);
  for (int step = 0; step < 1000; ++step) average.on_step_end(state);
  average.on_fit_end(state);
  CHECK(model->parameters()[0].scalar_type() == torch::kBFloat16);
  CHECK(model->parameters()[0].flatten()[0].item<double>() ==
        Approx(1 - std::pow(0.999, 1000)).epsilon(4e-3));
}
