#include <algorithm>
#include <limits>
#include <set>

#include "error_text.hpp"
#include "golden.hpp"
#include "some_losses.hpp"

using namespace mtl;

namespace {

constexpr double no_entry = std::numeric_limits<double>::quiet_NaN();

Tensor objects_of(const nlohmann::json& values) {
  const Tensor objects = tensor_of(values);
  return objects.masked_fill(objects.eq(-1e9), no_entry);
}

}  // namespace

TEST_CASE("cheapest_assignment: the totals of SciPy, rows and columns used once") {
  for (const auto& c : golden("structured_losses.json")["assignments"]) {
    const Tensor costs = tensor_of(c["costs"]);
    INFO(costs.size(0) << " x " << costs.size(1));
    const auto columns = cheapest_assignment(costs);
    REQUIRE(static_cast<int64_t>(columns.size()) == costs.size(0));
    double total = 0;
    std::set<int64_t> used;
    for (int64_t row = 0; row < costs.size(0); ++row) {
      const int64_t column = columns[static_cast<size_t>(row)];
      if (column < 0) continue;
      total += costs[row][column].item<double>();
      CHECK(used.insert(column).second);
    }
    CHECK(static_cast<int64_t>(used.size()) == std::min(costs.size(0), costs.size(1)));
    CHECK(total == Approx(c["total"].get<double>()).epsilon(1e-12).margin(1e-12));
  }
}

TEST_CASE("cheapest_assignment: the smallest tables, and costs that are none") {
  CHECK(cheapest_assignment(torch::zeros({0, 3})).empty());
  CHECK(cheapest_assignment(torch::zeros({2, 0})) == std::vector<int64_t>{-1, -1});
  CHECK(cheapest_assignment(torch::tensor({{2.0}, {1.0}})) == std::vector<int64_t>{-1, 0});
  CHECK(contains(error_text([] { cheapest_assignment(torch::zeros({3})); }), "costs [3]"));
  CHECK(contains(error_text([] { cheapest_assignment(torch::full({1, 1}, no_entry)); }), "NaN"));
}

TEST_CASE("BoxSetLoss: golden values, 0 to 4 objects a picture") {
  const auto& c = golden("structured_losses.json")["box_sets"];
  const Tensor y = tensor_of(c["answers"]), t = objects_of(c["objects"]);
  const SampleLosses losses = BoxSetLoss{}(y, t);
  CHECK(is_close(losses.values, tensor_of(c["losses"])));
  CHECK(is_close(losses.weights, torch::tensor({1.0, 1.0, 2.0, 3.0, 4.0}, torch::kDouble)));
}

TEST_CASE("BoxSetLoss: the order of answers and of objects makes no difference") {
  const auto& c = golden("structured_losses.json")["box_sets"];
  const Tensor y = tensor_of(c["answers"]), t = objects_of(c["objects"]);
  const Tensor expected = tensor_of(c["losses"]);
  CHECK(is_close(BoxSetLoss{}(y.flip(1), t).values, expected));
  CHECK(is_close(BoxSetLoss{}(y, t.flip(1)).values, expected));
}

TEST_CASE("BoxSetLoss: only the matched answer learns the box") {
  const auto& c = golden("structured_losses.json")["box_sets"];
  Tensor y = tensor_of(c["answers"]).requires_grad_();
  const Tensor t = objects_of(c["objects"]);
  BoxSetLoss{}(y, t).values.sum().backward();
  for (int64_t n = 0; n < y.size(0); ++n) {
    const auto matched = c["matched"][static_cast<size_t>(n)].get<std::set<int64_t>>();
    for (int64_t q = 0; q < y.size(1); ++q) {
      const Tensor of_box = y.grad()[n][q].slice(0, 0, 4), of_scores = y.grad()[n][q].slice(0, 4);
      CHECK(of_box.ne(0).any().item<bool>() == matched.contains(q));
      CHECK(of_scores.ne(0).all().item<bool>());
    }
  }
}

TEST_CASE("BoxSetLoss: an answer that is NaN is seen, wrong objects and options are Errors") {
  const auto& c = golden("structured_losses.json")["box_sets"];
  const Tensor t = objects_of(c["objects"]);
  Tensor y = tensor_of(c["answers"]);
  y[2][5][0] = no_entry;  // the box of one of six answers, two objects
  const Tensor values = BoxSetLoss{}(y, t).values;
  CHECK(values.isnan().equal(torch::tensor({false, false, true, false, false})));

  y = tensor_of(c["answers"]);
  const auto error_with = [&](int64_t column, double value) {
    Tensor wrong = t.clone();
    wrong[3][1][column] = value;
    return error_text([&] { BoxSetLoss{}(y, wrong); });
  };
  CHECK(contains(error_with(4, 3), "class 3.000000 in row 3, but there are logits of 3 classes"));
  CHECK(contains(error_with(4, 0.5), "class 0.500000 in row 3"));
  CHECK(contains(error_with(2, -7), "a box without area in row 3"));
  CHECK(contains(error_text([&] { BoxSetLoss{}(y.slice(1, 0, 2), t); }),
                 "there are 3 objects in row 3, but 2 answers"));
  CHECK(contains(error_text([&] { BoxSetLoss{}(y, t.slice(2, 0, 4)); }), "BoxSetLoss expects"));
  CHECK(contains(error_text([] { Loss(BoxSetLoss{.alpha = 1}); }), "alpha 1"));
  CHECK(contains(error_text([] { Loss(BoxSetLoss{.box = {.l1 = -1}}); }), "l1 is -1"));
}
