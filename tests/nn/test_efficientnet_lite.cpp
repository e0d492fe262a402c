#include "mtl/nn/encoders/efficientnet_lite.hpp"

#include <torch/torch.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/io/safetensors.hpp"
#include "mtl/nn/weights.hpp"
#include "mtl/sharing/hard_sharing.hpp"

using mtl::Tensor;
using mtl::nn::EfficientNetLite;

namespace {

const std::filesystem::path shared_folder =
    std::filesystem::path(MTL_SOURCE_DIR) / "../shared/data/efficientnet_lite0";

// sin(0.37 i + phase): the same in Python, see tests/golden/make_efficientnet_lite.py.
Tensor wave(int64_t count, double phase) {
  return torch::sin(0.37 * torch::arange(count, torch::kFloat64) + phase);
}

mtl::NamedTensors formula_weights(EfficientNetLite& encoder) {
  std::map<std::string, Tensor> sorted;
  for (const auto& item : encoder->named_parameters()) sorted.emplace(item.key(), item.value());
  for (const auto& item : encoder->named_buffers()) {
    if (!item.key().ends_with("num_batches_tracked")) sorted.emplace(item.key(), item.value());
  }
  mtl::NamedTensors weights;
  double phase = 0;
  for (const auto& [name, tensor] : sorted) {
    Tensor values = wave(tensor.numel(), phase++);
    if (tensor.dim() == 4) {
      values = values * std::sqrt(4.0 / static_cast<double>(tensor[0].numel()));
    } else if (name.ends_with("running_var") || name.ends_with("weight")) {
      values = 1 + 0.5 * values;
    } else {
      values = 0.2 * values;
    }
    weights.insert(name, values.reshape(tensor.sizes()).to(torch::kFloat32));
  }
  return weights;
}

int64_t count_parameters(const torch::nn::Module& module) {
  int64_t count = 0;
  for (const Tensor& parameter : module.parameters()) count += parameter.numel();
  return count;
}

Tensor tensor_of(const nlohmann::json& rows) {
  std::vector<Tensor> result;
  for (const auto& row : rows) result.push_back(torch::tensor(row.get<std::vector<double>>()));
  return torch::stack(result);
}

double worst(const Tensor& a, const Tensor& b) { return (a - b).abs().max().item<double>(); }

std::set<std::string> changed(const mtl::NamedTensors& before, EfficientNetLite& encoder) {
  std::set<std::string> names;
  auto now = encoder->named_parameters();
  now.update(encoder->named_buffers());
  for (const auto& item : now) {
    if (!torch::equal(item.value(), before[item.key()])) names.insert(item.key());
  }
  return names;
}

mtl::NamedTensors copy_of_all(EfficientNetLite& encoder) {
  mtl::NamedTensors copies;
  auto now = encoder->named_parameters();
  now.update(encoder->named_buffers());
  for (const auto& item : now) copies.insert(item.key(), item.value().detach().clone());
  return copies;
}

}  // namespace

TEST_CASE("EfficientNetLite: every variant gives the features of the Python original") {
  std::ifstream file(std::string(MTL_SOURCE_DIR) + "/tests/golden/efficientnet_lite.json");
  for (const auto& golden : nlohmann::json::parse(file)) {
    const int64_t variant = golden["variant"], size = golden["size"];
    CAPTURE(variant, size);
    EfficientNetLite encoder({.variant = variant});
    encoder->load_weights(formula_weights(encoder));
    encoder->eval();
    torch::NoGradGuard no_grad;
    const Tensor pictures =
        wave(2 * 3 * size * size, 0.5).reshape({2, 3, size, size}).to(torch::kFloat32);
    const Tensor features = encoder->forward(pictures).to(torch::kFloat64);
    REQUIRE(features.sizes() == torch::IntArrayRef({2, 1280}));
    const Tensor some =
        features.index({torch::indexing::Slice(), torch::indexing::Slice(0, {}, 160)});
    CHECK(worst(some, tensor_of(golden["features"])) < 1e-4);
    const Tensor norms = torch::tensor(golden["norms"].get<std::vector<double>>());
    CHECK(worst(features.norm(2, 1) / norms, torch::ones(2, torch::kFloat64)) < 1e-5);
  }
}

TEST_CASE("EfficientNetLite: widths, depths and resolutions are the published ones") {
  // Millions of parameters with the classifier of 1000 classes, as published.
  const std::vector<double> millions = {4.65, 5.42, 6.09, 8.20, 13.01};
  const std::vector<int64_t> blocks = {16, 21, 21, 24, 30}, resolution = {224, 240, 260, 280, 300};
  for (int64_t variant = 0; variant < 5; ++variant) {
    CAPTURE(variant);
    EfficientNetLite encoder({.variant = variant});
    const auto v = static_cast<size_t>(variant);
    CHECK(encoder->blocks() == blocks[v]);
    CHECK(encoder->resolution() == resolution[v]);
    const double count = static_cast<double>(count_parameters(*encoder) + 1280 * 1000 + 1000) / 1e6;
    CHECK(count == Approx(millions[v]).margin(0.006));
  }
}

TEST_CASE("EfficientNetLite: the ImageNet weights give the reference features and logits") {
  if (!std::filesystem::exists(shared_folder)) {
    WARN("skipped: " << shared_folder << " with the ImageNet weights is not there");
    return;
  }
  EfficientNetLite encoder;
  const auto weights = mtl::io::read_safetensors(shared_folder / "efficientnet_lite0.safetensors");
  encoder->load_weights(shared_folder / "efficientnet_lite0.safetensors");
  encoder->eval();
  const auto reference = mtl::io::read_safetensors(shared_folder / "reference.safetensors");
  torch::NoGradGuard no_grad;
  const Tensor features = encoder->forward(reference["input"]);
  CHECK(worst(features, reference["features_mean"]) < 1e-4);
  const Tensor logits = torch::linear(features, weights["_fc.weight"], weights["_fc.bias"]);
  CHECK(worst(logits, reference["logits"]) < 1e-4);
}

TEST_CASE("EfficientNetLite: what is frozen does not move, BatchNorm statistics included") {
  torch::manual_seed(1);
  const Tensor pictures = torch::rand({4, 3, 32, 32});
  for (const int64_t until : {0, 3, 16}) {
    CAPTURE(until);
    EfficientNetLite encoder;
    encoder->freeze_until(until);
    encoder->train();  // must not wake the frozen part
    const auto before = copy_of_all(encoder);
    torch::optim::SGD sgd(encoder->parameters(), 0.1);
    encoder->forward(pictures).square().mean().backward();
    sgd.step();
    const auto moved = changed(before, encoder);
    CHECK(moved.contains("_conv_head.weight"));
    CHECK(moved.contains("_bn1.running_mean"));
    CHECK_FALSE(moved.contains("_conv_stem.weight"));
    CHECK_FALSE(moved.contains("_bn0.running_mean"));
    for (int64_t block = 0; block < encoder->blocks(); ++block) {
      const std::string name = "_blocks." + std::to_string(block) + ".";
      CHECK(moved.contains(name + "_project_conv.weight") == (block >= until));
      CHECK(moved.contains(name + "_bn2.running_var") == (block >= until));
    }
  }
}

TEST_CASE("EfficientNetLite: freeze and unfreeze everything, also inside a model") {
  EfficientNetLite encoder;
  mtl::TaskRegistry tasks;
  tasks.add({.name = "a",
             .head = torch::nn::Linear(1280, 2),
             .loss = mtl::Loss(
                 [](const Tensor& p, const Tensor& t) { return (p - t).square().mean(1); })});
  mtl::HardSharing model(encoder, tasks);
  encoder->freeze();
  model->train();
  const auto before = copy_of_all(encoder);
  const Tensor pictures = torch::rand({2, 3, 32, 32});
  const Tensor first = encoder->forward(pictures),
               second = encoder->forward(pictures.flip(0)).flip(0);
  CHECK_FALSE(first.requires_grad());
  CHECK(torch::allclose(first, second));  // in eval mode no sample sees the others
  CHECK(changed(before, encoder).empty());

  encoder->unfreeze();
  const Tensor features = encoder->forward(pictures);
  CHECK(features.requires_grad());
  CHECK(changed(before, encoder).contains("_bn0.running_mean"));  // back in training mode
  features.sum().backward();
  encoder->freeze_until(0);  // an optimizer would go on with the last gradient
  const auto parameters = encoder->named_parameters();
  CHECK_FALSE(parameters["_conv_stem.weight"].grad().defined());
  CHECK(parameters["_conv_head.weight"].grad().defined());
}

TEST_CASE("EfficientNetLite: stochastic depth changes training only") {
  torch::manual_seed(1);
  EfficientNetLite encoder({.drop_connect = 0.5});
  const Tensor pictures = torch::rand({2, 3, 32, 32});
  encoder->eval();
  CHECK(torch::equal(encoder->forward(pictures), encoder->forward(pictures)));
  encoder->train();
  CHECK_FALSE(torch::equal(encoder->forward(pictures), encoder->forward(pictures)));
}

TEST_CASE("EfficientNetLite: names what is wrong") {
  EfficientNetLite encoder, other({.variant = 2});
  CHECK(contains(error_text([] { EfficientNetLite({.variant = 5}); }), "variant is 5"));
  CHECK(contains(error_text([] { EfficientNetLite({.drop_connect = 1.0}); }), "drop_connect is 1"));
  CHECK(contains(error_text([&] { encoder->freeze_until(17); }), "block 17, expected 0..16"));
  CHECK(contains(error_text([&] {
                   encoder->forward(torch::zeros({2, 1, 32, 32}));
                 }),
                 "[2, 1, 32, 32]"));

  CHECK(
      contains(error_text([&] { encoder->load_weights(formula_weights(other)); }), "_blocks.16."));
  auto weights = formula_weights(encoder);
  weights["_conv_stem.weight"] = torch::zeros({32, 1, 3, 3});
  CHECK(contains(error_text([&] { encoder->load_weights(weights); }),
                 "[32, 1, 3, 3] in the weights, expected [32, 3, 3, 3]"));
  weights.erase("_conv_stem.weight");
  const auto before = copy_of_all(encoder);
  CHECK(
      contains(error_text([&] { encoder->load_weights(weights); }), "lack \"_conv_stem.weight\""));
  CHECK(changed(before, encoder).empty());  // all or nothing
}

TEST_CASE("EfficientNetLite: what is frozen stays so in a clone, also when it trains") {
  mtl::nn::EfficientNetLite encoder(mtl::nn::EfficientNetLite::Options{});
  encoder->freeze_until(3);
  const mtl::Encoder copy = mtl::clone(mtl::Encoder(encoder));
  copy.module()->train();
  const auto before = mtl::nn::cloned(mtl::nn::weights(*copy.module()));
  copy.forward(torch::rand({2, 3, 32, 32}));
  const auto after = mtl::nn::weights(*copy.module());
  CHECK(after["_bn0.running_mean"].equal(before["_bn0.running_mean"]));
  CHECK_FALSE(after["_bn1.running_mean"].equal(before["_bn1.running_mean"]));
}
