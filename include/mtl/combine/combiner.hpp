#pragma once

#include <Eigen/Core>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mtl/combine/options.hpp"
#include "mtl/combine/parameters.hpp"
#include "mtl/combine/task_losses.hpp"

namespace mtl {

/// What a combiner saw and did in one step. Rows and columns are the present tasks.
struct CombinerReport {
  std::vector<std::string> names;
  Eigen::MatrixXd cosines;  // between task gradients [T,T]; NaN beside a zero gradient
  Eigen::VectorXd norms;    // of the task gradients [T]
  Eigen::VectorXd weights;  // given to the tasks [T]
  Eigen::VectorXd shares;   // <w_t g_t, d> / <d, d>: each task's part of the update, sums to 1 [T]
  int64_t conflicts = 0;    // pairs with a negative cosine
  bool stationary = false;  // no direction helps every task
};

/// Turns the task losses of one step into one update: leaves `.grad` filled, as backward() would.
/// Needs no model, registry or trainer:
///
///     combiner.backward(mtl::task_losses({l1, l2}),
///                       {.shared = encoder->parameters(),
///                        .by_task = {head1->parameters(), head2->parameters()}});
class Combiner {
 public:
  virtual ~Combiner() = default;

  virtual void backward(const TaskLosses& losses, const Parameters& parameters) = 0;

  /// The one number that stands for several losses when a run is watched (early stopping, best
  /// model): scalar. A fixed function of the losses, so that epochs can be compared, and no state
  /// is changed. Here: their sum, as for every combiner whose weights move; one that minimises a
  /// fixed function of the losses gives that.
  virtual Tensor total(const TaskLosses& losses) const;

  /// Learnable parameters of the combiner itself; the trainer gives them to the optimizer as a
  /// group of their own.
  virtual std::vector<Tensor> parameters() { return {}; }

  /// Tells how many tasks there are, so that what is kept by task has its size before the first
  /// step; the trainer does before it takes `parameters()`. Error: it is kept for another number.
  virtual void set_task_count(int64_t /*tasks*/) {}

  /// Everything that a resume to the bit needs: learnable parameters, running means, generators.
  virtual NamedTensors state_dict() const { return NamedTensors(); }
  /// Error: a name or shape that is not this combiner's.
  virtual void load_state_dict(const NamedTensors& state);

  /// Called by the trainer after the last step of an epoch.
  virtual void end_epoch() {}

  /// For methods that look at the losses again after the optimizer's step (FAMO): the trainer
  /// computes them on the same batch without a graph, and only where the step just made asks for
  /// it.
  virtual bool wants_losses_after_step() const { return false; }
  virtual void after_step(const TaskLosses& /*losses_after*/) {}

  /// Every n steps say what is going on; 0 (the default): never, at no cost.
  void report_every(int64_t steps) { report_every_ = steps; }
  /// The report of the last step that made one.
  const std::optional<CombinerReport>& last_report() const { return report_; }

  /// Its options in words, "c=0.4,rescale=none": by them a checkpoint knows it again.
  const std::string& options_text() const { return options_text_; }

 protected:
  /// The options themselves, checked, and noted for options_text(): for a constructor.
  template <class Options>
  Options checked(Options options, std::string_view method) {
    check_options(method, options);
    options_text_ = mtl::options_text(options);
    return options;
  }
  /// Counts the step; true when this one reports.
  bool step_reports() { return report_every_ > 0 && steps_++ % report_every_ == 0; }
  /// Reports on a step whose task gradients have this Gramian [T,T] and got these weights [T].
  void make_report(const TaskLosses& losses, const Eigen::MatrixXd& gramian,
                   const Eigen::VectorXd& weights, bool stationary = false);
  /// The same for a combiner that has no use for gradients itself: takes T backward passes.
  void make_report(const TaskLosses& losses, const Parameters& parameters,
                   const Eigen::VectorXd& weights);

 private:
  std::string options_text_;
  std::optional<CombinerReport> report_;
  int64_t report_every_ = 0;
  int64_t steps_ = 0;
};

/// A combiner that only says how to weigh losses.
class LossCombiner : public Combiner {
 public:
  /// The one loss to minimise: scalar with graph.
  virtual Tensor combine(const TaskLosses& losses) = 0;
  void backward(const TaskLosses& losses, const Parameters& parameters) override;
};

}  // namespace mtl
