#include "error_text.hpp"
#include "merging_rule.hpp"
#include "way_checks.hpp"

namespace {

const std::vector<std::pair<std::string, std::vector<int64_t>>> golden_shapes = {
    {"encoder.first.weight", {4, 3}},   {"encoder.first.bias", {4}},
    {"encoder.norm.weight", {4}},       {"encoder.norm.bias", {4}},
    {"encoder.norm.running_mean", {4}}, {"encoder.norm.running_var", {4}},
    {"encoder.last.weight", {3, 4}}};
const std::string batches = "encoder.norm.num_batches_tracked";

/// The start (-1), or a model tuned from it.
mtl::NamedTensors golden_weights(int64_t m) {
  mtl::NamedTensors weights;
  for (size_t k = 0; k < golden_shapes.size(); ++k) {
    const auto& [name, shape] = golden_shapes[k];
    const auto from = merging_rule(0, static_cast<int64_t>(k), shape);
    weights.insert(name,
                   m < 0 ? from : from + 0.2 * merging_rule(m + 1, static_cast<int64_t>(k), shape));
  }
  weights.insert(batches, torch::tensor(m < 0 ? 10 : 20 + m));
  return weights;
}

std::vector<mtl::NamedTensors> golden_models(int64_t count) {
  std::vector<mtl::NamedTensors> models;
  for (int64_t m = 0; m < count; ++m) models.push_back(golden_weights(m));
  return models;
}

mtl::Merging merging_of(const std::string& name, const nlohmann::json& options) {
  if (name == "mean") return mtl::MeanMerging{};
  if (name == "task_arithmetic") return mtl::TaskArithmetic{.scale = options["scale"]};
  if (name == "ties")
    return mtl::TiesMerging{
        .keep = options["keep"],
        .of = options["of"] == "sum" ? mtl::TiesMerging::Of::sum : mtl::TiesMerging::Of::mean,
        .scale = options["scale"]};
  return mtl::DareMerging{
      .drop = options["drop"],
      .seed = options["seed"],
      .then = options["then"] == "ties" ? mtl::Merging(mtl::TiesMerging{}) : mtl::TaskArithmetic{}};
}

const std::vector<mtl::Merging> all_mergings = {
    mtl::MeanMerging{}, mtl::TaskArithmetic{},
    mtl::TiesMerging{}, mtl::TiesMerging{.of = mtl::TiesMerging::Of::sum, .scale = 0.3},
    mtl::DareMerging{}, mtl::DareMerging{.then = mtl::TiesMerging{}}};

mtl::NamedTensors one(const torch::Tensor& tensor) { return {{"w", tensor}}; }

/// What a way of merging makes of vectors from a start of zeros.
torch::Tensor merged_vector(const mtl::Merging& merging, const std::vector<torch::Tensor>& tuned) {
  std::vector<mtl::NamedTensors> models;
  for (const auto& weights : tuned) models.push_back(one(weights));
  return merging(one(torch::zeros_like(tuned[0])), models)["w"];
}

torch::Tensor doubles(const std::vector<double>& values) {
  return torch::tensor(values, torch::kDouble);
}

}  // namespace

TEST_CASE("merging: values of every way are those of its formula") {
  for (const auto& expected : golden("merging.json")) {
    const std::string name = expected["name"];
    if (name == "ada_merging") continue;
    INFO(name << " " << expected["options"].dump() << " of " << expected["models"]);
    const auto merged = merging_of(name, expected["options"])(golden_weights(-1),
                                                              golden_models(expected["models"]));
    CHECK(merged.keys() == golden_weights(-1).keys());
    for (const auto& [key, values] : expected["merged"].items()) {
      INFO(key);
      CHECK(merged[key].flatten().allclose(tensor_of(values), 1e-12, 1e-13));
    }
    CHECK(merged[batches].item<int64_t>() == 10);  // counts are no weights: the start's
  }
}

TEST_CASE("merging: models that did not move give the start, types and devices are the start's") {
  mtl::NamedTensors start = golden_weights(-1);
  start["encoder.first.bias"] = start["encoder.first.bias"].to(torch::kFloat);
  for (const auto& merging : all_mergings) {
    const auto merged = merging(start, {start, start});
    for (const auto& item : start) {
      CHECK(merged[item.key()].equal(item.value()));
      CHECK(merged[item.key()].scalar_type() == item.value().scalar_type());
      CHECK(merged[item.key()].data_ptr() != item.value().data_ptr());
    }
  }
}

TEST_CASE("merging: one model and scale 1 is that model, to the bit in single precision, too") {
  torch::manual_seed(1);
  const auto start = torch::randn({50}), tuned = start + 0.01 * torch::randn({50});
  const std::vector<mtl::NamedTensors> models = {one(tuned)};
  CHECK(mtl::TaskArithmetic{.scale = 1}(one(start), models)["w"].equal(tuned));
  CHECK(mtl::MeanMerging{}(one(start), models)["w"].equal(tuned));
  CHECK(mtl::TiesMerging{.keep = 1}(one(start), models)["w"].equal(tuned));
  CHECK(
      mtl::DareMerging{.drop = 0, .then = mtl::TaskArithmetic{.scale = 1}}(one(start), models)["w"]
          .equal(tuned));
}

TEST_CASE("merging: BatchNorm's counts are the start's, also as real numbers") {
  const mtl::NamedTensors start = {{"w", torch::zeros({2})},
                                   {"n.num_batches_tracked", torch::full({}, 4.0)}};
  const mtl::NamedTensors tuned = {{"w", torch::ones({2})},
                                   {"n.num_batches_tracked", torch::full({}, 9.0)}};
  for (const auto& merging : all_mergings)
    CHECK(merging(start, {tuned})["n.num_batches_tracked"].item<double>() == 4);
}

TEST_CASE("merging: what was frozen, or moved in no model, stays as it was") {
  mtl::NamedTensors start = golden_weights(-1);
  auto models = golden_models(3);
  for (auto& model : models) model["encoder.last.weight"] = start["encoder.last.weight"].clone();
  for (const auto& merging : all_mergings)
    CHECK(merging(start, models)["encoder.last.weight"].equal(start["encoder.last.weight"]));
}

TEST_CASE("TiesMerging: ties at the threshold are all kept, whatever their order") {
  const mtl::TiesMerging merging{.keep = 0.2};  // one of five
  CHECK(merged_vector(merging, {doubles({1, -1, 1, -1, 1})}).equal(doubles({1, -1, 1, -1, 1})));
  CHECK(merged_vector(merging, {doubles({3, 2, 3, 0.5, -3})}).equal(doubles({3, 0, 3, 0, -3})));
  CHECK(merged_vector(merging, {doubles({0, 0, 0, 0, 0})}).equal(doubles({0, 0, 0, 0, 0})));
}

TEST_CASE("TiesMerging: the elected sign decides, a draw leaves the start") {
  const mtl::TiesMerging merging{.keep = 1};
  CHECK(merged_vector(merging, {doubles({4, -1, 2, 0}), doubles({-2, -3, -2, 5})})
            .equal(doubles({4, -2, 0, 5})));
  // A task vector of zeros has no vote and is in no mean.
  CHECK(merged_vector(merging, {doubles({4, -1}), doubles({0, 0})}).equal(doubles({4, -1})));
}

TEST_CASE("DareMerging: seeded, about half is dropped, the mean is kept") {
  const auto ones = torch::ones({20000}, torch::kDouble);
  const auto drawn = [&](uint64_t seed, double drop = 0.5) {
    return merged_vector(
        mtl::DareMerging{.drop = drop, .seed = seed, .then = mtl::TaskArithmetic{.scale = 1}},
        {ones});
  };
  CHECK(drawn(1).equal(drawn(1)));
  CHECK_FALSE(drawn(1).equal(drawn(2)));
  CHECK(drawn(1).ne(0).sum().item<int64_t>() == Approx(10000).margin(400));
  CHECK(drawn(1, 0.9).max().item<double>() == Approx(10));
  const auto two =
      merged_vector(mtl::DareMerging{.then = mtl::TaskArithmetic{.scale = 1}}, {ones, 10 * ones});
  CHECK(two.eq(2).any().item<bool>());  // each model draws for itself
  CHECK(two.eq(20).any().item<bool>());
}

TEST_CASE(
    "merging: models that do not fit are refused by the first name, before anything is made") {
  const auto start = golden_weights(-1);
  for (const auto& merging : all_mergings) {
    const auto text = [&](mtl::NamedTensors second) {
      return error_text([&] { merging(start, {golden_weights(0), second}); });
    };
    auto changed = golden_weights(1);
    changed["encoder.norm.bias"] = torch::zeros({5}, torch::kDouble);
    CHECK(contains(text(changed), "\"encoder.norm.bias\" has shape [5] in model 1 and [4]"));
    changed = golden_weights(1);
    changed.insert("encoder.more", torch::zeros({1}));
    CHECK(contains(text(changed), "model 1 has \"encoder.more\""));
    CHECK(contains(text(one(torch::zeros({1}))), "model 1 has no \"encoder.first.weight\""));
    changed = golden_weights(1);
    changed["encoder.first.bias"] = torch::full({4}, NAN);
    CHECK(contains(text(changed), "not finite"));
    changed = golden_weights(1);
    changed["encoder.first.bias"] = torch::zeros({4}, torch::kLong);
    CHECK(contains(text(changed), "has type Long in model 1"));
    CHECK(contains(error_text([&] { merging(start, {}); }), "no tuned model"));
    CHECK(contains(error_text([&] { merging(mtl::NamedTensors(), {mtl::NamedTensors()}); }),
                   "nothing is shared"));
  }
  const std::vector<mtl::NamedTensors> models = {start};
  CHECK(contains(error_text([&] { mtl::TiesMerging{.keep = 0}(start, models); }), "keep 0"));
  CHECK(contains(error_text([&] { mtl::DareMerging{.drop = 1}(start, models); }), "drop 1"));
  CHECK(contains(error_text([&] { mtl::TaskArithmetic{.scale = NAN}(start, models); }), "finite"));
}

TEST_CASE("shared_weights: what the tasks share, running statistics among it") {
  mtl::HardSharing model(
      torch::nn::Sequential(torch::nn::Linear(2, 4), torch::nn::BatchNorm1d(4)),
      {{.name = "a",
        .head = torch::nn::Sequential(torch::nn::BatchNorm1d(4), torch::nn::Linear(4, 1)),
        .loss = squared_error}});
  CHECK(mtl::shared_weights(model).keys() ==
        std::vector<std::string>{"encoder.0.weight", "encoder.0.bias", "encoder.1.weight",
                                 "encoder.1.bias", "encoder.1.running_mean",
                                 "encoder.1.running_var", "encoder.1.num_batches_tracked"});
  mtl::MixtureOfExperts mixture(mtl::several(2, [] { return tanh_layer(2, 4); }),
                                tasks_named({"a"}), {.gate_input_size = 2});
  for (const auto& item : mtl::shared_weights(mixture)) CHECK(item.key().starts_with("experts."));
}

namespace {

using Maker = std::function<std::shared_ptr<mtl::Model>(mtl::TaskRegistry)>;

/// Ways of sharing that have something in common and something by task.
std::vector<std::pair<std::string, Maker>> ways_of_one_task() {
  using namespace mtl;
  const auto experts = [] { return several(2, [] { return tanh_layer(2, 4); }); };
  return {
      {"hard", [](TaskRegistry t) { return HardSharing(tanh_layer(2, 4), t).ptr(); }},
      {"MMoE",
       [=](TaskRegistry t) {
         return MixtureOfExperts(experts(), t, {.gate_input_size = 2}).ptr();
       }},
      {"DSelect-k", [=](TaskRegistry t) { return DSelectK(experts(), t).ptr(); }},
      {"LTB", [=](TaskRegistry t) { return LearnedBranching({experts()}, t).ptr(); }},
      {"FiLM",
       [](TaskRegistry t) {
         return Film({{tanh_layer(2, 4), 4}}, t).ptr();
       }},
      {"adapters",
       [](TaskRegistry t) {
         return TaskAdapters({{tanh_layer(2, 4), 4}}, t).ptr();
       }},
      {"low rank",
       [](TaskRegistry t) { return LowRankUpdates({{torch::nn::Linear(2, 4)}}, t).ptr(); }},
      {"CGC",
       [=](TaskRegistry t) {
         return ProgressiveLayeredExtraction(
                    {{.by_task = {experts()}, .shared = experts(), .gate_input_size = 2}}, t)
             .ptr();
       }},
      {"MTAN",
       [](TaskRegistry t) {
         return MultiTaskAttention({{.first = tanh_layer(2, 4),
                                     .second = tanh_layer(4, 4),
                                     .masks = {tanh_layer(4, 4)}}},
                                   t)
             .ptr();
       }},
  };
}

std::vector<std::shared_ptr<mtl::Model>> tuned_models(const Maker& make) {
  std::vector<std::shared_ptr<mtl::Model>> models;
  const torch::NoGradGuard no_grad;
  for (const char* task : {"a", "b", "c"}) {
    torch::manual_seed(7);  // one start
    models.push_back(make(tasks_named({task})));
    torch::manual_seed(8 + models.size());
    for (auto& parameter : models.back()->parameters())
      parameter.add_(0.3 * torch::randn_like(parameter));
    models.back()->eval();
  }
  return models;
}

}  // namespace

TEST_CASE("merge_models: one model of all tasks; each task keeps what it has to itself") {
  for (const auto& [way, make] : ways_of_one_task()) {
    INFO(way);
    torch::manual_seed(7);
    const auto start = mtl::nn::cloned(mtl::shared_weights(make(tasks_named({"a"}))));
    const auto models = tuned_models(make);
    const auto state = mtl::default_generator_state();
    const auto merged =
        mtl::merge_models(start, {models[0], models[1], models[2]}, mtl::MeanMerging{});
    CHECK(mtl::default_generator_state().equal(state));
    CHECK(task_names(*merged) == std::vector<std::string>{"a", "b", "c"});
    const auto found = mtl::nn::weights(*merged);
    for (const auto& model : models) {
      const auto of_all = mtl::shared_weights(model);
      CHECK_FALSE(of_all.is_empty());
      for (const auto& item : mtl::nn::weights(*model))
        if (!of_all.contains(item.key())) CHECK(found[item.key()].equal(item.value()));
      for (const auto& item : of_all)
        CHECK(found[item.key()].allclose(
            (mtl::nn::weights(*models[0])[item.key()] + mtl::nn::weights(*models[1])[item.key()] +
             mtl::nn::weights(*models[2])[item.key()]) /
                3,
            1e-5, 1e-6));
    }
    // Merged in a way that takes the second model whole, that task predicts what it did.
    const auto second = mtl::merge_models(
        start, {models[0], models[1]},
        [](const mtl::NamedTensors&, const std::vector<mtl::NamedTensors>& tuned) {
          return mtl::nn::cloned(tuned[1]);
        });
    const auto x = torch::randn({5, 2});
    CHECK(second->forward({{"x", x}})["b"].equal(models[1]->forward({{"x", x}})["b"]));
  }
}

TEST_CASE("merge_models: what cannot be merged is refused") {
  const auto hard = [](const std::string& task, int64_t width = 4) {
    return mtl::HardSharing(tanh_layer(2, width), tasks_named({task}, width));
  };
  const auto a = hard("a"), b = hard("b"), twin = hard("a"), wide = hard("c", 5);
  const auto start = mtl::nn::cloned(mtl::shared_weights(a));
  CHECK(mtl::merge_models(start, std::vector{a, b}, mtl::MeanMerging{})->tasks().size() == 2);
  const auto text = [](const mtl::NamedTensors& from, const std::vector<mtl::ModelRef>& models) {
    return error_text([&] { mtl::merge_models(from, models, mtl::MeanMerging{}); });
  };
  CHECK(contains(text(start, {a, twin}), "\"a\" is registered already"));
  CHECK(contains(text(start, {a, wide}), "has shape [5, 2] in model 1"));
  CHECK(contains(text(start, {}), "no model"));
  const auto branched = [](const std::string& task) {
    return mtl::Branched(tanh_layer(2, 4), {{tanh_layer(4, 4), {task}}}, tasks_named({task}));
  };
  const auto left = branched("a"), right = branched("b");
  CHECK(contains(text(mtl::shared_weights(left), {left, right}), "would be shared by several"));
  const auto soft = [](const std::string& task) {
    return mtl::SoftSharing({tanh_layer(2, 4)}, tasks_named({task}));
  };
  const auto one_soft = soft("a"), other_soft = soft("b");
  CHECK(contains(text(mtl::shared_weights(one_soft), {one_soft, other_soft}), "nothing is shared"));
}

TEST_CASE("merging: complex weights are an Error, not the start's") {
  auto start = golden_weights(-1);
  start["encoder.last.weight"] = start["encoder.last.weight"].to(torch::kComplexDouble);
  for (const auto& merging : all_mergings)
    CHECK(contains(error_text([&] { merging(start, golden_models(2)); }),
                   "\"encoder.last.weight\" is complex"));
}

TEST_CASE("merging: a start that is not finite is an Error") {
  auto start = golden_weights(-1);
  start["encoder.last.weight"][0][1] = std::nan("");
  for (const auto& merging : all_mergings)
    CHECK(contains(error_text([&] { merging(start, golden_models(2)); }),
                   "\"encoder.last.weight\" of the start holds a number that is not finite"));
}
