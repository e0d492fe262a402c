#include "notes_json.hpp"

#include <array>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "json_fields.hpp"

namespace mtl::deploy_detail {
namespace {

constexpr std::array<std::string_view, 4> answers = {"automatic", "values", "classes", "scores"};
constexpr std::array<std::string_view, 2> loss_kinds = {"regression", "classification"};
constexpr std::array<std::string_view, 3> scalers = {"none", "StandardScaler", "MinMaxScaler"};
constexpr std::array<const char*, 3> offsets = {"", "mean", "minimum"};  // in their state

/// What each struct of the notes says, as fields.
struct ScalerFields {
  AnyScaler scaler = {};

  void fields(Fields& f) {
    size_t kind = scaler.index();
    f.choice("kind", kind, scalers);
    std::vector<int64_t> shape;
    std::vector<double> by, scale;
    std::visit(
        [&](const auto& given) {
          if constexpr (!std::is_same_v<decltype(given), const std::monostate&>) {
            const NamedTensors state = given.state_dict();
            shape = state["scale"].sizes().vec();
            by = numbers(state[offsets[kind]]);
            scale = numbers(state["scale"]);
          }
        },
        scaler);
    if (kind == 0) return;
    f("shape", shape);
    f(offsets[kind], by);
    f("scale", scale);
    const NamedTensors state = {{offsets[kind], tensor(by, shape)},
                                {"scale", tensor(scale, shape)}};
    if (kind == 1)
      scaler = StandardScaler::from_state_dict(state);
    else
      scaler = MinMaxScaler::from_state_dict(state);
  }

 private:
  static std::vector<double> numbers(const Tensor& values) {
    const Tensor flat = values.flatten().contiguous();
    return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
  }
  static Tensor tensor(const std::vector<double>& numbers, const std::vector<int64_t>& shape) {
    double count = 1;
    for (const int64_t size : shape) count *= size < 0 ? std::nan("") : static_cast<double>(size);
    if (count != static_cast<double>(numbers.size()))
      throw Error("a scaler of shape {} has {} numbers", io::json_text(io::Json(shape), -1),
                  numbers.size());
    return torch::tensor(numbers, torch::kFloat64).view(shape);
  }
};

void scaler_field(Fields& f, AnyScaler& scaler) {
  ScalerFields fields{scaler};
  f("scaler", fields);
  scaler = fields.scaler;
}

struct InputFields {
  BundleNotes::Input input = {};
  void fields(Fields& f) {
    f("name", input.name);
    f("columns", input.columns);
    scaler_field(f, input.scaler);
  }
};

struct TaskFields {
  BundleNotes::OfTask notes = {};
  TaskNotes task = {};
  void fields(Fields& f) {
    f("name", notes.task);
    f("target", task.target);
    f.choice("kind", task.kind, loss_kinds);
    f("metrics", task.metrics);
    f.choice("answer", notes.answer, answers);
    f("unit", notes.unit);
    f("labels", notes.labels);
    scaler_field(f, notes.scaler);
  }
};

struct MetricFields {
  BundleNotes::Metric metric = {};
  void fields(Fields& f) {
    f("name", metric.name);
    f("value", metric.value);
  }
};

struct NotesFields {
  std::vector<InputFields> inputs = {};
  std::vector<TaskFields> tasks = {};
  std::vector<MetricFields> metrics = {};
  BundleNotes texts = {};
  void fields(Fields& f) {
    f("inputs", inputs);
    f("tasks", tasks);
    f("metrics", metrics);
    f("description", texts.description);
    f("licence", texts.licence);
    f("data", texts.data);
  }
};

struct NotesWriter : FieldWriter {
  using FieldWriter::FieldWriter;
  io::Json describe(const torch::nn::Module&, const std::string&) override { return {}; }
};

struct NotesReader : FieldReader {
  explicit NotesReader(const io::Json& bundle) : FieldReader(bundle, "the bundle") {}
  nn::Layer make(const io::Json&, const std::string&) override { return {}; }
};

}  // namespace

void write_notes(io::Json& bundle, const Model& model, const BundleNotes& notes) {
  NotesFields all{.texts = notes};
  for (const auto& input : notes.inputs) all.inputs.push_back({input});
  for (const auto& metric : notes.metrics) {
    if (!std::isfinite(metric.value))
      throw Error("bundle: metric \"{}\" is {}; leave it out", metric.name, metric.value);
    all.metrics.push_back({metric});
  }
  for (const Task& task : model.tasks()) {
    TaskFields of_task{{.task = task.name}, {task.target_name(), task.loss.kind(), {}}};
    for (const Metric& metric : task.metrics) of_task.task.metrics.push_back(metric.name);
    all.tasks.push_back(std::move(of_task));
  }
  std::vector<bool> said(all.tasks.size());
  for (const auto& given : notes.tasks) {
    const auto t = static_cast<size_t>(model.tasks().index_of(given.task));
    if (said[t]) throw Error("bundle: there are two notes of task \"{}\"", given.task);
    said[t] = true;
    all.tasks[t].notes = given;
  }
  NotesWriter writer(bundle);
  all.fields(writer);
}

BundleNotes read_notes(const io::Json& bundle, std::vector<TaskNotes>& of_tasks) {
  NotesFields all;
  NotesReader reader(bundle);
  all.fields(reader);
  BundleNotes notes = std::move(all.texts);
  for (auto& input : all.inputs) notes.inputs.push_back(std::move(input.input));
  for (auto& metric : all.metrics) notes.metrics.push_back(std::move(metric.metric));
  for (auto& task : all.tasks) {
    notes.tasks.push_back(std::move(task.notes));
    of_tasks.push_back(std::move(task.task));
  }
  return notes;
}

}  // namespace mtl::deploy_detail
