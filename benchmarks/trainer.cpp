// A step of the trainer against a loop written by hand that does the same work: batches by index
// from whole tensors, forward, losses, sum, backward, clipping, Adam, losses added up for the
// history; and the trainer that keeps checkpoints and logs against one that does not. The two take
// turns; the counter `ratio` is the median over rounds of the first / the second, and `us_a_step`
// the first one's median step.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "mtl/mtl.hpp"

namespace {

namespace F = torch::nn::functional;

constexpr int64_t batch_size = 32;

struct Problem {
  std::function<mtl::HardSharing()> model;
  torch::Tensor x, temperature, humidity, weather;  // humidity and weather may be undefined
  int64_t epochs;
};

Problem lstm() {
  const int64_t rows = 1774;
  return {
      [] {
        torch::manual_seed(0);
        mtl::TaskRegistry tasks;
        tasks.add({.name = "temperature",
                   .head = mtl::nn::LinearHead(256, 1),
                   .loss = mtl::MeanSquaredError{}});
        tasks.add({.name = "humidity",
                   .head = mtl::nn::LinearHead(256, 1),
                   .loss = mtl::MeanSquaredError{}});
        tasks.add(
            {.name = "weather", .head = mtl::nn::LinearHead(256, 9), .loss = mtl::CrossEntropy{}});
        return mtl::HardSharing(
            mtl::nn::LstmEncoder(
                {.input_size = 10, .hidden_size = 256, .layers = 3, .dropout = 0.3}),
            tasks);
      },
      torch::randn({rows, 14, 10}),
      torch::randn({rows, 1}),
      torch::randn({rows, 1}),
      torch::randint(9, {rows}, torch::kLong),
      1};
}

Problem tiny_mlp() {
  const int64_t rows = 1774;
  return {[] {
            torch::manual_seed(0);
            mtl::TaskRegistry tasks;
            tasks.add({.name = "temperature",
                       .head = mtl::nn::LinearHead(64, 1),
                       .loss = mtl::MeanSquaredError{}});
            tasks.add({.name = "humidity",
                       .head = mtl::nn::LinearHead(64, 1),
                       .loss = mtl::MeanSquaredError{}});
            return mtl::HardSharing(
                mtl::nn::MlpEncoder({.input_size = 16, .hidden_sizes = {64, 64}}), tasks);
          },
          torch::randn({rows, 16}),
          torch::randn({rows, 1}),
          torch::randn({rows, 1}),
          {},
          20};
}

double seconds(const std::function<void()>& action) {
  const auto start = std::chrono::steady_clock::now();
  action();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

template <class... Callbacks>
double trained(const Problem& problem, const mtl::Checkpointing& checkpoint,
               Callbacks... callbacks) {
  auto model = problem.model();
  torch::optim::Adam adam(model->parameters(), 1e-3);
  mtl::Sum combiner;
  mtl::NamedTensors targets{{"temperature", problem.temperature}, {"humidity", problem.humidity}};
  if (problem.weather.defined()) targets.insert("weather", problem.weather);
  mtl::BatchLoader loader(mtl::TensorDataset({{"x", problem.x}}, targets),
                          {.batch_size = batch_size, .shuffle = true});
  mtl::Trainer trainer(model, adam, combiner,
                       {.epochs = problem.epochs, .max_grad_norm = 1.0, .checkpoint = checkpoint});
  return seconds([&] { trainer.fit(loader, callbacks...); });
}

double by_trainer(const Problem& problem) { return trained(problem, {}); }

/// With a checkpoint, a line of CSV and TensorBoard's points at the end of each epoch.
double recorded(const Problem& problem) {
  const auto folder = std::filesystem::temp_directory_path() / "mtl_benchmark_trainer";
  std::filesystem::remove_all(folder);
  const double time = trained(problem, {.directory = folder / "checkpoint"},
                              mtl::CsvLog{.file = folder / "history.csv"},
                              mtl::TensorBoard{.directory = folder / "tensorboard"});
  std::filesystem::remove_all(folder);
  return time;
}

double by_hand(const Problem& problem) {
  auto model = problem.model();
  const auto encoder = model->encoder();
  std::vector<mtl::Head> heads;
  for (const auto& task : model->tasks()) heads.push_back(task.head);
  const auto parameters = model->parameters();
  torch::optim::Adam adam(parameters, 1e-3);
  return seconds([&] {
    model->train();
    for (int64_t epoch = 0; epoch < problem.epochs; ++epoch) {
      double total = 0;
      const auto order = torch::randperm(problem.x.size(0), torch::kLong);
      for (const auto& rows : order.split(batch_size)) {
        const auto x = problem.x.index_select(0, rows);
        for (auto p : parameters) p.mutable_grad().reset();
        const auto representation = encoder.forward(x);
        auto loss =
            F::mse_loss(heads[0].forward(representation),
                        problem.temperature.index_select(0, rows)) +
            F::mse_loss(heads[1].forward(representation), problem.humidity.index_select(0, rows));
        if (problem.weather.defined())
          loss = loss + F::cross_entropy(heads[2].forward(representation),
                                         problem.weather.index_select(0, rows));
        loss.backward();
        torch::nn::utils::clip_grad_norm_(parameters, 1.0);
        adam.step();
        total += loss.item<double>();
      }
      benchmark::DoNotOptimize(total);
    }
  });
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

using Loop = double (*)(const Problem&);

void compare(benchmark::State& state, Problem (*make)(), Loop one, Loop other) {
  torch::manual_seed(1);
  const Problem problem = make();
  const double steps =
      static_cast<double>(problem.epochs * ((problem.x.size(0) + batch_size - 1) / batch_size));
  std::vector<double> ratios, times;
  one(problem), other(problem);  // warm up
  for (auto _ : state) {
    // Who goes first changes, so that a drift of the machine favours nobody.
    const bool first = ratios.size() % 2 == 0;
    const double a = first ? one(problem) : other(problem);
    const double b = first ? other(problem) : one(problem);
    ratios.push_back(first ? a / b : b / a);
    times.push_back(first ? a : b);
  }
  state.counters["ratio"] = median(ratios);
  state.counters["us_a_step"] = 1e6 * median(times) / steps;
}

BENCHMARK_CAPTURE(compare, lstm, lstm, by_trainer, by_hand)
    ->Iterations(7)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(compare, tiny_mlp, tiny_mlp, by_trainer, by_hand)
    ->Iterations(15)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(compare, lstm_recorded, lstm, recorded, by_trainer)
    ->Iterations(7)
    ->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
