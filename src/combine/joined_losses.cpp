#include "mtl/combine/joined_losses.hpp"

#include <cmath>
#include <unordered_map>
#include <utility>

#include "engine/capture.hpp"
#include "engine/leaves.hpp"
#include "joined_nodes.hpp"
#include "loss_lists.hpp"
#include "mtl/combine/loss_values.hpp"
#include "mtl/combine/parameters.hpp"
#include "mtl/core/error.hpp"
#include "new_node.hpp"

namespace mtl {

struct LossJoiner::State {
  std::vector<Tensor> parameters;  // each once
  std::unordered_map<const at::TensorImpl*, size_t> index;
  std::vector<std::string> names;
  std::shared_ptr<const Exchange> exchange;
};

namespace {

/// What of a loss every process tells the others.
struct LossColumns {
  static constexpr int64_t sum = 0, weight = 1, samples = 2, weighted = 3, present = 4, kind = 5,
                           type = 6, count = 7;
};

void check_hooks(const std::vector<Tensor>& parameters) {
  for (const Tensor& parameter : parameters)
    if (parameter.requires_grad() && engine::has_hooks(parameter))
      throw Error(
          "a parameter of shape {} has a hook, which would see its gradient in every process and "
          "once more as a sum; remove it to work with several processes",
          shape_text(parameter));
}

/// The number that those who have one agree on. Error: they do not.
int64_t agreed(double sum, double present, const std::string& task, const char* what) {
  const double number = sum / present;
  if (number != std::floor(number))
    throw Error("task \"{}\": its losses differ in {} between the processes", task, what);
  return static_cast<int64_t>(number);
}

class Joining {
 public:
  Joining(const TaskLosses& own, std::shared_ptr<const LossJoiner::State> state)
      : own_(own), state_(std::move(state)), parameters_(state_->parameters) {
    check_part(own);
    check_hooks(parameters_);
    const auto inputs = static_cast<int64_t>(parameters_.size());
    numbers_ = torch::zeros({own.task_count, LossColumns::count}, torch::kDouble);
    reached_ = torch::zeros({own.task_count + 1, inputs + 1}, torch::kDouble);
  }

  TaskLosses joined() {
    tell();
    const auto sums = summed(*state_->exchange, {numbers_, reached_});
    all_ = sums[0].contiguous();
    all_reached_ = sums[1].contiguous();
    TaskLosses whole;
    whole.task_count = own_.task_count;
    for (int64_t t = 0; t < own_.task_count; ++t)
      if (at(all_, t, LossColumns::present) > 0) add(whole, t, state_->names);
    // Also where no loss learns: the others' representation says how many rows there are.
    if (torch::GradMode::is_enabled()) attach(whole);
    return whole;
  }

 private:
  static double& at(Tensor& table, int64_t row, int64_t column) {
    return table.data_ptr<double>()[row * table.size(1) + column];
  }

  /// What this process has.
  void tell() {
    std::vector<Tensor> scalars = own_.values;
    for (const Tensor& weight : own_.weights)
      if (weight.defined()) scalars.push_back(weight);
    const Eigen::VectorXd read = read_together(scalars);
    Eigen::Index next_weight = own_.size();
    const bool graph = torch::GradMode::is_enabled();
    const Tensor border = graph ? own_.representation : Tensor();
    has_representation_ = border.defined() && border.requires_grad() && !border.is_leaf();
    for (size_t i = 0; i < own_.values.size(); ++i) {
      const int64_t t = own_.tasks[i];
      const bool weighted = i < own_.weights.size() && own_.weights[i].defined();
      const double weight = weighted ? read[next_weight++] : static_cast<double>(own_.samples[i]);
      at(numbers_, t, LossColumns::sum) =
          weight == 0 && std::isfinite(read[static_cast<Eigen::Index>(i)])
              ? 0
              : weight * read[static_cast<Eigen::Index>(i)];
      at(numbers_, t, LossColumns::weight) = weight;
      at(numbers_, t, LossColumns::samples) = static_cast<double>(own_.samples[i]);
      at(numbers_, t, LossColumns::weighted) = weighted;
      at(numbers_, t, LossColumns::present) = 1;
      at(numbers_, t, LossColumns::kind) = static_cast<double>(own_.kind(i));
      at(numbers_, t, LossColumns::type) = static_cast<double>(own_.values[i].scalar_type());
      if (!graph || !own_.values[i].requires_grad()) continue;
      mark({own_.values[i]}, has_representation_ ? border : Tensor(), t);
      if (has_representation_) at(reached_, t, behind_column()) = 1;
    }
    if (has_representation_) {
      mark({border}, Tensor(), own_.task_count);
      at(reached_, own_.task_count, behind_column()) = 1;
    }
  }

  int64_t behind_column() const { return static_cast<int64_t>(parameters_.size()); }

  void mark(const std::vector<Tensor>& from, const Tensor& border, int64_t row) {
    for (const Tensor& leaf : engine::leaves(from, border)) {
      const auto found = state_->index.find(leaf.unsafeGetTensorImpl());
      if (found == state_->index.end()) continue;
      at(reached_, row, static_cast<int64_t>(found->second)) = 1;
    }
  }

  void add(TaskLosses& whole, int64_t t, const std::vector<std::string>& names) {
    const auto index = static_cast<size_t>(t);
    std::string name = index < names.size() ? names[index] : std::to_string(t);
    Tensor own;
    for (size_t i = 0; i < own_.tasks.size(); ++i) {
      if (own_.tasks[i] != t) continue;
      name = own_.names[i];
      own = own_.values[i];
    }
    const double present = at(all_, t, LossColumns::present),
                 weight = at(all_, t, LossColumns::weight);
    const auto type =
        static_cast<c10::ScalarType>(agreed(at(all_, t, LossColumns::type), present, name, "type"));
    const auto kind =
        static_cast<LossKind>(agreed(at(all_, t, LossColumns::kind), present, name, "kind"));
    // Where every weight is zero (a class of weight 0 only) the batch teaches nothing.
    const double divisor = weight == 0 ? 1 : weight;
    const torch::Device device = own.defined()         ? own.device()
                                 : parameters_.empty() ? torch::Device(torch::kCPU)
                                                       : parameters_.front().device();
    whole.tasks.push_back(t);
    whole.names.push_back(std::move(name));
    whole.values.push_back(torch::full({}, at(all_, t, LossColumns::sum) / divisor,
                                       torch::TensorOptions(type).device(device)));
    whole.samples.push_back(static_cast<int64_t>(at(all_, t, LossColumns::samples)));
    whole.weights.push_back(
        at(all_, t, LossColumns::weighted) > 0
            ? torch::full({}, weight, torch::TensorOptions(torch::kDouble).device(device))
            : Tensor());
    whole.kinds.push_back(kind);
    own_values_.push_back(own);
    shares_.push_back(at(numbers_, t, LossColumns::weight) / divisor);
  }

  /// Ties the values to the parameters, and with a representation to that first.
  void attach(TaskLosses& whole) {
    std::vector<Tensor> inputs;
    std::vector<int64_t> columns;
    const bool behind = at(all_reached_, own_.task_count, behind_column()) > 0;
    if (behind) {
      whole.representation = share_of_representation();
      inputs.push_back(whole.representation);
      columns.push_back(behind_column());
    }
    for (size_t p = 0; p < parameters_.size(); ++p) {
      bool any = false;
      for (int64_t t = 0; t < own_.task_count; ++t)
        any = any || at(all_reached_, t, static_cast<int64_t>(p)) > 0;
      if (!any) continue;
      inputs.push_back(parameters_[p]);
      columns.push_back(static_cast<int64_t>(p));
    }
    if (inputs.empty()) return;
    const NewNode<JoinedNode> node(inputs);
    node->kept = behind ? 1 : 0;
    node->exchange = state_->exchange;
    // What is asked of this process's graph is its own representation.
    node->inputs = inputs;
    if (has_representation_) node->inputs.front() = own_.representation;
    for (size_t i = 0; i < whole.values.size(); ++i) {
      std::vector<bool> reached, reached_here;
      bool any = false;
      for (const int64_t column : columns) {
        reached.push_back(at(all_reached_, whole.tasks[i], column) > 0);
        reached_here.push_back(at(reached_, whole.tasks[i], column) > 0);
        any = any || reached.back();
      }
      if (!any) continue;
      node->own.push_back(own_values_[i]);
      node->shares.push_back(shares_[i]);
      node->reached.push_back(std::move(reached));
      node->reached_here.push_back(std::move(reached_here));
      node.gives(whole.values[i]);
    }
  }

  /// The rows of the representation that are here, as a function of the parameters behind it.
  Tensor share_of_representation() {
    std::vector<Tensor> inputs;
    for (size_t p = 0; p < parameters_.size(); ++p)
      if (at(all_reached_, own_.task_count, static_cast<int64_t>(p)) > 0)
        inputs.push_back(parameters_[p]);
    Tensor rows = has_representation_
                      ? own_.representation.variable_data()
                      : torch::zeros({0}, parameters_.front().options().requires_grad(false));
    const NewNode<ShareNode> node(inputs);
    node->exchange = state_->exchange;
    node->inputs = std::move(inputs);
    if (has_representation_) node->own = own_.representation;
    node.gives(rows);
    return rows;
  }

  const TaskLosses& own_;
  std::shared_ptr<const LossJoiner::State> state_;
  const std::vector<Tensor>& parameters_;
  Tensor numbers_, all_;          // [tasks, LossColumns]
  Tensor reached_, all_reached_;  // [tasks and representation, parameters and representation]
  bool has_representation_ = false;
  std::vector<Tensor> own_values_;  // by row of the whole
  std::vector<double> shares_;
};

}  // namespace

LossJoiner::LossJoiner(const std::vector<Tensor>& parameters, StartSumOverProcesses start,
                       std::vector<std::string> names, int64_t bucket_bytes) {
  check_parameters(parameters, "joined_losses");
  auto state = std::make_shared<State>();
  for (const Tensor& parameter : parameters)
    if (state->index.emplace(parameter.unsafeGetTensorImpl(), state->parameters.size()).second)
      state->parameters.push_back(parameter);
  state->names = std::move(names);
  state->exchange = std::make_shared<Exchange>(Exchange{std::move(start), bucket_bytes});
  state_ = std::move(state);
}

TaskLosses LossJoiner::joined(const TaskLosses& own) const {
  TaskLosses whole = Joining(own, state_).joined();
  const auto again = [&](const std::function<TaskLosses()>& look) -> std::function<TaskLosses()> {
    if (!look) return {};
    return [look, joiner = *this] { return joiner.joined(look()); };
  };
  whole.another_batch = again(own.another_batch);
  whole.same_batch = again(own.same_batch);
  return whole;
}

TaskLosses joined_losses(const TaskLosses& own, const std::vector<Tensor>& parameters,
                         const SumOverProcesses& sum, const std::vector<std::string>& names) {
  const auto at_once = [sum](std::vector<Tensor> tensors) {
    return StartedSum{sum(std::move(tensors)), [] {}};
  };
  return LossJoiner(parameters, at_once, names).joined(own);
}

}  // namespace mtl
