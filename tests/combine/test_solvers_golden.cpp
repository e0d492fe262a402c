#include <catch.hpp>
#include <functional>
#include <map>

#include "golden_values.hpp"
#include "mtl/combine/solvers/bargain.hpp"
#include "mtl/combine/solvers/cagrad.hpp"
#include "mtl/combine/solvers/dual_cone.hpp"
#include "mtl/combine/solvers/min_norm.hpp"

using namespace mtl::solvers;
using Eigen::MatrixXd;
using Eigen::VectorXd;

TEST_CASE("solvers: golden directions") {
  const auto equal = [](const MatrixXd& g) {
    return VectorXd(VectorXd::Constant(g.rows(), 1.0 / static_cast<double>(g.rows())));
  };
  const std::map<std::string, std::function<VectorXd(const MatrixXd&)>> methods = {
      {"mgda", [](const MatrixXd& g) { return min_norm_point(g).weights; }},
      {"upgrad", [&](const MatrixXd& g) { return sum_of_dual_cone_projections(g, equal(g)); }},
      {"dualproj", [&](const MatrixXd& g) { return VectorXd(project_on_dual_cone(g, equal(g))); }},
      {"nash", [](const MatrixXd& g) { return nash(g).weights; }},
      {"fairgrad_0.5", [](const MatrixXd& g) { return fairgrad(g, 0.5).weights; }},
      {"fairgrad_1", [](const MatrixXd& g) { return fairgrad(g, 1).weights; }},
      {"fairgrad_2", [](const MatrixXd& g) { return fairgrad(g, 2).weights; }},
      {"cagrad_0.4", [](const MatrixXd& g) { return cagrad(g, 0.4).weights; }},
      {"cagrad_0.5", [](const MatrixXd& g) { return cagrad(g, 0.5).weights; }},
      {"cagrad_1", [](const MatrixXd& g) { return cagrad(g, 1).weights; }},
  };
  for (const auto& entry : golden("aggregators.json")["cases"]) {
    const std::string name = entry["name"];
    const MatrixXd jacobian = golden_values::matrix(entry["jacobian"]);
    const MatrixXd gramian = jacobian * jacobian.transpose();
    for (const auto& [method, solve] : methods) {
      INFO(name << ", " << method);
      const VectorXd direction = jacobian.transpose() * solve(gramian);
      REQUIRE(direction.allFinite());
      const auto& expected = entry["expected"][method];
      if (!expected.contains("direction")) continue;  // what holds there: test_solvers_properties
      const VectorXd answer = golden_values::vector(expected["direction"]);
      CHECK((direction - answer).cwiseAbs().maxCoeff() <=
            golden_values::tolerance(name, method, jacobian, answer));
    }
  }
}
