#include "mtl/combine/joined_losses.hpp"

#include <torch/autograd.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/variable.h>

#include <cmath>
#include <type_traits>
#include <unordered_map>
#include <utility>

#include "engine/capture.hpp"
#include "engine/leaves.hpp"
#include "engine/shared_rows.hpp"
#include "mtl/combine/loss_values.hpp"
#include "mtl/core/error.hpp"
#include "node_pointer.hpp"

namespace mtl {
namespace {

/// What of a loss every process tells the others.
struct LossColumns {
  static constexpr int64_t sum = 0, weight = 1, samples = 2, weighted = 3, present = 4, kind = 5,
                           type = 6, count = 7;
};

/// The gradients that a walk back through this process's graph found, zeros for those that only
/// others found, summed over the processes.
std::vector<Tensor> summed(std::vector<Tensor> found, const std::vector<Tensor>& like,
                           const SumOverProcesses& sum) {
  const torch::NoGradGuard no_grad;
  for (size_t i = 0; i < found.size(); ++i)
    if (!found[i].defined()) found[i] = torch::zeros_like(like[i]);
  return sum(std::move(found));
}

std::vector<Tensor> walked_back(const std::vector<Tensor>& from, const std::vector<Tensor>& along,
                                const std::vector<Tensor>& to) {
  if (from.empty() || to.empty()) return std::vector<Tensor>(to.size());
  return torch::autograd::grad(from, to, along, /*retain_graph=*/true, /*create_graph=*/false,
                               /*allow_unused=*/true);
}

/// Of the losses of the whole batch.
struct JoinedNode : torch::autograd::Node {
  std::vector<Tensor> own;                 // by output; undefined: no label here
  std::vector<double> shares;              // by output: this process's part of the weight
  std::vector<std::vector<bool>> reached;  // by output and next edge, by any process
  std::vector<Tensor> inputs;              // by next edge
  size_t kept = 0;  // so many of the first inputs' gradients stay here: the representation
  std::vector<bool> found_here;  // by next edge: whether this process has that tensor in its graph
  SumOverProcesses sum;

  torch::autograd::variable_list apply(torch::autograd::variable_list&& outer) override {
    std::vector<Tensor> from, along, to;
    std::vector<size_t> place;
    for (size_t t = 0; t < outer.size(); ++t) {
      if (!outer[t].defined() || !own[t].defined() || !own[t].requires_grad()) continue;
      from.push_back(own[t]);
      along.push_back((outer[t] * shares[t]).to(own[t].scalar_type()).reshape(own[t].sizes()));
    }
    std::vector<size_t> asked;
    for (size_t i = 0; i < inputs.size(); ++i) {
      bool wanted = false;
      for (size_t t = 0; t < outer.size(); ++t)
        wanted = wanted || (outer[t].defined() && reached[t][i]);
      if (!wanted || !task_should_compute_output(i)) continue;
      place.push_back(i);
      if (!found_here[i]) continue;
      asked.push_back(place.size() - 1);
      to.push_back(inputs[i]);
    }
    std::vector<Tensor> here = walked_back(from, along, to), all(place.size()), moved, moved_like;
    for (size_t a = 0; a < asked.size(); ++a) all[asked[a]] = std::move(here[a]);
    torch::autograd::variable_list inner(inputs.size());
    std::vector<size_t> moved_place;
    for (size_t p = 0; p < place.size(); ++p) {
      const size_t i = place[p];
      if (i < kept) {
        inner[i] = all[p].defined() ? std::move(all[p]) : torch::zeros_like(inputs[i]);
        continue;
      }
      moved.push_back(std::move(all[p]));
      moved_like.push_back(inputs[i]);
      moved_place.push_back(i);
    }
    if (moved.empty()) return inner;
    std::vector<Tensor> sums = summed(std::move(moved), moved_like, sum);
    for (size_t m = 0; m < moved_place.size(); ++m) inner[moved_place[m]] = std::move(sums[m]);
    return inner;
  }
};

/// Of the representation: from its rows here to the parameters behind it.
struct ShareNode : engine::RowsOfShare {
  Tensor own;                  // undefined: no row is here
  std::vector<Tensor> inputs;  // by next edge
  SumOverProcesses summing;

  Eigen::MatrixXd sum(const Eigen::MatrixXd& numbers) const override {
    Tensor all = torch::empty({numbers.cols(), numbers.rows()}, torch::kDouble);
    std::copy(numbers.data(), numbers.data() + numbers.size(), all.data_ptr<double>());
    all = summing({all}).front().contiguous();
    return Eigen::Map<const Eigen::MatrixXd>(all.data_ptr<double>(), numbers.rows(),
                                             numbers.cols());
  }

  torch::autograd::variable_list apply(torch::autograd::variable_list&& outer) override {
    torch::autograd::variable_list inner(inputs.size());
    std::vector<Tensor> wanted;
    std::vector<size_t> place;
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (!task_should_compute_output(i)) continue;
      wanted.push_back(inputs[i]);
      place.push_back(i);
    }
    std::vector<Tensor> found(wanted.size());
    if (own.defined() && own.requires_grad() && outer.front().defined())
      found = walked_back({own}, {outer.front()}, wanted);
    found = summed(std::move(found), wanted, summing);
    for (size_t p = 0; p < place.size(); ++p) inner[place[p]] = std::move(found[p]);
    return inner;
  }
};

using NodePointer = std::decay_t<decltype(std::declval<Tensor>().grad_fn())>;

std::vector<Tensor> learning(const std::vector<Tensor>& parameters,
                             std::unordered_map<const at::TensorImpl*, size_t>& index) {
  std::vector<Tensor> some;
  for (const Tensor& parameter : parameters) {
    if (!parameter.requires_grad() ||
        !index.emplace(parameter.unsafeGetTensorImpl(), some.size()).second)
      continue;
    if (engine::has_hooks(parameter))
      throw Error(
          "a parameter of shape {} has a hook, which would see its gradient in every process and "
          "once more as a sum; remove it to work with several processes",
          shape_text(parameter));
    some.push_back(parameter);
  }
  return some;
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
  Joining(const TaskLosses& own, const std::vector<Tensor>& parameters, SumOverProcesses sum)
      : own_(own), parameters_(learning(parameters, index_)), sum_(std::move(sum)) {
    const auto inputs = static_cast<int64_t>(parameters_.size());
    numbers_ = torch::zeros({own.task_count, LossColumns::count}, torch::kDouble);
    reached_ = torch::zeros({own.task_count + 1, inputs + 1}, torch::kDouble);
  }

  TaskLosses joined(const std::vector<std::string>& names) {
    tell();
    const auto sums = sum_({numbers_, reached_});
    all_ = sums[0].contiguous();
    all_reached_ = sums[1].contiguous();
    TaskLosses whole;
    whole.task_count = own_.task_count;
    for (int64_t t = 0; t < own_.task_count; ++t)
      if (at(all_, t, LossColumns::present) > 0) add(whole, t, names);
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
      const auto found = index_.find(leaf.unsafeGetTensorImpl());
      if (found == index_.end()) continue;
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
    std::vector<bool> here;
    std::vector<int64_t> columns;
    const bool behind = at(all_reached_, own_.task_count, behind_column()) > 0;
    if (behind) {
      whole.representation = share_of_representation();
      inputs.push_back(whole.representation);
      here.push_back(has_representation_);
      columns.push_back(behind_column());
    }
    for (size_t p = 0; p < parameters_.size(); ++p) {
      bool any = false;
      for (int64_t t = 0; t < own_.task_count; ++t)
        any = any || at(all_reached_, t, static_cast<int64_t>(p)) > 0;
      if (!any) continue;
      inputs.push_back(parameters_[p]);
      here.push_back(true);
      columns.push_back(static_cast<int64_t>(p));
    }
    if (inputs.empty()) return;
    const NodePointer pointer = made_node<NodePointer, JoinedNode>();
    auto& node = static_cast<JoinedNode&>(*pointer);
    node.set_next_edges(torch::autograd::collect_next_edges(inputs));
    node.kept = behind ? 1 : 0;
    node.sum = sum_;
    // What is asked of this process's graph is its own representation.
    node.inputs = inputs;
    if (has_representation_) node.inputs.front() = own_.representation;
    node.found_here = here;
    for (size_t i = 0; i < whole.values.size(); ++i) {
      std::vector<bool> reached;
      bool any = false;
      for (const int64_t column : columns) {
        reached.push_back(at(all_reached_, whole.tasks[i], column) > 0);
        any = any || reached.back();
      }
      if (!any) continue;
      node.own.push_back(own_values_[i]);
      node.shares.push_back(shares_[i]);
      node.reached.push_back(std::move(reached));
      torch::autograd::set_history(whole.values[i], pointer);
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
    const NodePointer pointer = made_node<NodePointer, ShareNode>();
    auto& node = static_cast<ShareNode&>(*pointer);
    node.set_next_edges(torch::autograd::collect_next_edges(inputs));
    node.summing = sum_;
    node.inputs = std::move(inputs);
    if (has_representation_) node.own = own_.representation;
    torch::autograd::set_history(rows, pointer);
    return rows;
  }

  const TaskLosses& own_;
  std::unordered_map<const at::TensorImpl*, size_t> index_;
  std::vector<Tensor> parameters_;  // each once
  SumOverProcesses sum_;
  Tensor numbers_, all_;          // [tasks, LossColumns]
  Tensor reached_, all_reached_;  // [tasks and representation, parameters and representation]
  bool has_representation_ = false;
  std::vector<Tensor> own_values_;  // by row of the whole
  std::vector<double> shares_;
};

}  // namespace

TaskLosses joined_losses(const TaskLosses& own, const std::vector<Tensor>& parameters,
                         const SumOverProcesses& sum, const std::vector<std::string>& names) {
  TaskLosses whole = Joining(own, parameters, sum).joined(names);
  const auto again = [&](const std::function<TaskLosses()>& look) -> std::function<TaskLosses()> {
    if (!look) return {};
    return [=] { return joined_losses(look(), parameters, sum, names); };
  };
  whole.another_batch = again(own.another_batch);
  whole.same_batch = again(own.same_batch);
  return whole;
}

}  // namespace mtl
