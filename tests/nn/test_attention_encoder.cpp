#include "mtl/nn/encoders/attention_encoder.hpp"

#include <cmath>
#include <limits>
#include <map>

#include "catch.hpp"
#include "error_text.hpp"
#include "golden.hpp"
#include "mtl/nn/clone.hpp"

using mtl::Tensor;
using mtl::nn::AttentionEncoder;

namespace {

/// The samples of a case, filled up to the longest one with token 0 or with NaN.
Tensor filled(const nlohmann::json& samples, bool of_tokens) {
  std::vector<Tensor> rows;
  int64_t longest = 0;
  for (const auto& sample : samples) {
    rows.push_back(tensor_of(sample));
    longest = std::max(longest, rows.back().size(0));
  }
  for (Tensor& row : rows) {
    std::vector<int64_t> missing(static_cast<size_t>(2 * row.dim()), 0);
    missing.back() = longest - row.size(0);
    row = torch::constant_pad_nd(row, missing, of_tokens ? 0 : std::nan(""));
  }
  const Tensor all = torch::stack(rows);
  return of_tokens ? all.to(torch::kLong) : all;
}

AttentionEncoder small(int64_t vocabulary, double dropout = 0) {
  return AttentionEncoder({.vocabulary = vocabulary,
                           .input_size = vocabulary > 0 ? 0 : 3,
                           .width = 8,
                           .heads = 2,
                           .feedforward_size = 16,
                           .dropout = dropout});
}

}  // namespace

TEST_CASE("AttentionEncoder: PyTorch's numbers and gradients, of each sequence by itself") {
  const auto& cases = golden("attention.json");
  REQUIRE(cases.size() == 2);
  for (const auto& c : cases) {
    const bool of_tokens = c["name"] == "tokens";
    INFO(c["name"]);
    AttentionEncoder encoder(
        {.vocabulary = of_tokens ? 7 : 0,
         .input_size = of_tokens ? 0 : 3,
         .width = 6,
         .heads = 2,
         .feedforward_size = 5,
         .activation = of_tokens ? mtl::nn::Activation::gelu : mtl::nn::Activation::relu});
    encoder->to(torch::kDouble);
    std::map<std::string, Tensor> sorted;
    for (const auto& item : encoder->named_parameters()) sorted[item.key()] = item.value();
    REQUIRE(sorted.size() == c["gradients"].size());
    {
      const torch::NoGradGuard no_grad;
      double k = 0;
      for (auto& [name, value] : sorted) {
        const Tensor i = torch::arange(value.numel(), torch::kDouble);
        value.copy_((0.6 * torch::sin((0.9 + 0.1 * k) * i + 1.3 * k + 0.2)).view(value.sizes()));
        ++k;
      }
    }
    const Tensor output = encoder->forward(filled(c["input"], of_tokens));
    CHECK(output.allclose(tensor_of(c["output"]), 1e-10, 1e-12));
    const Tensor i = torch::arange(output.numel(), torch::kDouble);
    (output.flatten() * torch::sin(0.3 * i + 0.1)).sum().backward();
    for (const auto& [name, value] : sorted) {
      INFO(name);
      REQUIRE(c["gradients"].contains(name));
      CHECK(value.grad().flatten().allclose(tensor_of(c["gradients"][name]), 1e-8, 1e-11));
    }
  }
}

TEST_CASE("AttentionEncoder: more filling changes nothing, and comes out as 0") {
  torch::manual_seed(1);
  for (const int64_t vocabulary : {9, 0}) {
    AttentionEncoder encoder = small(vocabulary);
    const Tensor x =
        vocabulary > 0 ? torch::randint(1, 9, {2, 5}, torch::kLong) : torch::randn({2, 5, 3});
    const double fill = vocabulary > 0 ? 0 : std::nan("");
    const Tensor more = torch::constant_pad_nd(
        x, vocabulary > 0 ? std::vector<int64_t>{0, 4} : std::vector<int64_t>{0, 0, 0, 4}, fill);
    const Tensor found = encoder->forward(more);
    CHECK(found.sizes() == at::IntArrayRef({2, 10, 8}));
    CHECK(found.slice(1, 0, 6).allclose(encoder->forward(x), 1e-4, 1e-6));
    CHECK(found.slice(1, 6).eq(0).all().item<bool>());
    found.sum().backward();
    for (const Tensor& parameter : encoder->parameters())
      CHECK(parameter.grad().isfinite().all().item<bool>());
  }
}

TEST_CASE("AttentionEncoder: a sample that is filling only has a finite summary") {
  torch::manual_seed(2);
  const Tensor found = small(9)->forward(torch::zeros({1, 3}, torch::kLong));
  CHECK(found.isfinite().all().item<bool>());
  CHECK(found[0][0].abs().sum().item<double>() > 0);
}

TEST_CASE("AttentionEncoder: dropout in training only, drawn from the seed; a clone is alike") {
  torch::manual_seed(3);
  AttentionEncoder encoder = small(9, 0.3);
  const Tensor x = torch::randint(1, 9, {4, 6}, torch::kLong);
  const auto drawn = [&](uint64_t seed) {
    torch::manual_seed(seed);
    return encoder->forward(x);
  };
  CHECK(drawn(5).equal(drawn(5)));
  CHECK_FALSE(drawn(5).equal(drawn(6)));
  encoder->eval();
  CHECK(drawn(5).equal(drawn(6)));
  CHECK(mtl::nn::clone(*encoder)->forward(x).equal(encoder->forward(x)));
}

TEST_CASE("AttentionEncoder: options and inputs that make no sense are errors") {
  const auto made = [](AttentionEncoder::Options options) {
    return error_text([&] { AttentionEncoder{options}; });
  };
  CHECK(contains(made({}), "vocabulary 0, input_size 0"));
  CHECK(contains(made({.vocabulary = 5, .input_size = 3}), "vocabulary 5, input_size 3"));
  CHECK(contains(made({.vocabulary = 5, .width = 10}), "width 10, heads 4"));
  CHECK(contains(made({.vocabulary = 5, .width = 9, .heads = 3}), "must be even"));
  CHECK(contains(made({.vocabulary = 5, .layers = 0}), "layers 0"));
  CHECK(contains(made({.vocabulary = 5, .dropout = 1}), "is not in [0, 1)"));
  AttentionEncoder tokens = small(9), real = small(0);
  const auto said = [](AttentionEncoder& encoder, const Tensor& x) {
    return error_text([&] { encoder->forward(x); });
  };
  CHECK(contains(said(tokens, torch::tensor({{1, 9}})), "found token 9, expected 0 to 8"));
  CHECK(contains(said(tokens, torch::tensor({{-1, 2}})), "found token -1"));
  CHECK(contains(said(tokens, torch::randn({2, 4})), "type Float, expected tokens [N, L]"));
  CHECK(contains(said(real, torch::randn({2, 4, 5})), "expected [N, steps, 3] real"));
}

TEST_CASE("AttentionEncoder: a batch of no rows has an answer") {
  CHECK(small(7)->forward(torch::zeros({0, 5}, torch::kLong)).sizes() ==
        torch::IntArrayRef({0, 6, 8}));
  auto steps = small(0);
  const Tensor y = steps->forward(torch::zeros({0, 5, 3}));
  CHECK(y.sizes() == torch::IntArrayRef({0, 6, 8}));
  CHECK(y.requires_grad());
  CHECK(contains(error_text([&] { steps->forward(torch::zeros({0, 5, 4})); }), "found input"));
}
