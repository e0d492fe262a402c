#include <set>

#include "catch.hpp"
#include "error_text.hpp"
#include "two_task_problem.hpp"

// A frozen task is one without labels whose head does not move at all.

namespace {

/// Heads with running statistics, so that there is more to leave alone than weights.
mtl::TaskRegistry normed_heads() {
  mtl::TaskRegistry tasks;
  for (const auto* name : {"temp", "sky"})
    tasks.add({.name = name,
               .head = torch::nn::Sequential(torch::nn::BatchNorm1d(8), torch::nn::Linear(8, 2)),
               .loss = [](const torch::Tensor& prediction, const torch::Tensor& target) {
                 return (prediction.select(1, 0) - target).square();
               }});
  return tasks;
}

/// Freezes a task as an epoch ends, and notes which tasks the steps of the next ones have.
struct FreezeAfter {
  int64_t epoch;
  std::string task;
  std::set<std::vector<std::string>> after = {};
  void on_gradients(mtl::TrainState& state) {
    if (state.epoch > epoch) after.insert(state.losses->names);
  }
  void on_epoch_end(mtl::TrainState& state) {
    if (state.epoch != epoch) return;
    state.freeze(task);
    state.freeze(task);
  }
};

template <class Model>
mtl::NamedTensors part_of(const Model& model, const std::string& prefix) {
  mtl::NamedTensors part;
  for (const auto& item : mtl::nn::weights(*model))
    if (item.key().starts_with(prefix)) part.insert(item.key(), item.value().clone());
  return part;
}

bool equal(const mtl::NamedTensors& a, const mtl::NamedTensors& b) {
  bool same = a.size() == b.size() && !a.is_empty();
  for (size_t i = 0; same && i < a.size(); ++i) same = a[i].value().equal(b[i].value());
  return same;
}

mtl::TensorDataset two_numbers(bool without_sky = false) {
  auto generator = mtl::make_generator(1);
  const auto x = torch::randn({40, 5}, generator);
  mtl::NamedTensors targets({{"temp", x.sum(1)}});
  targets.insert("sky", without_sky ? torch::full({40}, std::nan("")) : -x.select(1, 2));
  return mtl::TensorDataset({{"x", x}}, targets);
}

mtl::HardSharing normed_heads_model() {
  torch::manual_seed(3);
  const auto tasks = normed_heads();
  return mtl::HardSharing(mtl::nn::MlpEncoder({.input_size = 5, .hidden_sizes = {8}}), tasks);
}

template <class Model>
mtl::TrainingRun fit_by_sum(Model& model, int64_t epochs, std::vector<mtl::Callback> callbacks) {
  torch::optim::SGD sgd(model->parameters(), 0.01);
  mtl::BatchLoader train(two_numbers(), {.batch_size = 8});
  mtl::Sum sum;
  return mtl::Trainer(model, sgd, sum, {.epochs = epochs}).fit(train, std::move(callbacks));
}

}  // namespace

TEST_CASE("A frozen task leaves the step, and nothing moves its head; the others go on") {
  for (const char* combiner : {"sum", "upgrad", "kendall"}) {
    INFO(combiner);
    auto model = normed_heads_model();
    torch::optim::SGD sgd(model->parameters(),
                          torch::optim::SGDOptions(0.01).momentum(0.9).weight_decay(0.1));
    const auto data = two_numbers();
    mtl::BatchLoader train(data, {.batch_size = 8}), valid(data);
    const auto combined = mtl::make_combiner(combiner, model->tasks());
    mtl::Trainer trainer(model, sgd, *combined, {.epochs = 4});
    FreezeAfter freeze{2, "sky"};
    mtl::NamedTensors sky, temp;
    struct Note {
      std::function<void()> note;
      void on_epoch_end(mtl::TrainState& state) const {
        if (state.epoch == 2) note();
      }
    };
    const auto run = trainer.fit(train, valid, freeze, Note{[&] {
                                   sky = part_of(model, "heads.sky");
                                   temp = part_of(model, "heads.temp");
                                 }},
                                 mtl::AddPenalty{[&] {
                                   torch::Tensor sum = torch::zeros({});
                                   for (const auto& parameter : model->parameters())
                                     sum = sum + parameter.square().sum();
                                   return sum;
                                 }});
    CHECK(freeze.after == std::set<std::vector<std::string>>{{"temp"}});
    CHECK(equal(part_of(model, "heads.sky"), sky));
    CHECK_FALSE(equal(part_of(model, "heads.temp"), temp));
    CHECK(std::isnan(run.history.at(3).train("sky")));
    CHECK(std::isfinite(run.history.at(4).valid("sky")));
    CHECK(run.history.at(4).valid("sky") != run.history.at(3).valid("sky"));
    REQUIRE(run.frozen.size() == 1);
    CHECK(contains(run.report(), "task \"sky\" was frozen in epoch 2"));
  }
}

TEST_CASE("A frozen task is to the others one without labels") {
  const auto weights_of = [](bool freeze, const std::string& combiner) {
    auto model = normed_heads_model();
    torch::optim::Adam adam(model->parameters(), 0.01);
    struct AtOnce {
      bool freeze;
      void on_fit_begin(mtl::TrainState& state) const {
        if (freeze) state.freeze("sky");
      }
    };
    mtl::BatchLoader train(two_numbers(!freeze), {.batch_size = 8});
    const auto combined = mtl::make_combiner(combiner, model->tasks());
    mtl::Trainer trainer(model, adam, *combined, {.epochs = 2});
    trainer.fit(train, AtOnce{freeze});
    auto all = part_of(model, "encoder");
    for (const auto& item : part_of(model, "heads.temp")) all.insert(item.key(), item.value());
    return all;
  };
  for (const char* combiner : {"sum", "upgrad", "kendall", "famo", "graddrop", "modo"})
    CHECK(equal(weights_of(true, combiner), weights_of(false, combiner)));
}

TEST_CASE("A frozen task: the next fit trains it again") {
  auto model = normed_heads_model();
  fit_by_sum(model, 2, {FreezeAfter{1, "sky"}});
  const auto before = part_of(model, "heads.sky");
  const auto run = fit_by_sum(model, 2, {});
  CHECK_FALSE(equal(part_of(model, "heads.sky"), before));
  CHECK(run.frozen.empty());
}

TEST_CASE("A frozen task: where all are, the run ends; one that there is not is an error") {
  auto model = normed_heads_model();
  const auto run = fit_by_sum(model, 5, {FreezeAfter{2, "sky"}, FreezeAfter{3, "temp"}});
  CHECK(run.epochs() == 3);
  CHECK(run.stop_reason == mtl::StopReason::early_stopping);
  CHECK(run.stop_text == "every task is frozen");
  CHECK(contains(error_text([&] {
                   fit_by_sum(model, 1, {FreezeAfter{1, "rain"}});
                 }),
                 "no task \"rain\"; registered: temp, sky"));
}

TEST_CASE("A frozen task: a head that another task has as well goes on learning with it") {
  torch::manual_seed(3);
  mtl::TaskRegistry tasks;
  const mtl::nn::LinearHead head(8, 1);
  for (const auto* name : {"temp", "sky"})
    tasks.add({.name = name, .head = head, .loss = squared_error});
  mtl::HardSharing model(mtl::nn::MlpEncoder({.input_size = 5, .hidden_sizes = {8}}), tasks);
  torch::Tensor before;
  struct Note {
    torch::Tensor* before;
    mtl::nn::LinearHead head;
    void on_epoch_end(mtl::TrainState& state) const {
      if (state.epoch == 1) *before = head->parameters()[0].detach().clone();
    }
  };
  fit_by_sum(model, 2, {FreezeAfter{1, "sky"}, Note{&before, head}});
  CHECK_FALSE(head->parameters()[0].equal(before));
  CHECK(head->is_training());
}

TEST_CASE("A frozen task: running statistics of all that it has to itself stay") {
  torch::manual_seed(3);
  mtl::TaskRegistry tasks;
  for (const auto* name : {"temp", "sky"})
    tasks.add({.name = name, .head = mtl::nn::LinearHead(8, 1), .loss = squared_error});
  const auto encoder = [] {
    // Without weights of its own, as a part of one that has some.
    return torch::nn::Sequential(
        torch::nn::Linear(5, 8),
        torch::nn::BatchNorm1d(torch::nn::BatchNorm1dOptions(8).affine(false)));
  };
  mtl::SoftSharing model({encoder(), encoder()}, tasks);
  mtl::NamedTensors sky, temp;
  struct Note {
    mtl::SoftSharing model;
    mtl::NamedTensors *sky, *temp;
    void on_epoch_end(mtl::TrainState& state) const {
      if (state.epoch != 1) return;
      *sky = part_of(model, "encoders.sky");
      *temp = part_of(model, "encoders.temp");
    }
  };
  fit_by_sum(model, 3, {FreezeAfter{1, "sky"}, Note{model, &sky, &temp}});
  CHECK(equal(part_of(model, "encoders.sky"), sky));
  CHECK_FALSE(equal(part_of(model, "encoders.temp"), temp));
}

TEST_CASE("Trainer: a run in which all are frozen before an epoch's first step ends there") {
  struct FreezeAll {
    void on_step_begin(mtl::TrainState& state) {
      if (state.epoch != 2) return;
      state.freeze("temp");
      state.freeze("sky");
    }
  };
  auto model = two_task_model();
  torch::optim::SGD sgd(model->parameters(), 0.1);
  mtl::BatchLoader loader(weather_like(16, 1), {.batch_size = 8});
  const auto run = mtl::Trainer(model, sgd, mtl::Sum(), {.epochs = 5}).fit(loader, FreezeAll{});
  CHECK(run.epochs() == 1);
  CHECK(run.stop_reason == mtl::StopReason::early_stopping);
  CHECK(run.stop_text == "every task is frozen");
}

TEST_CASE("Trainer: an epoch that has labels of frozen tasks only says so") {
  auto model = two_task_model();
  torch::optim::SGD sgd(model->parameters(), 0.1);
  const auto data = weather_like(16, 1);
  mtl::BatchLoader loader(
      mtl::TensorDataset(data.inputs(), {{"temp", data.targets()["temp"]},
                                         {"sky", torch::full({16}, -100, torch::kLong)}}),
      {.batch_size = 8});
  const auto text = error_text([&] {
    mtl::Trainer(model, sgd, mtl::Sum(), {.epochs = 3}).fit(loader, FreezeAfter{1, "temp"});
  });
  CHECK(contains(text, "epoch 2: no batch led to a step"));
  CHECK(contains(text, "none has a label of a task that is not frozen"));
}
