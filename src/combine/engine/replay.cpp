#include "replay.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <utility>

#include "gramian_sum.hpp"
#include "nodes.hpp"
#include "workspace.hpp"

namespace mtl::engine {
namespace {

using at::Tensor;

Captured empty_captured(const Plan& plan, size_t tasks) {
  Captured captured;
  captured.column_rows.assign(plan.column_owner.size(), std::vector<Tensor>(tasks));
  captured.task_rows.assign(plan.task_parameter_owner.size(), std::vector<Tensor>(tasks));
  for (const auto& site : plan.sites) captured.deltas.emplace_back(site.outputs.size());
  return captured;
}

std::vector<bool> columns_of_sites(const Plan& plan) {
  std::vector<bool> known(plan.column_owner.size(), false);
  for (const auto& site : plan.sites) {
    known[site.weight] = true;
    if (site.bias) known[*site.bias] = true;
  }
  return known;
}

// [T, ...], zero where undefined; undefined if all are.
Tensor stack(std::vector<Tensor> parts) {
  const auto some =
      std::find_if(parts.begin(), parts.end(), [](const Tensor& part) { return part.defined(); });
  if (some == parts.end()) return {};
  const auto zero = at::zeros_like(*some);
  for (auto& part : parts) {
    if (!part.defined()) part = zero;
  }
  return at::stack(parts);
}

// A list of targets that remembers where each gradient goes.
class Request {
 public:
  void add(Target target, Tensor& place) {
    targets_.push_back(std::move(target));
    places_.push_back(&place);
  }
  void run(const std::vector<Tensor>& losses) {
    auto found = gradients(losses, std::vector<Tensor>(losses.size()), targets_);
    for (size_t i = 0; i < found.size(); ++i) *places_[i] = std::move(found[i]);
  }

 private:
  std::vector<Target> targets_;
  std::vector<Tensor*> places_;
};

bool reached_by(int owner, size_t task) {
  return owner == several || owner == static_cast<int>(task);
}

void add_task_parameters(Request& request, const Plan& plan, size_t task,
                         const std::vector<Tensor>& task_parameters, Captured& captured) {
  for (size_t p = 0; p < task_parameters.size(); ++p) {
    if (reached_by(plan.task_parameter_owner[p], task)) {
      request.add(target_of(task_parameters[p]), captured.task_rows[p][task]);
    }
  }
}

// One batch of products where every task hands one of the same shape to the step: fewer kernels
// than a product a task, and on a device that is what counts. Undefined where it does not fit.
Tensor cross_together(const std::vector<Crossing>& crossings, const std::vector<Tensor>& deltas,
                      size_t step, size_t tasks) {
  constexpr size_t kernels = 3;
  if (tasks <= kernels) return {};
  std::vector<Tensor> of_tasks(tasks), weights(tasks);
  for (size_t i = 0; i < crossings.size(); ++i) {
    if (crossings[i].step != step) continue;
    const auto task = static_cast<size_t>(crossings[i].task);
    if (!deltas[i].defined() || deltas[i].is_cpu() || of_tasks[task].defined()) return {};
    of_tasks[task] = deltas[i];
    weights[task] = crossings[i].weight;
  }
  const auto like_first = [](const std::vector<Tensor>& tensors) {
    const auto& first = tensors.front();
    return std::all_of(tensors.begin(), tensors.end(), [&](const Tensor& tensor) {
      return tensor.defined() && tensor.sizes() == first.sizes() &&
             tensor.dtype() == first.dtype() && tensor.device() == first.device();
    });
  };
  if (!of_tasks.front().defined() || !like_first(of_tasks) || !like_first(weights)) return {};
  return at::bmm(at::stack(of_tasks), at::stack(weights));
}

// What the heads' own linear layers hand to one step of the shared part [T, N, ...]; undefined
// where nothing.
Tensor cross(const std::vector<Crossing>& crossings, const std::vector<Tensor>& deltas, size_t step,
             size_t tasks, Workspace& workspace) {
  if (auto together = cross_together(crossings, deltas, step, tasks); together.defined())
    return together;
  Tensor result;
  std::vector<bool> reached(tasks, false);
  for (size_t i = 0; i < crossings.size(); ++i) {
    const auto& crossing = crossings[i];
    if (crossing.step != step || !deltas[i].defined()) continue;
    if (!result.defined())
      result = workspace.take(
          {static_cast<int64_t>(tasks), deltas[i].size(0), crossing.weight.size(1)}, deltas[i]);
    auto part = result[crossing.task];
    if (reached[static_cast<size_t>(crossing.task)]) {
      part.addmm_(deltas[i], crossing.weight);
    } else {
      at::mm_out(part, deltas[i], crossing.weight);
      reached[static_cast<size_t>(crossing.task)] = true;
    }
  }
  for (size_t t = 0; t < tasks && result.defined(); ++t)
    if (!reached[t]) result[static_cast<int64_t>(t)].zero_();
  return result;
}

void send(Tensor& there, const Tensor& gradient) {
  // Not in place: a sum hands one tensor to both its terms.
  there = there.defined() ? there + gradient : gradient;
}

// What a head's linear layer hands to its bias and weight. Its input's part goes another way.
std::vector<Tensor> linear_backward(const HeadStep& head, const Tensor& delta) {
  std::vector<Tensor> gradients(head.next.size());
  const auto weight = weight_edge(head.operation);
  for (size_t e = 0; e < gradients.size(); ++e)
    if (head.next[e] && e != weight) gradients[e] = delta;  // of the bias, not yet summed
  if (head.next[weight] && delta.defined())
    gradients[weight] = at::mm(delta.t(), saved_input(*head.node, head.operation)).t();
  return gradients;
}

// Runs the tasks' own parts, which have nothing in common, node by node. The gradients at the
// inputs of the shared part: by replay step [T, N, ...].
std::vector<Tensor> run_heads(const Plan& plan, const std::vector<Tensor>& losses,
                              Captured& captured, Workspace& workspace) {
  const auto& [heads, crossings, roots, columns, task_parameters, steps] = *plan.replay;
  std::vector<std::vector<Tensor>> arrived(heads.size());  // [head step][input]
  for (size_t h = 0; h < heads.size(); ++h) arrived[h].resize(heads[h].node->num_inputs());
  std::vector<Tensor> deltas(crossings.size());
  std::vector<std::vector<Tensor>> across(steps.size());  // [replay step][task]
  LossGradient one;
  for (const auto& root : roots) send(arrived[root.step][root.input], one.of(losses[root.index]));
  for (size_t h = 0; h < heads.size(); ++h) {
    const auto& head = heads[h];
    if (!head.runs) continue;
    auto inputs = head.asked ? arrived[h] : std::move(arrived[h]);
    if (head.crossing) deltas[*head.crossing] = inputs.front();
    const auto gradients =
        head.crossing ? linear_backward(head, inputs.front()) : (*head.node)(std::move(inputs));
    for (size_t e = 0; e < head.next.size(); ++e) {
      if (!gradients[e].defined() || !(head.next[e] || head.across[e])) continue;
      const auto& edge = head.node->next_edge(e);
      const auto gradient = fitted(gradients[e], edge);
      if (head.next[e]) send(arrived[*head.next[e]][edge.input_nr], gradient);
      if (!head.across[e]) continue;
      auto& of_tasks = across[*head.across[e]];
      of_tasks.resize(losses.size());
      send(of_tasks[static_cast<size_t>(head.task)], gradient);
    }
  }
  const auto take = [&](const HeadGradient& from, std::vector<std::vector<Tensor>>& rows) {
    rows[from.index][static_cast<size_t>(heads[from.step].task)] =
        dense(arrived[from.step][from.input]);
  };
  for (const auto& column : columns) take(column, captured.column_rows);
  for (const auto& parameter : task_parameters) take(parameter, captured.task_rows);
  std::vector<Tensor> at_step(steps.size());
  for (size_t s = 0; s < at_step.size(); ++s) {
    at_step[s] = cross(crossings, deltas, s, losses.size(), workspace);
    if (auto others = stack(std::move(across[s])); others.defined()) send(at_step[s], others);
  }
  return at_step;
}

}  // namespace

Captured capture(const Plan& plan, const std::vector<Tensor>& losses,
                 const std::vector<Tensor>& columns, const std::vector<Tensor>& task_parameters) {
  auto captured = empty_captured(plan, losses.size());
  const auto in_site = columns_of_sites(plan);
  std::vector<std::vector<std::vector<Tensor>>> parts;  // [site][use][task]
  for (const auto& site : plan.sites) {
    parts.emplace_back(site.outputs.size(), std::vector<Tensor>(losses.size()));
  }
  for (size_t t = 0; t < losses.size(); ++t) {
    Request request;
    add_task_parameters(request, plan, t, task_parameters, captured);
    for (size_t c = 0; c < columns.size(); ++c) {
      if (!in_site[c] && reached_by(plan.column_owner[c], t)) {
        request.add(target_of(columns[c]), captured.column_rows[c][t]);
      }
    }
    for (size_t s = 0; s < plan.sites.size(); ++s) {
      const auto& outputs = plan.sites[s].outputs;
      for (size_t u = 0; u < outputs.size(); ++u) request.add(outputs[u], parts[s][u][t]);
    }
    request.run({losses[t]});
  }
  for (size_t s = 0; s < parts.size(); ++s) {
    for (size_t u = 0; u < parts[s].size(); ++u)
      captured.deltas[s][u] = stack(std::move(parts[s][u]));
  }
  return captured;
}

std::optional<Captured> replay(const Plan& plan, const std::vector<Tensor>& losses,
                               Workspace& workspace) {
  auto captured = empty_captured(plan, losses.size());
  const auto& steps = plan.replay->steps;
  const auto tasks = static_cast<int64_t>(losses.size());
  auto arrived = run_heads(plan, losses, captured, workspace);
  for (size_t s = 0; s < steps.size(); ++s) {
    const auto& step = steps[s];
    auto gradient = std::exchange(arrived[s], Tensor());
    if (!gradient.defined()) continue;
    if (step.column) {
      captured.column_rows[*step.column] = gradient.unbind(0);
    } else if (is_linear(step.operation)) {
      gradient = gradient.contiguous();
      if (step.site) captured.deltas[*step.site][*step.use] = gradient;
      if (!step.weight.defined()) continue;
      const auto next = *std::find_if(step.next.begin(), step.next.end(),
                                      [](const auto& to) { return to.has_value(); });
      const auto samples = gradient.size(1);
      const auto product = workspace.take({tasks, samples, step.weight.size(1)}, gradient);
      auto flat = product.view({tasks * samples, -1});
      at::mm_out(flat, gradient.view({tasks * samples, -1}), step.weight);
      send(arrived[*next], product);
    } else if (step.operation == Operation::relu && step.next[0] && owned(gradient)) {
      relu_backward_in_place(*step.node, gradient);
      send(arrived[*step.next[0]], gradient);
    } else {
      const auto results = (*step.node)({gradient});
      for (size_t e = 0; e < step.next.size(); ++e) {
        if (!step.next[e] || !results[e].defined()) continue;
        if (results[e].dim() != gradient.dim() ||
            (step.next.size() > 1 && results[e].sizes() != gradient.sizes())) {
          return {};
        }
        send(arrived[*step.next[e]], results[e]);
      }
    }
  }
  return captured;
}

}  // namespace mtl::engine
