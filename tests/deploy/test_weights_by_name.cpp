#include "mtl/deploy/weights_by_name.hpp"

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/io/pytorch_file.hpp"
#include "mtl/io/safetensors.hpp"
#include "mtl/nn/nn.hpp"
#include "temporary_folder.hpp"

namespace {

/// Two layers as PyTorch might have saved them, wrapped and with a classifier.
mtl::NamedTensors pytorch_weights() {
  return {{"module.body.fc1.weight", torch::randn({4, 3})},
          {"module.body.fc1.bias", torch::randn({4})},
          {"module.body.fc2.weight", torch::randn({2, 4})},
          {"module.body.fc2.bias", torch::randn({2})},
          {"module.classifier.weight", torch::randn({9, 2})}};
}

mtl::nn::MlpEncoder two_layers() {
  return mtl::nn::MlpEncoder({.input_size = 3, .hidden_sizes = {4, 2}});
}

const mtl::WeightNames rules = {.rename = {{"^module\\.body\\.", ""},
                                           {"^fc1", "layers.0"},
                                           {"^fc(2)", "layers.$1"},
                                           {"^layers\\.2", "layers.1"}},
                                .ignore = {"classifier"}};

}  // namespace

TEST_CASE("weights by name: rules rename one after the other, and leave out") {
  const TemporaryFolder folder;
  const auto weights = pytorch_weights();
  mtl::io::write_safetensors(folder / "w.safetensors", weights);
  auto encoder = two_layers();
  mtl::load_weights_by_name(*encoder, folder / "w.safetensors", rules);
  const auto own = mtl::nn::weights(*encoder);
  CHECK(own["layers.0.weight"].equal(weights["module.body.fc1.weight"]));
  CHECK(own["layers.1.bias"].equal(weights["module.body.fc2.bias"]));
}

TEST_CASE("weights by name: what does not fit is told, and nothing is changed") {
  auto encoder = two_layers();
  const auto before = mtl::nn::cloned(mtl::nn::weights(*encoder));
  mtl::NamedTensors weights = {{"layer.0.weight", torch::zeros({4, 3})},
                               {"layers.0.bias", torch::zeros({4})},
                               {"layers.1.weight", torch::zeros({2, 5})},
                               {"far.away", torch::zeros({4, 3})},
                               {"layers.0.weigh", torch::zeros({1})}};
  const auto match = mtl::match_weights(*encoder, weights);
  CHECK(match.fitting == 1);
  REQUIRE(match.missing.size() == 2);
  CHECK(match.missing[0].name == "layers.0.weight");
  CHECK(match.missing[0].nearest == "layer.0.weight");  // the shape counts before the letters
  REQUIRE(match.misfits.size() == 1);
  CHECK(match.misfits[0].found == "[2, 5]");
  CHECK(match.left_over.size() == 3);
  const auto text = error_text([&] { mtl::load_weights_by_name(*encoder, weights); });
  CHECK(contains(text, "missing: \"layers.0.weight\" [4, 3]; nearest: \"layer.0.weight\" [4, 3]"));
  CHECK(contains(text, "shape: \"layers.1.weight\" is [2, 4], found [2, 5]"));
  CHECK(contains(text, "left over: \"far.away\" [4, 3]"));
  for (const auto& item : mtl::nn::weights(*encoder)) CHECK(item.value().equal(before[item.key()]));
}

TEST_CASE("weights by name: parts of the module may keep their own") {
  auto encoder = two_layers();
  const auto before = mtl::nn::cloned(mtl::nn::weights(*encoder));
  mtl::load_weights_by_name(
      *encoder, {{"layers.0.weight", torch::zeros({4, 3})}, {"layers.0.bias", torch::zeros({4})}},
      {.keep = {"^layers\\.1\\."}});
  CHECK(mtl::nn::weights(*encoder)["layers.0.bias"].equal(torch::zeros({4})));
  CHECK(mtl::nn::weights(*encoder)["layers.1.bias"].equal(before["layers.1.bias"]));
}

TEST_CASE("weights by name: batch normalisation's counter may be missing") {
  torch::nn::BatchNorm1d norm(2);
  auto weights = mtl::nn::cloned(mtl::nn::weights(*norm));
  weights.erase("num_batches_tracked");
  CHECK(error_text([&] { mtl::load_weights_by_name(*norm, weights); }).empty());
}

TEST_CASE("weights by name: faulty rules and names are errors") {
  auto encoder = two_layers();
  const auto fault = [&](const mtl::NamedTensors& weights, const mtl::WeightNames& names) {
    return error_text([&] { mtl::match_weights(*encoder, weights, names); });
  };
  CHECK(contains(fault(pytorch_weights(), {.rename = {{"fc(", ""}}}), "no regular expression"));
  CHECK(contains(fault(pytorch_weights(), {.rename = {{"fc[12]", "fc"}}}), "both become"));
  CHECK(contains(fault({{std::string(5000, 'a'), torch::zeros({1})}}, {.rename = {{"(a|b)*", ""}}}),
                 "expected at most 1000"));
}

TEST_CASE("weights by name: a name of a stranger's is not matched at any length") {
  const auto encoder = two_layers();
  const std::string long_name(10'000'000, 'a');  // std::regex recurses over what it matches
  const auto text_of = [&](const mtl::WeightNames& names) {
    const mtl::NamedTensors weights = {{long_name, torch::zeros({1})}};
    return error_text([&] { mtl::match_weights(*encoder, weights, names); });
  };
  CHECK(contains(text_of({.ignore = {"(a|b)*c"}}), "has 10000000 characters, expected at most"));
  CHECK(contains(text_of({.rename = {{"(a|b)*c", ""}}}), "has 10000000 characters"));
  const mtl::NamedTensors weights = {{std::string(999, 'a'), torch::zeros({1})}};
  CHECK(contains(error_text([&] {
                   mtl::match_weights(*encoder, weights, {.rename = {{"a", "bb"}}});
                 }),
                 "has 1998 characters"));
}

TEST_CASE("weights by name: from a file of torch.save") {
  auto linear = torch::nn::Linear(3, 2);
  mtl::load_weights_by_name(*linear, MTL_SOURCE_DIR "/tests/golden/pytorch/checkpoint.pt",
                            {.rename = {{"^model\\.fc\\.", ""}},
                             .ignore = {"^model\\.norm", "^optimizer", "^list", "^parameter"}});
  const auto weights = mtl::io::read_pytorch(MTL_SOURCE_DIR "/tests/golden/pytorch/checkpoint.pt");
  CHECK(linear->weight.equal(weights["model.fc.weight"]));
  CHECK(contains(error_text([&] {
                   mtl::load_weights_by_name(*linear,
                                             MTL_SOURCE_DIR "/tests/golden/pytorch/runs.pt");
                 }),
                 "posix.system"));
}

TEST_CASE("weights by name: the module's own may change places") {
  mtl::nn::MlpEncoder net({.input_size = 3, .hidden_sizes = {3, 3}});
  const auto own = mtl::nn::weights(*net), before = mtl::nn::cloned(own);
  mtl::load_weights_by_name(
      *net, own, {.rename = {{"^layers\\.0", "x"}, {"\\.1\\.", ".0."}, {"^x", "layers.1"}}});
  CHECK(own["layers.0.weight"].equal(before["layers.1.weight"]));
  CHECK(own["layers.1.weight"].equal(before["layers.0.weight"]));
}
