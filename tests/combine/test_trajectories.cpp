#include <map>

#include "../../examples/toy/toy_problem.hpp"
#include "../golden.hpp"

using namespace mtl;

namespace {

/// Directions jump where the two gradients turn opposed, and rounding may cross over a step earlier
/// or later.
double tolerance(int64_t step) { return step <= 100 ? 1e-6 : 1e-3; }

bool near(const Tensor& x, const Tensor& y, double distance) {
  return (x - y).abs().max().item<double>() <= distance;
}

}  // namespace

TEST_CASE("The toy of CAGrad and Nash-MTL: every path follows its golden trajectory") {
  const std::map<std::string, std::string> text = {{"mean", "mean"},
                                                   {"mgda", "mgda"},
                                                   {"pcgrad", "pcgrad"},
                                                   {"upgrad", "upgrad"},
                                                   {"nash", "nash"},
                                                   {"cagrad_0.5", "cagrad:c=0.5"},
                                                   {"imtl_g", "imtl_g"},
                                                   {"fairgrad_1", "fairgrad:alpha=1"},
                                                   {"aligned_min", "aligned:scale=min"}};
  const auto cases = golden("trajectories.json")["cases"];
  REQUIRE(cases.size() == 27);
  int compared = 0;
  for (const auto& c : cases) {
    const auto start = c["start"].get<std::vector<double>>();
    const auto& points = c["trajectory"];
    const auto walk = [&](const std::vector<double>& from) {
      const auto combiner = make_combiner(text.at(c["method"]));
      return toy_path(*combiner, from, c["lr"], points.back()["step"], 100);
    };
    const std::vector<Tensor> path = walk(start);
    REQUIRE(path.size() == points.size());
    for (size_t i = 0; i < path.size(); ++i) {
      const int64_t step = points[i]["step"];
      INFO(c["method"] << " from " << c["start"] << " at step " << step << ": " << path[i]);
      if (step > 100 && !near(path[i], tensor_of(points[i]["x"]), tolerance(step))) {
        // Some paths zigzag along a crease until the last bit of the start decides where they go
        // on: from there on no trajectory can be compared. A start moved by 1e-14 shows it.
        const std::vector<Tensor> neighbour = walk({start[0] + 1e-14, start[1]});
        CHECK_FALSE(near(path[i], neighbour[i], tolerance(step)));
        break;
      }
      CHECK(near(path[i], tensor_of(points[i]["x"]), tolerance(step)));
      CHECK(near(torch::stack(toy_losses(path[i])), tensor_of(points[i]["losses"]),
                 5 * tolerance(step)));
      ++compared;
    }
  }
  CHECK(compared >= 245);  // of 260
}

TEST_CASE("The toy: on its Pareto set the two gradients cancel, elsewhere they do not") {
  const auto least_gradient = [](double x1, double x2) {
    const mtl::Tensor x = torch::tensor({x1, x2}, torch::kDouble).requires_grad_();
    const auto losses = toy_losses(x);
    const mtl::Tensor first = torch::autograd::grad({losses[0]}, {x}, {}, true)[0];
    const mtl::Tensor second = torch::autograd::grad({losses[1]}, {x})[0];
    const double weight = (7 + x1) / 14;
    return ((weight * first + (1 - weight) * second).norm() / first.norm()).item<double>();
  };
  for (const double x1 : {-6.0, -1.0, 0.0, 3.5}) {
    CHECK(least_gradient(x1, pareto_x2(x1)) < 1e-12);
    CHECK(least_gradient(x1, pareto_x2(x1) + 0.1) > 1e-4);
    CHECK(in_pareto_set(torch::tensor({x1, pareto_x2(x1)}, torch::kDouble), 1e-6));
    CHECK_FALSE(in_pareto_set(torch::tensor({x1, pareto_x2(x1) + 0.1}, torch::kDouble), 0.05));
  }
}

TEST_CASE("The toy: Nash-MTL ends in the Pareto set from above and from the side") {
  const std::vector<std::vector<double>> starts = {{9, 9}, {-8.5, 7.5}, {-7.5, -0.5}};
  for (const auto& start : starts) {
    const auto nash = mtl::make_combiner("nash");
    CHECK(in_pareto_set(toy_path(*nash, start, 1e-2, 3000, 3000).back(), 0.02));
  }
}
