#include "mtl/deploy/predictor.hpp"

#include <algorithm>

#include "mtl/nn/keep_modes.hpp"

namespace mtl {
namespace {

/// `change(scaler)` of the scaler that is there, or `values`.
template <class Change>
Tensor scaled(const AnyScaler& scaler, const Tensor& values, const Change& change) {
  return std::visit(
      [&](const auto& given) {
        if constexpr (std::is_same_v<decltype(given), const std::monostate&>)
          return values;
        else
          return change(given);
      },
      scaler);
}

bool is_vector_scaler(const AnyScaler& scaler) {
  if (const auto* standard = std::get_if<StandardScaler>(&scaler))
    return standard->scale().dim() == 0;
  const auto* min_max = std::get_if<MinMaxScaler>(&scaler);
  return min_max != nullptr && min_max->scale().dim() == 0;
}

/// [N, 1] as [N].
Tensor without_last_one(const Tensor& values) {
  return values.dim() == 2 && values.size(1) == 1 ? values.squeeze(1) : values;
}

/// Means and log variances [N, 2 K] in the units that the scaler was learned from.
Tensor unscaled_gaussians(const AnyScaler& scaler, const Tensor& outputs) {
  return scaled(scaler, outputs, [&](const auto& given) {
    const auto halves = outputs.chunk(2, 1);
    return torch::cat({given.inverse_transform(halves[0]), halves[1] + 2 * given.scale().log()}, 1);
  });
}

AnswerKind resolved(const Task& task, const BundleNotes::OfTask& notes, const Tensor& outputs) {
  if (notes.answer != AnswerKind::automatic) return notes.answer;
  if (task.loss.kind() == LossKind::regression) return AnswerKind::values;
  if (outputs.dim() < 2 || outputs.size(1) == 1) return AnswerKind::scores;
  if (task.loss.outputs() != LossOutputs::regions || outputs.dim() > 3) return AnswerKind::classes;
  if (outputs.dim() == 2) return AnswerKind::scores;
  if (std::ssize(notes.labels) == outputs.size(1)) return AnswerKind::classes;
  throw Error(
      "task \"{}\": its outputs {} are maps of one class or steps with scores of {} classes, which "
      "its loss does not say; give its notes AnswerKind::scores or AnswerKind::classes",
      task.name, shape_text(outputs), outputs.size(1));
}

Answer answer_of(const Task& task, const BundleNotes::OfTask& notes, const Tensor& outputs) {
  Answer answer{task.name, resolved(task, notes, outputs), {}, {}, notes.labels, notes.unit};
  const Tensor raw = outputs.detach().to(torch::kCPU, torch::kFloat64);
  switch (answer.kind) {
    case AnswerKind::classes:
      if (raw.dim() < 2)
        throw Error("task \"{}\": classes need outputs [N, C], found {}", task.name,
                    shape_text(raw));
      answer.probabilities = raw.softmax(1);
      answer.values = raw.argmax(1).masked_fill(raw.isnan().any(1), missing_class);
      break;
    case AnswerKind::scores:
      answer.probabilities =
          without_last_one(task.loss.outputs() == LossOutputs::probabilities ? raw : raw.sigmoid());
      answer.values = answer.probabilities.ge(0.5);
      break;
    default: {
      if (task.loss.outputs() == LossOutputs::gaussians && raw.dim() == 2) {
        answer.values = unscaled_gaussians(notes.scaler, raw);
        break;
      }
      const Tensor rows = is_vector_scaler(notes.scaler) ? without_last_one(raw) : raw;
      answer.values = without_last_one(scaled(
          notes.scaler, rows, [&](const auto& scaler) { return scaler.inverse_transform(rows); }));
    }
  }
  return answer;
}

}  // namespace

std::vector<std::string> Answer::texts() const {
  if (kind != AnswerKind::classes || values.dim() != 1)
    throw Error("task \"{}\": its answers are no classes [N], but {} of shape {}", task,
                kind == AnswerKind::values ? "values" : "yes or no", shape_text(values));
  std::vector<std::string> names;
  names.reserve(static_cast<size_t>(values.size(0)));
  for (int64_t i = 0; i < values.size(0); ++i) {
    const int64_t index = values.data_ptr<int64_t>()[i];
    if (index == missing_class)
      names.emplace_back();
    else
      names.push_back(index < std::ssize(labels) ? labels[static_cast<size_t>(index)]
                                                 : std::to_string(index));
  }
  return names;
}

const Answer& Answers::operator[](std::string_view task) const {
  const auto found = std::find_if(by_task.begin(), by_task.end(),
                                  [&](const Answer& answer) { return answer.task == task; });
  if (found != by_task.end()) return *found;
  std::string names;
  for (const Answer& answer : by_task) names += (names.empty() ? "" : ", ") + answer.task;
  throw Error("there is no task \"{}\"; the model has: {}", task, names);
}

Answers Predictor::predict(const NamedTensors& inputs) {
  const torch::NoGradGuard no_grad;
  Model& model = *bundle_.model;
  const auto parameters = model.parameters();
  const auto options = parameters.empty() ? torch::TensorOptions() : parameters.front().options();
  NamedTensors ready;
  for (const auto& item : inputs) {
    if (!item.value().defined()) throw Error("input \"{}\" is undefined", item.key());
    Tensor value = item.value();
    for (const auto& input : bundle_.notes.inputs)
      if (input.name == item.key())
        value = scaled(input.scaler, value,
                       [&](const auto& scaler) { return scaler.transform(value); });
    ready.insert(item.key(),
                 value.is_floating_point() ? value.to(options) : value.to(options.device()));
  }
  for (const auto& input : bundle_.notes.inputs)
    if (!ready.contains(input.name)) throw Error("there is no input \"{}\"", input.name);
  Answers answers;
  // Somebody who has the model, too, may be training it.
  const nn::KeepModes modes(model);
  model.eval();
  const NamedTensors predictions = model.forward(ready);
  size_t t = 0;
  for (const Task& task : model.tasks())
    answers.by_task.push_back(answer_of(task, bundle_.notes.tasks[t++], predictions[task.name]));
  return answers;
}

Answers Predictor::predict(const Table& table) {
  NamedTensors inputs;
  for (const auto& input : bundle_.notes.inputs) {
    if (input.table)
      inputs.insert(input.name, input.table->encode(input.table->read(table)));
    else if (!input.columns.empty())
      inputs.insert(input.name, table.matrix(input.columns));
    else
      throw Error("the bundle does not say of which columns of a table its input \"{}\" is made",
                  input.name);
  }
  return predict(inputs);
}

}  // namespace mtl
