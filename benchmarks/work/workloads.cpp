#include "workloads.hpp"

#include "mtl/core/error.hpp"

namespace benchmarks {
namespace {

using Heads = std::vector<torch::nn::Linear>;

Tensor squared_error(const Tensor& prediction, const Tensor& target) {
  return torch::mse_loss(prediction.squeeze(1), target);
}
Tensor cross_entropy(const Tensor& prediction, const Tensor& target) {
  return torch::nn::functional::cross_entropy(prediction, target);
}
Tensor binary_cross_entropy(const Tensor& prediction, const Tensor& target) {
  return torch::nn::functional::binary_cross_entropy_with_logits(prediction, target);
}

// nn::Sequential with a forward that is no template, which AnyModule asks for.
struct Layers : torch::nn::SequentialImpl {
  Tensor forward(const Tensor& x) { return SequentialImpl::forward(x); }
};

struct LastStepImpl : torch::nn::Module {
  explicit LastStepImpl(const torch::nn::LSTMOptions& options)
      : lstm(register_module("lstm", torch::nn::LSTM(options))) {}
  Tensor forward(const Tensor& x) { return std::get<0>(lstm->forward(x)).select(1, -1); }
  torch::nn::LSTM lstm;
};
TORCH_MODULE(LastStep);

Heads make_heads(int64_t inputs, const std::vector<int64_t>& outputs) {
  Heads heads;
  for (const auto size : outputs) heads.emplace_back(inputs, size);
  return heads;
}

// Cuts targets [by task] into batches [by batch][by task].
std::vector<std::vector<Tensor>> cut(const std::vector<Tensor>& by_task, int64_t batch) {
  std::vector<std::vector<Tensor>> result(batches);
  for (const auto& target : by_task) {
    const auto parts = target.split(batch);
    for (size_t b = 0; b < parts.size(); ++b) result[b].push_back(parts[b].contiguous());
  }
  return result;
}

Workload regression(int64_t tasks, const std::vector<int64_t>& widths, int64_t batch) {
  const auto x = torch::randn({batches * batch, widths.front()});
  const auto y = torch::randn({batches * batch, tasks});
  const auto encoder = std::make_shared<Layers>();
  for (size_t i = 0; i + 1 < widths.size(); ++i) {
    encoder->push_back(torch::nn::Linear(widths[i], widths[i + 1]));
    encoder->push_back(torch::nn::ReLU());
  }
  auto heads = make_heads(widths.back(), std::vector<int64_t>(static_cast<size_t>(tasks), 1));
  auto net =
      std::make_shared<Net>(torch::nn::AnyModule(encoder), std::move(heads),
                            std::vector<Net::TaskLoss>(static_cast<size_t>(tasks), squared_error));
  return {std::move(net), x.split(batch), cut(y.unbind(1), batch)};
}

Workload lstm(int64_t batch) {
  const int64_t samples = batches * batch;
  const auto x = torch::randn({samples, 14, 10});
  const auto y1 = torch::randn({samples}), y2 = torch::randn({samples}),
             y3 = torch::randint(0, 9, {samples}, torch::kLong);
  LastStep encoder(torch::nn::LSTMOptions(10, 256).num_layers(3).batch_first(true).dropout(0.3));
  auto heads = make_heads(256, {1, 1, 9});
  auto net = std::make_shared<Net>(
      torch::nn::AnyModule(encoder), std::move(heads),
      std::vector<Net::TaskLoss>{squared_error, squared_error, cross_entropy});
  return {std::move(net), x.split(batch), cut({y1, y2, y3}, batch), true};
}

Workload cnn(int64_t batch) {
  const int64_t samples = batches * batch;
  const auto x = torch::randn({samples, 3, 64, 64});
  std::vector<Tensor> y = {torch::randint(0, 37, {samples}, torch::kLong)};
  for (const int64_t k : {5, 4, 3})
    y.push_back(torch::randint(0, 2, {samples, k}, torch::kLong).to(torch::kFloat));
  const auto encoder = std::make_shared<Layers>();
  int64_t channels = 3;
  const std::vector<std::pair<int64_t, int64_t>> layers = {{32, 2},  {64, 2},  {128, 2},
                                                           {128, 1}, {256, 2}, {256, 1}};
  for (const auto& [next, stride] : layers) {
    encoder->push_back(torch::nn::Conv2d(
        torch::nn::Conv2dOptions(channels, next, 3).stride(stride).padding(1).bias(false)));
    encoder->push_back(torch::nn::BatchNorm2d(next));
    encoder->push_back(torch::nn::ReLU());
    channels = next;
  }
  encoder->push_back(torch::nn::AdaptiveAvgPool2d(1));
  encoder->push_back(torch::nn::Flatten());
  auto heads = make_heads(channels, {37, 5, 4, 3});
  auto net =
      std::make_shared<Net>(torch::nn::AnyModule(encoder), std::move(heads),
                            std::vector<Net::TaskLoss>{cross_entropy, binary_cross_entropy,
                                                       binary_cross_entropy, binary_cross_entropy});
  return {std::move(net), x.split(batch), cut(y, batch), true};
}

Workload drawn(const std::string& name, int64_t tasks, int64_t scale) {
  torch::manual_seed(0);
  if (name == "mlp") return regression(tasks, {64, 512, 512, 512}, 256 * scale);
  if (name == "mlp_64") return regression(tasks, {64, 512, 512, 512}, 64 * scale);
  if (name == "mlp_small") return regression(tasks, {16, 64, 64}, 32 * scale);
  if (name == "wide") return regression(tasks, {1024, 2048, 4096, 2048}, 64 * scale);
  if (name == "lstm") return lstm(32 * scale);
  if (name == "cnn") return cnn(32 * scale);
  throw mtl::Error("there is no workload \"{}\"; there are mlp, mlp_64, mlp_small, lstm, cnn, wide",
                   name);
}

}  // namespace

Workload make_workload(const std::string& name, int64_t tasks, torch::Device device) {
  const auto at = name.find('@');
  const int64_t scale = at == std::string::npos ? 1 : std::stoll(name.substr(at + 1));
  auto workload = drawn(name.substr(0, at), tasks, scale);
  if (device.is_cpu()) return workload;
  workload.net->to(device);
  for (auto& input : workload.inputs) input = input.to(device);
  for (auto& batch : workload.targets)
    for (auto& target : batch) target = target.to(device);
  return workload;
}

}  // namespace benchmarks
