#include <limits>
#include <string>
#include <vector>

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/combine/combine.hpp"

// Sums over processes that come late, of a process that has a twin with the same share: joined
// losses and gradients are its own.

namespace {

using mtl::Tensor;

/// Two tasks on two shared layers, in double precision.
struct TwoLayers {
  Tensor first = torch::randn({3, 4}, torch::kDouble).requires_grad_();
  Tensor second = torch::randn({4, 4}, torch::kDouble).requires_grad_();
  Tensor heads[2] = {torch::randn({4}, torch::kDouble).requires_grad_(),
                     torch::randn({4}, torch::kDouble).requires_grad_()};
  Tensor x = torch::randn({6, 3}, torch::kDouble), y = torch::randn({6}, torch::kDouble);

  std::vector<Tensor> all() const { return {first, second, heads[0], heads[1]}; }
  mtl::Parameters parameters() const {
    return {.shared = {first, second}, .by_task = {{heads[0]}, {heads[1]}}};
  }
  mtl::TaskLosses losses(const std::function<void()>& between = {}) const {
    const Tensor hidden = x.matmul(first).tanh();
    if (between)
      hidden.register_hook([between](const Tensor& gradient) {
        between();
        return gradient;
      });
    const Tensor representation = hidden.matmul(second);
    auto step = mtl::task_losses({(representation.matmul(heads[0]) - y).square().mean(),
                                  (representation.matmul(heads[1]) + y).abs().mean()});
    step.samples = {6, 6};
    step.representation = representation;
    return step;
  }
  /// Where no row has a label of the second task.
  mtl::TaskLosses first_only() const {
    auto step = losses();
    step.tasks.pop_back();
    step.names.pop_back();
    step.values.pop_back();
    step.samples.pop_back();
    step.weights.resize(1);
    step.kinds.resize(1);
    return step;
  }
  std::vector<Tensor> gradients() const {
    std::vector<Tensor> found;
    for (const Tensor& parameter : all()) found.push_back(parameter.grad());
    for (const Tensor& parameter : all()) parameter.mutable_grad() = Tensor();
    return found;
  }
};

bool are_near(const std::vector<Tensor>& found, const std::vector<Tensor>& expected) {
  for (size_t p = 0; p < expected.size(); ++p)
    if (found[p].defined() != expected[p].defined() ||
        (found[p].defined() && !torch::allclose(found[p], expected[p], 1e-10, 1e-12)))
      return false;
  return true;
}

/// Sums whose values are there when they are waited for and not before; notes what happens.
struct Twin {
  std::vector<std::string>* events;
  mtl::StartedSum operator()(std::vector<Tensor> tensors) const {
    const torch::NoGradGuard no_grad;
    mtl::StartedSum all;
    for (const Tensor& tensor : tensors)
      all.sums.push_back(torch::full_like(tensor, std::numeric_limits<double>::quiet_NaN()));
    events->push_back("begin");
    all.wait = [tensors, sums = all.sums, to = events] {
      const torch::NoGradGuard none;
      for (size_t t = 0; t < sums.size(); ++t) sums[t].copy_(tensors[t] * 2);
      to->push_back("wait");
    };
    return all;
  }
};

mtl::StartSumOverProcesses failing_at(int count) {
  return [count, begun = std::make_shared<int>(0)](std::vector<Tensor> tensors) {
    if (++*begun == count) throw mtl::Error("the link is cut");
    for (Tensor& tensor : tensors) tensor = tensor * 2;
    return mtl::StartedSum{tensors, [] {}};
  };
}

}  // namespace

TEST_CASE("LossJoiner: late sums give every combiner what it would see, in buckets of any size") {
  torch::manual_seed(1);
  const TwoLayers model;
  std::vector<std::string> events;
  for (const std::string text : {"sum", "kendall", "geometric_mean", "upgrad", "mgda", "graddrop",
                                 "gradvac", "nash", "upgrad:at=representation", "gradnorm"}) {
    auto alone = mtl::make_combiner(text, 2);
    alone->backward(model.losses(), model.parameters());
    const auto expected = model.gradients();
    alone->backward(model.first_only(), model.parameters());
    const auto expected_of_first = model.gradients();
    for (const int64_t bytes : {0, 1, 100, 1 << 20}) {
      INFO(text << " in buckets of " << bytes);
      const mtl::LossJoiner joiner(model.all(), Twin{&events}, {"0", "1"}, bytes);
      auto combiner = mtl::make_combiner(text, 2);
      const auto losses = joiner.joined(model.losses());
      CHECK(losses.samples == std::vector<int64_t>{12, 12});
      combiner->backward(losses, model.parameters());
      CHECK(are_near(model.gradients(), expected));
      // One task alone: its nodes are run without autograd's engine.
      combiner->backward(joiner.joined(model.first_only()), model.parameters());
      CHECK(are_near(model.gradients(), expected_of_first));
    }
  }
}

TEST_CASE("LossJoiner: the last parameters' gradients leave while the pass goes on") {
  torch::manual_seed(1);
  const TwoLayers model;
  std::vector<std::string> events;
  const mtl::LossJoiner joiner(model.all(), Twin{&events}, {}, 1);
  const auto losses = joiner.joined(model.losses([&] { events.push_back("first layer"); }));
  CHECK(events == std::vector<std::string>{"begin", "wait"});
  events.clear();
  mtl::Sum().backward(losses, model.parameters());
  CHECK(events == std::vector<std::string>{"begin", "begin", "begin", "first layer", "begin",
                                           "wait", "wait", "wait", "wait"});
}

TEST_CASE("LossJoiner: one task's gradients travel while the next one's are computed") {
  torch::manual_seed(1);
  const TwoLayers model;
  std::vector<std::string> events;
  const mtl::LossJoiner joiner(model.all(), Twin{&events});
  const auto losses = joiner.joined(model.losses());
  events.clear();
  mtl::UpGrad().backward(losses, model.parameters());
  CHECK(events == std::vector<std::string>{"begin", "begin", "wait", "wait"});
}

TEST_CASE("LossJoiner: what was in .grad is added to, and stays where an exchange fails") {
  torch::manual_seed(1);
  const TwoLayers model;
  const mtl::LossJoiner joiner(model.all(), failing_at(0), {}, 1);
  joiner.joined(model.losses());
  mtl::Sum sum;
  sum.backward(joiner.joined(model.losses()), model.parameters());
  const auto once = model.gradients();
  for (const Tensor& parameter : model.all())
    parameter.mutable_grad() = torch::ones_like(parameter.detach());
  for (const int at : {2, 4}) {
    const mtl::LossJoiner cut(model.all(), failing_at(at), {}, 1);
    const auto losses = cut.joined(model.losses());
    CHECK(contains(error_text([&] { sum.backward(losses, model.parameters()); }), "link is cut"));
    for (const Tensor& parameter : model.all())
      CHECK(torch::equal(parameter.grad(), torch::ones_like(parameter.detach())));
  }
  sum.backward(joiner.joined(model.losses()), model.parameters());
  const auto added = model.gradients();
  for (size_t p = 0; p < added.size(); ++p) CHECK(torch::allclose(added[p], once[p] + 1));
}

TEST_CASE("joined_losses: what is computed from parameters is no parameter") {
  const Tensor leaf = torch::ones({2}).requires_grad_(), computed = 2 * leaf;
  const auto alone = [](std::vector<Tensor> tensors) { return tensors; };
  const auto joined = [&](const Tensor& other) {
    auto own = mtl::task_losses({computed.sum()});
    own.samples = {2};
    return error_text([&] { mtl::joined_losses(own, {leaf, other}, alone); });
  };
  CHECK(contains(joined(computed), "parameter 1 of joined_losses, of shape [2], is computed"));
  CHECK(contains(joined(Tensor()), "parameter 1 of joined_losses is an undefined"));
  CHECK(joined(leaf).empty());
}
