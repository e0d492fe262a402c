#include "mtl/combine/scaled_losses.hpp"

#include <cmath>
#include <string>
#include <vector>

#include "catch.hpp"
#include "error_text.hpp"
#include "gradient_methods.hpp"
#include "mtl/combine/combine.hpp"

namespace {

using mtl::Tensor;

/// Four tasks on a shared layer, in float32.
struct OneLayer {
  Tensor shared = torch::randn({3, 4}).requires_grad_();
  Tensor heads = torch::randn({4, 4});
  std::vector<Tensor> head = {heads[0].clone().requires_grad_(), heads[1].clone().requires_grad_(),
                              heads[2].clone().requires_grad_(), heads[3].clone().requires_grad_()};
  Tensor x = torch::randn({6, 3}), y = torch::randn({6});

  mtl::Parameters parameters() const {
    return {.shared = {shared}, .by_task = {{head[0]}, {head[1]}, {head[2]}, {head[3]}}};
  }
  mtl::TaskLosses losses() const {
    const Tensor representation = x.matmul(shared).tanh();
    std::vector<Tensor> values;
    for (const Tensor& one : head) values.push_back((representation.matmul(one) - y).abs().mean());
    auto step = mtl::task_losses(values);
    step.representation = representation;
    return step;
  }
  /// What a combiner leaves, in one row.
  Tensor step(const std::string& text, double scale) const {
    auto combiner = text == "fixed" ? plain_combiner(text, 4) : mtl::make_combiner(text, 4);
    const auto once = [&] {
      auto all = scale == 0 ? losses() : mtl::scaled_losses(losses(), scale);
      all.another_batch = all.same_batch = [&] {
        return scale == 0 ? losses() : mtl::scaled_losses(losses(), scale);
      };
      return all;
    };
    for (int steps = 0; steps < 2; ++steps) combiner->backward(once(), parameters());
    std::vector<Tensor> found;
    for (const Tensor& parameter : {shared, head[0], head[1], head[2], head[3]}) {
      found.push_back(parameter.grad().reshape(-1).clone());
      parameter.mutable_grad() = Tensor();
    }
    return torch::cat(found);
  }
};

/// A factor whose gradient passes through float16 on its way to `w`.
Tensor through_half(const Tensor& w, double factor) {
  return (w.to(torch::kHalf).to(torch::kFloat) * factor).sum();
}

}  // namespace

TEST_CASE("scaled_losses: every combiner leaves the same bits whatever the scale") {
  torch::manual_seed(2);
  const OneLayer model;
  std::vector<std::string> names = mtl::combiner_names();
  names.insert(names.end(),
               {"upgrad:at=representation", "mgda:at=representation", "upgrad:every=2"});
  for (const std::string& name : names) {
    // Which draw for themselves begin with the same seed; bilevel ones need a model of their own.
    if (name == "auto_lambda" || name == "moml" || name == "forum") continue;
    INFO(name);
    const Tensor small = model.step(name, 1.0 / 256), large = model.step(name, 65536),
                 unscaled = model.step(name, 0);
    CHECK(torch::equal(small, large));
    CHECK(torch::allclose(large, unscaled, 1e-4, 1e-5));
  }
}

TEST_CASE(
    "scaled_losses: what float16 cannot hold survives, and what it cannot reach is infinite") {
  const Tensor w = torch::ones({3}).requires_grad_();
  const auto gradient = [&](double factor, double scale) {
    auto losses = mtl::task_losses({through_half(w, factor)});
    w.mutable_grad() = Tensor();
    mtl::scaled_losses(losses, scale).values[0].backward();
    return w.grad()[0].item<double>();
  };
  const double tiny = std::ldexp(1.0, -30);
  CHECK(gradient(tiny, 1) == 0);
  CHECK(gradient(tiny, 65536) == tiny);
  CHECK(gradient(4, 1) == 4);
  CHECK(std::isinf(gradient(4, 65536)));
}

TEST_CASE("scaled_losses: a representation in float16 is handed on in float32") {
  const Tensor w = torch::ones({3}).requires_grad_();
  const Tensor rows = w.to(torch::kHalf);
  const double tiny = std::ldexp(1.0, -30);
  auto losses = mtl::task_losses({(rows.to(torch::kFloat) * tiny).sum()});
  losses.representation = rows;
  const auto scaled = mtl::scaled_losses(losses, 65536);
  CHECK(scaled.representation.scalar_type() == torch::kFloat);
  CHECK(torch::equal(scaled.representation.detach(), torch::ones({3})));
  const auto found =
      torch::autograd::grad({scaled.values[0]}, {scaled.representation, w}, {}, true);
  CHECK(found[0][0].item<double>() == tiny);
  CHECK(found[1][0].item<double>() == tiny);
}

TEST_CASE("scaled_losses: values stay, without a graph the losses themselves") {
  torch::manual_seed(2);
  const OneLayer model;
  const auto losses = model.losses(), scaled = mtl::scaled_losses(losses, 8);
  CHECK(torch::equal(scaled.values[0].detach(), losses.values[0].detach()));
  CHECK(scaled.names == losses.names);
  const torch::NoGradGuard no_grad;
  CHECK(mtl::scaled_losses(losses, 8).values[0].is_same(losses.values[0]));
  CHECK(contains(error_text([&] { mtl::scaled_losses(losses, 0); }), "scale 0"));
}
