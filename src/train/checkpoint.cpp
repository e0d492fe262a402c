#include "mtl/train/checkpoint.hpp"

#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "mtl/core/error.hpp"
#include "mtl/core/random.hpp"
#include "mtl/io/json.hpp"
#include "mtl/io/safetensors.hpp"
#include "mtl/nn/weights.hpp"
#include "mtl/train/callback.hpp"
#include "mtl/train/optimizer_state.hpp"

namespace mtl {
namespace {

constexpr int format_version = 1;

void put(NamedTensors& all, const std::string& prefix, const NamedTensors& part) {
  for (const auto& item : part) all.insert(prefix + item.key(), item.value());
}

NamedTensors take(const NamedTensors& all, const std::string& prefix) {
  NamedTensors part;
  for (const auto& item : all)
    if (item.key().starts_with(prefix)) part.insert(item.key().substr(prefix.size()), item.value());
  return part;
}

std::string callback_prefix(size_t index) { return fmt::format("callbacks.{}.", index); }

io::Json to_json(const SplitRecord& split) {
  return {{"total", split.total}, {"losses", split.losses}, {"metrics", split.metrics}};
}

// JSON has no NaN: null stands for it.
double number(const io::Json& value) {
  return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
}

SplitRecord split_from(const io::Json& json) {
  SplitRecord split;
  split.total = number(json.at("total"));
  for (const auto& loss : json.at("losses")) split.losses.push_back(number(loss));
  for (const auto& task : json.at("metrics")) {
    auto& values = split.metrics.emplace_back();
    for (const auto& value : task) values.push_back(number(value));
  }
  return split;
}

}  // namespace

void save_checkpoint(const TrainState& state, const std::filesystem::path& directory) {
  std::filesystem::create_directories(directory);
  NamedTensors all;
  put(all, "model.", nn::weights(state.model));
  put(all, "optimizer.", optimizer_state(state.optimizer));
  put(all, "combiner.", state.combiner.state_dict());
  for (size_t c = 0; c < state.callbacks.size(); ++c)
    if (state.callbacks[c].state_dict)
      put(all, callback_prefix(c), state.callbacks[c].state_dict());
  all.insert("generator", default_generator_state());
  const std::string tensors = fmt::format("epoch-{:06}.safetensors", state.epoch);
  io::write_safetensors(directory / tensors, all);

  io::Json epochs = io::Json::array();
  for (const EpochRecord& record : state.history.epochs)
    epochs.push_back({{"epoch", record.epoch},
                      {"learning_rate", record.learning_rate},
                      {"train", to_json(record.train)},
                      {"valid", to_json(record.valid)}});
  io::write_json(directory / "checkpoint.json", {{"format", format_version},
                                                 {"tensors", tensors},
                                                 {"step", state.step},
                                                 {"tasks", state.history.tasks},
                                                 {"metrics", state.history.metrics},
                                                 {"epochs", epochs}});
  // Only now is the one before of no use.
  for (const auto& entry : std::filesystem::directory_iterator(directory))
    if (entry.path().extension() == ".safetensors" && entry.path().filename() != tensors)
      std::filesystem::remove(entry.path());
}

bool load_checkpoint(TrainState& state, const std::filesystem::path& directory) {
  const auto path = directory / "checkpoint.json";
  if (!std::filesystem::exists(path)) return false;
  try {
    const io::Json json = io::read_json(path);
    if (json.at("format").get<int>() != format_version)
      throw Error("found format {}, this version reads {}", json.at("format").get<int>(),
                  format_version);
    History history;
    static_cast<ResultNames&>(history) = state.history;
    history.tasks = json.at("tasks").get<std::vector<std::string>>();
    history.metrics = json.at("metrics").get<std::vector<std::vector<std::string>>>();
    if (history.tasks != state.history.tasks || history.metrics != state.history.metrics)
      throw Error("it is of a model with other tasks or metrics");
    for (const auto& epoch : json.at("epochs"))
      history.add({epoch.at("epoch").get<int64_t>(), number(epoch.at("learning_rate")),
                   split_from(epoch.at("train")), split_from(epoch.at("valid"))});
    const NamedTensors all =
        io::read_safetensors(directory / json.at("tensors").get<std::string>());
    const Tensor* generator = all.find("generator");
    if (generator == nullptr) throw Error("the generator's state is not there");

    nn::load_weights(state.model, take(all, "model."));
    load_optimizer_state(state.optimizer, take(all, "optimizer."));
    state.combiner.load_state_dict(take(all, "combiner."));
    for (size_t c = 0; c < state.callbacks.size(); ++c)
      if (state.callbacks[c].load_state_dict)
        state.callbacks[c].load_state_dict(take(all, callback_prefix(c)));
    set_default_generator_state(*generator);
    state.history = std::move(history);
    state.epoch = static_cast<int64_t>(state.history.epochs.size());
    state.step = json.at("step").get<int64_t>();
    state.resumed = true;
  } catch (const nlohmann::json::exception& error) {
    throw Error("checkpoint {}: {}; it is damaged, train anew or restore it", path.string(),
                error.what());
  } catch (const Error& error) {
    throw Error("checkpoint {}: {}", path.string(), error.what());
  }
  return true;
}

}  // namespace mtl
