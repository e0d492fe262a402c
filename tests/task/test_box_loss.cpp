#include <limits>

#include "error_text.hpp"
#include "golden.hpp"
#include "some_losses.hpp"

using namespace mtl;

TEST_CASE("BoxLoss: golden L1 and GIoU, also far away and turned inside out") {
  const auto& c = golden("structured_losses.json")["boxes"];
  const Tensor y = tensor_of(c["found"]), t = tensor_of(c["truth"]);
  const SampleLosses l1 = BoxLoss{.l1 = 1, .giou = 0}(y, t);
  const SampleLosses giou = BoxLoss{.l1 = 0, .giou = 1}(y, t);
  const SampleLosses both = BoxLoss{}(y, t);
  for (int64_t n = 0; n < y.size(0); ++n) {
    const auto& expected = c["expected"][static_cast<size_t>(n)];
    const double distance = expected["l1"].get<double>(), cover = expected["giou"].get<double>();
    CHECK(l1.values[n].item<double>() == Approx(distance).epsilon(1e-12).margin(1e-14));
    CHECK(giou.values[n].item<double>() == Approx(1 - cover).epsilon(1e-12).margin(1e-14));
    CHECK(both.values[n].item<double>() ==
          Approx(5 * distance + 2 * (1 - cover)).epsilon(1e-12).margin(1e-14));
  }
}

TEST_CASE("BoxLoss: the form of middle and size is the same box") {
  const auto& c = golden("structured_losses.json")["boxes"];
  const auto by_middle = [](const Tensor& box) {
    const Tensor low = box.slice(1, 0, 2), high = box.slice(1, 2, 4);
    return torch::cat({(low + high) / 2, high - low}, 1);
  };
  const Tensor y = tensor_of(c["found"]), t = tensor_of(c["truth"]);
  const BoxLoss corners{.l1 = 0, .giou = 1};
  const BoxLoss middle{.l1 = 0, .giou = 1, .format = BoxLoss::Format::center};
  CHECK(is_close(middle(by_middle(y), by_middle(t)).values, corners(y, t).values));
}

TEST_CASE("BoxLoss: a box with a NaN is missing as a whole; wrong boxes and options are Errors") {
  const Tensor y = torch::tensor({{{0.1, 0.1, 0.5, 0.5}, {0.0, 0.0, 1.0, 1.0}}}, torch::kDouble);
  Tensor t = torch::tensor({{{0.2, 0.1, 0.6, 0.5}, {0.3, 0.0, 0.9, 1.0}}}, torch::kDouble);
  const SampleLosses first = BoxLoss{}(y.select(1, 0), t.select(1, 0));
  t[0][1][2] = std::numeric_limits<double>::quiet_NaN();
  const SampleLosses losses = BoxLoss{}(y, t);
  CHECK(is_close(losses.values, first.values));
  CHECK(losses.weights[0].item<double>() == 0.5);
  CHECK(contains(error_text([&] { BoxLoss{}(y, t.flip(2).clone().fill_(1)); }),
                 "a box without area in row 0"));
  CHECK(
      contains(error_text([&] { BoxLoss{}(y, t.select(1, 0)); }), "[1, 2, 4], its target [1, 4]"));
  CHECK(contains(error_text([] { Loss(BoxLoss{.l1 = -1}); }), "l1 is -1"));
  CHECK(contains(error_text([] { Loss(BoxLoss{.l1 = 0, .giou = 0}); }), "one of them above"));
}
