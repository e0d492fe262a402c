#include "joint_step.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "../gradient_norm.hpp"
#include "../loss_meter.hpp"
#include "mtl/combine/faulty_step.hpp"
#include "mtl/combine/loss_values.hpp"
#include "mtl/core/error.hpp"
#include "mtl/train/history.hpp"

namespace mtl {
namespace {

/// A loss of NaN for the first task, of the type that its parameters let expect: what the others
/// hear of a share that went wrong.
TaskLosses broken_losses(const Model& model) {
  TaskLosses losses;
  losses.task_count = model.tasks().size();
  losses.tasks = {0};
  losses.names = {model.tasks()[0].name};
  const auto parameters = model.parameters();
  const auto type = parameters.empty() ? torch::kFloat : parameters.front().scalar_type();
  losses.values = {torch::full({}, std::numeric_limits<double>::quiet_NaN(), type)};
  losses.samples = {1};
  losses.weights = {Tensor()};
  losses.kinds = {model.tasks()[0].loss.kind()};
  return losses;
}

/// Scalars of each process, [processes, scalars].
Tensor of_all(const Processes& processes, const std::vector<Tensor>& scalars) {
  const Eigen::VectorXd read = read_together(scalars);
  const Tensor own = torch::tensor(std::vector<double>(read.begin(), read.end()), torch::kDouble);
  std::vector<Tensor> rows;
  const auto all = processes.gather({{"scalars", own}});
  for (const NamedTensors& of_process : all) rows.push_back(of_process["scalars"]);
  return torch::stack(rows);
}

constexpr char final_cause = 'a', cause = 'b', consequence = 'c';  // the first counts most

}  // namespace

StepForward JointStep::forward(Model& model, const StepBatch& batch,
                               const std::vector<Tensor>& held, const std::vector<bool>& left_out,
                               Arithmetic arithmetic, double scale) {
  if (!several()) return step_losses(model, batch, held, left_out, arithmetic, scale);
  own_fault_.clear();
  is_final_ = false;
  StepBatch share;
  for (const Batch& part : batch)
    if (size(part) > 0) share.push_back(part);
  StepForward seen;
  try {
    seen = step_losses(model, share, held, left_out, arithmetic, scale);
  } catch (const FaultyStep& error) {
    own_fault_ = error.what();
  } catch (const Error& error) {
    own_fault_ = error.what();
    is_final_ = true;
  } catch (const c10::Error& error) {
    own_fault_ = error.what_without_backtrace();
    is_final_ = true;
  }
  if (!own_fault_.empty()) seen.losses = broken_losses(model);
  seen.own = seen.losses;
  seen.losses = joiner(model, held).joined(seen.own);
  return seen;
}

const LossJoiner& JointStep::joiner(Model& model, const std::vector<Tensor>& held) {
  const auto is_same = [](const Tensor& a, const Tensor& b) { return a.is_same(b); };
  if (joiner_ && std::equal(held.begin(), held.end(), held_.begin(), held_.end(), is_same))
    return *joiner_;
  held_ = held;
  joiner_ = processes_->joiner(reached_parameters(model, held), result_names(model.tasks()).tasks);
  return *joiner_;
}

std::string JointStep::explain(const Model& model, const StepBatch& batch, const StepForward& seen,
                               const std::vector<double>& values) {
  if (!several()) return explain_losses(model, batch.front(), seen, values);
  const int64_t at = first_not_finite(values);
  if (at < 0) return {};
  if (own_fault_.empty()) {
    const std::vector<double> own = numbers_of(seen.own.values);
    const auto part =
        std::find_if(batch.begin(), batch.end(), [](const Batch& rows) { return size(rows) > 0; });
    try {
      if (first_not_finite(own) >= 0 && !seen.predictions.is_empty() && part != batch.end())
        own_fault_ = explain_losses(model, *part,
                                    {.losses = seen.own, .predictions = seen.predictions}, own);
    } catch (const Error& error) {
      own_fault_ = error.what();
      is_final_ = true;
    }
  }
  return at < seen.losses.size() ? fmt::format("task \"{}\": the loss is NaN or infinite",
                                               seen.losses.names[static_cast<size_t>(at)])
                                 : "a loss's weight is NaN or infinite";
}

std::string JointStep::agreed_fault(const std::string& found) {
  if (!several() || found.empty()) return found;
  const char kind = own_fault_.empty() ? consequence : is_final_ ? final_cause : cause;
  const auto texts = processes_->gather_texts(
      kind + (kind == consequence ? found : std::exchange(own_fault_, {})));
  size_t first = 0;
  for (size_t p = 0; p < texts.size(); ++p)
    if (texts[p].front() < texts[first].front()) first = p;
  const char worst = texts[first].front();
  const std::string text = texts[first].substr(1);
  if (worst == consequence) return text;
  if (worst == final_cause) throw Error("process {}: {}", static_cast<int64_t>(first), text);
  return fmt::format("process {}: {}", first, text);
}

void JointStep::share_changes(const std::vector<Tensor>& held, const TrainState& state) const {
  if (!several() || std::none_of(state.callbacks.begin(), state.callbacks.end(),
                                 [](const Callback& callback) { return !!callback.on_gradients; }))
    return;
  const torch::NoGradGuard no_grad;
  std::vector<Tensor> sums;  // by which equal gradients are known; infinite where there is none
  for (const Tensor& parameter : held) {
    const Tensor& grad = parameter.grad();
    const auto type = parameter.is_complex() ? torch::kComplexDouble : torch::kDouble;
    sums.push_back(grad.defined()
                       ? torch::real(gradient_entries(grad).sum(type))
                       : torch::full({}, std::numeric_limits<double>::infinity(), torch::kDouble));
  }
  const Tensor together = of_all(*processes_, sums), own = together[processes_->rank()];
  if ((together == own).all().item<bool>()) return;
  const Tensor reached = together.isinf().all(0).logical_not();
  std::vector<Tensor> gradients;
  for (size_t p = 0; p < held.size(); ++p)
    gradients.push_back(held[p].grad().defined() ? held[p].grad() : torch::zeros_like(held[p]));
  const auto summed = processes_->sum(gradients);
  for (size_t p = 0; p < held.size(); ++p)
    if (reached[static_cast<int64_t>(p)].item<bool>())
      held[p].mutable_grad() = summed[p] / static_cast<double>(processes_->count());
}

void JointStep::meet(Model& model) const {
  if (!several()) return;
  processes_->average(model.parameter_sets().buffers);
  const torch::NoGradGuard no_grad;
  const auto parameters = model.named_parameters();
  std::vector<Tensor> sizes;
  for (const auto& item : parameters) sizes.push_back(item.value().abs().sum(torch::kDouble));
  const Tensor together = of_all(*processes_, sizes), first = together[0];
  constexpr double rounding = 1e-3;  // processors of different kinds may round differently
  const Tensor apart = (together - first).abs().gt(rounding * first).nonzero();
  if (apart.size(0) == 0) return;
  throw Error(
      "the weights of process {} have come apart from those of process 0, first at \"{}\": what "
      "a combiner, an optimizer or a callback of one's own draws has to be the same in all "
      "processes; give it a generator of its own",
      apart[0][0].item<int64_t>(),
      parameters[static_cast<size_t>(apart[0][1].item<int64_t>())].key());
}

void JointStep::agree(TrainState& state) const {
  if (!several()) return;
  double frozen = 0;  // a number for the set of tasks, of which sums are exact
  for (const Task& task : state.model.tasks())
    frozen = std::fmod(2 * frozen + state.is_frozen(task.name), 1e9 + 7);
  const Tensor sums =
      processes_->sum({torch::tensor({state.stopped() ? 1.0 : 0.0, frozen}, torch::kDouble)})[0];
  if (sums[1].item<double>() != frozen * static_cast<double>(processes_->count()))
    throw Error(
        "process {} of {} has frozen other tasks than the others; freeze by what all processes "
        "see alike, such as the history",
        processes_->rank(), processes_->count());
  if (sums[0].item<double>() == 0) return;
  const auto texts = processes_->gather_texts(
      state.stopped()
          ? fmt::format("{:02}{}", static_cast<int>(*state.stop_reason), state.stop_text)
          : "");
  for (const std::string& text : texts) {
    if (text.empty()) continue;
    return state.stop(static_cast<StopReason>(std::stoi(text.substr(0, 2))), text.substr(2));
  }
}

}  // namespace mtl
