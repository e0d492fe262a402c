#pragma once

#include <torch/torch.h>

#include <catch.hpp>
#include <functional>
#include <string>
#include <vector>

#include "mtl/combine/engine/engine.hpp"

namespace engine_tests {

/// What one step offers the engine.
struct EngineStep {
  std::vector<torch::Tensor> losses;
  std::vector<torch::Tensor> shared;
  torch::Tensor representation;                   // defined: the gradients are compared there
  std::vector<std::vector<torch::Tensor>> heads;  // by loss; none: no head has parameters
};

inline void start(mtl::Engine& engine, EngineStep step) {
  if (step.heads.empty()) step.heads.resize(step.losses.size());
  auto losses = mtl::task_losses(std::move(step.losses));
  losses.representation = step.representation;
  engine.begin(losses, {.shared = std::move(step.shared), .by_task = std::move(step.heads)},
               step.representation.defined() ? mtl::GradientSite::representation
                                             : mtl::GradientSite::shared_parameters);
}

/// Several losses on one graph, and what T plain backward passes say about them.
struct Problem {
  std::function<std::vector<torch::Tensor>()>
      losses;  // a new graph at each call, with the same values
  std::vector<torch::Tensor> shared;
  std::vector<std::vector<torch::Tensor>> heads;  // by task

  std::vector<torch::Tensor> head_parameters() const {
    std::vector<torch::Tensor> all;
    for (const auto& head : heads) all.insert(all.end(), head.begin(), head.end());
    return all;
  }
  EngineStep step() const { return {losses(), shared, {}, heads}; }
};

using Tensors = std::vector<torch::Tensor>;

inline void clear_gradients(const Tensors& parameters) {
  for (auto parameter : parameters) parameter.mutable_grad() = torch::Tensor();
}

/// [parameter][task], by T calls of backward().
inline mtl::Rows backward_rows(const Problem& problem, const Tensors& parameters) {
  auto everything = problem.shared;
  for (const auto& parameter : problem.head_parameters()) everything.push_back(parameter);
  const auto losses = problem.losses();
  mtl::Rows rows(parameters.size());
  for (const auto& loss : losses) {
    clear_gradients(everything);
    if (loss.requires_grad()) loss.backward({}, /*retain_graph=*/true);
    for (size_t p = 0; p < parameters.size(); ++p) {
      const auto& grad = parameters[p].grad();
      rows[p].push_back(grad.defined() ? (grad.is_sparse() ? grad.to_dense() : grad.clone())
                                       : grad);
    }
  }
  clear_gradients(everything);
  return rows;
}

inline double distance(const torch::Tensor& a, const torch::Tensor& b) {
  const auto zero_like = [](const torch::Tensor& x, const torch::Tensor& like) {
    return x.defined() ? x.to(torch::kDouble) : torch::zeros_like(like, torch::kDouble);
  };
  if (!a.defined() && !b.defined()) return 0;
  const auto x = zero_like(a, b), y = zero_like(b, a);
  REQUIRE(x.sizes() == y.sizes());
  const auto norm = std::max(x.norm().item<double>(), y.norm().item<double>());
  return norm == 0 ? 0 : (x - y).norm().item<double>() / norm;
}

inline double distance(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) {
  REQUIRE(a.rows() == b.rows());
  REQUIRE(a.cols() == b.cols());
  const auto norm = std::max(a.norm(), b.norm());
  return norm == 0 ? 0 : (a - b).norm() / norm;
}

inline Eigen::MatrixXd plain_gramian(const mtl::Rows& rows, int64_t tasks) {
  Eigen::MatrixXd g = Eigen::MatrixXd::Zero(tasks, tasks);
  for (const auto& parameter : rows) {
    for (int64_t s = 0; s < tasks; ++s) {
      for (int64_t t = 0; t < tasks; ++t) {
        const auto &a = parameter[static_cast<size_t>(s)], &b = parameter[static_cast<size_t>(t)];
        if (a.defined() && b.defined())
          g(s, t) += (a.to(torch::kDouble) * b.to(torch::kDouble)).sum().item<double>();
      }
    }
  }
  return g;
}

inline torch::Tensor plain_sum(const Tensors& rows, const Eigen::VectorXd& weights) {
  torch::Tensor sum;
  for (size_t t = 0; t < rows.size(); ++t) {
    if (!rows[t].defined()) continue;
    const auto part = rows[t].to(torch::kDouble) * weights[static_cast<int64_t>(t)];
    sum = sum.defined() ? sum + part : part;
  }
  return sum;
}

/// Everything the engine answers, in every way it can be made to compute it, against T plain
/// backward passes.
inline void check_engine(const Problem& problem, double tolerance) {
  const auto rows = backward_rows(problem, problem.shared);
  const auto head_parameters = problem.head_parameters();
  const auto head_rows = backward_rows(problem, head_parameters);
  const auto tasks = static_cast<int64_t>(problem.losses().size());
  const auto expected = plain_gramian(rows, tasks);
  const Eigen::VectorXd weights = Eigen::VectorXd::LinSpaced(tasks, 0.3, 1.4);
  Eigen::VectorXd ones = Eigen::VectorXd::Ones(tasks);
  auto everything = problem.shared;
  everything.insert(everything.end(), head_parameters.begin(), head_parameters.end());

  for (const auto path :
       {mtl::EnginePath::automatic, mtl::EnginePath::rows, mtl::EnginePath::products}) {
    INFO("path " << static_cast<int>(path));
    mtl::Engine engine({.path = path});

    start(engine, problem.step());
    CHECK(distance(engine.gramian(), expected) <= tolerance);
    CHECK(distance(engine.norms(), expected.diagonal().cwiseSqrt()) <= tolerance);
    const auto sum = engine.weighted_sum(weights);
    mtl::Groups groups;
    Tensors direction;
    for (size_t p = 0; p < problem.shared.size(); ++p) {
      INFO("parameter " << p);
      CHECK(distance(sum[p], plain_sum(rows[p], weights)) <= tolerance);
      groups.push_back({static_cast<int64_t>(p)});
      direction.push_back(torch::ones_like(problem.shared[p]));
    }
    const auto by_parameter = engine.gramians(groups);
    Eigen::VectorXd along = Eigen::VectorXd::Zero(tasks);
    double along_scale = 0;
    for (size_t p = 0; p < problem.shared.size(); ++p) {
      CHECK(distance(by_parameter[p], plain_gramian({rows[p]}, tasks)) <= 10 * tolerance);
      for (int64_t t = 0; t < tasks; ++t) {
        const auto& row = rows[p][static_cast<size_t>(t)];
        if (!row.defined()) continue;
        along[t] += row.to(torch::kDouble).sum().item<double>();
        along_scale += row.to(torch::kDouble).abs().sum().item<double>();
      }
    }
    CHECK((engine.products(direction) - along).norm() <= 10 * tolerance * along_scale);
    const auto late_rows = engine.rows();
    for (size_t p = 0; p < rows.size(); ++p) {
      for (size_t t = 0; t < rows[p].size(); ++t)
        CHECK(distance(late_rows[p][t], rows[p][t]) <= 10 * tolerance);
    }

    start(engine, problem.step());
    const auto early_rows = engine.rows();
    for (size_t p = 0; p < rows.size(); ++p) {
      for (size_t t = 0; t < rows[p].size(); ++t)
        CHECK(distance(early_rows[p][t], rows[p][t]) <= 10 * tolerance);
    }
    CHECK(distance(engine.gramian(), expected) <= tolerance);

    for (const auto heads : {mtl::HeadGradient::plain, mtl::HeadGradient::weighted}) {
      for (const bool asked_before : {true, false}) {
        INFO("heads " << static_cast<int>(heads) << ", asked before " << asked_before);
        clear_gradients(everything);
        start(engine, problem.step());
        if (asked_before) engine.gramian();
        engine.write_gradients(weights, heads);
        for (size_t p = 0; p < rows.size(); ++p) {
          const auto sum_of_rows = plain_sum(rows[p], weights);
          CHECK(problem.shared[p].grad().defined() == sum_of_rows.defined());
          CHECK(distance(problem.shared[p].grad(), sum_of_rows) <= 10 * tolerance);
        }
        for (size_t p = 0; p < head_rows.size(); ++p) {
          const auto& given = heads == mtl::HeadGradient::plain ? ones : weights;
          CHECK(distance(head_parameters[p].grad(), plain_sum(head_rows[p], given)) <=
                10 * tolerance);
        }
      }
    }
    clear_gradients(everything);
  }
}

inline constexpr double exact = 1e-12;
inline constexpr double single_precision = 2e-5;

struct PlainNet {
  explicit PlainNet(torch::TensorOptions net_options = torch::kDouble) : options(net_options) {}

  torch::TensorOptions options;
  Tensors shared;
  std::vector<Tensors> heads;

  torch::Tensor parameter(std::vector<int64_t> shape) {
    auto made = (torch::randn(shape, options) / 3).requires_grad_();
    shared.push_back(made);
    return made;
  }
  /// T heads: linear layers from `inputs` to 1, 2, 1, 2, ... outputs.
  void add_heads(int64_t tasks, int64_t inputs) {
    for (int64_t t = 0; t < tasks; ++t) {
      const auto outputs = 1 + t % 2;
      heads.push_back({(torch::randn({outputs, inputs}, options) / 3).requires_grad_(),
                       (torch::randn({outputs}, options) / 3).requires_grad_()});
    }
  }
  torch::Tensor head_loss(size_t t, const torch::Tensor& representation) const {
    return torch::nn::functional::linear(representation, heads[t][0], heads[t][1])
        .sub(0.5 + static_cast<double>(t))
        .pow(2)
        .mean();
  }
};

/// A problem whose representation [N, inputs of the heads] is `encode()`.
inline Problem problem(const PlainNet& net, std::function<torch::Tensor()> encode) {
  return {[net, encode] {
            torch::manual_seed(5);
            const auto representation = encode();
            Tensors losses;
            for (size_t t = 0; t < net.heads.size(); ++t)
              losses.push_back(net.head_loss(t, representation));
            return losses;
          },
          net.shared, net.heads};
}

/// Linear 6-7-5 with `activation` between and after, 9 samples, T heads.
inline Problem two_layers(torch::TensorOptions options, int64_t tasks,
                          std::function<torch::Tensor(torch::Tensor)> activation) {
  torch::manual_seed(1);
  PlainNet net(options);
  const auto w1 = net.parameter({7, 6}), b1 = net.parameter({7}), w2 = net.parameter({5, 7}),
             b2 = net.parameter({5});
  net.add_heads(tasks, 5);
  const auto x = torch::randn({9, 6}, options);
  return problem(net, [=] {
    return activation(torch::nn::functional::linear(
        activation(torch::nn::functional::linear(x, w1, b1)), w2, b2));
  });
}

template <class Module>
Problem recurrent(torch::TensorOptions options, Module module) {
  PlainNet net(options);
  module->to(options.dtype().toScalarType());
  net.shared = module->parameters();
  net.add_heads(3, 6);
  const auto x = torch::randn({4, 5, 3}, options);
  return problem(net, [=]() mutable { return std::get<0>(module->forward(x)).select(1, -1); });
}

}  // namespace engine_tests
