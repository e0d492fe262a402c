#pragma once

#include <Eigen/Core>

#include <vector>

#include "mtl/combine/combiner.hpp"
#include "mtl/combine/engine/engine.hpp"
#include "mtl/combine/gradient_combiner.hpp"

namespace mtl {

/// The direction a combiner takes, and the weights of the heads' losses.
struct Direction {
  std::vector<Tensor> by_parameter;  ///< shaped as the columns' tensors; undefined: zero
  Eigen::VectorXd head_weights;      ///< [T]
};

/// A combiner that needs the rows themselves (element-wise methods). Rows are kept by parameter and
/// never joined.
class DirectionCombiner : public Combiner {
 public:
  DirectionCombiner() = default;
  explicit DirectionCombiner(GradientSite at) : at_(at) {}

  virtual Direction direction(const Rows& rows) = 0;
  /// The same for a method that asks whose rows these are: `rows[p][i]` is the gradient of loss i
  /// of `step`. Losses may be undefined (`aggregate`). Here: `direction`.
  virtual Direction direction_of(const TaskLosses& step, const Rows& rows);

  /// `direction_of` with the rules of every method around it. FaultyStep: a row that is NaN or
  /// infinite; the text names its task. Error: the method gave a direction of other shapes than the
  /// parameters', or one that is not finite.
  Direction solve(const TaskLosses& step, const Rows& rows);

  void backward(const TaskLosses& losses, const Parameters& parameters) override;

 protected:
  GradientSite at_ = GradientSite::shared_parameters;

 private:
  Engine engine_;
};

/// Tasks "0", "1", ... whose losses are not known, one a row.
inline TaskLosses unknown_losses(const Rows& rows) {
  return task_losses(std::vector<Tensor>(rows.empty() ? 0 : rows.front().size()));
}

}  // namespace mtl
