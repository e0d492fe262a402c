#include "mtl/evaluate/task_affinity.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "mtl/combine/task_gradients.hpp"
#include "mtl/core/error.hpp"
#include "mtl/core/random.hpp"
#include "mtl/sharing/task_losses.hpp"

namespace mtl::evaluate {
namespace {

/// Tensors that are put back to what they were, at any time and in the end.
class Kept {
 public:
  explicit Kept(std::vector<Tensor> tensors) : tensors_(std::move(tensors)) {
    for (const Tensor& tensor : tensors_) values_.push_back(tensor.detach().clone());
  }
  ~Kept() { put_back(); }
  Kept(const Kept&) = delete;
  Kept& operator=(const Kept&) = delete;

  void put_back() {
    const torch::NoGradGuard no_grad;
    for (size_t i = 0; i < tensors_.size(); ++i) tensors_[i].copy_(values_[i]);
  }

 private:
  std::vector<Tensor> tensors_, values_;
};

}  // namespace

Eigen::MatrixXd task_affinity(ModelRef model, const Batch& given, double learning_rate) {
  if (!(learning_rate > 0) || std::isinf(learning_rate))
    throw Error("task affinity: found the learning rate {}, expected a positive number",
                learning_rate);
  const Batch batch = without_left_out_rows(given);
  const torch::AutoGradMode with_graph(true);
  const KeepGenerator keep_generator;
  const Tensor generator = default_generator_state();
  Kept buffers(model->buffers()), shared(model->parameter_sets().shared);
  const auto look = [&] {
    set_default_generator_state(generator);
    buffers.put_back();
    return task_losses(*model, model->forward(batch.inputs), batch);
  };
  const TaskLosses before = look();
  const std::vector<Tensor>& parameters = model->parameter_sets().shared;
  const Rows rows = task_gradients(before, parameters);
  const int64_t tasks = model->tasks().size();
  Eigen::MatrixXd affinity =
      Eigen::MatrixXd::Constant(tasks, tasks, std::numeric_limits<double>::quiet_NaN());
  for (size_t i = 0; i < before.values.size(); ++i) {
    const torch::NoGradGuard no_grad;
    for (size_t p = 0; p < parameters.size(); ++p)
      if (rows[p][i].defined()) Tensor(parameters[p]).sub_(rows[p][i], learning_rate);
    const TaskLosses after = look();
    shared.put_back();
    for (size_t j = 0; j < before.values.size(); ++j) {
      const double was = before.values[j].item<double>(), is = after.values[j].item<double>();
      if (was != 0) affinity(before.tasks[i], before.tasks[j]) = (was - is) / std::abs(was);
    }
  }
  return affinity;
}

}  // namespace mtl::evaluate
