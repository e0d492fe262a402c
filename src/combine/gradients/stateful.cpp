#include <cmath>
#include <limits>

#include "../by_task.hpp"
#include "mtl/combine/gradients/cr_mogm.hpp"
#include "mtl/combine/gradients/gradnorm.hpp"
#include "mtl/combine/gradients/imtl.hpp"
#include "mtl/combine/gradients/modo.hpp"
#include "mtl/combine/gradients/sdmgrad.hpp"
#include "mtl/combine/solvers/simplex.hpp"
#include "shared_options.hpp"

// The combiners whose weights have a history of their own.

namespace mtl {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

TaskLosses further_batch(const TaskLosses& losses, std::string_view combiner) {
  if (!losses.another_batch)
    throw Error(
        "{} takes three batches a step, but there is no further one: give the losses another_batch",
        combiner);
  TaskLosses further = losses.another_batch();
  if (further.tasks != losses.tasks)
    throw Error("{}: the batches of one step have labels of different tasks ({} and {} of them)",
                combiner, losses.size(), further.size());
  return further;
}

// J_1 J_2' [T,T].
MatrixXd cross_gramian(const Rows& first, const Rows& second) {
  const auto tasks = static_cast<Eigen::Index>(first.empty() ? 0 : first.front().size());
  MatrixXd cross(tasks, tasks);
  std::vector<Tensor> column(second.size());
  for (Eigen::Index t = 0; t < tasks; ++t) {
    for (size_t p = 0; p < second.size(); ++p) column[p] = second[p][static_cast<size_t>(t)];
    cross.col(t) = products(first, column);
  }
  return cross;
}

VectorXd present(const Tensor& by_task, const TaskLosses& step) {
  return to_vector(by_task)(step.tasks);
}

// A learned number by task. Its tensor is what an optimizer holds, so it is resized in place.
Tensor task_parameter(TaskCount tasks) {
  return torch::zeros({tasks.value}, torch::kDouble).requires_grad_();
}

void size_parameter(Tensor& by_task, int64_t tasks, std::string_view what) {
  if (by_task.size(0) == 0) by_task.set_data(torch::zeros({tasks}, torch::kDouble));
  if (by_task.size(0) != tasks)
    throw Error("{} has {} entries, but there are {} tasks", what, by_task.size(0), tasks);
}

void load_parameter(Tensor& by_task, const Tensor& loaded) {
  if (loaded.dim() != 1 || (by_task.size(0) != 0 && loaded.size(0) != by_task.size(0)))
    throw Error("the state has shape {}, expected {}", shape_text(loaded), shape_text(by_task));
  by_task.set_data(loaded.detach().to(torch::kCPU, torch::kDouble).clone());
}

// Adds to .grad as backward() would.
void add_gradient(Tensor& by_task, const TaskLosses& step, const VectorXd& gradient) {
  if (!by_task.grad().defined()) by_task.mutable_grad() = torch::zeros_like(by_task);
  auto* grad = by_task.mutable_grad().data_ptr<double>();
  for (Eigen::Index i = 0; i < gradient.size(); ++i)
    grad[step.tasks[static_cast<size_t>(i)]] += gradient[i];
}

double positive_loss(const TaskLosses& losses, size_t row, std::string_view combiner) {
  const double value = losses.values[row].item<double>();
  if (!(value > 0))
    throw Error("task \"{}\": its loss is {}, but {} needs positive ones", losses.names[row], value,
                combiner);
  return value;
}

}  // namespace

MoDo::MoDo(const Options& options) : GradientCombiner(shared_options(options)), options_(options) {
  require(options.gamma > 0, "MoDo", "gamma", options.gamma, "a positive number");
  require(options.rho >= 0, "MoDo", "rho", options.rho, "a number that is not negative");
}

VectorXd MoDo::weights(const MatrixXd& cross) {
  size_to(weights_, step().task_count, 1.0 / static_cast<double>(step().task_count),
          "the weights of MoDo");
  // Of absent tasks the weights stay; the present ones share what is theirs.
  VectorXd before = weights_(step().tasks);
  const double part = before.sum();
  if (!(part > 0)) return before;
  const VectorXd w = before / part;
  VectorXd after = solvers::project_on_simplex(w - options_.gamma * (cross * w + options_.rho * w));
  weights_(step().tasks) = part * after;
  return after;
}

void MoDo::backward(const TaskLosses& losses, const Parameters& parameters) {
  if (losses.size() == 0) return;
  begin(losses, parameters);
  const Rows first = engine().rows();
  const TaskLosses second = further_batch(losses, "MoDo");
  begin(second, parameters);
  const VectorXd w = solve(cross_gramian(first, engine().rows()));
  const TaskLosses third = further_batch(losses, "MoDo");
  begin(third, parameters);
  if (step_reports()) make_report(step(), engine().gramian(), w);
  engine().write_gradients(w, heads());
}

NamedTensors MoDo::state_dict() const {
  NamedTensors state;
  state.insert("weights", to_tensor(weights_));
  return state;
}

void MoDo::load_state_dict(const NamedTensors& state) {
  weights_ = to_vector(state_entry(state, "weights"));
}

SdmGrad::SdmGrad(const Options& options)
    : GradientCombiner(shared_options(options)), options_(options) {
  require(options.lr > 0, "SDMGrad", "lr", options.lr, "a positive number");
  require(options.momentum >= 0 && options.momentum < 1, "SDMGrad", "momentum", options.momentum,
          "a number in [0, 1)");
  require(options.n_iter >= 1, "SDMGrad", "n_iter", static_cast<double>(options.n_iter),
          "1 or more");
  require(options.lambda >= 0, "SDMGrad", "lambda", options.lambda,
          "a number that is not negative");
}

VectorXd SdmGrad::weights(const MatrixXd& cross) {
  size_to(weights_, step().task_count, 1.0 / static_cast<double>(step().task_count),
          "the weights of SDMGrad");
  const Eigen::Index n = cross.rows();
  VectorXd before = weights_(step().tasks);
  const double part = before.sum();
  if (!(part > 0)) return before;
  VectorXd w = before / part;
  const VectorXd pull =
      options_.lambda * of_rows(options_.preference, step(), active(), 1.0 / static_cast<double>(n),
                                "the preference of SDMGrad");
  const double scale = cross.diagonal().cwiseMax(0.0).cwiseSqrt().mean();
  const MatrixXd a = cross / (scale * scale + 1e-8);
  VectorXd velocity = VectorXd::Zero(n);
  for (int64_t k = 0; k < options_.n_iter; ++k) {
    velocity = options_.momentum * velocity + a * (w + pull);
    w = solvers::project_on_simplex(w - options_.lr * velocity);
  }
  weights_(step().tasks) = part * w;
  return (w + pull) / (1 + options_.lambda);
}

void SdmGrad::backward(const TaskLosses& losses, const Parameters& parameters) {
  if (losses.size() == 0) return;
  begin(losses, parameters);
  const Rows first = engine().rows();
  const TaskLosses second = further_batch(losses, "SDMGrad");
  begin(second, parameters);
  const VectorXd w = solve(cross_gramian(first, engine().rows()));
  const TaskLosses third = further_batch(losses, "SDMGrad");
  begin(third, parameters);
  if (step_reports()) make_report(step(), engine().gramian(), w);
  engine().write_gradients(w, heads());
}

NamedTensors SdmGrad::state_dict() const {
  NamedTensors state;
  state.insert("weights", to_tensor(weights_));
  return state;
}

void SdmGrad::load_state_dict(const NamedTensors& state) {
  weights_ = to_vector(state_entry(state, "weights"));
}

CrMogm::CrMogm(std::unique_ptr<GradientCombiner> of, const Options& options)
    : GradientCombiner(shared_options(options)), of_(std::move(of)), alpha_(options.alpha) {
  if (of_ == nullptr) throw Error("CR-MOGM smooths the weights of another combiner; there is none");
  require(alpha_ >= 0 && alpha_ <= 1, "CR-MOGM", "alpha", alpha_, "a number in [0, 1]");
}

VectorXd CrMogm::weights(const MatrixXd& gramian) {
  constexpr double kUnseen = std::numeric_limits<double>::quiet_NaN();
  size_to(weights_, step().task_count, kUnseen, "the weights of CR-MOGM");
  of_->share_step(*this);
  VectorXd smooth = of_->solve(gramian);
  for (Eigen::Index i = 0; i < smooth.size(); ++i) {
    double& kept = weights_[step().tasks[static_cast<size_t>(i)]];
    if (!std::isnan(kept)) smooth[i] = alpha_ * kept + (1 - alpha_) * smooth[i];
    kept = smooth[i];
  }
  return smooth;
}

NamedTensors CrMogm::state_dict() const {
  NamedTensors state;
  state.insert("weights", to_tensor(weights_));
  for (const auto& item : of_->state_dict()) state.insert("of." + item.key(), item.value());
  return state;
}

void CrMogm::load_state_dict(const NamedTensors& state) {
  weights_ = to_vector(state_entry(state, "weights"));
  NamedTensors inner;
  for (const auto& item : state)
    if (item.key().compare(0, 3, "of.") == 0) inner.insert(item.key().substr(3), item.value());
  of_->load_state_dict(inner);
}

GradNorm::GradNorm(TaskCount tasks, const Options& options)
    : GradientCombiner(shared_options(options)),
      alpha_(options.alpha),
      logits_(task_parameter(tasks)) {
  require(alpha_ >= 0 && std::isfinite(alpha_), "GradNorm", "alpha", alpha_,
          "a number that is not negative");
}

GradNorm::Balance GradNorm::balance(const VectorXd& logits, const VectorXd& norms,
                                    const VectorXd& losses, const VectorXd& first_losses,
                                    double alpha) {
  const double n = static_cast<double>(logits.size());
  Balance result;
  const VectorXd e = (logits.array() - logits.maxCoeff()).exp();
  result.weights = n / e.sum() * e;
  const VectorXd rate = losses.cwiseQuotient(first_losses);
  const VectorXd weighted = result.weights.cwiseProduct(norms);
  const VectorXd target = weighted.mean() * (rate / rate.mean()).array().pow(alpha);
  result.loss = (weighted - target).cwiseAbs().sum();
  // d loss / d w_t = +-|g_t|, through w = T softmax(logits).
  const VectorXd slope = (weighted - target).cwiseSign().cwiseProduct(norms);
  result.gradient = result.weights.array() * (slope.array() - result.weights.dot(slope) / n);
  return result;
}

void GradNorm::size_logits() { size_parameter(logits_, step().task_count, "GradNorm"); }

VectorXd GradNorm::weights(const MatrixXd& gramian) {
  size_logits();
  const VectorXd lengths = gramian.diagonal().cwiseSqrt(), ones = VectorXd::Ones(gramian.rows());
  return balance(present(logits_, step()), lengths, ones, ones, alpha_).weights;
}

void GradNorm::backward(const TaskLosses& losses, const Parameters& parameters) {
  if (losses.size() == 0) return;
  begin(losses, parameters);
  size_logits();
  size_to(first_, losses.task_count, 0, "the first losses of GradNorm");
  VectorXd now(losses.size());
  for (int64_t i = 0; i < losses.size(); ++i) {
    now[i] = positive_loss(losses, static_cast<size_t>(i), "GradNorm");
    double& first = first_[losses.tasks[static_cast<size_t>(i)]];
    if (first == 0) first = now[i];
  }
  const VectorXd lengths = engine().norms();
  require_finite(lengths, losses);
  const Balance found =
      balance(present(logits_, losses), lengths, now, first_(losses.tasks), alpha_);
  if (step_reports()) make_report(step(), engine().gramian(), found.weights);
  engine().write_gradients(found.weights, heads());
  add_gradient(logits_, losses, found.gradient);
}

NamedTensors GradNorm::state_dict() const {
  NamedTensors state;
  state.insert("logits", logits_.detach());
  state.insert("first_losses", to_tensor(first_));
  return state;
}

void GradNorm::load_state_dict(const NamedTensors& state) {
  load_parameter(logits_, state_entry(state, "logits"));
  first_ = to_vector(state_entry(state, "first_losses"));
}

Imtl::Imtl(TaskCount tasks, const Options& options)
    : ImtlG(options), log_scale_(task_parameter(tasks)) {}

void Imtl::backward(const TaskLosses& losses, const Parameters& parameters) {
  if (losses.size() == 0) return;
  size_parameter(log_scale_, losses.task_count, "the scales of IMTL");
  const VectorXd s = present(log_scale_, losses);
  TaskLosses scaled = losses;
  VectorXd gradient(losses.size());
  for (int64_t i = 0; i < losses.size(); ++i) {
    const double factor = std::exp(s[i]);
    gradient[i] = factor * losses.values[static_cast<size_t>(i)].item<double>() - 1;
    scaled.values[static_cast<size_t>(i)] = factor * losses.values[static_cast<size_t>(i)] - s[i];
  }
  ImtlG::backward(scaled, parameters);
  add_gradient(log_scale_, losses, gradient);
}

NamedTensors Imtl::state_dict() const {
  NamedTensors state;
  state.insert("log_scale", log_scale_.detach());
  return state;
}

void Imtl::load_state_dict(const NamedTensors& state) {
  load_parameter(log_scale_, state_entry(state, "log_scale"));
}

}  // namespace mtl
