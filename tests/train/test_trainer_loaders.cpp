#include "catch.hpp"
#include "error_text.hpp"
#include "two_task_problem.hpp"

// An epoch that saw less than it should is an error that says which.

namespace {

std::string loader_error(mtl::LoaderRef train, const mtl::LoaderRef* valid = nullptr,
                         std::vector<mtl::Callback> callbacks = {}) {
  auto model = two_task_model();
  torch::optim::SGD sgd(model->parameters(), 0.01);
  mtl::Sum sum;
  mtl::Trainer trainer(model, sgd, sum, {.epochs = 3});
  return error_text([&] {
    if (valid != nullptr)
      trainer.fit(train, *valid, callbacks);
    else
      trainer.fit(train, callbacks);
  });
}

/// Gives its batches once, whatever epoch is asked for.
struct ExhaustedLoader : ListLoader {
  using ListLoader::ListLoader;
  void start_epoch(int64_t) {}
};

struct ValidatesOnTrainingLoader {
  mtl::BatchLoader* loader;
  void on_step_end(mtl::TrainState& state) {
    if (state.batch == 2) mtl::validate(state.model, *loader);
  }
};

/// Adds to a batch what it has, and touches nothing else.
struct AddingLoader : ListLoader {
  using ListLoader::ListLoader;
  bool next(mtl::Batch& batch) {
    mtl::Batch own;
    if (!ListLoader::next(own)) return false;
    for (const auto& input : own.inputs) batch.inputs.insert(input.key(), input.value());
    for (const auto& target : own.targets) batch.targets.insert(target.key(), target.value());
    if (own.sample_weights.defined()) batch.sample_weights = own.sample_weights;
    return true;
  }
};

struct NoBatches {
  int64_t batches() const { return 0; }
  int64_t samples() const { return 0; }
  void start_epoch(int64_t) {}
  bool next(mtl::Batch&) { return false; }
};

}  // namespace

TEST_CASE("Trainer: a loader that is exhausted after the first epoch") {
  ExhaustedLoader loader(batches_of(weather_like(40, 1)));
  const auto text = loader_error(loader);
  CHECK(contains(text, "the training loader gave 0 of 5 batches in its epoch 1"));
  mtl::BatchLoader train(weather_like(40, 1));
  ExhaustedLoader valid(batches_of(weather_like(16, 1)));
  const mtl::LoaderRef valid_ref(valid);
  CHECK(contains(loader_error(train, &valid_ref), "the validation loader gave 0 of 2 batches"));
}

TEST_CASE("Trainer: a callback that reads the training loader during the epoch") {
  mtl::BatchLoader loader(weather_like(64, 1), {.batch_size = 8});
  CHECK(contains(loader_error(loader, nullptr, {ValidatesOnTrainingLoader{&loader}}),
                 "give that a loader of its own"));
}

TEST_CASE("Trainer, validate: nothing of a batch is left for a loader that only adds to the next") {
  auto batches = batches_of(weather_like(40, 1));
  batches[0].sample_weights = torch::arange(batches[0].inputs.begin()->value().size(0)) + 1.0;
  const auto trained = [&](auto loader) {
    auto model = two_task_model();
    torch::optim::SGD sgd(model->parameters(), 0.01);
    mtl::Sum sum;
    mtl::Trainer trainer(model, sgd, sum, {.epochs = 1});
    const auto run = trainer.fit(loader, loader);
    return std::pair(run.best().valid.losses, mtl::predict(model, loader).predictions["temp"]);
  };
  const auto assigned = trained(ListLoader(batches)), added = trained(AddingLoader(batches));
  CHECK(added.first == assigned.first);
  CHECK(added.second.equal(assigned.second));
}

TEST_CASE("Trainer: a loader without a batch is refused before anything is changed") {
  mtl::BatchLoader train(weather_like(16, 1));
  NoBatches nothing;
  const mtl::LoaderRef nothing_ref(nothing);
  CHECK(contains(loader_error(nothing), "the training loader has no batch"));
  CHECK(contains(loader_error(train, &nothing_ref), "the validation loader has no batch"));
}

TEST_CASE("Trainer: a misspelt target is refused; a target that is left out is a missing label") {
  const auto data = weather_like(16, 1);
  const auto loader_of = [&](mtl::NamedTensors targets) {
    return mtl::BatchLoader(mtl::TensorDataset(data.inputs(), std::move(targets)));
  };
  const auto temp = data.targets()["temp"], sky = data.targets()["sky"];
  auto right = loader_of(data.targets()), misspelt = loader_of({{"tmep", temp}, {"sky", sky}}),
       without = loader_of({{"sky", sky}});
  const auto text = loader_error(misspelt);
  CHECK(contains(text, "task \"temp\" reads target \"temp\""));
  CHECK(contains(text, "no task reads: \"tmep\""));
  const mtl::LoaderRef valid(misspelt);
  CHECK(contains(loader_error(right, &valid), "the validation loader"));
  CHECK(loader_error(without).empty());
  mtl::BatchLoader weights(
      mtl::TensorDataset(data.inputs(), data.targets(), {}, {{"tmep", torch::ones({16})}}));
  CHECK(contains(loader_error(weights), "sample weights for \"tmep\""));
}

TEST_CASE("Trainer: validation data without any label") {
  const auto data = weather_like(16, 1);
  mtl::BatchLoader train(data);
  mtl::BatchLoader valid(mtl::TensorDataset(
      data.inputs(), {{"temp", torch::full({16}, std::nan(""))},
                      {"sky", torch::full({16}, mtl::missing_class, torch::kLong)}}));
  const mtl::LoaderRef valid_ref(valid);
  CHECK(contains(loader_error(train, &valid_ref), "no task has a label"));
}
