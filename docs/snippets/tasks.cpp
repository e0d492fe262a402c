// The code of docs/tasks.md.
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/loss.h>
#include <mtl/mtl.hpp>

#include <cmath>
#include <cstdio>
#include <limits>

using mtl::Tensor;

/// A head of one's own: a straight line and a curve.
struct CurvedHeadImpl : torch::nn::Module {
  CurvedHeadImpl(int64_t inputs, int64_t outputs)
      : line(register_module("line", torch::nn::Linear(inputs, outputs))),
        curve(register_module("curve", torch::nn::Linear(inputs, outputs))) {}
  Tensor forward(const Tensor& representation) {
    return line(representation) + curve(representation).square();
  }
  torch::nn::Linear line, curve;
};
TORCH_MODULE(CurvedHead);

/// A loss of one's own with options: log cosh of the error, which grows like |error|.
struct LogCosh {
  double scale = 1.0;  // > 0, in units of the target

  static constexpr mtl::LossKind kind = mtl::LossKind::regression;
  mtl::SampleLosses operator()(const Tensor& prediction, const Tensor& target) const {
    return mtl::elementwise(prediction, target, [this](const Tensor& y, const Tensor& t) {
      return (((y - t) / scale).cosh().log() * scale);
    });
  }
  void check() const {
    if (!(scale > 0)) throw mtl::Error("LogCosh: scale is {}, expected a positive number", scale);
  }
};

/// A metric of one's own: the share of predictions within a margin.
struct Within {
  static constexpr bool higher_is_better = true;
  double margin = 1.0;
  std::string name = "within";

  double operator()(const Tensor& predictions, const Tensor& targets,
                    const Tensor& sample_weights = {}) const {
    const Tensor hit =
        (predictions.flatten() - targets.flatten()).abs().le(margin).to(torch::kDouble);
    if (!sample_weights.defined()) return hit.mean().item<double>();
    return ((hit * sample_weights).sum() / sample_weights.sum()).item<double>();
  }
};

/// A metric of one's own that streams: the mean of the largest logits.
struct MeanLogit {
  struct State {
    double sum = 0, weight = 0;
    void merge(const State& other) {
      sum += other.sum;
      weight += other.weight;
    }
  };
  std::string name = "mean_logit";

  void add(State& state, const Tensor& predictions, const Tensor& targets,
           const Tensor& sample_weights) const {
    const Tensor weights =
        sample_weights.defined() ? sample_weights : torch::ones({targets.size(0)});
    state.sum += (predictions.amax(1) * weights).sum().item<double>();
    state.weight += weights.sum().item<double>();
  }
  double value(const State& state) const { return state.sum / state.weight; }
};

int main() {
  torch::manual_seed(0);
  constexpr double missing = std::numeric_limits<double>::quiet_NaN();
  const Tensor x = torch::randn({120, 3});
  const Tensor class_weights =
      mtl::balanced(mtl::class_counts(x.select(1, 0).gt(0).to(torch::kLong), 2));

  mtl::TaskRegistry tasks{
      {.name = "temperature",
       .head = mtl::nn::LinearHead(8, 1),
       .loss = mtl::Huber{.delta = 2.0},
       .metrics = {mtl::Mae{}, mtl::R2{}}},
      {.name = "weather",
       .head = mtl::nn::LinearHead(8, 2),
       .loss = mtl::CrossEntropy{.class_weights = class_weights},
       .metrics = {mtl::Accuracy{}, mtl::F1{.average = mtl::Average::macro}}},
  };

  tasks.add({.name = "humidity",
             .head = CurvedHead(8, 1),
             .loss = [](const Tensor& y, const Tensor& t) { return (y.squeeze(1) - t).abs(); },
             .metrics = {{"bias",
                          [](const Tensor& y, const Tensor& t) {
                            return (y.flatten() - t.flatten()).mean().item<double>();
                          }},
                         Within{.margin = 0.5}}});
  tasks.add({.name = "wind",
             .head = mtl::nn::LinearHead(8, 1),
             .loss = [](const Tensor& y, const Tensor& t) {
               return torch::mse_loss(y.squeeze(1), t);  // one number
             }});
  tasks.add({.name = "pressure",
             .head = mtl::nn::LinearHead(8, 1),
             .loss = torch::nn::SmoothL1Loss(torch::nn::SmoothL1LossOptions(torch::kNone))});
  tasks.add({.name = "dew",
             .head = mtl::nn::LinearHead(8, 1),
             .loss = LogCosh{.scale = 0.5},
             .target = "temperature"});  // another task may read it, too

  Tensor temperature = x.sum(1);
  temperature[7] = missing;  // nobody measured it
  Tensor weather = x.select(1, 0).gt(0).to(torch::kLong);
  weather[3] = mtl::missing_class;  // -100

  Tensor trust = torch::ones({120});
  trust[0] = 0;    // left out
  trust[1] = 2.5;  // counts two and a half times
  mtl::TensorDataset data({{"x", x}},
                          {{"temperature", temperature},
                           {"weather", weather},
                           {"humidity", x.select(1, 1)},
                           {"wind", x.select(1, 2)},
                           {"pressure", x.select(1, 0) - x.select(1, 1)}},
                          /*sample_weights=*/{},
                          /*task_sample_weights=*/{{"temperature", trust}, {"weather", trust}});

  auto model = mtl::HardSharing(mtl::nn::MlpEncoder({.input_size = 3, .hidden_sizes = {8}}), tasks);
  const mtl::Batch batch = data.get(torch::arange(0, 120));
  const mtl::NamedTensors predictions = model->forward(batch.inputs);
  for (const mtl::Task& task : model->tasks()) {
    const mtl::LossValue loss = mtl::loss_of(task, predictions[task.name], batch);
    std::printf("%s: %.3f over %ld samples\n", task.name.c_str(), loss.value.item<double>(),
                static_cast<long>(loss.samples));
    const auto metrics =
        mtl::metrics_of(task, predictions[task.name], batch.targets[task.target_name()],
                        mtl::sample_weights_of(batch, task.name));
    for (size_t m = 0; m < metrics.size(); ++m)
      std::printf("  %s %.3f\n", task.metrics[m].name.c_str(), metrics[m]);
  }

  const mtl::Task task{.name = "weather",
                       .loss = mtl::CrossEntropy{},
                       .metrics = {mtl::Accuracy{}, MeanLogit{}}};
  mtl::TaskMetrics metrics(task);
  for (int64_t first = 0; first < 120; first += 40) {
    const mtl::Batch part = data.get(torch::arange(first, first + 40));
    metrics.add(model->forward(part.inputs)[task.name], part);
  }
  const std::vector<double> values = metrics.values();  // in the order of Task::metrics
  std::printf("in batches: accuracy %.3f, mean logit %.3f\n", values[0], values[1]);
  return 0;
}
