#pragma once

#include <memory>

#include "mtl/combine/combine.hpp"
#include "mtl/sharing/model.hpp"
#include "some_losses.hpp"

/// A model of one shared parameter x [P] = 0 whose task losses have given values and gradients
/// there.
struct LinearProblem : mtl::Model {
  LinearProblem(int64_t tasks, int64_t size)
      : Model(mtl::tasks_of_kind(std::vector<bool>(static_cast<size_t>(tasks), true))),
        x(register_parameter("x", torch::zeros({size}, torch::kDouble))) {}

  mtl::NamedTensors forward(const mtl::NamedTensors&) override { return mtl::NamedTensors(); }
  std::vector<mtl::Tensor> shared_parameters() override { return {x}; }
  std::vector<mtl::Tensor> task_parameters(std::string_view) override { return {}; }

  /// jacobian [T,P]; values [T], ones where undefined. `present`: registry indices, all when empty.
  mtl::TaskLosses losses(const mtl::Tensor& jacobian, const mtl::Tensor& values = {},
                         std::vector<int64_t> present = {}) {
    if (present.empty())
      for (int64_t t = 0; t < jacobian.size(0); ++t) present.push_back(t);
    mtl::TaskLosses all;
    all.task_count = tasks().size();
    for (int64_t t : present) {
      all.tasks.push_back(t);
      all.names.push_back(tasks()[t].name);
      all.samples.push_back(1);
      const mtl::Tensor value = values.defined() ? values[t] : torch::ones({}, torch::kDouble);
      all.values.push_back((jacobian[t] * x).sum() + value);
    }
    return all;
  }

  /// The gradient that the combiner leaves for these losses.
  mtl::Tensor step(mtl::Combiner& combiner, const mtl::TaskLosses& all) {
    x.mutable_grad() = mtl::Tensor();
    combiner.backward(all, *this);
    return x.grad().defined() ? x.grad().clone() : torch::zeros_like(x);
  }

  mtl::Tensor x;
};

inline mtl::Tensor tensor_of(const Eigen::MatrixXd& matrix) {
  const mtl::Tensor columns = torch::empty({matrix.cols(), matrix.rows()}, torch::kDouble);
  std::copy(matrix.data(), matrix.data() + matrix.size(), columns.data_ptr<double>());
  return columns.t().contiguous();
}

inline Eigen::VectorXd vector_of(const mtl::Tensor& tensor) {
  const mtl::Tensor values = tensor.detach().to(torch::kDouble).reshape({-1}).contiguous();
  return Eigen::Map<const Eigen::VectorXd>(values.data_ptr<double>(), values.numel());
}
