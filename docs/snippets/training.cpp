// The code of docs/train.md.
#include <mtl/mtl.hpp>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

/// Prints the gradient's norm every hundred steps.
struct GradientNorm {
  void on_gradients(mtl::TrainState& state) {
    if (state.step % 100 != 1) return;
    double sum = 0;
    for (const auto& parameter : state.model.parameters())
      if (parameter.grad().defined())  // of a task without labels in this batch there is none
        sum += parameter.grad().square().sum().item<double>();
    std::printf("step %ld: gradient norm %.3f\n", static_cast<long>(state.step), std::sqrt(sum));
  }
};

/// Counts the epochs that improved, over a resume as well.
struct Improvements {
  int64_t count = 0;
  mtl::EpochScore best = {};

  void on_fit_begin(mtl::TrainState& state) {
    if (!state.resumed) *this = {};  // an object may serve several fits
  }
  void on_epoch_end(mtl::TrainState& state) {
    const auto score = mtl::Watch().score(state.history.last());
    if (!mtl::is_better(score, best)) return;
    best = score;
    ++count;
  }
  mtl::NamedTensors state_dict() const {
    mtl::NamedTensors state;
    state.insert("count", torch::tensor({count}, torch::kLong));
    mtl::put_score(state, best);
    return state;
  }
  void load_state_dict(const mtl::NamedTensors& state) {
    count = state["count"].item<int64_t>();
    best = mtl::score_from(state);
  }
};

/// A rate that falls as one over the square root of the epoch.
struct InverseSquareRootLr {
  double rate(double base, int64_t epoch) const {
    return base / std::sqrt(1 + static_cast<double>(epoch));
  }
};

int main() {
  torch::manual_seed(0);
  const auto x = torch::randn({200, 3});
  mtl::TensorDataset data({{"x", x}},
                          {{"sum", x.sum(1)}, {"positive", (x.sum(1) > 0).to(torch::kLong)}});
  const auto training_rows = torch::arange(0, 150), validation_rows = torch::arange(150, 200);

  mtl::TaskRegistry tasks;
  tasks.add({.name = "sum", .head = mtl::nn::LinearHead(8, 1), .loss = mtl::MeanSquaredError{}});
  tasks.add({.name = "positive",
             .head = mtl::nn::LinearHead(8, 2),
             .loss = mtl::CrossEntropy{},
             .metrics = {mtl::Accuracy{}}});
  auto model = mtl::HardSharing(mtl::nn::MlpEncoder({.input_size = 3, .hidden_sizes = {8}}), tasks);
  const auto folder = std::filesystem::temp_directory_path() / "mtl-docs-training";
  std::filesystem::remove_all(folder);

  torch::optim::Adam adam(model->parameters(), 1e-2);
  mtl::KendallUncertainty combiner;
  mtl::BatchLoader train(data.rows(training_rows), {.shuffle = true, .seed = 1});
  mtl::BatchLoader valid(data.rows(validation_rows));
  mtl::Trainer trainer(model, adam, combiner, {.epochs = 20, .max_grad_norm = 1.0});
  auto run = trainer.fit(train, valid, mtl::EarlyStopping{.patience = 5},
                         mtl::StepLr{.step_size = 10, .gamma = 0.1});
  std::puts(run.brief().c_str());

  std::printf("best epoch %ld: loss %.3f, accuracy %.3f\n", static_cast<long>(run.best().epoch),
              run.best().valid("positive"), run.best().valid("positive", "accuracy"));
  std::printf("most accurate epoch: %ld\n",
              static_cast<long>(run.best({"positive", "accuracy"}).epoch));

  // Watching something else than the total.
  const auto worst_task = [](const mtl::EpochRecord& epoch) {
    return std::max(epoch.valid("sum"), epoch.valid("positive"));
  };
  trainer.fit(train, valid, mtl::EarlyStopping{.watch = {"positive", "accuracy"}},
              mtl::ReduceOnPlateauLr{.watch = {"sum"}},
              mtl::BestModel{.file = folder / "best.safetensors", .watch = worst_task});

  // Schedules.
  trainer.fit(train, valid, mtl::LinearWarmUpLr{.total = 3}, mtl::CosineLr{.t_max = 20},
              mtl::ReduceOnPlateauLr{});
  trainer.fit(train, valid, InverseSquareRootLr{});

  // By task.
  trainer.fit(train, valid, mtl::TaskStopping{.patience = 5, .freeze = true},
              mtl::BestByTask{.folder = folder / "best"});
  trainer.fit(train, valid, mtl::TaskStopping{.when = mtl::StopWhen::any, .tasks = {{"sum"}}},
              mtl::BestModel{.watch = mtl::mean_of({{"sum"}, {"positive", "loss", 2.0}})});

  // Steps of more than fits into memory.
  mtl::Trainer in_parts(model, adam, combiner, {.epochs = 20, .accumulate = 4});
  in_parts.fit(train, valid);

  mtl::AccumulatedLosses whole(model->parameters());
  mtl::Batch part;
  for (train.start_epoch(0); train.next(part);)
    whole.add(mtl::task_losses(*model, model->forward(part.inputs), part));  // its graph goes
  combiner.backward(whole.losses(), *model);  // the gradients of the whole epoch

  // Less than float32.
  mtl::Trainer rough(model, adam, combiner,
                     {.epochs = 20, .arithmetic = mtl::Arithmetic::bfloat16});
  rough.fit(train, valid);
  if (torch::cuda::is_available()) {
    mtl::Trainer half(model, adam, combiner,
                      {.epochs = 20,
                       .arithmetic = mtl::Arithmetic::float16,  // losses are scaled
                       .device = torch::kCUDA});
  }

  // No task's gradient is longer than this when they are combined.
  mtl::Trainer tamed(model, adam, combiner, {.epochs = 20, .max_task_grad_norm = 1.0});
  tamed.fit(train, valid);

  // Averages, penalties, clipping.
  trainer.fit(train, valid, mtl::WeightPenalty{.l1 = {1e-5}, .l2 = {1e-4}},
              mtl::ClipValues{.limit = 0.5}, mtl::BestModel{}, mtl::AverageWeights{.decay = 0.999});

  // A sink of one's own.
  std::vector<std::string> lines;  // or a logger, a database, a web page
  trainer.fit(train, valid,
              mtl::LogTo{[&](const mtl::LogEntry& entry) { lines.push_back(entry.text()); }});

  // Callbacks by choice.
  const bool quiet = true;
  std::vector<mtl::Callback> callbacks{mtl::StopOnInterrupt{}, GradientNorm{}, Improvements{}};
  if (!quiet) callbacks.emplace_back(mtl::ProgressBar{});
  trainer.fit(train, callbacks);

  // Checkpoints.
  mtl::Trainer resumable(
      model, adam, combiner,
      {.epochs = 20, .checkpoint = {.directory = folder / "checkpoint", .resume = true}});
  const auto resumed = resumable.fit(train, valid, mtl::BestModel{});

  // Checkpoints within epochs.
  mtl::Trainer often(model, adam, combiner,
                     {.epochs = 20,
                      .checkpoint = {.directory = folder / "often",
                                     .resume = true,
                                     .keep = 3,
                                     .every_steps = 500,
                                     .every_seconds = 600,
                                     .keep_best = true}});
  often.fit(train, valid);

  std::filesystem::remove_all(folder);
  return resumed.best().valid("sum") < run.history.at(1).valid("sum") ? 0 : 1;
}
