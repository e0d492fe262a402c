#include <memory>
#include <string>
#include <vector>

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/task/tasks.hpp"
#include "temporary_folder.hpp"
#include "two_task_problem.hpp"

// Data sets of unequal size, each of which labels one task only.

namespace {

mtl::BatchLoader labelled_for(const std::string& task, int64_t rows, uint64_t seed) {
  const auto data = weather_like(rows, seed);
  return mtl::BatchLoader(mtl::TensorDataset(data.inputs(), {{task, data.targets()[task]}}),
                          {.batch_size = 8, .shuffle = true, .seed = seed});
}

mtl::Sources temp_and_sky(mtl::Sources::Options options) {
  return mtl::Sources({{.name = "stations", .loader = labelled_for("temp", 48, 1)},
                       {.name = "observers", .loader = labelled_for("sky", 16, 2)}},
                      std::move(options));
}

}  // namespace

TEST_CASE("Trainer: every combiner learns from batches of one task at a time") {
  for (const auto& name : mtl::combiner_names()) {
    if (name == "krum") continue;  // asks for four tasks
    INFO(name);
    auto train =
        temp_and_sky({.sampling = mtl::Sampling::shares({1, 1}), .batches = 30, .seed = 5});
    auto valid = temp_and_sky({});
    auto model = two_task_model();
    torch::optim::SGD sgd(model->parameters(), 0.01);
    const std::string options = name == "fixed"          ? ":weights=1/1"
                                : name == "trimmed_mean" ? ":trim=0"
                                                         : "";
    const auto combiner = mtl::make_combiner(name + options, 2);
    mtl::Trainer trainer(model, sgd, *combiner, {.epochs = 2});
    const auto run = trainer.fit(train, valid);
    for (const auto* split : {&run.history.last().train, &run.history.last().valid})
      for (const auto* task : {"temp", "sky"}) CHECK(std::isfinite((*split)(task)));
    CHECK(run.unlabelled_batches == 0);
    CHECK(flat(model).isfinite().all().item<bool>());
  }
}

TEST_CASE("Trainer: an absent task keeps what a combiner knows of it") {
  // Two steps of one task, with those of the other between them or not: the same memory of it.
  const auto loader = [](bool with_sky) {
    const auto data = weather_like(32, 1);
    std::vector<mtl::Batch> list;
    for (auto& batch : batches_of(data)) {
      list.push_back(batch);
      list.back().targets = {{"temp", batch.targets["temp"]}};
      if (!with_sky) continue;
      list.push_back(batch);
      list.back().targets = {{"sky", batch.targets["sky"]}};
    }
    return ListLoader(std::move(list));
  };
  const auto kept = [&](bool with_sky) {
    auto train = loader(with_sky);
    auto model = two_task_model();
    torch::optim::SGD sgd(model->parameters(), 0.0);  // the losses stay as they are
    mtl::GradNorm combiner(2);
    mtl::Trainer(model, sgd, combiner, {.epochs = 1}).fit(train);
    return combiner.state_dict()["first_losses"].clone();
  };
  const auto alone = kept(false), beside = kept(true);
  CHECK(alone[0].item<double>() > 0);
  CHECK(alone[0].item<double>() == beside[0].item<double>());
  CHECK(alone[1].item<double>() == 0);
  CHECK(beside[1].item<double>() > 0);
}

TEST_CASE("Trainer: a run over sources goes on to the bit, and tells what was drawn") {
  const TemporaryFolder folder;
  const auto fit = [&](const std::filesystem::path& directory, int64_t epochs,
                       mtl::TrainingRun& run) {
    auto train = temp_and_sky({.sampling = mtl::Sampling::temperature(2),
                               .until = mtl::Sources::Until::first_ended,
                               .seed = 3});
    auto model = two_task_model(0.2);
    torch::optim::Adam adam(model->parameters(), 0.01);
    mtl::NashMtl combiner;
    mtl::Trainer trainer(model, adam, combiner,
                         {.epochs = epochs, .checkpoint = {directory, true}});
    run = trainer.fit(train);
    return flat(model);
  };
  mtl::TrainingRun whole, part;
  const auto undisturbed = fit(folder / "whole", 4, whole);
  fit(folder / "parts", 2, part);
  CHECK(fit(folder / "parts", 4, part).equal(undisturbed));
  REQUIRE(part.drawn.size() == 2);
  CHECK(part.drawn[0].name == "stations");
  CHECK(part.drawn[0].batches == 16);  // shares sqrt 6 : sqrt 2, until the 2 batches are through
  CHECK(part.drawn[1].batches == 8);
  CHECK(contains(part.report(),
                 "drawn: stations 16 batches (2.7 times through), observers 8 batches (4 times"));
}

TEST_CASE("Trainer: sources in parts, averaged and cut off within an epoch, go on to the bit") {
  struct CutAt {
    int64_t step;
    void on_step_end(mtl::TrainState& state) const {
      if (state.step == step) throw mtl::Error("the test cuts it off here");
    }
  };
  const auto fit = [](const mtl::Checkpointing& checkpoint, int64_t cut) {
    auto train = temp_and_sky({.sampling = mtl::Sampling::in_turn(), .seed = 3});
    auto model = two_task_model(0.2);
    torch::optim::Adam adam(model->parameters(), 0.01);
    mtl::NashMtl combiner;
    mtl::Trainer trainer(model, adam, combiner,
                         {.epochs = 2, .accumulate = 2, .checkpoint = checkpoint});
    trainer.fit(train, mtl::AverageWeights{.decay = 0.9}, CutAt{cut});
    return flat(model);
  };
  const auto undisturbed = fit({}, 0);
  for (const int64_t cut : {2, 6, 9}) {
    const TemporaryFolder folder;
    CHECK(contains(error_text([&] { fit({.directory = folder.path(), .every_steps = 1}, cut); }),
                   "cuts it off"));
    CHECK(fit({.directory = folder.path(), .resume = true}, 0).equal(undisturbed));
  }
}

TEST_CASE("Trainer: another way of drawing is another run") {
  const TemporaryFolder folder;
  const auto fit = [&](mtl::Sampling sampling) {
    auto train = temp_and_sky({.sampling = std::move(sampling)});
    auto model = two_task_model();
    torch::optim::SGD sgd(model->parameters(), 0.01);
    mtl::Trainer trainer(model, sgd, mtl::Sum(),
                         {.epochs = 1, .checkpoint = {folder.path(), true}});
    trainer.fit(train);
  };
  fit(mtl::Sampling::in_turn());
  CHECK(contains(error_text([&] { fit(mtl::Sampling::proportional()); }), "drawn in turn"));
}

TEST_CASE("Trainer: ragged batches are validated and predicted, filled up to the longest") {
  // Sequences of numbers, whose tags say which are above 0.
  std::vector<mtl::Sample> samples;
  for (const int64_t length : {3, 2, 5, 4, 1}) {
    const auto x = torch::randn({length, 1}, mtl::make_generator(static_cast<uint64_t>(length)));
    samples.push_back({{{"x", x}}, {{"above", (x.squeeze(1) > 0).to(torch::kFloat)}}});
  }
  mtl::BatchLoader loader(mtl::SampleDataset(samples, mtl::PadToLongest{.ragged = {"x", "above"}}),
                          {.batch_size = 2});
  torch::manual_seed(1);
  struct CountsEntries {
    std::string name = "entries";
    double operator()(const torch::Tensor& prediction, const torch::Tensor& target) const {
      CHECK(prediction.sizes() == target.sizes());
      return static_cast<double>(mtl::labelled_entries(target).sum().item<int64_t>());
    }
  };
  auto model = mtl::HardSharing(
      torch::nn::Sequential(torch::nn::Linear(1, 4), torch::nn::Tanh()),
      mtl::TaskRegistry{
          {.name = "above",
           .head = torch::nn::Sequential(torch::nn::Linear(4, 1), torch::nn::Flatten()),
           .loss = mtl::BinaryCrossEntropy{},
           .metrics = {CountsEntries{}}}},
      "x");
  torch::optim::SGD sgd(model->parameters(), 0.1);
  mtl::Trainer trainer(model, sgd, mtl::Sum(), {.epochs = 1});
  const auto run = trainer.fit(loader, loader);
  CHECK(run.best().valid("above", "entries") == 15);
  const auto found = mtl::predict(model, loader);
  CHECK(found.predictions["above"].sizes() == torch::IntArrayRef({5, 5}));
  CHECK(mtl::labelled_entries(found.targets["above"]).sum().item<int64_t>() == 15);
  CHECK(found.predictions["above"][0].slice(0, 3).equal(torch::zeros({2})));
}
