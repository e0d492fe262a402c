#include "notes_json.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "json_fields.hpp"
#include "mtl/io/excerpt.hpp"
#include "mtl/io/json_member.hpp"

namespace mtl::deploy_detail {
namespace {

constexpr std::array<std::string_view, 4> answers = {"automatic", "values", "classes", "scores"};
constexpr std::array<std::string_view, 2> loss_kinds = {"regression", "classification"};
constexpr std::array<std::string_view, 3> scalers = {"none", "StandardScaler", "MinMaxScaler"};
constexpr std::array<std::string_view, 2> filters = {"bilinear", "bicubic"};
constexpr std::array<const char*, 3> offsets = {"", "mean", "minimum"};  // in their state
constexpr const char *classes_in = "classes_in", *outputs_name = "outputs";
constexpr std::array<std::string_view, 5> outputs = {"plain", "probabilities", "gaussians",
                                                     "regions", "unordered"};

/// Of bundles of before, which do not say it, -1 stood for probabilities.
void read_outputs(const io::Json& json, TaskNotes& task, const std::string& place) {
  if (task.classes_in == -1) {
    task.classes_in = 1;
    task.outputs = LossOutputs::probabilities;
  }
  if (!json.contains(outputs_name)) return;
  const auto name = io::json_member<std::string>(json, outputs_name, place);
  const auto found = std::find(outputs.begin(), outputs.end(), name);
  if (found == outputs.end())
    throw Error("{}: outputs are \"{}\", which this library does not know", place,
                io::excerpt(name));
  task.outputs = static_cast<LossOutputs>(found - outputs.begin());
}

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

struct PicturesFields {
  images::Preparation of = {};
  void fields(Fields& f) {
    f("width", of.width);
    f("height", of.height);
    f("shorter_side", of.shorter_side);
    f.choice("filter", of.filter, filters);
    std::vector<double> mean(of.normalize.mean.begin(), of.normalize.mean.end());
    std::vector<double> deviation(of.normalize.deviation.begin(), of.normalize.deviation.end());
    f("mean", mean);
    f("deviation", deviation);
    check(mean, deviation);
    std::copy(mean.begin(), mean.end(), of.normalize.mean.begin());
    std::copy(deviation.begin(), deviation.end(), of.normalize.deviation.begin());
  }

 private:
  void check(const std::vector<double>& mean, const std::vector<double>& deviation) const {
    constexpr int64_t widest = 16384;  // 3 GB as floats: an input of that size has another fault
    const auto is_side = [&](int64_t side) { return side > 0 && side <= widest; };
    if (!is_side(of.width) || !is_side(of.height) || of.shorter_side < 0 ||
        of.shorter_side > widest)
      throw Error("pictures: {} x {} pixels of a shorter side of {}, expected 1 to {}", of.width,
                  of.height, of.shorter_side, widest);
    if (of.shorter_side > 0 && of.shorter_side < std::max(of.width, of.height))
      throw Error("pictures: the middle {} x {} of a shorter side of {} may not be there", of.width,
                  of.height, of.shorter_side);
    const bool fit =
        mean.size() == 3 && deviation.size() == 3 &&
        std::all_of(mean.begin(), mean.end(), [](double m) { return std::isfinite(m); }) &&
        std::all_of(deviation.begin(), deviation.end(),
                    [](double d) { return d > 0 && std::isfinite(d); });
    if (!fit) throw Error("pictures: expected three means, and three deviations above 0");
  }
};

struct InputFields {
  BundleNotes::Input input = {};
  void fields(Fields& f) {
    f("name", input.name);
    f("columns", input.columns);
    scaler_field(f, input.scaler);
    std::vector<PicturesFields> pictures;  // one, or none
    if (input.pictures) pictures.push_back({*input.pictures});
    f("pictures", pictures);
    if (pictures.size() > 1)
      throw Error("input \"{}\": found {} ways to prepare pictures, expected one at most",
                  input.name, pictures.size());
    if (!pictures.empty()) input.pictures = pictures[0].of;
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
    for (size_t i = 0; i < inputs.size(); ++i)
      for (size_t k = 0; k < i; ++k)
        if (inputs[k].input.name == inputs[i].input.name)
          throw Error("bundle: there are two notes of input \"{}\"", inputs[i].input.name);
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
  std::shared_ptr<Model> make_model(const io::Json&, const std::string&) override { return {}; }
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
  for (size_t t = 0; t < all.tasks.size(); ++t) {
    const Loss& loss = model.tasks()[static_cast<int64_t>(t)].loss;
    if (loss.yes_or_no() || loss.outputs() == LossOutputs::probabilities)
      all.tasks[t].notes.answer = AnswerKind::scores;
    else if (loss.class_dimension() != 1)
      all.tasks[t].notes.answer = AnswerKind::values;
  }
  for (const auto& given : notes.tasks) {
    const auto t = static_cast<size_t>(model.tasks().index_of(given.task));
    if (said[t]) throw Error("bundle: there are two notes of task \"{}\"", given.task);
    said[t] = true;
    const AnswerKind by_loss = all.tasks[t].notes.answer;
    all.tasks[t].notes = given;
    if (given.answer == AnswerKind::automatic) all.tasks[t].notes.answer = by_loss;
  }
  NotesWriter writer(bundle);
  all.fields(writer);
  for (size_t t = 0; t < all.tasks.size(); ++t) {
    const Loss& loss = model.tasks()[static_cast<int64_t>(t)].loss;
    bundle["tasks"][t][classes_in] = loss.yes_or_no() ? 0 : loss.class_dimension();
    bundle["tasks"][t][outputs_name] = outputs[static_cast<size_t>(loss.outputs())];
  }
  for (size_t i = 0; i < notes.inputs.size(); ++i)
    if (const auto& table = notes.inputs[i].table) bundle["inputs"][i]["table"] = table->json();
}

BundleNotes read_notes(const io::Json& bundle, std::vector<TaskNotes>& of_tasks) {
  NotesFields all;
  NotesReader reader(bundle);
  all.fields(reader);
  BundleNotes notes = std::move(all.texts);
  for (size_t i = 0; i < all.inputs.size(); ++i) {
    auto& input = notes.inputs.emplace_back(std::move(all.inputs[i].input));
    const io::Json& json = bundle["inputs"][i];
    if (const auto table = json.find("table"); table != json.end())
      input.table = TableEncoder::from_json(*table, "input \"" + input.name + "\"");
  }
  for (auto& metric : all.metrics) notes.metrics.push_back(std::move(metric.metric));
  for (size_t t = 0; t < all.tasks.size(); ++t) {
    auto& task = all.tasks[t];
    // Bundles of before do not say it.
    const io::Json& json = bundle["tasks"][t];
    const std::string place = "task \"" + task.notes.task + "\"";
    if (const auto found = json.find(classes_in); found != json.end())
      task.task.classes_in = io::json_integer(*found, place + ": classes_in");
    else if (task.notes.answer == AnswerKind::scores)
      task.task.classes_in = 0;
    read_outputs(json, task.task, place);
    notes.tasks.push_back(std::move(task.notes));
    of_tasks.push_back(std::move(task.task));
  }
  return notes;
}

}  // namespace mtl::deploy_detail
