#include <deque>
#include <numeric>

#include "gradient_checks.hpp"
#include "real_network.hpp"

using namespace gradient_checks;

TEST_CASE("GradVac: golden directions of two steps in given orders") {
  for_each_golden("gradvac_step_1", [](const std::string& matrix, const MatrixXd& jacobian,
                                       const nlohmann::json& first) {
    GradVac combiner({.order = order_of(first["orders"])});
    check_direction(matrix, "gradvac_step_1", jacobian, first,
                    vector_of(aggregate(combiner, tensor_of(jacobian))));
    for (const auto& entry : aggregators()["cases"])
      if (entry["name"] == matrix)
        check_direction(matrix, "gradvac_step_2", jacobian, entry["expected"]["gradvac_step_2"],
                        vector_of(aggregate(combiner, tensor_of(jacobian))));
  });
}

TEST_CASE("GradVac: each layer or parameter has cosines of its own") {
  RealNetwork network(torch::kDouble);
  const auto shared = network.model->shared_parameters();
  const auto options = [](GradVac::Groups groups) {
    GradVac::Options result;
    result.groups = groups;
    result.order = [](int64_t, int64_t n) {
      std::vector<int64_t> order(static_cast<size_t>(n));
      std::iota(order.begin(), order.end(), 0);
      return order;
    };
    return result;
  };
  const std::vector<std::pair<GradVac::Groups, size_t>> kinds = {{GradVac::Groups::layer, 2},
                                                                 {GradVac::Groups::parameter, 1}};
  for (const auto& [groups, size] : kinds) {
    GradVac combiner(options(groups));
    std::deque<GradVac> by_group;
    for (size_t g = 0; g * size < shared.size(); ++g)
      by_group.emplace_back(options(GradVac::Groups::whole));
    for (int step = 0; step < 3; ++step) {  // the cosines are remembered from step to step
      const TaskLosses losses = network.losses();
      std::vector<Tensor> expected;
      for (size_t g = 0; g < by_group.size(); ++g)
        expected.push_back(aggregate(
            by_group[g], RealNetwork::jacobian(losses.values, {shared.begin() + g * size,
                                                               shared.begin() + (g + 1) * size})));
      const VectorXd all = vector_of(torch::cat(expected));
      CHECK((network.step(combiner, losses) - all).norm() <= 1e-12 * all.norm());
    }
  }
}

TEST_CASE("GradVac: a step that is refused leaves the cosines as they were") {
  OwnLoop loop(MatrixXd{{1, 2}, {3, -1}, {-1, 1}});
  GradVac combiner({.groups = GradVac::Groups::parameter});
  combiner.backward(loop.losses(), loop.parameters());
  const Tensor before = combiner.state_dict()["phi.0"].clone();
  TaskLosses losses = loop.losses();
  losses.values[2] = losses.values[2] * std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(combiner.backward(losses, loop.parameters()), FaultyStep);
  CHECK(torch::equal(combiner.state_dict()["phi.0"], before));
  CHECK(combiner.weights(MatrixXd::Identity(3, 3)).allFinite());
  CHECK(contains(error_text([] { make_combiner("gradvac:groups=layer,every=2"); }), "every"));
}
