#include "mtl/combine/gradients/cross_gramian.hpp"

#include <algorithm>

#include "mtl/combine/task_gradients.hpp"
#include "mtl/core/error.hpp"

namespace mtl {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

/// The rows of one batch, and where each task's is: -1 where it has none.
struct BatchRows {
  Rows rows;
  VectorXd lengths;
  std::vector<int64_t> of_task;
};

BatchRows rows_of_batch(Engine& engine, const TaskLosses& losses) {
  BatchRows batch{engine.rows(), engine.norms(), {}};
  require_finite(batch.lengths, losses.names);
  batch.of_task.assign(static_cast<size_t>(losses.task_count), -1);
  for (size_t i = 0; i < losses.tasks.size(); ++i)
    if (batch.lengths[static_cast<Eigen::Index>(i)] > 0)
      batch.of_task[static_cast<size_t>(losses.tasks[i])] = static_cast<int64_t>(i);
  return batch;
}

/// The tasks of `losses` that have a row in both batches.
TaskLosses tasks_of_both(const TaskLosses& losses, const BatchRows& first,
                         const BatchRows& second) {
  TaskLosses both;
  both.task_count = losses.task_count;
  for (size_t i = 0; i < losses.tasks.size(); ++i) {
    const auto task = static_cast<size_t>(losses.tasks[i]);
    if (first.of_task[task] < 0 || second.of_task[task] < 0) continue;
    both.tasks.push_back(losses.tasks[i]);
    both.names.push_back(losses.names[i]);
    both.values.push_back(losses.values[i]);
  }
  return both;
}

/// Error: rows of the two batches differ in size, as at the representations of unequal batches.
void require_same_sizes(const Rows& first, const Rows& second) {
  const auto any = [](const std::vector<Tensor>& rows) {
    const auto found =
        std::find_if(rows.begin(), rows.end(), [](const Tensor& row) { return row.defined(); });
    return found == rows.end() ? Tensor() : *found;
  };
  for (size_t p = 0; p < std::min(first.size(), second.size()); ++p) {
    const Tensor a = any(first[p]), b = any(second[p]);
    if (a.defined() && b.defined() && a.numel() != b.numel())
      throw Error(
          "the gradients of two batches of a step have shapes {} and {}; where they are compared "
          "at the representation, give batches of one size (a loader's drop_last)",
          shape_text(a), shape_text(b));
  }
}

MatrixXd cross_gramian(const TaskLosses& both, const BatchRows& first, const BatchRows& second) {
  require_same_sizes(first.rows, second.rows);
  const MatrixXd all = products(first.rows, second.rows);
  MatrixXd cross(both.size(), both.size());
  for (Eigen::Index t = 0; t < cross.cols(); ++t) {
    const auto column = second.of_task[static_cast<size_t>(both.tasks[static_cast<size_t>(t)])];
    for (Eigen::Index s = 0; s < cross.rows(); ++s)
      cross(s, t) =
          all(first.of_task[static_cast<size_t>(both.tasks[static_cast<size_t>(s)])], column);
  }
  return cross;
}

}  // namespace

VectorXd CrossGramianCombiner::weights_of(const TaskLosses& rows, const MatrixXd& cross) {
  const VectorXd w = shares_.among(rows);
  if (w.sum() > 0) shares_.deal(rows, moved(rows, w, cross));
  return of_update(rows, shares_.among(rows));
}

void CrossGramianCombiner::backward(const TaskLosses& losses, const Parameters& parameters) {
  if (losses.size() == 0) return;  // no task has a label in this batch: nothing to learn
  if (!losses.another_batch)
    throw Error(
        "combiner \"{}\" takes three batches a step, but there is no further one: give the losses "
        "another_batch",
        method_);
  const torch::AutoGradMode with_graph(true);  // also under NoGradGuard, as backward()
  const bool reports = step_reports();
  const auto guard = begin(losses, parameters);
  const BatchRows first = rows_of_batch(engine(), losses);
  const TaskLosses second_losses = losses.another_batch();
  BatchRows second{{}, {}, std::vector<int64_t>(first.of_task.size(), -1)};
  if (second_losses.size() > 0) {
    const auto of_second = begin(second_losses, parameters);
    second = rows_of_batch(engine(), second_losses);
  }
  const TaskLosses third = losses.another_batch();
  if (second_losses.task_count != losses.task_count || third.task_count != losses.task_count)
    throw Error("combiner \"{}\": the batches of one step are of {}, {} and {} tasks", method_,
                losses.task_count, second_losses.task_count, third.task_count);
  const TaskShares before = shares_;
  try {
    const TaskLosses both = tasks_of_both(losses, first, second);
    if (both.size() > 0) weights_of(both, cross_gramian(both, first, second));
    if (third.size() == 0) {  // no update: nobody gets a weight
      const Eigen::Index tasks = losses.size();
      if (reports)
        make_report(losses,
                    first.rows.empty() ? MatrixXd(MatrixXd::Zero(tasks, tasks))
                                       : products(first.rows, first.rows),
                    VectorXd::Zero(tasks));
      return;
    }
    const VectorXd share = shares_.among(third), w = of_update(third, share);
    const auto of_third = begin(third, parameters);
    if (reports) make_report(third, {.shared = engine().columns()}, w);
    VectorXd of_heads = w;
    for (Eigen::Index i = 0; i < w.size(); ++i) {
      const auto task = static_cast<size_t>(third.tasks[static_cast<size_t>(i)]);
      // A task without a shared gradient has nothing to share, nor have tasks without a share.
      if (!(share.sum() > 0) || (first.of_task[task] < 0 && second.of_task[task] < 0))
        of_heads[i] = 1;
    }
    engine().write_gradients(w, of_heads);
  } catch (...) {
    shares_ = before;
    throw;
  }
}

}  // namespace mtl
