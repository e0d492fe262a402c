#include "mtl/combine/state/learned_loss.hpp"

#include <functional>
#include <vector>

#include "catch.hpp"
#include "mtl/combine/losses/imtl_l.hpp"
#include "mtl/combine/losses/kendall_uncertainty.hpp"
#include "mtl/combine/losses/revised_uncertainty.hpp"

namespace {

using mtl::LossKind;
using mtl::Tensor;

/// l and s in torch's own operations, whose derivatives autograd finds.
using Reference = std::function<Tensor(const Tensor& l, const Tensor& s)>;

/// The combined loss, and its first and second derivatives at a net's weights and at s, are those
/// of the reference.
void check_derivatives(mtl::LossCombiner& combiner, const Reference& reference) {
  const Tensor net = torch::tensor({0.7, 1.3, 0.4}, torch::kDouble).requires_grad_();
  const std::vector<Tensor> s = combiner.parameters();
  {
    const torch::NoGradGuard no_grad;
    for (size_t t = 0; t < s.size(); ++t) s[t].fill_(0.3 - 0.5 * static_cast<double>(t));
  }
  const std::vector<Tensor> of{net, s[0], s[1], s[2]};
  std::vector<Tensor> first[2], second[2], value(2);
  for (const bool ours : {false, true}) {
    const std::vector<Tensor> losses = net.square().unbind(0);
    const auto step = mtl::task_losses(
        losses, {LossKind::regression, LossKind::classification, LossKind::regression});
    value[ours] = ours ? combiner.combine(step) : reference(torch::stack(losses), torch::stack(s));
    first[ours] = torch::autograd::grad({value[ours].square()}, of, {}, true, true);
    Tensor length = first[ours][0].square().sum();
    for (size_t p = 1; p < of.size(); ++p) length = length + first[ours][p].pow(3);
    second[ours] = torch::autograd::grad({length}, of);
  }
  CHECK(torch::allclose(value[1], value[0], 1e-12));
  for (size_t p = 0; p < of.size(); ++p) {
    CHECK(torch::allclose(first[1][p], first[0][p], 1e-12));
    CHECK(torch::allclose(second[1][p], second[0][p], 1e-12));
  }
}

}  // namespace

TEST_CASE("learned_loss: first and second derivatives of every method are autograd's") {
  const Tensor factors = torch::tensor({0.5, 1.0, 0.5}, torch::kDouble);
  mtl::KendallUncertainty kendall(3);
  check_derivatives(kendall, [&](const Tensor& l, const Tensor& s) {
    return (factors * (-s).exp() * l).sum() + 0.5 * s.sum();
  });
  mtl::KendallUncertainty alike(3,
                                {.form = mtl::KendallUncertainty::Form::every_task_as_regression});
  check_derivatives(
      alike, [](const Tensor& l, const Tensor& s) { return 0.5 * ((-s).exp() * l + s).sum(); });
  mtl::RevisedUncertainty revised(3);
  check_derivatives(revised, [](const Tensor& l, const Tensor& s) {
    return (0.5 * (-s).exp() * l + (1 + s.exp()).log()).sum();
  });
  mtl::ImtlL imtl_l(3);
  check_derivatives(imtl_l,
                    [](const Tensor& l, const Tensor& s) { return (s.exp() * l - s).sum(); });
}

TEST_CASE("learned_loss: a graph that is kept gives the same gradients again") {
  const std::vector<Tensor> losses{torch::tensor(2.0).requires_grad_(), torch::tensor(3.0)};
  mtl::ImtlL imtl_l(2);
  const Tensor value = imtl_l.combine(mtl::task_losses(losses));
  const std::vector<Tensor> s = imtl_l.parameters();
  for (const bool again : {true, true, false}) value.backward({}, /*retain_graph=*/again);
  CHECK(losses[0].grad().item<double>() == 3);
  CHECK(s[0].grad().item<double>() == 3 * (2 - 1));
  CHECK(s[1].grad().item<double>() == 3 * (3 - 1));
}

TEST_CASE("learned_loss: without a graph under NoGradGuard, and none of it leaks") {
  mtl::ImtlL imtl_l(1);
  const auto step = mtl::task_losses({torch::tensor(2.0).requires_grad_()});
  {
    const torch::NoGradGuard no_grad;
    CHECK_FALSE(imtl_l.combine(step).requires_grad());
  }
  Tensor value = imtl_l.combine(step);
  const c10::weak_intrusive_ptr<at::TensorImpl, c10::UndefinedTensorImpl> watch(
      value.getIntrusivePtr());
  value = Tensor();
  CHECK(watch.expired());
}
