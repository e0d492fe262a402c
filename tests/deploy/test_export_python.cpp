#include "mtl/deploy/export_python.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "catch.hpp"
#include "error_text.hpp"
#include "every_way.hpp"
#include "mtl/io/file.hpp"
#include "mtl/io/safetensors.hpp"
#include "mtl/io/text_encoding.hpp"
#include "python.hpp"
#include "temporary_folder.hpp"

namespace {

/// A head of one's own.
struct SquareHeadImpl : torch::nn::Module {
  explicit SquareHeadImpl(int64_t in)
      : linear(register_module("linear", torch::nn::Linear(in, 1))),
        shift(register_parameter("shift", torch::full({1}, 0.5))),
        unit(register_buffer("unit", torch::full({1}, 2.0))) {}
  torch::Tensor forward(const torch::Tensor& x) {
    return (linear->forward(x) + shift).square() * unit;
  }
  torch::nn::Linear linear;
  torch::Tensor shift, unit;
};
TORCH_MODULE(SquareHead);

/// A way of sharing of one's own.
struct SumOfTwoImpl : mtl::Model {
  SumOfTwoImpl(mtl::Encoder left, mtl::Encoder right, mtl::TaskRegistry tasks_given)
      : Model(std::move(tasks_given)), left_(std::move(left)), right_(std::move(right)) {
    register_part("parts.left", left_);
    register_part("parts.right", right_);
    register_heads();
  }
  mtl::NamedTensors forward(const mtl::NamedTensors& inputs) override {
    const auto sum = encode(left_, inputs, "") + encode(right_, inputs, "");
    mtl::NamedTensors predictions;
    for (const mtl::Task& task : tasks()) predictions.insert(task.name, answer(task, sum));
    return predictions;
  }
  mtl::Encoder left_, right_;
};

struct SquareKind {
  using Module = SquareHeadImpl;
  static constexpr std::string_view name = "SquareHead";
  int64_t in = 0;
  static SquareKind of(const SquareHeadImpl& head) { return {head.linear->options.in_features()}; }
  void fields(mtl::Fields& f) { f("in", in); }
  mtl::nn::Layer make() const { return SquareHead(in); }
};
struct WithPython : SquareKind {
  static constexpr std::string_view python = "\nclass SquareHead(nn.Module): pass  # ours\n";
  static WithPython of(const SquareHeadImpl& head) { return {SquareKind::of(head)}; }
};

std::shared_ptr<mtl::Model> with_square_head() {
  return mtl::HardSharing(gelu_layer(3, 4),
                          {{.name = "a", .head = SquareHead(4), .loss = mtl::MeanSquaredError{}}})
      .ptr();
}

std::shared_ptr<mtl::Model> sum_of_two() {
  return std::make_shared<SumOfTwoImpl>(gelu_layer(3, 4), gelu_layer(3, 4), two_tasks(4));
}

std::shared_ptr<mtl::Model> derived_by_own() {
  return mtl::DerivedTasks(mtl::HardSharing(gelu_layer(3, 4), two_tasks(4)),
                           {{.task = {.name = "c", .loss = mtl::MeanSquaredError{}},
                             .from = {"a", "b"},
                             .prediction =
                                 [](const mtl::NamedTensors& p) {
                                   return p["a"] - p["b"].select(1, 1).unsqueeze(1);
                                 }}})
      .ptr();
}

constexpr const char* square_head = "return (self.linear(x) + self.shift) ** 2 * self.unit";
constexpr const char* derived_forward =
    "found = self.model(inputs)\n"
    "return {**found, \"c\": found[\"a\"] - found[\"b\"][:, 1:]}";
constexpr const char* sum_forward =
    "x = input_of(inputs, \"\")\n"
    "x = self.parts[\"left\"](x) + self.parts[\"right\"](x)\n"
    "return {task: head(x) for task, head in self.heads.items()}";

std::string exported(mtl::Model& model, const mtl::PythonOptions& options = {}) {
  const TemporaryFolder folder;
  mtl::export_python(model, folder / "net", options);
  return mtl::io::read_text(folder / "net" / "model.py");
}

/// An export with cases in it, for check_export.py.
void export_with_cases(const WayCase& way, const std::filesystem::path& folder,
                       const mtl::PythonOptions& options = {}) {
  const auto model = way.make();
  settle_weights(*model, 5);
  mtl::export_python(*model, folder, options);
  torch::NoGradGuard no_grad;
  mtl::NamedTensors cases;
  for (const int64_t samples : {1, 2, 7}) {
    const std::string case_name = std::to_string(samples);
    auto inputs = samples_of(way, samples);
    for (auto& item : inputs) {
      if (item.value().is_floating_point())
        item.value() = item.value().to(model->parameters().front().scalar_type());
      cases.insert(case_name + "/in/" + item.key(), item.value());
    }
    for (const auto& item : model->forward(inputs))
      cases.insert(case_name + "/out/" + item.key(), item.value());
  }
  mtl::io::write_safetensors(folder / "cases.safetensors", cases);
}

}  // namespace

TEST_CASE("export_python: the file reads like the model that it rebuilds") {
  auto model = mtl::HardSharing(
      mtl::nn::MlpEncoder({.input_size = 3, .hidden_sizes = {8, 4}, .dropout = 0.25}),
      two_tasks(4));
  const auto text = exported(*model);
  INFO(text);
  CHECK(contains(text, R"(
    return HardSharing(
        encoder=Mlp(
            input_size=3,
            hidden_sizes=[8, 4],
            activation="relu",
            dropout=0.25,
            output_size=0,
        ),
        input="",
        heads={
            "a": nn.Linear(in_features=4, out_features=1, bias=True),
            "b": Mlp(input_size=4, hidden_sizes=[3], activation="relu", dropout=0.0, output_size=2),
        },
    )
)"));
  CHECK(contains(text, "\nclass HardSharing(nn.Module):"));
  CHECK(contains(text, "\nclass Mlp(nn.Module):"));
  CHECK_FALSE(contains(text, "class LstmEncoder"));
}

TEST_CASE("export_python: tasks may be called as fields and methods are") {
  mtl::TaskRegistry tasks;
  for (const char* name : {"kind", "own", "training", "items"})
    tasks.add({.name = name, .head = mtl::nn::LinearHead(4, 1), .loss = mtl::MeanSquaredError{}});
  const auto text = exported(*mtl::HardSharing(gelu_layer(3, 4), tasks).ptr());
  for (const char* name : {"kind", "own", "training", "items"})
    CHECK(contains(text, std::string("\n            \"") + name + "\": nn.Linear("));
}

TEST_CASE("export_python: every class that the network needs is in the file, once") {
  for (const auto& ways : {ways_with_encoders(), ways_of_sharing(), ways_around()})
    for (const WayCase& way : ways) {
      INFO(way.name);
      const auto text = exported(*way.make());
      for (size_t at = 0; (at = text.find("\nclass ", at)) != std::string::npos; ++at) {
        const auto line = text.substr(at, text.find('\n', at + 1) - at);
        CHECK(text.find(line, at + 1) == std::string::npos);
      }
      for (const char* called : {"SoftmaxGate(", "mixed(", "through(", "answered(", "parted("})
        if (contains(text, called))
          CHECK((contains(text, std::string("\nclass ") + called) ||
                 contains(text, std::string("\ndef ") + called)));
    }
}

TEST_CASE("export_python: the weights stand beside it under the model's names") {
  const TemporaryFolder folder;
  const auto model = with_square_head();
  mtl::export_python(*model, folder.path());
  const auto weights = mtl::io::read_safetensors(folder / "weights.safetensors");
  CHECK(weights.keys() == mtl::nn::weights(*model).keys());
  for (const auto& item : mtl::nn::weights(*model)) CHECK(weights[item.key()].equal(item.value()));
}

TEST_CASE("export_python: a module of one's own is a class with a place for its forward") {
  const auto text = exported(*with_square_head());
  INFO(text);
  CHECK(contains(text, R"("a": SquareHead(
                {"linear": nn.Linear(in_features=4, out_features=1, bias=True)},)"));
  CHECK(contains(text, "weights={\"shift\": [1]}"));
  CHECK(contains(text, "buffers={\"unit\": [1]}"));
  CHECK(contains(text, "class SquareHead(OwnPart):"));
  CHECK(
      contains(text, "        self.linear = nn.Linear(...)\n        self.shift = a tensor [1]\n"));
  CHECK(contains(text, "    forward = not_filled_in\n"));

  const auto filled = exported(*with_square_head(), {.forward = {{"SquareHead", square_head}}});
  CHECK_FALSE(contains(filled, "    forward = not_filled_in\n"));
  CHECK(contains(filled, std::string("    def forward(self, x):\n        ") + square_head + "\n"));
  CHECK(contains(error_text([] {
                   exported(*with_square_head(), {.forward = {{"Square", "return x"}}});
                 }),
                 "forward was given for Square"));
}

TEST_CASE("export_python: a kind of one's own brings its Python with it") {
  mtl::Kinds silent, speaking;
  silent.add<SquareKind>();
  speaking.add<WithPython>();
  const auto text = exported(*with_square_head(), {.kinds = speaking});
  CHECK(contains(text, "\"a\": SquareHead(in=4)"));
  CHECK(contains(text, "class SquareHead(nn.Module): pass  # ours"));
  CHECK(contains(error_text([&] { exported(*with_square_head(), {.kinds = silent}); }),
                 "SquareHead of one's own says nothing of its Python"));
}

TEST_CASE("export_python: a model of one's own is a class with all its parts") {
  const auto text = exported(*sum_of_two());
  CHECK(contains(text, "\n    return SumOfTwo(\n        {\n            \"parts\": Parts("));
  CHECK(contains(text, "def forward(self, inputs)"));
}

TEST_CASE("export_python: what derives a task by a function of one's own, the model within whole") {
  const auto text = exported(*derived_by_own());
  CHECK(contains(text, "class OwnDerivedTasks(OwnPart):"));
  CHECK(contains(text, "\"a\": nn.Linear("));
}

TEST_CASE("export_python: what cannot be carried over is an error") {
  auto model = mtl::HardSharing(torch::nn::Sequential(torch::nn::Conv2d(
                                    torch::nn::Conv2dOptions(3, 4, 3).padding(torch::kSame))),
                                two_tasks(4));
  CHECK(contains(error_text([&] { exported(*model); }), "nn.Conv2d: padding by a word"));
}

TEST_CASE("export_python: plain PyTorch gives the same numbers", "[.python]") {
  if (!has_python_torch()) return;
  const TemporaryFolder folder;
  std::vector<std::string> exports;
  const auto add = [&](const WayCase& way, const mtl::PythonOptions& options = {}) {
    exports.push_back((folder / way.name).string());
    export_with_cases(way, exports.back(), options);
  };
  for (const auto& ways : {ways_with_encoders(), ways_of_sharing(), ways_around()})
    for (const WayCase& way : ways) add(way);
  // In double precision: sixteen blocks of such weights make of a rounding error what they like.
  add({"EfficientNet-Lite",
       [] {
         auto model =
             mtl::HardSharing(mtl::nn::EfficientNetLite({.variant = 1}), two_tasks(1280)).ptr();
         model->to(torch::kDouble);
         return model;
       },
       {3, 32, 33}});
  add({"in double precision",
       [] {
         auto model = mtl::HardSharing(gelu_layer(3, 4), two_tasks(4)).ptr();
         model->to(torch::kDouble);
         return std::shared_ptr<mtl::Model>(model);
       },
       {3}});
  add({"tasks with names of methods",
       [] {
         mtl::TaskRegistry tasks;
         for (const char* name : {"kind", "own", "training", "items"})
           tasks.add(
               {.name = name, .head = mtl::nn::LinearHead(4, 1), .loss = mtl::MeanSquaredError{}});
         return mtl::CrossStitch(mtl::several(4, [] { return mtl::Stages{gelu_layer(3, 4)}; }),
                                 tasks)
             .ptr();
       },
       {3}});
  add({"a head of one's own", with_square_head, {3}}, {.forward = {{"SquareHead", square_head}}});
  add({"a model of one's own", sum_of_two, {3}}, {.forward = {{"SumOfTwo", sum_forward}}});
  add({"a task derived by one's own", derived_by_own, {3}},
      {.forward = {{"DerivedTasks", derived_forward}}});
  exports.push_back("--export");  // the lines of docs/deploy.md, on two: tracing takes seconds
  for (const char* name : {"MMoE", "attention over steps"})
    exports.push_back((folder / name).string());
  CHECK(run_python(MTL_SOURCE_DIR "/tests/deploy/check_export.py", exports) == 0);
}

TEST_CASE("export_python: load() says what is not filled in", "[.python]") {
  if (!has_python_torch()) return;
  const TemporaryFolder folder;
  mtl::export_python(*with_square_head(), folder.path());
  const auto text = python_output("import sys; sys.path.insert(0, '" + folder.path().string() +
                                  "'); import model; model.load()");
  CHECK(contains(text, "NotImplementedError: model.py: SquareHead is a module of one's own"));
}

TEST_CASE("export_python: where one file cannot be written the other stays as it is") {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "out" / "model.py");
  std::ofstream(folder / "out" / "weights.safetensors") << "older";
  const mtl::HardSharing model(gelu_layer(3, 4), two_tasks(4));
  CHECK(contains(error_text([&] { mtl::export_python(model, folder / "out"); }), "model.py"));
  CHECK(mtl::io::read_file(folder / "out" / "weights.safetensors") == "older");
}
