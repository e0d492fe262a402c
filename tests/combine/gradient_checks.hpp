#pragma once

#include <algorithm>
#include <catch.hpp>

#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "error_text.hpp"
#include "golden_values.hpp"
#include "linear_problem.hpp"
#include "mtl/combine/combine.hpp"
#include "random_jacobians.hpp"

/// What the tests of single gradient combiners have in common.
namespace gradient_checks {

using namespace mtl;
using Eigen::MatrixXd;
using Eigen::VectorXd;

inline const nlohmann::json& aggregators() { return golden("aggregators.json"); }

inline void check_direction(const std::string& matrix, const std::string& method,
                            const MatrixXd& jacobian, const nlohmann::json& expected,
                            const VectorXd& direction) {
  INFO(matrix << ", " << method);
  REQUIRE(direction.allFinite());
  if (!expected.contains("direction")) return;
  const VectorXd answer = golden_values::vector(expected["direction"]);
  double tolerance = golden_values::tolerance(matrix, method, jacobian, answer);
  // Rows on a line: |v| falls to the 1e-8 of the formula, where rounding is 1e-8 of it.
  if (jacobian.cols() == 1 && method.find("gradvac") == 0) tolerance *= 1000;
  CHECK((direction - answer).cwiseAbs().maxCoeff() <= tolerance);
}

/// `check(matrix name, jacobian, expected)` for every golden case that has the method.
template <class Check>
void for_each_golden(const std::string& method, Check check) {
  for (const auto& entry : aggregators()["cases"])
    if (entry["expected"].contains(method))
      check(entry["name"].get<std::string>(), golden_values::matrix(entry["jacobian"]),
            entry["expected"][method]);
}

/// The golden directions of a method that make_combiner makes from a text.
inline void check_golden(const std::string& method, const std::string& text) {
  for_each_golden(method, [&](const std::string& matrix, const MatrixXd& jacobian,
                              const nlohmann::json& expected) {
    check_direction(matrix, method, jacobian, expected,
                    vector_of(aggregate(*make_combiner(text), tensor_of(jacobian))));
  });
}

/// `check(jacobians, losses by step, expected of the method)` for every golden sequence.
template <class Check>
void for_each_sequence(const std::string& method, Check check) {
  for (const auto& entry : golden("sequences.json")["cases"]) {
    std::vector<MatrixXd> jacobians;
    for (const auto& jacobian : entry["jacobians"])
      jacobians.push_back(golden_values::matrix(jacobian));
    check(jacobians, entry["losses"], entry["expected"][method]);
  }
}

/// The golden directions of a method with a history.
inline void check_sequence(const std::string& method, const std::string& text) {
  for_each_sequence(method, [&](const std::vector<MatrixXd>& jacobians,
                                const nlohmann::json& losses, const nlohmann::json& expected) {
    const auto problem = std::make_shared<LinearProblem>(jacobians[0].rows(), jacobians[0].cols());
    const auto combiner = make_combiner(text);
    for (size_t k = 0; k < jacobians.size(); ++k) {
      INFO(method << ", step " << k);
      const Tensor values = tensor_of(golden_values::vector(losses[k])).reshape({-1});
      const VectorXd answer = golden_values::vector(expected["directions"][k]);
      const auto step = problem->losses(tensor_of(jacobians[k]), values);
      CHECK((vector_of(problem->step(*combiner, step)) - answer).cwiseAbs().maxCoeff() <=
            1e-9 * answer.cwiseAbs().maxCoeff());
    }
  });
}

/// The weights that a combiner of three batches gives, read off a third batch whose gradients are
/// the unit vectors.
inline void check_cross_sequence(const std::string& method) {
  for_each_sequence(method, [&](const std::vector<MatrixXd>& jacobians, const nlohmann::json&,
                                const nlohmann::json& expected) {
    const auto problem = std::make_shared<LinearProblem>(jacobians[0].rows(), jacobians[0].cols());
    const auto combiner = make_combiner(method);
    for (size_t k = 0; k + 1 < jacobians.size(); k += 2) {
      const Tensor first = tensor_of(jacobians[k]), second = tensor_of(jacobians[k + 1]);
      const int64_t size = first.size(1), tasks = first.size(0);
      if (size < tasks) continue;
      TaskLosses losses = problem->losses(first);
      int calls = 0;
      losses.another_batch = [&] {
        return problem->losses(calls++ == 0 ? second : torch::eye(tasks, size, torch::kDouble));
      };
      INFO(method << ", pair " << k);
      const VectorXd answer = golden_values::vector(expected["weights"][k / 2]);
      CHECK((vector_of(problem->step(*combiner, losses)).head(tasks) - answer).norm() <= 1e-9);
      CHECK(calls == 2);
    }
  });
}

inline VectorXd direction(const std::string& text, const MatrixXd& jacobian) {
  return vector_of(aggregate(*make_combiner(text), tensor_of(jacobian)));
}

inline RowOrder order_of(const nlohmann::json& orders) {
  return [orders](int64_t row, int64_t) {
    return orders[static_cast<size_t>(row)].get<std::vector<int64_t>>();
  };
}

/// One encoder x [P] and a head h_t a task in a loop of one's own: l_t = h_t (a_t . x) + b_t h_t,
/// of which a_t h_t reaches the encoder and a_t . x + b_t the head.
struct OwnLoop {
  explicit OwnLoop(const MatrixXd& rows, double b = 0.5)
      : a(tensor_of(rows)), offset(b), x(torch::ones({rows.cols()}, torch::kDouble)) {
    x.requires_grad_();
    for (int64_t t = 0; t < rows.rows(); ++t)
      heads.push_back(torch::full({}, 1.0, torch::kDouble).requires_grad_());
  }

  /// `detached`: tasks whose losses reach their own head only.
  TaskLosses losses(const std::vector<int64_t>& detached = {}) const {
    std::vector<Tensor> values;
    for (size_t t = 0; t < heads.size(); ++t) {
      const bool alone =
          std::find(detached.begin(), detached.end(), static_cast<int64_t>(t)) != detached.end();
      const Tensor z = a[static_cast<int64_t>(t)].dot(alone ? x.detach() : x);
      values.push_back(heads[t] * z + offset * heads[t]);
    }
    return task_losses(values);
  }
  Parameters parameters() const {
    Parameters lists{.shared = {x}};
    for (const Tensor& head : heads) lists.by_task.push_back({head});
    return lists;
  }
  void clear() {
    x.mutable_grad().reset();
    for (Tensor& head : heads) head.mutable_grad().reset();
  }
  /// What backward() gives this head for its own loss.
  double head_gradient(size_t t) const {
    return (a[static_cast<int64_t>(t)].dot(x) + offset).item<double>();
  }

  Tensor a;
  double offset;
  Tensor x;
  std::vector<Tensor> heads;
};

}  // namespace gradient_checks
