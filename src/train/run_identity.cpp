#include "run_identity.hpp"

#include <fmt/format.h>
#include <torch/optim.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <tuple>
#include <typeinfo>

#include "mtl/core/error.hpp"

namespace mtl {
namespace {

template <class Options>
std::string options_text(const Options& options) {
  std::string text;
  const auto show = [&](const char* name, auto value) {
    text += fmt::format(", {} {}", name, value);
  };
  if constexpr (requires { options.betas(); }) {
    show("beta1", std::get<0>(options.betas()));
    show("beta2", std::get<1>(options.betas()));
  }
  if constexpr (requires { options.momentum(); }) show("momentum", options.momentum());
  if constexpr (requires { options.dampening(); }) show("dampening", options.dampening());
  if constexpr (requires { options.nesterov(); }) show("nesterov", options.nesterov());
  if constexpr (requires { options.alpha(); }) show("alpha", options.alpha());
  if constexpr (requires { options.centered(); }) show("centered", options.centered());
  if constexpr (requires { options.lr_decay(); }) show("lr_decay", options.lr_decay());
  if constexpr (requires { options.amsgrad(); }) show("amsgrad", options.amsgrad());
  if constexpr (requires { options.eps(); }) show("eps", options.eps());
  show("weight_decay", options.weight_decay());
  return text;
}

std::string options_text(const torch::optim::OptimizerOptions& options) {
  std::string text;
  const auto try_as = [&]<class Options>(const Options*) {
    if (const auto* known = dynamic_cast<const Options*>(&options)) text = options_text(*known);
  };
  try_as(static_cast<const torch::optim::AdamOptions*>(nullptr));
  try_as(static_cast<const torch::optim::AdamWOptions*>(nullptr));
  try_as(static_cast<const torch::optim::SGDOptions*>(nullptr));
  try_as(static_cast<const torch::optim::RMSpropOptions*>(nullptr));
  try_as(static_cast<const torch::optim::AdagradOptions*>(nullptr));
  return text;
}

std::string words(const std::vector<std::string>& texts) {
  std::string all;
  for (const auto& text : texts) all += (all.empty() ? "" : ", ") + text;
  return all.empty() ? "none" : all;
}

}  // namespace

namespace train_detail {

std::vector<const Callback*> with_memory(const TrainState& state) {
  std::vector<const Callback*> found;
  for (const Callback& callback : state.callbacks)
    if (callback.state_dict || callback.identity) found.push_back(&callback);
  return found;
}

io::Json made_of(const TrainState& state) {
  io::Json parts = io::Json::object();
  parts["tasks"] = state.history.tasks;
  parts["auxiliary tasks"] = io::Json::array();
  for (size_t t = 0; t < state.history.tasks.size(); ++t)
    if (state.history.is_auxiliary(t)) parts["auxiliary tasks"].push_back(state.history.tasks[t]);
  for (size_t t = 0; t < state.history.tasks.size(); ++t)
    parts["metrics of task \"" + state.history.tasks[t] + "\""] = state.history.metrics[t];
  parts["model"] = io::Json::array({Callback::type_name(typeid(state.model))});
  const auto& groups = state.optimizer.param_groups();
  parts["optimizer"] = io::Json::array({Callback::type_name(typeid(state.optimizer)),
                                        fmt::format("{} parameter groups", groups.size())});
  const auto& base = state.rates.base();
  for (size_t g = 0; g < groups.size(); ++g) {
    const double lr = g < base.size() ? base[g] : groups[g].options().get_lr();
    parts[fmt::format("optimizer's group {}", g)] = io::Json::array({fmt::format(
        "{} tensors, lr {}{}", groups[g].params().size(), lr, options_text(groups[g].options()))});
  }
  parts["combiner"] = io::Json::array({Callback::type_name(typeid(state.combiner))});
  parts["combiner's options"] = io::Json::array({state.combiner.options_text()});
  parts["training data"] = io::Json::array({state.train_data});
  parts["validation data"] = io::Json::array({state.valid_data});
  const std::string list = "list of callbacks with a memory";
  parts[list] = io::Json::array();
  for (const Callback* callback : with_memory(state)) {
    parts[list].push_back(callback->name);
    parts[fmt::format("callback {} of them", parts[list].size())] =
        callback->identity ? callback->identity(state) : std::vector<std::string>();
  }
  return parts;
}

std::vector<std::pair<std::string, std::string>> settings_of(const TrainState& state,
                                                             const TrainerOptions& options) {
  std::vector<std::pair<std::string, std::string>> settings;
  const auto add = [&](std::string name, std::string value) {
    if (!value.empty()) settings.emplace_back(std::move(name), std::move(value));
  };
  const auto count = [](const std::vector<Tensor>& tensors) {
    int64_t numbers = 0;
    for (const Tensor& tensor : tensors) numbers += tensor.numel();
    return numbers;
  };
  const auto plain = [](std::string type) {
    const std::string_view local = "(anonymous namespace)::";
    if (const auto at = type.find(local); at != std::string::npos) type.erase(at, local.size());
    if (type.ends_with("Impl")) type.resize(type.size() - 4);
    return type;
  };
  const auto type = [&](const std::type_info& info) { return plain(Callback::type_name(info)); };
  std::vector<std::string> tasks;
  for (size_t t = 0; t < state.history.tasks.size(); ++t)
    tasks.push_back(state.history.tasks[t] + (state.history.is_auxiliary(t) ? " (auxiliary)" : ""));
  add("tasks", words(tasks));
  add("model", type(typeid(state.model)));
  const Parameters& sets = state.model.parameter_sets();
  std::vector<std::string> parameters{fmt::format("{} shared", count(sets.shared))};
  for (size_t t = 0; t < sets.by_task.size(); ++t)
    parameters.push_back(fmt::format("{} of {}", count(sets.by_task[t]), state.history.tasks[t]));
  add("parameters", words(parameters));
  add("optimizer", type(typeid(state.optimizer)));
  const auto& groups = state.optimizer.param_groups();
  const auto& base = state.rates.base();
  for (size_t g = 0; g < groups.size(); ++g) {
    const double rate = g < base.size() ? base[g] : groups[g].options().get_lr();
    add(groups.size() == 1 ? "optimizer's options" : fmt::format("optimizer's group {}", g + 1),
        fmt::format("learning rate {}{}", rate, options_text(groups[g].options())));
  }
  add("combiner", type(typeid(state.combiner)));
  add("combiner's options", state.combiner.options_text());
  add("epochs at most", fmt::format("{}", options.epochs));
  add("gradient's largest norm",
      options.max_grad_norm > 0 ? fmt::format("{}", options.max_grad_norm) : "no bound");
  if (options.max_task_grad_norm > 0)
    add("each task's gradient's largest norm", fmt::format("{}", options.max_task_grad_norm));
  if (options.accumulate > 1) add("batches a step", fmt::format("{}", options.accumulate));
  if (options.arithmetic != Arithmetic::float32)
    add("arithmetic", options.arithmetic == Arithmetic::float16 ? "float16" : "bfloat16");
  if (state.loss_scale.options)
    add("loss scale at the end", fmt::format("{}", state.loss_scale.value));
  std::vector<std::string> callbacks;
  for (const Callback& callback : state.callbacks) callbacks.push_back(plain(callback.name));
  add("callbacks", words(callbacks));
  for (const Callback* callback : with_memory(state))
    if (callback->identity) {
      auto texts = callback->identity(state);
      constexpr size_t most = 6;  // a schedule says its rate at many places
      if (texts.size() > most) texts = {texts[0], texts[1], texts[2], "...", texts.back()};
      if (!texts.empty()) add("options of " + plain(callback->name), words(texts));
    }
  add("training data", state.train_data);
  add("validation data", state.valid_data);
  return settings;
}

std::string data_text(const LoaderRef& loader) {
  const std::string text = loader.text();
  return fmt::format("{} samples in {} batches{}{}", loader.samples(), loader.batches(),
                     text.empty() ? "" : ": ", text);
}

void compare(const io::Json& then, const io::Json& now, std::string_view found,
             std::string_view whose, std::string_view remedy) {
  for (const auto& [what, texts] : now.items()) {
    const auto before = then.find(what);
    std::vector<std::string> old, own = texts.get<std::vector<std::string>>();
    if (before != then.end()) old = before->get<std::vector<std::string>>();
    if (what.starts_with("callback ")) {
      const size_t both = std::min(old.size(), own.size());
      old.resize(both);
      own.resize(both);
    }
    if (old == own) continue;
    size_t first = 0;  // of several texts say the one that differs
    while (first + 1 < std::min(old.size(), own.size()) && old[first] == own[first]) ++first;
    const bool same_size = old.size() == own.size();
    throw Error("{}: {}: found {}, {} has {}; {}", found, what,
                same_size ? words({old[first]}) : words(old), whose,
                same_size ? words({own[first]}) : words(own), remedy);
  }
}

}  // namespace train_detail
}  // namespace mtl
