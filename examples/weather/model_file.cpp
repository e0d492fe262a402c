#include "model_file.hpp"

#include <algorithm>

#include <torch/torch.h>

#include "mtl/core/error.hpp"
#include "mtl/io/json.hpp"
#include "mtl/io/safetensors.hpp"
#include "mtl/nn/weights.hpp"
#include "nlohmann/json.hpp"
#include "training.hpp"

namespace weather {
namespace {

constexpr std::string_view encoding_prefix = "encoding.";

}  // namespace

void save_model(const std::filesystem::path& path, const Encoding& encoding,
                const mtl::HardSharing& model) {
  mtl::NamedTensors tensors = mtl::nn::weights(*model);
  for (const auto& item : encoding.state_dict()) tensors.insert(item.key(), item.value());
  mtl::io::write_safetensors(path, tensors,
                             {{"example", "weather"},
                              {"recipe", std::string(name_of(encoding.recipe()))},
                              {"classes", mtl::io::json_text(encoding.classes(), -1)}});
}

TrainedModel load_model(const std::filesystem::path& path) {
  mtl::io::Metadata metadata;
  const mtl::NamedTensors tensors = mtl::io::read_safetensors(path, &metadata);
  if (metadata["example"] != "weather") {
    throw mtl::Error("{} is not a model of this program. Train one, or name its folder with --out.",
                     path.string());
  }
  mtl::NamedTensors encoding, weights;
  for (const auto& item : tensors) {
    (item.key().starts_with(encoding_prefix) ? encoding : weights).insert(item.key(), item.value());
  }
  std::vector<std::string> classes;
  try {
    classes =
        mtl::io::parse_json(metadata["classes"], path.string()).get<std::vector<std::string>>();
  } catch (const nlohmann::json::exception&) {
    throw mtl::Error("{}: the names of the classes are damaged. Train again.", path.string());
  }
  TrainedModel trained{
      Encoding::from_state(recipe_named(metadata["recipe"]), std::move(classes), encoding),
      nullptr};
  trained.model = make_model(trained.encoding);
  mtl::nn::load_weights(*trained.model, weights);
  return trained;
}

Forecast forecast(TrainedModel& trained, const Days& days) {
  const int64_t count = days.size();
  if (count < window_days) {
    throw mtl::Error("a forecast needs the last {} days, and there are {}.", window_days, count);
  }
  const Days last = days.part(count - window_days, count);
  for (size_t day = 1; day < last.dates.size(); ++day) {
    if (last.dates[day] - last.dates[day - 1] != std::chrono::days(1)) {
      throw mtl::Error(
          "a forecast needs the last {} days, and those between {} and {} are not there.",
          window_days, to_text(last.dates[day - 1]), to_text(last.dates[day]));
    }
  }
  const torch::NoGradGuard no_grad;
  trained.model->eval();
  mtl::NamedTensors inputs;
  inputs.insert("days", trained.encoding.inputs(last).unsqueeze(0));
  const mtl::NamedTensors outputs = trained.model->forward(inputs);
  const auto value = [&](const std::string& task, const mtl::Tensor& column) {
    return trained.encoding
        .in_unit(task, outputs[task].squeeze(1), column.slice(0, window_days - 1))
        .item<double>();
  };
  Forecast result{.date = last.dates.back() + std::chrono::days(1),
                  .temp = value("temp", last.temp),
                  .rh = std::clamp(value("rh", last.rh), 0.0, 100.0),
                  .weather = {}};
  const mtl::Tensor probabilities = outputs["weather"].softmax(1).squeeze(0).to(torch::kFloat64);
  for (size_t k = 0; k < trained.encoding.classes().size(); ++k) {
    result.weather.emplace_back(trained.encoding.classes()[k],
                                probabilities[static_cast<int64_t>(k)].item<double>());
  }
  std::stable_sort(result.weather.begin(), result.weather.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  return result;
}

}  // namespace weather
