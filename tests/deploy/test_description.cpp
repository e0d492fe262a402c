#include "mtl/deploy/description.hpp"

#include <filesystem>
#include <regex>
#include <set>

#include "catch.hpp"
#include "error_text.hpp"
#include "every_way.hpp"
#include "mtl/io/file.hpp"
#include "mtl/nn/weights.hpp"

namespace {

std::vector<mtl::Task> tasks_of_model(const mtl::Model& model) {
  std::vector<mtl::Task> tasks;
  for (const mtl::Task& task : model.tasks())
    tasks.push_back({.name = task.name, .loss = task.loss});
  return tasks;
}

/// A model as its description, read from text, gives it again.
std::shared_ptr<mtl::Model> made_again(const mtl::Model& model, const mtl::Kinds& kinds = {}) {
  const auto text = mtl::io::json_text(mtl::model_description(model, kinds));
  return mtl::make_model(mtl::io::parse_json(text), mtl::nn::weights(model), tasks_of_model(model),
                         kinds);
}

void check_made_again(const WayCase& way) {
  INFO(way.name);
  const auto model = way.make();
  settle_weights(*model, 3);
  const auto again = made_again(*model);
  // The description of what was made is the description it was made from: nothing is lost.
  CHECK(mtl::model_description(*again) == mtl::model_description(*model));
  const auto inputs = samples_of(way, 3);
  const auto expected = model->forward(inputs), found = again->forward(inputs);
  REQUIRE(found.keys() == expected.keys());
  for (const auto& item : expected) CHECK(found[item.key()].equal(item.value()));
}

const mtl::io::Json& hard_description() {
  static const auto json =
      mtl::model_description(*mtl::HardSharing(gelu_layer(3, 4), two_tasks(4)).ptr());
  return json;
}

/// What is said of a description that something was changed in.
std::string fault_of(const std::function<void(mtl::io::Json&)>& change) {
  auto model = mtl::HardSharing(gelu_layer(3, 4), two_tasks(4));
  auto description = hard_description();
  change(description);
  return error_text(
      [&] { mtl::make_model(description, mtl::nn::weights(*model), tasks_of_model(*model)); });
}

/// A head of one's own with an option, a part and a weight of its own.
struct ScaledImpl : torch::nn::Module {
  explicit ScaledImpl(int64_t in, double by_given = 2)
      : by(by_given),
        linear(register_module("linear", torch::nn::Linear(in, 1))),
        shift(register_parameter("shift", torch::ones({1}))) {}
  torch::Tensor forward(const torch::Tensor& x) { return by * linear->forward(x) + shift; }
  double by;
  torch::nn::Linear linear;
  torch::Tensor shift;
};
TORCH_MODULE(Scaled);

struct ScaledKind {
  using Module = ScaledImpl;
  static constexpr std::string_view name = "Scaled";
  int64_t in = 0;
  double by = 0;
  static ScaledKind of(const ScaledImpl& module) {
    return {module.linear->options.in_features(), module.by};
  }
  void fields(mtl::Fields& f) {
    f("in", in);
    f("by", by);
  }
  mtl::nn::Layer make() const { return Scaled(in, by); }
};

mtl::HardSharing with_own_head(double by = 2) {
  return mtl::HardSharing(
      gelu_layer(3, 4),
      {{.name = "own head", .head = Scaled(4, by), .loss = mtl::MeanSquaredError{}}});
}

}  // namespace

TEST_CASE("description: every encoder and head is made again") {
  for (const WayCase& way : ways_with_encoders()) check_made_again(way);
}

TEST_CASE("description: every way of sharing is made again") {
  for (const WayCase& way : ways_of_sharing()) check_made_again(way);
}

TEST_CASE("description: models around others are made again with what is within") {
  for (const WayCase& way : ways_around()) check_made_again(way);
}

TEST_CASE("description: an ensemble's members answer the same tasks, and there is one") {
  const auto ensemble = ways_around()[2].make();
  const auto fault = [&](const std::function<void(mtl::io::Json&)>& change) {
    auto description = mtl::model_description(*ensemble);
    change(description["members"]);
    return error_text([&] {
      mtl::make_model(description, mtl::nn::weights(*ensemble), tasks_of_model(*ensemble));
    });
  };
  CHECK(fault([](mtl::io::Json&) {}).empty());
  CHECK(contains(fault([](mtl::io::Json& m) { m = mtl::io::Json::array(); }), "no member"));
  CHECK(contains(fault([](mtl::io::Json& m) { m[1]["heads"].erase("b"); }), "other tasks"));
  CHECK(contains(fault([](mtl::io::Json& m) { m[1]["heads"] = 3; }),
                 "the model.members[1]: expected \"heads\""));
}

TEST_CASE("description: what is wrong within a model is said with its place") {
  const auto model = ways_around()[1].make();
  const auto fault = [&](const std::function<void(mtl::io::Json&)>& change) {
    auto description = mtl::model_description(*model);
    change(description);
    return error_text(
        [&] { mtl::make_model(description, mtl::nn::weights(*model), tasks_of_model(*model)); });
  };
  REQUIRE(fault([](auto&) {}).empty());
  CHECK(contains(fault([](auto& d) { d["model"]["kind"] = "Mlp"; }),
                 "the model.model is of kind Mlp, which is no way of sharing"));
  CHECK(contains(fault([](auto& d) { d["model"]["model"]["heads"]["a"]["kind"] = "Mine"; }),
                 "the model.model.model.heads.a is of kind Mine"));
  CHECK(contains(fault([](auto& d) { d["model"]["model"]["heads"].erase("b"); }),
                 "expected \"heads\""));
  CHECK(contains(fault([](auto& d) {
                   auto& heads = d["model"]["model"]["heads"];
                   heads["x"] = heads["a"];
                 }),
                 "expected \"heads\""));
  CHECK(contains(fault([](auto& d) { d["derived"].erase(size_t{2}); }), "expected \"heads\""));
  CHECK(contains(fault([](auto& d) { d["derived"][0]["task"] = "f"; }), "no task \"f\""));
}

TEST_CASE("description: a task derived by a function of one's own is one's own model") {
  mtl::DerivedTasks model(mtl::HardSharing(gelu_layer(3, 4), two_tasks(4)),
                          {{.task = {.name = "sum", .loss = mtl::MeanSquaredError{}},
                            .from = {"a"},
                            .prediction = [](const mtl::NamedTensors& p) { return p["a"] + 1; }}});
  CHECK(mtl::model_description(*model)["own"] == true);
  CHECK(contains(error_text([&] { made_again(*model); }),
                 "the model is of kind DerivedTasks, which is no way of sharing"));
}

TEST_CASE("description: EfficientNet-Lite is made again") {
  check_made_again(
      {"EfficientNet-Lite",
       [] {
         return mtl::HardSharing(mtl::nn::EfficientNetLite({.variant = 0}), two_tasks(1280)).ptr();
       },
       {3, 32, 33}});
}

TEST_CASE("description: a part of one's own needs a maker, which is told its sizes") {
  auto model = with_own_head();
  settle_weights(*model, 4);
  CHECK(contains(error_text([&] { made_again(*model); }),
                 "heads.own head is of kind Scaled, which is none of the library's"));
  mtl::Kinds kinds;
  kinds.add("Scaled", [](const mtl::OwnPart& part) {
    CHECK(part.place == "heads.own head");
    CHECK(contains(error_text([&] { part.shape("weight"); }), "no tensor \"weight\""));
    return Scaled(part.shape("linear.weight")[1]);
  });
  const auto x = torch::randn({5, 3});
  CHECK(made_again(*model, kinds)
            ->forward({{"x", x}})[0]
            .value()
            .equal(model->forward({{"x", x}})[0].value()));
}

TEST_CASE("description: a kind of one's own describes itself") {
  auto model = with_own_head(7);
  settle_weights(*model, 6);
  mtl::Kinds kinds;
  kinds.add<ScaledKind>();
  const auto description = mtl::model_description(*model, kinds);
  CHECK(description["heads"]["own head"] ==
        mtl::io::Json({{"kind", "Scaled"}, {"in", 4}, {"by", 7.0}}));
  const auto x = torch::randn({5, 3});
  CHECK(made_again(*model, kinds)
            ->forward({{"x", x}})[0]
            .value()
            .equal(model->forward({{"x", x}})[0].value()));
}

TEST_CASE("description: a layer of torch's with other options is no hindrance in one's own part") {
  struct OwnImpl : torch::nn::Module {
    torch::nn::Conv2d conv{register_module(
        "conv", torch::nn::Conv2d(torch::nn::Conv2dOptions(2, 3, 3).padding(torch::kSame)))};
    torch::Tensor forward(const torch::Tensor& x) { return conv->forward(x).mean({2, 3}); }
  };
  const auto make = [] { return std::make_shared<OwnImpl>(); };
  auto model = mtl::HardSharing(make(), two_tasks(3));
  mtl::Kinds kinds;
  kinds.add("Own", make);
  settle_weights(*model, 1);
  const auto x = torch::randn({2, 2, 4, 4});
  CHECK(made_again(*model, kinds)->forward({{"x", x}})["a"].equal(model->forward({{"x", x}})["a"]));
}

TEST_CASE("description: each encoder and each way of sharing has its kind") {
  const std::regex class_of(R"(class (\w+)Impl : public (Model|ModelAround|torch::nn::Module))");
  std::set<std::string> known = {"SoftmaxGate", "InvertedResidual"};  // parts of others' kinds
  for (const mtl::Kind& kind : mtl::deploy_detail::own_kinds()) {
    known.insert(kind.name);
    if (kind.name.ends_with("Encoder")) known.insert(kind.name.substr(0, kind.name.size() - 7));
  }
  known.insert({"RecurrentEncoder", "AttentionLayer"});  // of which there are two; a part
  int64_t seen = 0;
  for (const char* folder : {"nn/encoders", "nn/heads", "sharing"})
    for (const auto& file : std::filesystem::recursive_directory_iterator(
             std::string(MTL_SOURCE_DIR "/include/mtl/") + folder)) {
      if (!file.is_regular_file()) continue;
      const auto text = mtl::io::read_file(file.path());
      for (std::sregex_iterator it(text.begin(), text.end(), class_of), end; it != end; ++it) {
        INFO((*it)[1].str());
        CHECK(known.contains((*it)[1].str()));
        ++seen;
      }
    }
  CHECK(seen >= 17);
}

TEST_CASE("description: what is wrong is said with its place") {
  using mtl::io::Json;
  REQUIRE(fault_of([](Json&) {}).empty());
  CHECK(contains(fault_of([](Json& d) { d["kind"] = "SoftHaring"; }), "kind SoftHaring"));
  CHECK(contains(fault_of([](Json& d) { d["kind"] = "Mlp"; }), "no way of sharing"));
  CHECK(contains(fault_of([](Json& d) { d["kind"] = 3; }), "expected an object with a \"kind\""));
  CHECK(contains(fault_of([](Json& d) { d["encoder"]["kind"] = "HardSharing"; }),
                 "the model.encoder: HardSharing is a model"));
  CHECK(contains(fault_of([](Json& d) { d["encoder"]["kind"] = "os.system"; }),
                 "the model.encoder is of kind os.system"));
  CHECK(contains(fault_of([](Json& d) { d["encoder"] = Json(); }), "missing"));
  CHECK(contains(fault_of([](Json& d) { d["encoder"].erase("dropout"); }),
                 "the model.encoder: \"dropout\" is missing"));
  CHECK(contains(fault_of([](Json& d) { d["encoder"]["dropout"] = "half"; }),
                 "the model.encoder.dropout: found \"half\", expected a number"));
  CHECK(contains(fault_of([](Json& d) { d["encoder"]["input_size"] = 1.5; }), "input_size"));
  CHECK(contains(fault_of([](Json& d) { d["encoder"]["hidden_sizes"] = 4; }),
                 "hidden_sizes: found 4, expected a list"));
  CHECK(contains(fault_of([](Json& d) { d["encoder"]["activation"] = "step"; }),
                 "activation: found \"step\", expected one of relu, gelu"));
  CHECK(contains(fault_of([](Json& d) { d["input"] = 1; }), "expected a text"));
  CHECK(contains(fault_of([](Json& d) { d.erase("heads"); }), "expected \"heads\""));
  CHECK(contains(fault_of([](Json& d) { d["heads"].erase("b"); }), "each of 2 tasks"));
  CHECK(contains(fault_of([](Json& d) { d["heads"]["a"]["in_features"] = 5; }), "another model"));
}

TEST_CASE("description: sizes that the weights do not bear out take no memory") {
  using mtl::io::Json;
  const int64_t huge = 1'000'000'000'000;
  for (const int64_t size : {huge, -huge, int64_t{1000}}) {
    const auto text = fault_of([&](Json& d) { d["encoder"]["hidden_sizes"] = {size, size}; });
    INFO(text);
    CHECK((contains(text, "weights, and the file has") || contains(text, "sizes are at least 1")));
  }
  CHECK(contains(fault_of([&](Json& d) { d["heads"]["a"]["out_features"] = huge; }),
                 "nn.Linear: its sizes ask for"));
  CHECK(contains(fault_of([&](Json& d) {
                   d["encoder"] = {{"kind", "LstmEncoder"},
                                   {"input_size", 1},
                                   {"hidden_size", 1},
                                   {"layers", huge},
                                   {"dropout", 0.0}};
                 }),
                 "its sizes ask for"));
  CHECK(contains(fault_of([&](Json& d) {
                   d["encoder"] = {{"kind", "nn.MaxPool2d"},
                                   {"kernel_size", {huge, 1}},
                                   {"stride", {1, 1}},
                                   {"padding", {0, 0}}};
                 }),
                 "expected 0..4096"));
}
