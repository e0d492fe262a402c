#include "mtl/task/metric.hpp"

#include <typeinfo>

#include "mtl/core/error.hpp"
#include "mtl/data/padding.hpp"
#include "mtl/task/entries.hpp"
#include "rows.hpp"
#include "torch_text.hpp"

namespace mtl {
namespace {

using task_detail::Rows;

/// A single part is not copied.
Tensor joined(const std::vector<Tensor>& parts, Fill fill, const char* name) {
  return parts.size() == 1 ? parts.front() : joined_rows(parts, fill, name);
}

class AllRows final : public task_detail::MetricState {
 public:
  AllRows(task_detail::MetricOfRows function, bool takes_weights)
      : function_(std::move(function)), takes_weights_(takes_weights) {}

  void add(const Tensor& predictions, const Tensor& targets, const Tensor& weights,
           const Tensor& /*groups*/) override {
    predictions_.push_back(predictions);
    targets_.push_back(targets);
    weights_.push_back(weights);
  }
  void merge(const MetricState& other) override {
    const auto& rows = static_cast<const AllRows&>(other);
    const auto append = [](std::vector<Tensor>& to, const std::vector<Tensor>& from) {
      to.insert(to.end(), from.begin(), from.end());
    };
    append(predictions_, rows.predictions_);
    append(targets_, rows.targets_);
    append(weights_, rows.weights_);
  }
  double value() const override {
    if (predictions_.empty()) return task_detail::no_value;
    const Tensor weights = all_weights();
    if (!takes_weights_ && weights.defined() && weights.numel() > 0 &&
        !weights.min().equal(weights.max()))
      throw Error(
          "the sample weights differ, but the metric takes none; give its function a third "
          "argument, the weights [N]");
    const Tensor predictions = joined(predictions_, Fill::zero, "the predictions");
    const Tensor targets = joined(targets_, Fill::missing_label, "the targets");
    try {
      return function_(predictions, targets, weights);
    } catch (const c10::Error& error) {
      throw Error("{}", torch_text(error, predictions, targets));
    }
  }

 private:
  /// Undefined: all one.
  Tensor all_weights() const {
    if (weights_.size() == 1) return weights_.front();
    bool weighted = false;
    std::vector<Tensor> parts;
    for (size_t i = 0; i < weights_.size(); ++i) {
      weighted = weighted || weights_[i].defined();
      parts.push_back(weights_[i].defined() ? weights_[i].to(torch::kCPU, torch::kDouble)
                                            : torch::ones({targets_[i].size(0)}, torch::kDouble));
    }
    return weighted ? torch::cat(parts) : Tensor();
  }

  task_detail::MetricOfRows function_;
  bool takes_weights_;
  std::vector<Tensor> predictions_, targets_, weights_;
};

}  // namespace

namespace task_detail {

std::unique_ptr<MetricState> all_rows(MetricOfRows function, bool takes_weights) {
  return std::make_unique<AllRows>(std::move(function), takes_weights);
}

}  // namespace task_detail

double Metric::operator()(const Tensor& predictions, const Tensor& targets,
                          const Tensor& sample_weights, const Tensor& groups) const {
  MetricStream stream(*this);
  stream.add(predictions, targets, sample_weights, groups);
  return stream.value();
}

void MetricStream::add(const Tensor& predictions, const Tensor& targets,
                       const Tensor& sample_weights, const Tensor& groups) {
  task_detail::check_same_samples(predictions, targets);
  const Rows rows = task_detail::rows_that_count(predictions, targets, sample_weights, {});
  const bool part = groups.defined() && rows.numbers.defined();
  add_rows(rows, part ? groups.index_select(0, rows.numbers.to(groups.device())) : groups,
           targets.size(0));
}

void MetricStream::add_rows(const Rows& rows, const Tensor& groups, int64_t rows_in_batch) {
  try {
    state_->add(rows.predictions, rows.targets, rows.weights, groups);
  } catch (const RowError& error) {
    throw error.in_whole(rows.numbers, rows_);
  }
  if (!streams_)
    numbers_.push_back(rows.numbers.defined()
                           ? rows.numbers.to(torch::kCPU) + rows_
                           : torch::arange(rows_, rows_ + rows_in_batch, torch::kLong));
  rows_ += rows_in_batch;
}

void MetricStream::merge(const MetricStream& other) {
  const task_detail::MetricState &own = *state_, &theirs = *other.state_;
  if (typeid(own) != typeid(theirs))
    throw Error("the streams of two metrics of different types cannot be merged");
  state_->merge(theirs);
  for (const Tensor& numbers : other.numbers_) numbers_.push_back(numbers + rows_);
  rows_ += other.rows_;
}

double MetricStream::value() const {
  try {
    return state_->value();
  } catch (const RowError& error) {
    if (numbers_.empty()) throw;
    throw error.in_whole(joined(numbers_, Fill::zero, "the rows"));
  }
}

}  // namespace mtl
